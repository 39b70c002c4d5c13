// Tests of a program's own pipeline, with the test kit and without a test framework. Knows the public headers alone.
#include <troupe/testing.hpp>
#include <troupe/troupe.hpp>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

using namespace std::chrono_literals;
namespace testing = troupe::testing;

namespace {

struct line_count {
  std::string file{};
  int lines = 0;
  friend bool operator==(const line_count&, const line_count&) = default;
};

} // namespace

template <>
struct troupe::codec<line_count> : troupe::fields<line_count> {
  static constexpr std::string_view name = "line_count";
  template <class C, class V>
  static void each(C& count, V&& visit) {
    visit(count.file, count.lines);
  }
};

namespace {

/// The program's pipeline: a command fetches a file, a function counts its lines.
struct counting {
  troupe::pipeline all{"counting"};
  troupe::asset<line_count> count;
  explicit counting(const std::string& folder) {
    all.folder(folder);
    const auto fetched =
        all.run("fetched", {.argv = {"curl", "-o", "page.txt", "https://example.org"}}, {.outputs = {"page.txt"}});
    count = all.make(
        "count", {.version = "1", .max_age = 24h},
        [](const troupe::files& in) {
          std::ifstream file(in.paths.front());
          line_count counted{"page.txt"};
          for (std::string line; std::getline(file, line);)
            ++counted.lines;
          return counted;
        },
        fetched);
  }
};

int failures = 0;

void check(bool right, const char* what) {
  std::printf("%s %s\n", right ? "ok    " : "FAILED", what);
  failures += right ? 0 : 1;
}
void check(const troupe::result<void>& right, const char* what) {
  check(right.has_value(), right ? what : right.error().text().c_str());
}

} // namespace

int main(int count, char** words) {
  if (count != 2)
    return std::fprintf(stderr, "usage: own_tests FOLDER\n"), 2;
  const std::string folder = words[1];
  check(testing::check_codec<line_count>({{"a", 1}, {"a", 2}, {"", 0}}), "the codec obeys its laws");

  counting of(folder);
  const auto page = [folder] { std::ofstream(folder + "/page.txt") << "one\ntwo\n"; };
  check(testing::script(of.all, "fetched", page), "curl is played");
  {
    auto box = testing::sandbox::open(of.all);
    if (!box)
      return std::fprintf(stderr, "%s\n", box.error().text().c_str()), 1;
    const auto how = box->run();
    check(how && how->succeeded == 2, "everything is made");
    const auto value = box->engine().latest(of.count);
    check(value && (*value)->lines == 2, "two lines are counted");
    check(box->stale()->empty(), "then all is fresh");
    box->advance(25h);
    check(box->stale()->size() == 1, "a day later the count is stale");
  }
  const auto crashes = testing::crash_everywhere(of.all, [&](troupe::engine& engine) -> troupe::result<void> {
    const auto value = engine.latest(of.count);
    if (!value)
      return value.error();
    if ((*value)->lines != 2)
      return troupe::error{troupe::errc::internal, "lines were lost", {}};
    return {};
  });
  check(crashes.has_value() && *crashes > 0,
        crashes ? "the count is right after each crash" : crashes.error().text().c_str());
  return failures == 0 ? 0 : 1;
}
