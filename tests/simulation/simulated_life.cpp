// The driver: as long as the run lives, something that may happen next happens.
#include "simulated_life.hpp"
#include "require.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace troupe_internal::test {

simulated_life::simulated_life(simulated_world& world, run_state state, std::vector<event> first, bool quiet)
    : world_(world), random_(world.random), paths_(world.paths), may_crash_(world.on.faults.crashes && !quiet),
      may_fail_(world.on.faults.journal && !quiet), scheduler_(world.random),
      invariants_(world.on, world.paths, world.journal, world.processes), observer_(world.on.p->assets.size()),
      work_(
          world.on, world.processes, world.random, world.paths, [this] { return world_.time.steady(); },
          world.on.faults.bursts && !quiet),
      logic_(*world.on.p, *world.on.graph, world.on.policy, world.on.ids, std::move(state)),
      way_in_(std::make_shared<gate>()), crash_once_in_(5 + world.random.below(300)),
      stop_once_in_(20 + world.random.below(200)), found_(world.journal.events().size()) {
  world_.time.scheduler = &scheduler_;
  world_.journal.on_append = [this](const event& e) { check([&] { invariants_.appended(e, nullptr); }); };
  world_.journal.append(std::move(first), true, {});
  world_.journal.on_append = [this](const event& e) {
    if (world_.log.keeps())
      world_.log.add("  appended: ", event_to_json(world_.journal.events().size(), e, asset_names()));
    check([&] { invariants_.appended(e, &work_); });
  };
  world_.journal.on_checkpoint = [this](const std::string& bytes) { check([&] { invariants_.live_state_is(bytes); }); };
  work_.on_examine = [this](asset_index asset, const upstream_view& upstreams) {
    check([&] { invariants_.examining(asset, upstreams); });
  };
  work_.on_check = [this](asset_index asset, std::uint32_t attempt) {
    check([&] { invariants_.checking(asset, attempt); });
  };
  work_.on_execute = [this](asset_index asset, std::uint32_t attempt) {
    check([&] { invariants_.executing(asset, attempt); });
  };
}

simulated_life::~simulated_life() {
  if (actors_.supervisor)
    take_down();
  world_.time.before = world_.time.steady();
  world_.time.scheduler = nullptr;
}

void simulated_life::take_down() {
  work_.die(); // what the dying still ask for and write is neither done nor read
  world_.journal.on_append = {};
  world_.journal.on_checkpoint = {};
  const auto handles = end_run(actors_, *way_in_);
  actors_ = {};
  scheduler_.run_all();
}

void simulated_life::close() {
  take_down();
  require(scheduler_.alive() == 0, "actors outlive their run");
}

/// Actors must not swallow what a check finds.
void simulated_life::check(const std::function<void()>& what) {
  try {
    what();
  } catch (const std::runtime_error& found) {
    if (!violation_)
      violation_ = found.what();
  }
}

event_names simulated_life::asset_names() const {
  event_names names;
  names.asset = [this](asset_id id) -> std::string_view {
    const auto at = std::find(world_.on.ids.begin(), world_.on.ids.end(), id);
    return world_.on.p->assets[static_cast<std::size_t>(at - world_.on.ids.begin())].name;
  };
  return names;
}

void simulated_life::spawn() {
  const auto& on = world_.on;
  run_setup setup;
  setup.logic = &logic_;
  std::vector<blocked_outside> blocked;
  for (const auto& [asset, by] : on.never_made)
    blocked.push_back({asset, by});
  setup.first = logic_.begin(blocked, world_.time.now());
  setup.p = on.p.get();
  setup.graph = on.graph.get();
  setup.work = &work_;
  setup.log = &world_.journal;
  setup.time = &world_.time;
  setup.observer = &observer_;
  setup.strict = on.p->engine.durability == durability::strict;
  setup.names_and_files = [] { return std::vector<event>{}; };
  setup.closing = [this] { return std::vector<event>{writer_closed{world_.time.now()}}; };
  setup.log_of = [](asset_index, std::uint32_t) { return std::string(); };
  setup.versions = invariants_.versions();
  setup.expected.resize(on.ids.size());
  setup.checkpoint_every = on.checkpoint_every;
  invariants_.begins(world_.time.now().time_since_epoch() - world_.time.steady());
  actors_ = spawn_run(scheduler_.system(), setup, way_in_, [this](run_end how) {
    if (end_)
      violation_ = "(3) a run ends twice";
    end_ = std::move(how);
  });
}

void simulated_life::play() {
  if (world_.on.faults.stops && random_.once_in(30)) {
    paths_.reached(rare_path::stop_before_begin);
    invariants_.stop_ordered(false);
    way_in_->stop(stop_order{stop_cause::user, false});
    ++stops_;
  }
  spawn();
  const auto limit = 20'000 + 400 * world_.on.ids.size();
  for (std::size_t steps = 0; !end_; ++steps, ++world_.steps) {
    require(steps < limit, "(3) the run does not end");
    if (may_crash_ && random_.once_in(crash_once_in_)) {
      note_crash();
      return;
    }
    step();
    if (!checked_ && !scheduler_.has_job() && !end_) {
      check([&] { invariants_.quiet(logic_.state(), work_, world_.time.steady()); });
      checked_ = true;
    }
    if (violation_)
      throw std::runtime_error(*violation_);
  }
  world_.log.add("the run's end is told: ", end_->durable ? "on disk" : end_->problem);
  check_end();
  if (world_.on.faults.stops && random_.once_in(4)) { // too late: nothing may come of it
    way_in_->stop(stop_order{stop_cause::user, true});
    scheduler_.run_all();
    require(!violation_, violation_.value_or(""));
  }
}

/// One of the things that may happen next does.
void simulated_life::step() {
  enum class what : std::uint8_t { message, answer, commit, told, time };
  const auto due = work_.due();
  std::array<what, 16> possible{};
  std::uint32_t count = 0;
  const auto may = [&](what one, std::uint32_t weight) {
    for (; weight > 0; --weight)
      possible[count++] = one;
  };
  if (scheduler_.has_job())
    may(what::message, 4);
  if (!due.empty())
    may(what::answer, due.size() > 4 ? 3 : 1);
  if (world_.journal.has_appended() && (count == 0 || !world_.on.slow_disk || random_.once_in(10)))
    may(what::commit, 1);
  if (world_.journal.has_answers())
    may(what::told, 1);
  const bool time_can_pass = work_.next_due() || scheduler_.next_timer();
  if (time_can_pass && (count == 0 || random_.once_in(world_.on.hurry)))
    may(what::time, 1);
  if (may_stop() && (count == 0 || random_.once_in(stop_once_in_))) {
    const bool at_once = stops_ > 0 || random_.once_in(3);
    paths_.reached_if(rare_path::second_stop, stops_ > 0);
    paths_.reached_if(rare_path::stop_while_settling, work_.settling() || logic_.state().finished());
    paths_.reached_if(rare_path::stop_while_examining, work_.examining() > 0);
    paths_.reached_if(rare_path::stop_while_held, invariants_.held() > 0);
    paths_.reached_if(rare_path::stop_while_waiting_to_retry, invariants_.retrying() > 0);
    ++stops_;
    world_.log.add("a stop", at_once ? ", at once" : "");
    invariants_.stop_ordered(at_once);
    way_in_->stop(stop_order{random_.once_in(2) ? stop_cause::user : stop_cause::signal, at_once});
    return;
  }
  if (world_.on.faults.clock_jumps && random_.once_in(60))
    set_clock();
  if (world_.on.faults.stale && !world_.reports.empty() && random_.once_in(20))
    report_again();
  require(count > 0, "(3) the run is stuck: nothing can happen and it has not ended");
  checked_ = false;
  switch (possible[random_.below(count)]) {
  case what::message:
    world_.log.add("message ", scheduler_.run_one());
    break;
  case what::answer: {
    const auto one = due[random_.below(static_cast<std::uint32_t>(due.size()))];
    world_.log.add("answer ", one, " for ", work_.answer(one).value);
    break;
  }
  case what::commit:
    commit(1 + random_.below(4));
    break;
  case what::told:
    world_.log.add("the journal answers");
    world_.journal.answer();
    break;
  case what::time:
    advance();
    break;
  }
}

bool simulated_life::may_stop() {
  return world_.on.faults.stops && stops_ < 3;
}

void simulated_life::commit(std::uint32_t appends) {
  auto fault = commit_fault::none;
  if (may_fail_ && random_.once_in(12))
    fault = random_.once_in(2) ? commit_fault::fails : commit_fault::unknown;
  const auto before = world_.journal.failure().has_value();
  const auto events = world_.journal.events().size();
  world_.journal.commit(appends, fault);
  const auto& failure = world_.journal.failure();
  const bool failed = failure && !before;
  world_.log.add("commit: ", world_.journal.events().size() - events, " events", failed ? ", " + failure->message : "");
  if (world_.on.p->engine.durability == durability::none && random_.once_in(4))
    world_.journal.sync();
  if (!failed)
    return;
  paths_.reached_if(rare_path::beginning_not_recorded, events == found_);
  const bool full = failure->message == "the disk is full";
  const bool lied = world_.journal.lied();
  paths_.reached(full ? rare_path::journal_full : lied ? rare_path::unknown_commit_outcome : rare_path::append_failed);
  if (logic_.state().finished() && !world_.journal.has_appended() && !work_.settling() &&
      invariants_.books().finished())
    paths_.reached(lied ? rare_path::unknown_outcome_of_the_end : rare_path::end_not_recorded);
}

void simulated_life::advance() {
  const auto now = scheduler_.elapsed();
  auto to = scheduler_.next_timer();
  if (const auto answers = work_.next_due())
    if (const auto at = *answers - world_.time.before; !to || at < *to)
      to = at;
  world_.log.add("time passes: ", (*to - now).count());
  scheduler_.advance(std::max(*to, now));
}

void simulated_life::set_clock() {
  const bool back = random_.once_in(2);
  const std::int64_t most = random_.once_in(2) ? 5'000'000'000 : 172'800'000'000'000;
  const duration by(static_cast<std::int64_t>(random_.bits() % static_cast<std::uint64_t>(most)));
  world_.time.set += back ? -by : by;
  world_.log.add("the clock is set ", back ? "back " : "forward ", by.count());
  paths_.reached(back ? rare_path::clock_set_back : rare_path::clock_set_forward);
  paths_.reached_if(rare_path::clock_set_while_waiting, invariants_.retrying() > 0);
}

/// A report of an earlier life comes in: by the way of that life, which is closed, or of this one, where it is stale.
void simulated_life::report_again() {
  const auto& old = world_.reports[random_.below(static_cast<std::uint32_t>(world_.reports.size()))];
  if (random_.once_in(2)) {
    paths_.reached(rare_path::report_to_dead_supervisor);
    world_.log.add("a report to the dead, of ", old.asset.value, " attempt ", old.attempt);
    old.done(old.how);
    return;
  }
  // What is not on disk any more has its number given again; only numbers that are spent can be stale.
  const auto& books = invariants_.books();
  if (old.attempt > books.attempts_of(old.asset) ||
      (old.attempt == books.attempts_of(old.asset) && books.is_open(old.asset)))
    return;
  paths_.reached(rare_path::stale_report_after_resume);
  world_.log.add("a stale report of ", old.asset.value, " attempt ", old.attempt);
  way_in_->to_asset(old.asset, executed{old.attempt, old.how});
}

void simulated_life::note_crash() {
  const auto& journal = world_.journal;
  const auto on_disk = [&](const auto& is) {
    return std::any_of(journal.events().begin(), journal.events().end(), is);
  };
  paths_.reached_if(rare_path::crash_between_record_and_commit, journal.has_appended());
  paths_.reached_if(rare_path::crash_between_commit_and_answer, journal.has_answers());
  paths_.reached_if(rare_path::crash_while_work_runs, world_.processes.running() > 0);
  paths_.reached_if(rare_path::crash_while_held, invariants_.held() > 0);
  paths_.reached_if(rare_path::crash_while_waiting_to_retry, invariants_.retrying() > 0);
  paths_.reached_if(rare_path::crash_before_the_run_is_recorded,
                    !on_disk([](const event& e) { return std::holds_alternative<run_started>(e); }));
  paths_.reached_if(rare_path::crash_after_the_end_is_recorded,
                    !journal.events().empty() && std::holds_alternative<writer_closed>(journal.events().back()));
  ++world_.crashes;
  paths_.reached_if(rare_path::three_crashes_in_one_history, world_.crashes == 3);
  world_.log.add("a crash");
}

void simulated_life::check_end() {
  if (end_->internal) {
    require(world_.on.faults.bursts && end_->problem.find("the executor bursts") != std::string::npos,
            "an internal error: " + end_->problem);
  } else if (!end_->durable) {
    const auto& failure = world_.journal.failure();
    require(failure && end_->problem == failure->message, "a run breaks off without reason");
  } else {
    require(!world_.journal.failure() || world_.journal.has_appended(),
            "a run's end is said to be on disk, and is not");
    invariants_.ended(logic_.state(), observer_);
  }
  for (const auto& report : work_.reports())
    world_.reports.push_back(report);
}

} // namespace troupe_internal::test
