// A host: pipelines of functions through the public headers and the shared object alone. Knows nothing of src/.
#include "host.hpp"

#include <troupe/map.hpp>

using namespace std::chrono_literals;

namespace {

struct order {
  int id = 0;
  double amount = 0;
  std::optional<std::string> note{};
  friend bool operator==(const order&, const order&) = default;
};

/// A value that cannot be copied.
struct only_moved {
  std::vector<double> numbers{};
  only_moved() = default;
  explicit only_moved(std::vector<double> all) : numbers(std::move(all)) {}
  only_moved(only_moved&&) = default;
  only_moved& operator=(only_moved&&) = default;
};

/// Its layout has changed: version 2 reads version 1.
template <int Version>
struct grown {
  int number = 0;
};

} // namespace

template <>
struct troupe::codec<order> : troupe::fields<order> {
  static constexpr std::string_view name = "order";
  template <class O, class V>
  static void each(O& o, V&& visit) {
    visit(o.id, o.amount, o.note);
  }
};
template <>
struct troupe::codec<only_moved> : troupe::fields<only_moved> {
  static constexpr std::string_view name = "only_moved";
  template <class O, class V>
  static void each(O& o, V&& visit) {
    visit(o.numbers);
  }
};
template <int Version>
struct troupe::codec<grown<Version>> {
  static constexpr std::string_view name = "grown";
  static constexpr std::uint32_t version = Version;
  static constexpr std::uint32_t oldest_readable = Version == 3 ? 3 : 1;
  static void write(sink& to, const grown<Version>& value) { troupe::write(to, value.number); }
  static grown<Version> read(source& from, std::uint32_t) { return {troupe::read<int>(from)}; }
};

using host::folder;
using host::latest;
using host::open;
using host::run;

TEST_CASE(
    "functions hand on values, and what nothing has changed for is not called again, in this process or the next") {
  const folder at;
  at.write("orders.txt", "1 2.5\n2 4\n");
  std::atomic<int> parsed = 0, summed = 0;
  const auto make = [&] {
    troupe::pipeline orders("orders");
    orders.folder(at.path.string());
    const auto raw = orders.source("raw", {"orders.txt"});
    const auto clean = orders.make(
        "clean", {.version = "1"},
        [&](const troupe::files& in) {
          ++parsed;
          std::vector<order> all;
          std::ifstream file(in.paths.at(0));
          for (order one; file >> one.id >> one.amount;)
            all.push_back(one);
          return all;
        },
        raw);
    const auto total = orders.make(
        "total", {.version = "1"},
        [&](const std::vector<order>& all) {
          ++summed;
          double sum = 0;
          for (const auto& one : all)
            sum += one.amount;
          return sum;
        },
        clean);
    return std::tuple(std::move(orders), clean, total);
  };
  {
    const auto [orders, clean, total] = make();
    auto engine = open(at, orders);
    const auto first = run(engine, "orders");
    CHECK(first.succeeded == 3);
    CHECK(latest(engine, total) == 6.5);
    CHECK(latest(engine, clean) == std::vector<order>{{1, 2.5}, {2, 4}});
    CHECK(run(engine, "orders").fresh == 3);
    CHECK((parsed == 1 && summed == 1));
  }
  const auto [orders, clean, total] = make(); // another pipeline, another engine, the same state
  auto engine = open(at, orders);
  CHECK(run(engine, "orders").fresh == 3);
  CHECK(latest(engine, total) == 6.5);
  at.write("orders.txt", "1   2.5\n2 4.0\n"); // parsed again, to an equal value: early cut-off
  const auto again = run(engine, "orders");
  CHECK((parsed == 2 && summed == 1));
  CHECK(again.fresh == 1);
  at.write("orders.txt", "1 2.5\n2 5\n");
  static_cast<void>(run(engine, "orders"));
  CHECK((parsed == 3 && summed == 2));
  CHECK(latest(engine, total) == 7.5);
  const auto info = engine.latest(total)->info();
  CHECK(info.run == 5);
  CHECK(info.attempt == 1);
  CHECK(info.bytes == 8);
}

TEST_CASE("commands and functions mix, in both directions") {
  const folder at;
  at.write("in.txt", "b\na\n");
  troupe::pipeline mixed("mixed");
  mixed.folder(at.path.string());
  const auto in = mixed.source("in", {"in.txt"});
  const auto sorted =
      mixed.run("sorted", {.shell = "sort in.txt > sorted.txt"}, {.inputs = {"in.txt"}, .outputs = {"sorted.txt"}});
  const auto first = mixed.make(
      "first", {.version = "1"},
      [](const troupe::files& files) {
        std::string line;
        std::getline(std::ifstream(files.paths.at(0)) >> std::ws, line);
        return line;
      },
      sorted);
  const std::string out = (at.path / "out.txt").string();
  mixed.make(
      "written", {.version = "1", .outputs = {"out.txt"}},
      [out](const std::string& line) { std::ofstream(out) << line; }, first);
  mixed.run("copied", {.argv = {"cp", "out.txt", "copy.txt"}}, {.inputs = {"out.txt"}, .outputs = {"copy.txt"}});
  static_cast<void>(in);
  {
    auto none = troupe::engine::open({.state = at.state()});
    REQUIRE(none);
    const auto refused = none->add(mixed);
    REQUIRE(!refused);
    CHECK(refused.error().message.find("\"sorted\" is made by a command") != std::string::npos);
  }
  auto engine = open(at, mixed, {.children = troupe::children::known});
  CHECK(run(engine, "mixed").succeeded == 5);
  std::string copy;
  std::ifstream(at.path / "copy.txt") >> copy;
  CHECK(copy == "a");
  CHECK(run(engine, "mixed").fresh == 5);
}

TEST_CASE("a function that throws has failed, with its words; a permanent error is not tried again") {
  const folder at;
  std::atomic<int> thrown = 0, permanent = 0, odd = 0, told = 0;
  troupe::pipeline bad("bad");
  bad.set(troupe::error_strategy::go_on);
  bad.make("throws", {.version = "1", .retry = {.attempts = 3, .delay = 1ms}}, [&]() -> int {
    ++thrown;
    throw std::runtime_error("no connection");
  });
  bad.make("permanent", {.version = "1", .retry = {.attempts = 3, .delay = 1ms}}, [&]() -> int {
    ++permanent;
    throw troupe::permanent_error("no such table");
  });
  bad.make("odd", {.version = "1"}, [&]() -> int {
    ++odd;
    throw 5;
  });
  bad.make("told", {.version = "1", .retry = {.attempts = 3, .delay = 1ms}}, [&]() -> troupe::result<int> {
    ++told;
    return troupe::error{troupe::errc::permanent, "not today", {}};
  });
  auto engine = open(at, bad);
  const auto started = engine.start("bad");
  REQUIRE(started);
  const auto ended = started->wait();
  REQUIRE(!ended);
  CHECK(ended.error().code == troupe::errc::run_failed);
  CHECK((thrown == 3 && permanent == 1 && odd == 1 && told == 1));
  std::map<std::string, std::string> words;
  for (const auto& one : ended.error().found)
    words[one.asset] = one.message;
  CHECK(words["throws"] == "no connection");
  CHECK(words["permanent"] == "no such table");
  CHECK(words["odd"] == "it threw something that is no std::exception");
  CHECK(words["told"] == "not today");
  CHECK(started->outcome()->failed == 4);
}

TEST_CASE("a cancelled function is asked to stop, a late one too, and neither is left behind") {
  const folder at;
  std::atomic<bool> began = false, called_back = false;
  troupe::pipeline slow("slow");
  const auto until_stopped = [&](troupe::context& told) -> troupe::result<int> {
    std::mutex mutex;
    std::condition_variable changed;
    bool stopped = false;
    const troupe::stop_callback on_stop(told.stop_token(), [&] {
      const std::lock_guard lock(mutex);
      called_back = stopped = true;
      changed.notify_all();
    });
    began = true;
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return stopped; });
    CHECK(told.stop_requested());
    return troupe::error{troupe::errc::cancelled, "stopped", {}};
  };
  slow.make("waits", {.version = "1"}, until_stopped);
  troupe::pipeline late("late");
  late.make("late", {.version = "1", .timeout = 20ms}, [&](troupe::context& told) -> troupe::result<int> {
    CHECK(told.deadline().has_value());
    return until_stopped(told);
  });
  auto engine = open(at, slow);
  REQUIRE(engine.add(late));
  const auto started = engine.start("slow");
  REQUIRE(started);
  CHECK(started->wait_for(1ms).error().code == troupe::errc::timed_out);
  for (int ms = 0; ms < 10'000 && !began; ++ms)
    std::this_thread::sleep_for(1ms);
  REQUIRE(began); // one that was cancelled before has nothing to be called back
  REQUIRE(started->cancel());
  CHECK(started->wait().error().code == troupe::errc::cancelled);
  CHECK(called_back);
  called_back = false;
  const auto timed = engine.start("late");
  REQUIRE(timed);
  const auto over = timed->wait();
  REQUIRE(!over);
  CHECK(over.error().found.at(0).message.find("its timeout of 20ms was over") == 0);
  CHECK(called_back);
}

TEST_CASE("what a function is told, and what it says of itself") {
  const folder at;
  at.write("more.txt", "1");
  std::string scratch, key;
  troupe::pipeline telling("telling");
  telling.folder(at.path.string());
  telling.param("top", "3");
  std::atomic<int> calls = 0;
  const auto asset = telling.make("telling", {.version = "1", .params = {"top"}}, [&](troupe::context& told) {
    ++calls;
    CHECK(told.asset() == "telling");
    CHECK(told.pipeline() == "telling");
    CHECK(told.attempt() == 1);
    CHECK(told.param("top").has_value());
    CHECK(!told.param("other").has_value());
    scratch = told.scratch().value();
    CHECK(fs::is_directory(scratch));
    std::ofstream(scratch + "/x") << "left";
    key = told.idempotency_key();
    CHECK(key == std::string(told.run()) + "/telling");
    told.log("a line");
    told.metadata("rows", "42");
    told.also_read("more.txt");
    return troupe::made<std::string>{"top " + std::string(*told.param("top")), "v" + std::string(*told.param("top"))};
  });
  auto engine = open(at, telling);
  const auto first = run(engine, "telling");
  CHECK(!fs::exists(scratch));
  CHECK(latest(engine, asset) == "top 3");
  CHECK(engine.status("telling")->at(0).data_version == "v3");
  std::string line;
  std::getline(std::ifstream(at.path / "state/logs" / std::to_string(first.number) / "telling.1.log") >> std::ws, line);
  CHECK(line == "a line");
  CHECK(run(engine, "telling").fresh == 1);
  at.write("more.txt", "22"); // it was read
  CHECK(run(engine, "telling").succeeded == 1);
  CHECK(run(engine, "telling", {.params = {{"top", "4"}}}).succeeded == 1);
  CHECK(latest(engine, asset) == "top 4");
  CHECK(calls == 3);
}

TEST_CASE("mistakes of a pipeline are told all at once, with file and line") {
  troupe::pipeline wrong("wrong");
  troupe::pipeline other("other");
  const auto foreign = other.constant("five", 5);
  const int takes = __LINE__ + 1;
  wrong.make(
      "takes", {.version = "1"}, [](int) { return 1; }, foreign);
  wrong.make("bad name", {.version = "1"}, [] { return 1; });
  int captured = 1;
  const int captures = __LINE__ + 1;
  wrong.make("captures", [captured] { return captured; });
  wrong.make(
      "never", {.version = "1"}, [](int) {}, troupe::asset<int>());
  const auto checked = wrong.check();
  REQUIRE(!checked);
  CHECK(checked.error().code == troupe::errc::invalid_pipeline);
  const auto& found = checked.error().found;
  REQUIRE(found.size() == 3);
  CHECK(found[0].code == "foreign_asset");
  CHECK((found[0].line == static_cast<unsigned>(takes) || found[0].line == static_cast<unsigned>(takes) + 1));
  CHECK(found[0].file == __FILE__);
  CHECK(found[1].code == "captures_without_version");
  CHECK(found[1].line == static_cast<unsigned>(captures));
  CHECK(found[2].code == "foreign_asset");
  troupe::pipeline named("named");
  named.make("bad name", {.version = "1"}, [] { return 1; });
  named.constant("twice", 1);
  named.constant("twice", 2);
  named.source("empty", {});
  named.make("pooled", {.version = "1", .pools = {{"none", 1}}}, [] { return 1; });
  const auto judged = named.check();
  REQUIRE(!judged);
  std::vector<std::string> codes;
  for (const auto& one : judged.error().found)
    codes.push_back(one.code);
  CHECK(codes == std::vector<std::string>{"bad_name", "duplicate_asset", "empty_asset"});
  const folder at;
  auto engine = troupe::engine::open({.state = at.state()});
  REQUIRE(engine);
  CHECK(engine->add(named).error().found.size() == 3);
  CHECK(engine->start("named").error().code == troupe::errc::not_recovered);
}

TEST_CASE("large values lie in files, survive the engine, and one that is damaged is made again by the next run") {
  const folder at;
  std::atomic<int> made = 0, read = 0;
  const auto make = [&](const std::string& version) {
    troupe::pipeline large("large");
    const auto numbers = large.make("numbers", {.version = "1"}, [&] {
      ++made;
      return only_moved(std::vector<double>(100'000, 1.5));
    });
    const auto sum = large.make(
        "sum", {.version = version},
        [&](const only_moved& all) {
          ++read;
          double total = 0;
          for (const auto one : all.numbers)
            total += one;
          return total;
        },
        numbers);
    return std::pair(std::move(large), sum);
  };
  fs::path file;
  {
    const auto [large, sum] = make("1");
    auto engine = open(at, large);
    static_cast<void>(run(engine, "large"));
    CHECK(latest(engine, sum) == 150'000);
    for (const auto& entry : fs::directory_iterator(at.path / "state/values"))
      if (entry.path().filename().string().size() == 32)
        file = entry.path();
    REQUIRE(fs::file_size(file) == 800'008);
    std::ofstream(at.path / "state/values/0123456789abcdef0123456789abcdef") << "nobody names it";
  }
  {
    const auto [large, sum] = make("2"); // reads the value of an earlier process
    auto engine = open(at, large);
    CHECK(!fs::exists(at.path / "state/values/0123456789abcdef0123456789abcdef"));
    static_cast<void>(run(engine, "large"));
    CHECK((made == 1 && read == 2));
  }
  {
    std::fstream damaged(file, std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(500);
    damaged.put('x');
  }
  {
    const auto [large, sum] = make("3");
    auto engine = open(at, large);
    const auto problems = engine.verify();
    REQUIRE_MESSAGE(problems, (problems ? "" : problems.error().text()));
    REQUIRE(problems->size() == 1);
    CHECK(problems->at(0).find(file.filename().string() + " is damaged. The next run makes it again") !=
          std::string::npos);
    const auto failed = engine.start("large")->wait();
    REQUIRE(!failed);
    CHECK(failed.error().found.at(0).message.find("the value of numbers, which it takes, cannot be had") == 0);
    const auto plan = engine.plan("large");
    REQUIRE(plan);
    CHECK(plan->at(0).name == "numbers");
    CHECK(plan->at(0).reasons.at(0).find("is not there or is damaged") != std::string::npos);
    static_cast<void>(run(engine, "large"));
    CHECK(engine.verify()->empty());
    CHECK(made == 2);
    CHECK(latest(engine, sum) == 150'000);
  }
  fs::remove(file);
  const auto [large, sum] = make("3");
  auto engine = open(at, large);
  static_cast<void>(run(engine, "large"));
  CHECK((made == 3 && read == 3)); // the value came out as it was
}

namespace {

template <int Version>
int grown_runs(const folder& at) {
  int calls = 0;
  troupe::pipeline p("grown");
  const auto one = p.make("grown", {.version = "1"}, [&calls] {
    ++calls;
    return grown<Version>{7};
  });
  auto engine = open(at, p);
  static_cast<void>(run(engine, "grown"));
  CHECK(latest(engine, one).number == 7);
  return calls;
}

} // namespace

TEST_CASE("a codec that reads older versions makes nothing stale; one that does not is a reason to run, and no crash") {
  const folder at;
  CHECK(grown_runs<1>(at) == 1);
  CHECK(grown_runs<2>(at) == 0); // reads version 1
  CHECK(grown_runs<3>(at) == 1); // does not
  CHECK(grown_runs<1>(at) == 1); // nor is a newer version read
}

TEST_CASE("codecs: what is written is read, and each shorter text is refused") {
  const folder at;
  using all = std::tuple<bool, std::uint8_t, std::int64_t, float, std::string, std::vector<bool>,
                         std::array<std::int16_t, 2>, std::optional<order>,
                         std::pair<char, std::map<std::string, std::vector<int>>>, std::set<int>, troupe::errc>;
  static_assert(troupe::codec<all>::name == "tuple<bool,u8,i64,f32,string,list<bool>,array<i16,2>,optional<order>,pair<"
                                            "i8,map<string,list<i32>>>,set<i32>,i32>");
  const all value{true,
                  200,
                  -5,
                  1.5F,
                  std::string("a\0b", 3),
                  {true, false, true},
                  {-1, 2},
                  order{1, 2, "x"},
                  {'c', {{"k", {1, 2, 3}}}},
                  {3, 1},
                  troupe::errc::internal};
  troupe::pipeline p("codecs");
  const auto given = p.constant("given", value);
  const auto same = p.make(
      "same", {.version = "1"}, [](const all& in) { return in; }, given);
  const auto bytes = p.make("bytes", {.version = "1"}, [] { return troupe::blob::take(std::string(5'000, 'b')); });
  const auto size = p.make(
      "size", {.version = "1"}, [](const troupe::blob& in) { return in.size(); }, bytes);
  {
    auto engine = open(at, p);
    static_cast<void>(run(engine, "codecs"));
  }
  auto engine = open(at, p); // nothing is in memory
  CHECK(latest(engine, same) == value);
  CHECK(latest(engine, bytes) == troupe::blob::take(std::string(5'000, 'b')));
  CHECK(latest(engine, size) == 5'000);
  const auto other = engine.latest(size);
  CHECK(other->info().data_version.size() == 32);
}

TEST_CASE("a constant that changes makes stale what takes it, and nothing else") {
  const folder at;
  std::atomic<int> calls = 0;
  const auto make = [&](int number) {
    troupe::pipeline p("constants");
    const auto n = p.constant("n", number);
    const auto twice = p.make(
        "twice", {.version = "1"}, [&](int in) { return ++calls, 2 * in; }, n);
    return std::pair(std::move(p), twice);
  };
  const auto result = [&](int number) {
    const auto [p, twice] = make(number);
    auto engine = open(at, p);
    static_cast<void>(run(engine, "constants"));
    return latest(engine, twice);
  };
  CHECK(result(1) == 2);
  CHECK(result(1) == 2);
  CHECK(calls == 1);
  CHECK(result(3) == 6);
  CHECK(calls == 2);
}

TEST_CASE("a run that another start of the same pipeline shares assets with waits for it, and finds them fresh") {
  const folder at;
  std::atomic<int> calls = 0;
  troupe::pipeline p("shared");
  p.make("one", {.version = "1"}, [&] { return ++calls; });
  auto engine = open(at, p);
  std::vector<troupe::run> runs;
  for (int i = 0; i < 20; ++i)
    runs.push_back(engine.start("shared").value());
  for (const auto& one : runs)
    CHECK(one.wait());
  CHECK(calls == 1);
  CHECK(engine.find(runs[3].number())->outcome()->fresh == 1);
  CHECK(engine.find(999).error().code == troupe::errc::not_found);
}

TEST_CASE("misuse is an error: waiting in a function, handles that were moved from, a second engine on one state") {
  const folder at;
  std::optional<troupe::run> own;
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<troupe::errc> code, stopping;
  troupe::engine* all = nullptr;
  troupe::pipeline p("waits");
  p.make("waits", {.version = "1"}, [&] {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return own.has_value(); });
    code = own->wait().error().code;
    stopping = all->shutdown(1s).error().code;
  });
  auto engine = open(at, p);
  all = &engine;
  {
    auto started = engine.start("waits");
    REQUIRE(started);
    const std::lock_guard lock(mutex);
    own = *started;
    changed.notify_all();
  }
  CHECK(own->wait());
  CHECK(code == troupe::errc::would_deadlock);
  CHECK(stopping == troupe::errc::would_deadlock);
  const auto second = troupe::engine::open({.state = at.state()});
  REQUIRE(!second);
  CHECK(second.error().code == troupe::errc::state_locked);
  auto moved = std::move(engine);
  CHECK(engine.start("waits").error().code == troupe::errc::invalid_argument);
  CHECK(moved.start("unknown").error().code == troupe::errc::not_found);
  CHECK(moved.recover().error().code == troupe::errc::invalid_argument);
  CHECK(moved.shutdown(1s));
  CHECK(moved.start("waits").error().code == troupe::errc::shutting_down);
}

TEST_CASE("a function that ends its thread has failed, and the next one gets another thread") {
  const folder at;
  troupe::pipeline p("exits");
  p.set(troupe::error_strategy::go_on);
  p.make("exits", {.version = "1"}, [] {
    const std::string on_the_stack(100, 'x');
    ::pthread_exit(nullptr);
  });
  for (int i = 0; i < 3; ++i)
    p.make("works" + std::to_string(i), {.version = "1"}, [] { return 1; });
  auto engine = open(at, p, {.workers = 1});
  const auto ended = engine.start("exits")->wait();
  REQUIRE(!ended);
  CHECK(ended.error().found.at(0).message.find("the function ended its thread") == 0);
  const auto how = engine.find(1)->outcome();
  CHECK(how->failed == 1);
  CHECK(how->succeeded == 3);
}
