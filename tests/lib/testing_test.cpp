// The test kit, used as a program's tests use it; and that it finds what is wrong.
#include "host.hpp"

#include <troupe/map.hpp>
#include <troupe/testing.hpp>

using namespace std::chrono_literals;
namespace testing = troupe::testing;

namespace {

struct point {
  int x = 0, y = 0;
  friend bool operator==(const point&, const point&) = default;
};
/// Equal without regard to the sign, and written with it.
struct unsigned_in_spirit {
  int n = 0;
  friend bool operator==(const unsigned_in_spirit& a, const unsigned_in_spirit& b) {
    return std::abs(a.n) == std::abs(b.n);
  }
};
/// Its codec takes whatever there is.
struct greedy {
  std::string text{};
};
struct forgetful {
  int a = 0, b = 0;
  friend bool operator==(const forgetful&, const forgetful&) = default;
};

} // namespace

template <>
struct troupe::codec<point> : troupe::fields<point> {
  static constexpr std::string_view name = "point";
  template <class P, class V>
  static void each(P& p, V&& visit) {
    visit(p.x, p.y);
  }
};
template <>
struct troupe::codec<unsigned_in_spirit> : troupe::fields<unsigned_in_spirit> {
  static constexpr std::string_view name = "unsigned_in_spirit";
  template <class P, class V>
  static void each(P& p, V&& visit) {
    visit(p.n);
  }
};
template <>
struct troupe::codec<greedy> {
  static constexpr std::string_view name = "greedy";
  static constexpr std::uint32_t version = 1;
  static void write(sink& to, const greedy& value) { to.put(value.text.data(), value.text.size()); }
  static greedy read(source& from, std::uint32_t) { return {std::string(from.take(from.left()))}; }
};
template <>
struct troupe::codec<forgetful> {
  static constexpr std::string_view name = "forgetful";
  static constexpr std::uint32_t version = 1;
  static void write(sink& to, const forgetful& value) { troupe::write(to, value.a); }
  static forgetful read(source& from, std::uint32_t) { return {troupe::read<int>(from), 0}; }
};

TEST_CASE("check_codec: good codecs pass, and each law that is broken is named with the value") {
  CHECK(testing::check_codec<point>({{1, 2}, {0, 0}, {1, 2}}));
  CHECK(testing::check_codec<std::map<std::string, std::vector<int>>>({{{"a", {1, 2}}, {"b", {}}}, {}}));
  CHECK(testing::check_codec<std::string>({std::string(5'000, 'x'), ""}));
  const auto spirit = testing::check_codec<unsigned_in_spirit>({{1}, {2}, {-1}});
  REQUIRE(!spirit);
  CHECK(spirit.error().message.find(
            "values 0 and 2 of codec \"unsigned_in_spirit\" are equal, and their bytes are not") == 0);
  const auto taken = testing::check_codec<greedy>({{"abc"}});
  REQUIRE(!taken);
  CHECK(taken.error().message.find("value 0 of codec \"greedy\": the first 0 of its 3 bytes are read as a value") == 0);
  const auto forgot = testing::check_codec<forgetful>({{1, 0}, {1, 2}});
  REQUIRE(!forgot);
  CHECK(forgot.error().message.find("value 1 of codec \"forgetful\": what is read is not equal") == 0);
}

TEST_CASE("a sandbox: commands are played, time goes ahead, and nothing is left") {
  std::string folder;
  std::atomic<int> played = 0;
  {
    const host::folder files;
    files.write("in.txt", "b\na\n");
    troupe::pipeline p("boxed");
    p.folder(files.path.string());
    const auto sorted =
        p.run("sorted", {.shell = "sort in.txt >sorted.txt"}, {.inputs = {"in.txt"}, .outputs = {"sorted.txt"}});
    const auto first = p.make(
        "first", {.version = "1", .max_age = 1h},
        [](const troupe::files& in) {
          std::string line;
          std::getline(std::ifstream(in.paths.at(0)) >> std::ws, line);
          return line;
        },
        sorted);
    REQUIRE(testing::script(p, "sorted", [&] {
      ++played;
      files.write("sorted.txt", "played\n");
    }));
    const auto unknown = testing::script(p, "first", [] {});
    REQUIRE(!unknown);
    CHECK(unknown.error().code == troupe::errc::not_found);
    auto box = testing::sandbox::open(p);
    REQUIRE_MESSAGE(box, (box ? "" : box.error().text()));
    folder = box->folder();
    CHECK(fs::is_directory(folder));
    CHECK(box->stale()->size() == 2);
    const auto how = box->run();
    REQUIRE(how);
    CHECK((how->status == troupe::run_status::succeeded && how->succeeded == 2 && played == 1));
    CHECK(**box->engine().latest(first) == "played");
    CHECK(box->run()->fresh == 2);
    box->advance(30min);
    CHECK(box->run()->fresh == 2);
    box->advance(31min);
    CHECK(box->run()->succeeded == 1);
    CHECK(box->engine().explain(first)->last_attempt->reasons.at(0).kind == troupe::reason_kind::expired);
  }
  CHECK(!fs::exists(folder));
}

TEST_CASE("crash_everywhere: an invariant that holds after each crash, and one that does not") {
  const host::folder at;
  troupe::pipeline p("crashes");
  const auto one = p.make("one", {.version = "1"}, [] { return 1; });
  const auto two = p.make(
      "two", {.version = "1"}, [](int in) { return std::string(2'000, static_cast<char>('a' + in)); }, one);
  const auto crashes = testing::crash_everywhere(p, [&](troupe::engine& engine) -> troupe::result<void> {
    const auto value = engine.latest(two);
    if (!value)
      return value.error();
    if ((*value)->size() != 2'000)
      return troupe::error{troupe::errc::internal, "it is incomplete", {}};
    return {};
  });
  REQUIRE_MESSAGE(crashes, (crashes ? "" : crashes.error().text()));
  CHECK(*crashes >= 3);
  // A function that may not be repeated: a crash between its return and the record of it has it called twice.
  const auto file = (at.path / "calls").string();
  troupe::pipeline q("counts");
  q.make("adds", {.version = "1"}, [file] { std::ofstream(file, std::ios::app) << "x"; });
  const auto found = testing::crash_everywhere(q, [&](troupe::engine&) -> troupe::result<void> {
    const auto calls = fs::file_size(file);
    fs::remove(file);
    if (calls != 1)
      return troupe::error{troupe::errc::internal, "it was called " + std::to_string(calls) + " times", {}};
    return {};
  });
  REQUIRE(!found);
  // The first crash that came before the record of the call: at a transaction, or at the call itself.
  CHECK(found.error().message.find("after ") == 0);
  CHECK(found.error().message.find("it was called 2 times") != std::string::npos);
  const auto endless =
      testing::crash_everywhere(p, [](troupe::engine&) { return troupe::result<void>(); }, {.most = 1});
  REQUIRE(!endless);
  CHECK(endless.error().message.find("there are more than 1 crashes") != std::string::npos);
}
