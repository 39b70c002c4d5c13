// A host that follows what goes on: events, progress, explanations, history, notices. Knows nothing of src/.
#include "host.hpp"

#include <poll.h>

#include <set>

using namespace std::chrono_literals;
using host::folder;
using host::latest;
using host::open;
using host::run;

namespace {

/// The next recorded event of this kind; fails the test where none comes within ten seconds.
troupe::event next_of(troupe::subscription& from, std::string_view kind) {
  for (int i = 0; i < 1'000; ++i) {
    auto one = from.next(10s);
    REQUIRE_MESSAGE(one, (one ? "" : one.error().text()));
    REQUIRE_MESSAGE(one->has_value(), "no event came: ", kind);
    if ((*one)->kind == kind)
      return **std::move(one);
  }
  FAIL("no event of kind ", kind);
  return {};
}

} // namespace

TEST_CASE(
    "events come in order, by a descriptor, from any number on, and the last one before the end is the engine's") {
  const folder at;
  std::uint64_t seen = 0;
  std::vector<std::uint64_t> numbers;
  std::optional<troupe::subscription> events, slow;
  {
    troupe::pipeline p("told");
    const auto one = p.make("one", {.version = "1"}, [] { return 1; });
    p.make(
        "two", {.version = "1"}, [](int in) { return in + 1; }, one);
    auto engine = open(at, p);
    slow = engine.events({.from = 1}).value();
    events = engine.events().value();
    CHECK(!events->next(0s).value());
    pollfd readable{events->descriptor(), POLLIN, 0};
    CHECK(::poll(&readable, 1, 0) == 0); // nothing was left to be said
    static_cast<void>(run(engine, "told"));
    readable.revents = 0;
    CHECK(::poll(&readable, 1, 10'000) == 1);
    const auto started = next_of(*events, "run_started");
    CHECK(started.run == 1);
    CHECK(started.at.has_value());
    CHECK(started.json.find("\"pipeline\":\"told\"") != std::string::npos);
    const auto attempt = next_of(*events, "attempt_started");
    CHECK(attempt.asset == "told/one");
    CHECK(next_of(*events, "attempt_finished").asset == "told/one");
    const auto ended = next_of(*events, "run_finished");
    CHECK(ended.run == 1);
    CHECK(events->position() == ended.seq + 1);
    while (events->next(0s).value()) // housekeeping
      ;
    pollfd quiet{events->descriptor(), POLLIN, 0};
    CHECK(::poll(&quiet, 1, 0) == 0);
    CHECK(events->lost() == 0);
    seen = started.seq;
  }
  // The engine is gone, and nothing is lost.
  for (;;) {
    auto one = slow->next(0s);
    if (!one) {
      CHECK(one.error().code == troupe::errc::shutting_down);
      break;
    }
    REQUIRE(one->has_value());
    numbers.push_back((*one)->seq);
    if (numbers.size() > 1'000)
      FAIL("no end");
  }
  REQUIRE(numbers.size() >= 8);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    CHECK(numbers[i] == i + 1);
  CHECK(slow->next(0s).error().code == troupe::errc::shutting_down);
  pollfd ended{slow->descriptor(), POLLIN, 0};
  CHECK(::poll(&ended, 1, 0) == 1);
  // A later process continues where one has stopped.
  troupe::pipeline p("told");
  p.make("one", {.version = "2"}, [] { return 1; });
  auto engine = open(at, p);
  auto later = engine.events({.from = seen, .run = 1}).value();
  CHECK(later.next(1s).value()->kind == "run_started");
  static_cast<void>(run(engine, "told"));
  auto both = engine.events({.from = slow->position()}).value();
  CHECK(next_of(both, "run_started").run == 2);
  // What the first engine's subscription says does not change by that.
  CHECK(slow->next(0s).error().code == troupe::errc::shutting_down);
}

TEST_CASE("a history that was dropped is said once, with the number that follows") {
  const folder at;
  troupe::pipeline p("dropped");
  p.make("one", {.version = "1", .always = true}, [] { return 1; });
  auto engine = open(at, p, {.keep_runs = 1});
  {
    auto held = engine.events({.from = 1}).value(); // as long as it lives, nothing that it has not read goes
    for (int i = 0; i < 5; ++i)
      static_cast<void>(run(engine, "dropped"));
    std::uint64_t expected = 1;
    while (const auto one = held.next(0s).value())
      CHECK(one->seq == expected++);
    CHECK(expected > 20);
  }
  std::optional<troupe::error> gap; // the history is tidied after the end of a run
  for (int i = 0; i < 100 && !gap; ++i) {
    auto from_the_first = engine.events({.from = 1}).value();
    const auto one = from_the_first.next(1s);
    if (!one) {
      gap = one.error();
      const auto position = from_the_first.position();
      CHECK(position > 1);
      CHECK(gap->message.find("the next event is " + std::to_string(position)) != std::string::npos);
      CHECK(from_the_first.next(1s).value()->seq == position);
    } else {
      static_cast<void>(run(engine, "dropped"));
    }
  }
  REQUIRE(gap);
  CHECK(gap->code == troupe::errc::history_dropped);
}

TEST_CASE("the progress of a function is told while it runs, the newest word of each, and not after its end") {
  const folder at;
  std::atomic<bool> told = false, go_on = false;
  troupe::pipeline p("slow");
  p.make("counts", {.version = "1"}, [&](troupe::context& with) {
    for (int i = 0; i <= 50; ++i)
      with.progress(i / 100.0, std::to_string(i) + " rows");
    told = true;
    for (int ms = 0; ms < 10'000 && !go_on; ++ms)
      std::this_thread::sleep_for(1ms);
    with.progress(7.5, "more than all"); // 1
  });
  auto engine = open(at, p);
  auto events = engine.events().value();
  auto unheard = engine.events({.progress = false}).value();
  const auto started = engine.start("slow");
  REQUIRE(started);
  for (int ms = 0; ms < 10'000 && !told; ++ms)
    std::this_thread::sleep_for(1ms);
  REQUIRE(told);
  const auto calls = engine.calls();
  REQUIRE(calls);
  REQUIRE(calls->size() == 1);
  const auto& call = calls->front();
  CHECK(call.asset == "slow/counts");
  CHECK((call.run == 1 && call.attempt == 1 && call.done == 0.5 && call.words == "50 rows" && !call.stopping));
  CHECK(call.running > 0s);
  const auto word = next_of(events, "progress"); // perhaps before the event that says the attempt has started
  CHECK((word.seq == 0 && word.run == 1 && word.asset == "slow/counts" && word.done == 0.5));
  CHECK(word.words == "50 rows");
  go_on = true;
  REQUIRE(started->wait());
  CHECK(engine.calls()->empty());
  static_cast<void>(next_of(events, "run_finished")); // the attempt's end came before: its last word went
  while (const auto more = events.next(0s).value())
    CHECK(more->kind != "progress");
  while (const auto one = unheard.next(0s).value())
    CHECK(one->kind != "progress");
}

TEST_CASE("explain says why an asset is stale, what made it, and what is around it") {
  const folder at;
  at.write("in.txt", "1");
  const auto make = [&](const std::string& version) {
    troupe::pipeline p("why");
    p.folder(at.path.string());
    const auto in = p.source("in", {"in.txt"});
    const auto twice = p.make(
        "twice", {.version = version}, [](const troupe::files&) { return 2; }, in);
    p.make(
        "more", {.version = "1"}, [](int one) { return one + 1; }, twice);
    return std::pair(std::move(p), twice);
  };
  {
    const auto [p, twice] = make("1");
    auto engine = open(at, p);
    const auto before = engine.explain(twice);
    REQUIRE(before);
    CHECK(before->action != troupe::action::fresh);
    CHECK(before->reasons.at(0).kind == troupe::reason_kind::never_materialized);
    CHECK((!before->made && !before->last_attempt));
    CHECK(before->needs == std::vector<std::string>{"in"});
    CHECK(before->needed_by == std::vector<std::string>{"more"});
    static_cast<void>(run(engine, "why"));
    const auto after = engine.explain("why", "twice");
    REQUIRE(after);
    CHECK((after->action == troupe::action::fresh && after->standing == "fresh" && after->reasons.empty()));
    REQUIRE((after->made && after->last_attempt));
    CHECK(after->made->run == 1);
    CHECK(after->made->data_version.size() == 32);
    CHECK(after->last_attempt->state == troupe::attempt_state::succeeded);
    CHECK(after->last_attempt->number == 1);
    CHECK(after->last_attempt->reasons.at(0).kind == troupe::reason_kind::never_materialized);
    const auto unknown = engine.explain("why", "twise");
    REQUIRE(!unknown);
    CHECK(unknown.error().code == troupe::errc::not_found);
    CHECK(unknown.error().message.find("twice") != std::string::npos);
    CHECK(engine.explain(troupe::asset<int>()).error().code == troupe::errc::not_found);
  }
  const auto [p, twice] = make("2");
  auto engine = open(at, p);
  const auto changed = engine.explain(twice);
  REQUIRE(changed);
  REQUIRE(changed->reasons.size() == 1);
  CHECK(changed->reasons[0].kind == troupe::reason_kind::version_changed);
  CHECK(changed->reasons[0].subject == "1 -> 2");
  CHECK(!changed->reasons[0].sentence.empty());
  const auto maybe = engine.explain("why", "more");
  REQUIRE(maybe);
  CHECK(maybe->action == troupe::action::maybe);
  CHECK(std::string(to_string(changed->reasons[0].kind)) == "version_changed");
  CHECK(std::string(to_string(static_cast<troupe::reason_kind>(999))) == "unknown");
}

TEST_CASE("history lists the runs that executed an asset, page by page") {
  const folder at;
  std::atomic<int> calls = 0;
  troupe::pipeline p("past");
  const auto one = p.make("one", {.version = "1", .always = true}, [&]() -> troupe::result<int> {
    if (++calls == 3)
      return troupe::error{troupe::errc::internal, "the third one fails", {}};
    return calls.load();
  });
  p.make("other", {.version = "1"}, [] { return 1; });
  auto engine = open(at, p);
  for (int i = 0; i < 5; ++i)
    static_cast<void>(engine.start("past", {.select = {"one"}})->outcome());
  const auto all = engine.history(one);
  REQUIRE(all);
  REQUIRE(all->size() == 5);
  CHECK((all->at(0).run == 5 && all->at(4).run == 1));
  CHECK((all->at(2).status == "failed" && all->at(2).error == "the third one fails"));
  CHECK(all->at(1).reasons.at(0).kind == troupe::reason_kind::last_attempt_failed);
  CHECK((all->at(0).attempts == 1 && all->at(0).changed));
  const auto first = engine.history("past", "one", {.limit = 2});
  REQUIRE(first->size() == 2);
  const auto second = engine.history("past", "one", {.before = first->back().run, .limit = 2});
  REQUIRE(second->size() == 2);
  CHECK((second->front().run == 3 && second->back().run == 2));
  CHECK(engine.history("past", "other")->empty());
}

TEST_CASE("a notice starts a run of its pipeline with what came with it; its key counts once, after a restart too") {
  const folder at;
  std::string text;
  const auto make = [&] {
    troupe::pipeline p("orders");
    p.param("day", "none");
    p.make("taken", {.version = "1", .always = true, .params = {"day"}}, [&](troupe::context& with) {
      std::ifstream file{std::string(with.events_file())};
      text.assign(std::istreambuf_iterator<char>(file), {});
      return std::string(*with.param("day"));
    });
    const auto other = p.make("other", {.version = "1"}, [] { return 1; });
    p.on("arrived", {"taken"});
    return std::pair(std::move(p), other);
  };
  const auto [p, other] = make();
  std::uint64_t first = 0;
  {
    auto engine = open(at, p);
    const auto got =
        engine.notify({.name = "arrived", .key = "a-1", .json = R"({"id": 7})", .params = {{"day", "monday"}}});
    REQUIRE_MESSAGE(got, (got ? "" : got.error().text()));
    first = got->event;
    CHECK(!got->duplicate_of);
    REQUIRE(got->run);
    REQUIRE(got->run->wait());
    CHECK(got->run->outcome()->succeeded == 1);
    CHECK(text.find(R"("trigger":"orders/arrived")") != std::string::npos);
    CHECK(text.find(R"({"id": 7})") != std::string::npos);
    CHECK(engine.latest(other).error().code == troupe::errc::not_materialized);
    const auto again =
        engine.notify({.name = "orders/arrived", .key = "a-1", .json = R"({"id": 7})", .params = {{"day", "monday"}}});
    REQUIRE(again);
    CHECK((again->duplicate_of == first && again->run->number() == got->run->number()));
    CHECK(engine.notify({.name = "arrived", .key = "a-1", .json = "{}"}).error().code == troupe::errc::key_conflict);
    CHECK(engine.notify({.name = "arrived", .json = "{"}).error().code == troupe::errc::invalid_argument);
    const auto unknown = engine.notify({.name = "departed"});
    REQUIRE(!unknown);
    CHECK(unknown.error().code == troupe::errc::not_found);
    CHECK(unknown.error().message.find("orders/arrived") != std::string::npos);
    const auto bare = engine.notify({.name = "arrived", .json = std::string("\"") + std::string(5'000, 'x') + "\""});
    REQUIRE(bare);
    REQUIRE(bare->run->wait());
    CHECK(bare->event == first + 1);
    CHECK(text.find("payload_file") != std::string::npos);
  }
  auto engine = open(at, p);
  const auto again =
      engine.notify({.name = "arrived", .key = "a-1", .json = R"({"id": 7})", .params = {{"day", "monday"}}});
  REQUIRE(again);
  CHECK(again->duplicate_of == first);
  CHECK(again->run->wait());
  CHECK(engine.find(1)->outcome()->succeeded == 1);
}

TEST_CASE("a run that a notice has queued, and that a crash kept from starting, is started by recover()") {
  const folder at;
  const auto make = [&] {
    troupe::pipeline p("queued");
    p.make("waits", {.version = "1", .always = true}, [](troupe::context& with) {
      std::ifstream file{std::string(with.events_file())};
      return std::string(std::istreambuf_iterator<char>(file), {});
    });
    p.on("arrived");
    return p;
  };
  const auto child = ::fork();
  if (child == 0) { // it dies at some moment of the notice
    auto engine = troupe::engine::open({.state = at.state(), .workers = 1});
    const auto p = make();
    if (!engine || !engine->add(p) || !engine->recover())
      ::_exit(3);
    auto events = engine->events();
    std::thread([&] {
      while (const auto one = events->next(10s))
        if (*one && (*one)->kind == "run_queued")
          ::_exit(0);
    }).detach();
    const auto got = engine->notify({.name = "arrived", .key = "k"});
    std::this_thread::sleep_for(10s);
    ::_exit(4);
  }
  int how = 0;
  REQUIRE(::waitpid(child, &how, 0) == child);
  REQUIRE(how == 0);
  auto engine = troupe::engine::open({.state = at.state(), .workers = 1});
  REQUIRE(engine);
  const auto p = make();
  REQUIRE(engine->add(p));
  const auto recovered = engine->recover();
  REQUIRE(recovered);
  REQUIRE(recovered->size() == 1);
  CHECK(recovered->front().what == troupe::recovery::resumed);
  REQUIRE(recovered->front().run);
  CHECK(recovered->front().run->wait());
  CHECK(engine->notify({.name = "arrived", .key = "k"})->run->number() == 1);
}

TEST_CASE("mistakes in events of a pipeline are told with the line of the call") {
  const folder at;
  troupe::pipeline p("bad");
  p.make("one", {.version = "1"}, [] { return 1; });
  p.on("no name");
  p.on("twice");
  p.on("twice");
  const auto wrong = p.check();
  REQUIRE(!wrong);
  REQUIRE(wrong.error().found.size() == 2);
  CHECK(wrong.error().found[0].code == "bad_name");
  CHECK(wrong.error().found[1].code == "duplicate_event");
  CHECK(wrong.error().found[1].file.ends_with("events_test.cpp"));
  troupe::pipeline q("bad");
  q.make("one", {.version = "1"}, [] { return 1; });
  q.on("named", {"two"});
  const auto unknown = q.check();
  REQUIRE(!unknown);
  CHECK(unknown.error().found.at(0).code == "bad_selection");
  CHECK(unknown.error().found.at(0).message.find("named") != std::string::npos);
}
