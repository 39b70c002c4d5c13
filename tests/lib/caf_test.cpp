// A host with actors of its own, on its own scheduler: it asks an engine by messages, and its actors make assets.
#include "host.hpp"

#include <troupe/caf.hpp>

#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

using namespace std::chrono_literals;
using host::folder;
using host::latest;
using host::open;
using host::run;

namespace {

using doubler = caf::typed_actor<caf::replies_to<int>::with<std::string>>;

/// With an argument: for a function without, CAF 0.17 makes a reference of a null pointer, which sanitizers report.
doubler::behavior_type doubles(doubler::pointer, int) {
  return {[](int in) -> caf::result<std::string> {
    if (in < 0)
      return troupe::actors::error_for_caf({troupe::errc::permanent, "less than nothing", {}});
    return std::to_string(2 * in);
  }};
}

doubler::behavior_type never_answers(doubler::pointer self, std::atomic<bool>* asked) {
  return {[self, asked](int) -> caf::result<std::string> {
    *asked = true;
    return self->make_response_promise<std::string>();
  }};
}

/// Host's actor system with two threads of its own.
struct host_system {
  caf::actor_system_config config;
  caf::actor_system system;
  host_system() : config(), system(configured(config)) {}
  static caf::actor_system_config& configured(caf::actor_system_config& all) {
    all.set("scheduler.max-threads", 2);
    return all;
  }
};

/// Keeps what it is sent.
struct listener_state {
  std::mutex mutex{};
  std::condition_variable changed{};
  std::vector<std::string> kinds{};
  std::optional<troupe::errc> gone{};
  std::uint64_t last = 0;
  bool in_order = true;
};

caf::behavior listens(caf::event_based_actor*, const std::shared_ptr<listener_state>& all) {
  return {[all](const troupe::actors::events& some) {
    const std::lock_guard lock(all->mutex);
    for (const auto& one : some.all) {
      all->kinds.push_back(one.kind);
      all->in_order = all->in_order && one.seq > all->last;
      all->last = one.seq;
    }
    if (some.gone)
      all->gone = some.gone;
    all->changed.notify_all();
  }};
}

template <class Done>
bool wait_until(listener_state& all, Done done) {
  std::unique_lock lock(all.mutex);
  return all.changed.wait_for(lock, 10s, done);
}

} // namespace

TEST_CASE("actors of the host make assets, and ask the engine by messages") {
  const folder at;
  host_system of;
  const auto who = of.system.spawn(doubles, 0);
  troupe::pipeline p("actors");
  const auto n = p.constant("n", 21);
  const auto twice = troupe::actors::make(p, "twice", {.version = "1"}, of.system, who, n);
  p.make(
      "length", {.version = "1"}, [](const std::string& text) { return text.size(); }, twice);
  auto engine = open(at, p);
  const auto facade = troupe::actors::attach(of.system, engine);
  caf::scoped_actor self{of.system};
  const auto heard = std::make_shared<listener_state>();
  const auto listener = of.system.spawn(listens, heard);
  self->request(facade, 10s, troupe::actors::subscribe{listener, {.progress = false}})
      .receive([] {}, [](const caf::error& why) { FAIL(troupe::actors::error_of(why).message); });
  std::uint64_t number = 0;
  self->request(facade, 10s, troupe::actors::start_run{"actors"})
      .receive([&](std::uint64_t run) { number = run; },
               [](const caf::error& why) { FAIL(troupe::actors::error_of(why).message); });
  CHECK(number == 1);
  troupe::report how;
  self->request(facade, 10s, troupe::actors::await_run{number})
      .receive([&](const troupe::report& ended) { how = ended; },
               [](const caf::error& why) { FAIL(troupe::actors::error_of(why).message); });
  CHECK((how.status == troupe::run_status::succeeded && how.succeeded == 3));
  CHECK(latest(engine, twice) == "42");
  self->request(facade, 10s, troupe::actors::ask_run{number})
      .receive([&](const troupe::report& ended) { CHECK(ended.succeeded == 3); },
               [](const caf::error& why) { FAIL(troupe::actors::error_of(why).message); });
  CHECK(wait_until(*heard, [&] { return !heard->kinds.empty() && heard->kinds.back() == "run_finished"; }));
  CHECK((heard->in_order && heard->kinds.size() > 6));
  troupe::errc code{};
  for (const bool cancels : {false, true}) {
    if (cancels)
      self->request(facade, 10s, troupe::actors::cancel_run{99})
          .receive([] {}, [&](const caf::error& why) { code = troupe::actors::error_of(why).code; });
    else
      self->request(facade, 10s, troupe::actors::start_run{"unknown"})
          .receive([](std::uint64_t) {}, [&](const caf::error& why) { code = troupe::actors::error_of(why).code; });
    CHECK(code == troupe::errc::not_found);
  }
  self->request(facade, 10s, troupe::actors::unsubscribe{listener})
      .receive([] {}, [](const caf::error&) { FAIL("refused"); });
}

TEST_CASE("an actor's error fails its asset, and a permanent one is not tried again; one that has gone is an error") {
  const folder at;
  host_system of;
  troupe::pipeline p("fails");
  p.set(troupe::error_strategy::go_on);
  const auto n = p.constant("n", -1);
  const auto bad = troupe::actors::make(p, "bad", {.version = "1", .retry = {.attempts = 3, .delay = 1ms}}, of.system,
                                        of.system.spawn(doubles, 0), n);
  static_cast<void>(bad);
  const auto gone = of.system.spawn(doubles, 0);
  caf::anon_send_exit(gone, caf::exit_reason::kill);
  troupe::actors::make(p, "none", {.version = "1"}, of.system, gone, n);
  auto engine = open(at, p);
  const auto ended = engine.start("fails")->wait();
  REQUIRE(!ended);
  CHECK(engine.history(bad)->at(0).attempts == 1);
  CHECK(engine.history(bad)->at(0).error == "less than nothing");
  CHECK(ended.error().found.size() == 2);
}

TEST_CASE("an actor that never answers holds up neither a cancel nor the end of the engine or of the host's system") {
  const folder at;
  std::atomic<bool> asked = false;
  host_system of;
  {
    troupe::pipeline p("silent");
    const auto n = p.constant("n", 1);
    troupe::actors::make(p, "silent", {.version = "1"}, of.system, of.system.spawn(never_answers, &asked), n);
    auto engine = open(at, p);
    const auto started = engine.start("silent");
    REQUIRE(started);
    for (int ms = 0; ms < 10'000 && !asked; ++ms)
      std::this_thread::sleep_for(1ms);
    REQUIRE(asked);
    REQUIRE(started->cancel());
    CHECK(started->wait().error().code == troupe::errc::cancelled);
    asked = false;
    REQUIRE(engine.start("silent"));
    for (int ms = 0; ms < 10'000 && !asked; ++ms)
      std::this_thread::sleep_for(1ms);
    REQUIRE(asked);
  } // the engine ends while the actor is silent
}

TEST_CASE("a facade outlives its engine, and says so; who waits gets an answer; a silent subscriber costs nothing") {
  const folder at;
  host_system of;
  caf::scoped_actor self{of.system};
  troupe::actors::subscribe unread{caf::actor_cast<caf::actor>(self), {.from = 1}};
  std::optional<troupe::engine_actor> facade;
  const auto heard = std::make_shared<listener_state>();
  std::atomic<bool> waits = false;
  std::optional<caf::actor> waiter;
  std::atomic<int> status = -1;
  std::atomic<bool> sent = false; // what is sent to the facade later it answers later
  {
    troupe::pipeline p("outlived");
    p.make("waits", {.version = "1"}, [&](troupe::context& told) -> troupe::result<int> {
      waits = true;
      while (!told.stop_requested())
        std::this_thread::sleep_for(1ms);
      return troupe::error{troupe::errc::cancelled, "stopped", {}};
    });
    auto engine = open(at, p);
    facade = troupe::actors::attach(of.system, engine);
    for (const auto& who : {caf::actor_cast<caf::actor>(self), of.system.spawn(listens, heard)})
      self->request(*facade, 10s, troupe::actors::subscribe{who, {.from = 1}})
          .receive([] {}, [](const caf::error&) { FAIL("refused"); });
    self->request(*facade, 10s, troupe::actors::start_run{"outlived"})
        .receive([](std::uint64_t) {}, [](const caf::error&) { FAIL("refused"); });
    const auto asks_for_its_end = [&status, &sent](caf::event_based_actor* asks,
                                                   const std::decay_t<decltype(*facade)>& to) {
      asks->request(to, caf::infinite, troupe::actors::await_run{1})
          .then([&status](const troupe::report& how) { status = static_cast<int>(how.status); },
                [&status](const caf::error&) { status = 99; });
      sent = true;
    };
    of.system.spawn(asks_for_its_end, *facade);
    for (int ms = 0; ms < 10'000 && !(waits && sent); ++ms)
      std::this_thread::sleep_for(1ms);
    REQUIRE((waits && sent));
    self->request(*facade, 10s, troupe::actors::ask_run{1})
        .receive([](const troupe::report& now) { CHECK(now.status == troupe::run_status::running); },
                 [](const caf::error&) { FAIL("refused"); });
  }
  for (int ms = 0; ms < 10'000 && status == -1; ++ms)
    std::this_thread::sleep_for(1ms);
  CHECK(status.load() == static_cast<int>(troupe::run_status::interrupted));
  CHECK(wait_until(*heard, [&] { return heard->gone.has_value(); }));
  CHECK(heard->gone == troupe::errc::shutting_down);
  troupe::errc code{};
  self->request(*facade, 10s, troupe::actors::start_run{"outlived"})
      .receive([](std::uint64_t) {}, [&](const caf::error& why) { code = troupe::actors::error_of(why).code; });
  CHECK(code == troupe::errc::shutting_down);
}

TEST_CASE("the end of the host's actor system ends the facade, and the engine goes on") {
  const folder at;
  troupe::pipeline p("stays");
  p.make("one", {.version = "1"}, [] { return 1; });
  auto engine = open(at, p);
  {
    host_system of;
    const auto heard = std::make_shared<listener_state>();
    const auto listener = of.system.spawn(listens, heard);
    {
      const auto facade = troupe::actors::attach(of.system, engine);
      caf::scoped_actor self{of.system};
      self->request(facade, 10s, troupe::actors::subscribe{listener, {}})
          .receive([] {}, [](const caf::error&) { FAIL("refused"); });
      static_cast<void>(run(engine, "stays"));
      CHECK(wait_until(*heard, [&] { return !heard->kinds.empty(); }));
      caf::anon_send_exit(facade, caf::exit_reason::user_shutdown);
    }
  }
  CHECK(run(engine, "stays").fresh == 1);
}
