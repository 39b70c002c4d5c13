// The driver: as long as somebody asks for runs, something that may happen next happens.
#include "simulated_engine.hpp"
#include "require.hpp"

#include "core/journal/event_json.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace troupe_internal::test {

void simulated_state::show_commits() {
  const auto& events = journal.events();
  if (stored == events.size())
    return;
  const auto shown = store->append(std::span(events).subspan(stored));
  require(shown.has_value(), shown ? "" : "(4) what is committed cannot be folded: " + shown.error().message);
  stored = events.size();
}

void simulated_state::show_again() {
  store = std::make_unique<memory_journal_store>();
  stored = 0;
  show_commits();
}

simulated_engine::simulated_engine(simulated_state& world, std::vector<event> opening, bool quiet)
    : world_(world), random_(world.random), paths_(world.paths), quiet_(quiet), scheduler_(world.random),
      names_(
          std::make_shared<state_names>(world.books.tables().state.asset_count, world.books.tables().state.path_count)),
      before_(names_, [opening = std::move(opening)] { return opening; }),
      last_run_(world.books.tables().state.last_run), submit_once_in_(5 + world.random.below(200)),
      crash_once_in_(20 + world.random.below(600)), cancel_once_in_(20 + world.random.below(200)) {
  world_.time.scheduler = &scheduler_;
  world_.files.forget_room();
  world_.journal.on_append = [this](const event& e) {
    if (world_.log.keeps()) {
      event_names names;
      names.asset = [this](asset_id id) { return world_.books.name(id); };
      world_.log.add("  appended: ", event_to_json(world_.books.tables().state.last_seq + 1, e, names));
    }
    check([&] { world_.books.observe(e); });
  };
  world_.journal.on_checkpoint = [this](const std::string& bytes) {
    check([&] { world_.books.live_state_is(bytes); });
  };
}

simulated_engine::~simulated_engine() {
  if (!dead_) {
    dead_ = true;
    for (const auto& run : runs_)
      run->kill();
    scheduler_.run_all();
  }
  world_.time.before = world_.time.steady();
  world_.time.scheduler = nullptr;
}

void simulated_engine::take_down() {
  dead_ = true;
  world_.journal.on_append = {};
  world_.journal.on_checkpoint = {};
  for (const auto& run : runs_)
    run->kill();
  scheduler_.run_all();
  require(scheduler_.alive() == 0, "actors outlive their engine");
}

/// Actors must not swallow what a check finds.
void simulated_engine::check(const std::function<void()>& rule) {
  try {
    rule();
  } catch (const std::runtime_error& found) {
    if (!violation_ && !dead_)
      violation_ = found.what();
  }
}

void simulated_engine::stop_at_violation() const {
  if (violation_)
    throw std::runtime_error(*violation_);
}

void simulated_engine::play() {
  for (;;) {
    if (is_idle() && (failed() || world_.runs_left == 0 || random_.once_in(4)))
      return;
    if (world_.on.faults.crashes && !quiet_ && random_.once_in(crash_once_in_)) {
      note_crash();
      return;
    }
    step();
  }
}

bool simulated_engine::run_alone(const run_wish& wish) {
  const auto begun = begun_;
  submit(wish);
  while (!is_idle())
    step();
  return begun_ > begun;
}

void simulated_engine::close() {
  if (before_.used())
    append({writer_closed{world_.time.now()}}, true, nullptr);
  while (world_.journal.has_appended() || world_.journal.has_answers()) {
    if (world_.journal.has_appended())
      commit(1);
    else
      world_.journal.answer();
  }
  stop_at_violation();
}

bool simulated_engine::may_submit() const {
  const auto busy = runs_.size() + jobs_.size() + (admitted_ ? 1 : 0);
  return world_.runs_left > 0 && busy < world_.on.at_a_time && !failed();
}

std::optional<duration> simulated_engine::next_time() const {
  auto to = scheduler_.next_timer();
  for (const auto& run : runs_)
    if (const auto answers = run->work().next_due())
      if (const auto at = *answers - world_.time.before; !to || at < *to)
        to = at;
  return to;
}

/// One of the things that may happen next does.
void simulated_engine::step() {
  require(++steps_ < 400'000, "(3) the runs do not end");
  ++world_.steps;
  befall();
  std::vector<std::pair<simulated_live_run*, std::size_t>> due;
  for (const auto& run : runs_)
    for (const auto one : run->work().due())
      due.emplace_back(run.get(), one);
  std::array<what, 32> possible{};
  std::uint32_t count = 0;
  const auto may = [&](what one, std::uint32_t weight) {
    for (; weight > 0; --weight)
      possible[count++] = one;
  };
  if (scheduler_.has_job())
    may(what::message, 6);
  if (!due.empty())
    may(what::answer, due.size() > 4 ? 3 : 1);
  if (!posted_.empty())
    may(what::posted, 2);
  if (std::any_of(renewals_.begin(), renewals_.end(),
                  [&](const renewal& one) { return world_.journal.done() >= one.needs; }))
    may(what::renew, 1);
  if (std::any_of(jobs_.begin(), jobs_.end(), [&](const plan_job& job) { return can_plan(job); }))
    may(what::plan, 1);
  if (admitted_)
    may(what::begin, 1);
  if (world_.journal.has_appended() && (count == 0 || !world_.on.slow_disk || random_.once_in(10)))
    may(what::commit, 1);
  if (world_.journal.has_answers())
    may(what::told, 1);
  if (may_submit() && (count == 0 || random_.once_in(submit_once_in_)))
    may(what::submit, 2);
  if (next_time() && (count == 0 || random_.once_in(world_.on.hurry)))
    may(what::time, 1);
  if (count == 0 && world_.on.faults.cancels && !quiet_ && lives_anyone())
    return cancel(false); // something hangs
  require(count > 0, "(3) the runs are stuck: nothing can happen and they have not ended");
  happen(possible[random_.below(count)], due);
  stop_at_violation();
  check_quiet();
}

void simulated_engine::happen(what one, const std::vector<std::pair<simulated_live_run*, std::size_t>>& due) {
  checked_ = false;
  switch (one) {
  case what::message:
    world_.log.add("message ", scheduler_.run_one());
    break;
  case what::answer: {
    const auto& [run, item] = due[random_.below(static_cast<std::uint32_t>(due.size()))];
    const auto number = run->number().value;
    world_.log.add("run #", number, ": ", run->work().answer(item));
    break;
  }
  case what::posted: {
    const auto work = std::move(posted_.front());
    posted_.pop_front();
    work();
    break;
  }
  case what::renew: {
    const auto at = std::find_if(renewals_.begin(), renewals_.end(),
                                 [&](const renewal& next) { return world_.journal.done() >= next.needs; });
    const auto next = *at;
    renewals_.erase(at);
    const auto run =
        std::find_if(runs_.begin(), runs_.end(), [&](const auto& live) { return live->number() == next.run; });
    world_.log.add("run #", next.run.value, " reads anew what ", world_.books.name(next.run, next.asset), " needs");
    if (run != runs_.end())
      (*run)->renew(next.asset);
    break;
  }
  case what::plan: {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < jobs_.size(); ++i)
      if (can_plan(jobs_[i]))
        found.push_back(i);
    plan_on(found[random_.below(static_cast<std::uint32_t>(found.size()))]);
    break;
  }
  case what::begin:
    begin();
    break;
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
  case what::submit: {
    --world_.runs_left;
    auto wish = make_wish(world_.on, random_);
    if (random_.once_in(3))
      wish.resumes = to_resume();
    submit(wish);
    break;
  }
  }
}

/// What people and the world do to it.
void simulated_engine::befall() {
  if (failed() && random_.once_in(10))
    for (const auto& run : runs_) { // as whoever has the engine ends it
      world_.books.stop_ordered(run->number());
      run->stop(stop_cause::user, true);
    }
  if (quiet_)
    return;
  if (world_.on.faults.cancels && lives_anyone() && random_.once_in(cancel_once_in_))
    cancel(random_.once_in(3));
  if (world_.on.faults.edits && random_.once_in(80)) {
    const auto source = random_.below(world_.on.sources);
    paths_.reached_if(state_path::source_edited, lives_anyone());
    world_.log.add("source ", source, " is edited");
    world_.files.edit_source(source);
  }
  if (world_.on.faults.clock && random_.once_in(80)) {
    const bool back = random_.once_in(2);
    const duration by(static_cast<std::int64_t>(random_.bits() % 172'800'000'000'000U));
    world_.time.set += back ? -by : by;
    paths_.reached_if(state_path::clock_set_back, back && lives_anyone());
    world_.log.add("the clock is set ", back ? "back " : "forward ", by.count());
  }
}

void simulated_engine::cancel(bool at_once) {
  std::vector<simulated_live_run*> living;
  for (const auto& run : runs_)
    if (!run->over())
      living.push_back(run.get());
  auto& run = *living[random_.below(static_cast<std::uint32_t>(living.size()))];
  world_.log.add("run #", run.number().value, " is cancelled", at_once ? ", at once" : "");
  paths_.reached_if(state_path::cancel_beside_live, living.size() > 1);
  paths_.reached_if(state_path::cancel_while_held, run.has_held());
  world_.books.stop_ordered(run.number());
  run.stop(random_.once_in(2) ? stop_cause::user : stop_cause::signal, at_once);
}

void simulated_engine::commit(std::uint32_t appends) {
  auto fault = commit_fault::none;
  if (world_.on.faults.journal && !quiet_ && random_.once_in(60))
    fault = random_.once_in(2) ? commit_fault::fails : commit_fault::unknown;
  const bool before = failed();
  const auto events = world_.journal.events().size();
  world_.journal.commit(appends, fault);
  world_.log.add("commit: ", world_.journal.events().size() - events, " events",
                 failed() && !before ? ", " + world_.journal.failure()->message : "");
  world_.show_commits();
  if (world_.on.durable == durability::none && random_.once_in(4))
    world_.journal.sync();
  if (failed() && !before) {
    world_.books.journal_fails();
    paths_.reached_if(state_path::journal_fails_several, runs_.size() > 1);
    paths_.reached_if(state_path::journal_lied, runs_.size() > 1 && world_.journal.lied());
  }
}

void simulated_engine::advance() {
  const auto now = scheduler_.elapsed();
  const auto to = std::max(*next_time(), now);
  world_.log.add("time passes: ", (to - now).count());
  scheduler_.advance(to);
}

void simulated_engine::check_quiet() {
  if (checked_ || scheduler_.has_job() || !posted_.empty() || !renewals_.empty() || world_.journal.has_appended() ||
      world_.journal.has_answers() || failed() ||
      std::any_of(runs_.begin(), runs_.end(), [](const auto& run) { return run->work().examining() > 0; }))
    return;
  std::vector<run_number> ending;
  for (const auto& run : runs_)
    if (run->logic().state().finished())
      ending.push_back(run->number());
  world_.books.quiet(world_.time.steady(), ending, others_.kept());
  checked_ = true;
}

void simulated_engine::note_crash() {
  std::size_t living = 0;
  bool held = false;
  for (const auto& run : runs_) {
    living += run->over() ? 0 : 1;
    held = held || run->has_held();
  }
  paths_.reached_if(state_path::crash_with_several, living > 1);
  paths_.reached_if(state_path::crash_while_planning, !jobs_.empty());
  paths_.reached_if(state_path::crash_while_held, held);
  paths_.reached_if(state_path::crash_between_admission_and_beginning, admitted_.has_value());
  ++world_.crashes;
  world_.log.add("a crash");
  crashed_ = true;
}

} // namespace troupe_internal::test
