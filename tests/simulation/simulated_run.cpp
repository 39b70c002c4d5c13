// The driver: as long as the run lives, something that may happen next happens.
#include "simulated_run.hpp"

#include "actors/wiring.hpp"
#include "support/random_run.hpp"
#include "support/recording_observer.hpp"
#include "support/run_checker.hpp"
#include "support/scripted_executor.hpp"

#include "simulation_scheduler.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace troupe::test {

namespace {

/// The journal: appended, in order, and some of it durable.
class simulated_log final : public event_log {
public:
  void append(std::vector<event> events, bool, std::function<void(result<std::uint64_t>)> durable) override {
    waiting_.push_back({std::move(events), std::move(durable)});
    if (on_append)
      for (const auto& e : waiting_.back().events)
        on_append(e);
  }
  void checkpoint(run_number, std::string state) override {
    if (!run_state::decode(state))
      throw std::runtime_error("a checkpoint cannot be read");
  }

  std::function<void(const event&)> on_append;

  [[nodiscard]] bool has_work() const { return !waiting_.empty(); }
  /// The next `count` appends reach the disk, in one group; or, from now on, nothing does.
  void commit(std::size_t count, bool fails) {
    failed_ = failed_ || fails;
    std::vector<std::function<void(result<std::uint64_t>)>> told;
    for (; count > 0 && !waiting_.empty(); --count) {
      auto one = std::move(waiting_.front());
      waiting_.pop_front();
      if (!failed_)
        for (auto& e : one.events)
          durable_.push_back(std::move(e));
      if (one.durable)
        told.push_back(std::move(one.durable));
    }
    for (const auto& durable : told)
      durable(failed_ ? result<std::uint64_t>(error{error_code::state_unusable, "the disk is full"})
                      : result<std::uint64_t>(durable_.size()));
  }
  /// What the next supervisor finds.
  void crash() {
    waiting_.clear();
    failed_ = false;
  }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] const std::vector<event>& durable() const { return durable_; }
  void write(event e) { durable_.push_back(std::move(e)); }

private:
  struct item {
    std::vector<event> events;
    std::function<void(result<std::uint64_t>)> durable;
  };
  std::deque<item> waiting_;
  std::vector<event> durable_;
  bool failed_ = false;
};

class simulated_clock final : public clock {
public:
  timestamp now() const override { return origin + virtual_time(); }
  duration monotonic() const override { return virtual_time(); }
  std::uint64_t random() override { return random_bits(); }

  timestamp origin;
  std::function<duration()> virtual_time = [] { return duration{}; };
  std::function<std::uint64_t()> random_bits;
};

class simulation {
public:
  explicit simulation(std::uint64_t seed)
      : random_(seed), run_(make_random_run(random_)), observer_(*run_.p), strict_(random_.once_in(4)),
        stops_(random_.once_in(4)), crashes_(random_.once_in(3)), failures_(random_.once_in(5)) {
    time_.origin = run_.started.at;
    time_.random_bits = [this] { return random_.bits(); };
    log_.write(run_.started);
  }

  simulation_result play() {
    for (std::uint32_t segment = 0;; ++segment) {
      const bool last = segment == 3;
      may_crash_ = crashes_ && !last;
      may_fail_ = failures_ && !last;
      live();
      ++result_.runs;
      const auto ended = folded().finished();
      result_.cancelled = result_.cancelled || ended == run_status::cancelled;
      if (last || ended == run_status::succeeded || (ended && random_.once_in(2)))
        break;
      resume();
    }
    event_encoder encoder;
    for (const auto& e : log_.durable())
      encoder.add(e);
    result_.events = encoder.bytes();
    return result_;
  }

private:
  static void require(bool holds, const std::string& what) {
    if (!holds)
      throw std::runtime_error(what);
  }

  [[nodiscard]] run_state folded() const {
    run_state state;
    for (const auto& e : log_.durable())
      state.apply(e);
    return state;
  }

  /// Books over what was appended, which begin with what is durable.
  void open_books() {
    checker_.emplace(*run_.p, *run_.graph, run_.ids, run_.policy.workers, run_.never_made);
    for (const auto& e : log_.durable())
      checker_->observe(e);
  }

  /// What the next writer does before the run goes on.
  void resume() {
    const auto state = folded();
    for (std::uint32_t position = 0; position < state.size(); ++position)
      if (state.at(position).open) {
        attempt_finished lost;
        lost.run = run_.started.run;
        lost.asset = state.id_at(position);
        lost.attempt = state.at(position).attempts;
        lost.at = time_.now();
        lost.outcome = outcome_kind::interrupted;
        log_.write(lost);
      }
    log_.write(run_resumed{run_.started.run, time_.now()});
  }

  /// One supervisor, from its birth to its end or death.
  void live() {
    open_books();
    log_.on_append = [this](const event& e) { checker_->observe(e); };
    answers_.clear();
    scripted_executor work([this](std::function<void()> piece) { answers_.push_back(std::move(piece)); });
    for (std::uint32_t i = 0; i < run_.fates.size(); ++i) {
      const auto& f = run_.fates[i];
      auto& script = work.script(asset_index(i));
      script.fresh = f.examined == fate::kind::fresh;
      if (f.examined == fate::kind::impossible)
        script.impossible = "an input is missing";
      script.outcomes.assign(random_.once_in(2) ? f.fails : 0, f.how);
      script.hangs = stops_ && random_.once_in(6);
      script.reports_twice = random_.once_in(8);
    }
    work.on_execute = [this](asset_index asset, std::uint32_t attempt) { check_execution(asset, attempt); };
    run_logic logic(*run_.p, *run_.graph, run_.policy, run_.ids, folded());
    simulation_scheduler scheduler(random_);
    const auto before = time_.now();
    time_.origin = before;
    time_.virtual_time = [&scheduler] { return scheduler.elapsed(); };

    host_setup setup;
    setup.logic = &logic;
    setup.first = logic.begin(run_.never_made, time_.now());
    setup.p = run_.p.get();
    setup.graph = run_.graph.get();
    setup.work = &work;
    setup.log = &log_;
    setup.time = &time_;
    setup.observer = &observer_;
    setup.strict = strict_;
    setup.names_and_files = [] { return std::vector<event>{}; };
    setup.closing = [] { return std::vector<event>{writer_closed{}}; };
    setup.log_of = [](asset_index, std::uint32_t) { return std::string(); };
    setup.versions.resize(run_.ids.size());
    setup.expected.resize(run_.ids.size());
    setup.checkpoint_every = 5;

    auto way_in = std::make_shared<gate>();
    std::optional<run_end> end;
    const auto actors = spawn_run(scheduler.system(), setup, way_in, [&](run_end how) {
      require(!end.has_value(), "a run ends twice");
      end = std::move(how);
    });
    bool crashed = false;
    for (std::size_t step = 0; !end && !crashed; ++step, ++result_.steps) {
      require(step < 100'000, "(3) the run does not end");
      crashed = may_crash_ && random_.once_in(60);
      if (!crashed)
        happen(scheduler, *way_in);
    }
    if (end)
      check_end(*end, logic);
    else
      ++result_.crashes;
    log_.on_append = {}; // what the dying still write is never read
    const auto handles = end_run(actors, *way_in);
    scheduler.run_all();
    require(scheduler.alive() == 0, "actors outlive their run");
    log_.crash();
    answers_.clear();
    const auto after = time_.now();
    time_.virtual_time = [] { return duration{}; };
    time_.origin = after;
  }

  /// One of the things that may happen next does.
  void happen(simulation_scheduler& scheduler, gate& way_in) {
    enum class what { message, answer, commit, timer };
    std::vector<what> possible;
    if (scheduler.has_job())
      possible.insert(possible.end(), 3, what::message);
    if (!answers_.empty())
      possible.push_back(what::answer);
    if (log_.has_work())
      possible.push_back(what::commit);
    if (scheduler.has_timer() && (possible.empty() || random_.once_in(10)))
      possible.push_back(what::timer);
    if (stops_ && (possible.empty() || random_.once_in(100))) {
      way_in.stop(stop_order{stop_cause::user, random_.once_in(3)});
      return;
    }
    require(!possible.empty(), "(3) the run is stuck: nothing can happen and it has not ended");
    switch (possible[random_.below(static_cast<std::uint32_t>(possible.size()))]) {
    case what::message:
      scheduler.run_one();
      break;
    case what::answer: {
      const auto at = random_.below(static_cast<std::uint32_t>(answers_.size()));
      const auto answer = std::move(answers_[at]);
      answers_.erase(answers_.begin() + at);
      answer();
      break;
    }
    case what::commit: {
      const bool fails = may_fail_ && random_.once_in(20);
      result_.journal_failures += fails ? 1 : 0;
      log_.commit(1 + random_.below(4), fails);
      break;
    }
    case what::timer:
      scheduler.next_timer();
      break;
    }
  }

  /// Journal first: an attempt is recorded before anything of it happens, and on disk, where that is asked.
  void check_execution(asset_index asset, std::uint32_t attempt) {
    require(checker_->is_open(asset) && checker_->attempts_of(asset) == attempt,
            "an attempt is executed that the journal does not know");
    if (!strict_ && run_.p->settings_of(asset).durability != durability::strict)
      return;
    const auto on_disk = [&](const event& e) {
      const auto* started = std::get_if<attempt_started>(&e);
      return started != nullptr && started->asset == run_.ids[asset.value] && started->attempt == attempt;
    };
    require(std::any_of(log_.durable().begin(), log_.durable().end(), on_disk),
            "a strict attempt is executed before it is on disk");
  }

  void check_end(const run_end& end, const run_logic& logic) {
    require(!end.internal, "an internal error: " + end.problem);
    if (!end.durable) {
      require(log_.failed() && end.problem == "the disk is full", "a run breaks off without reason");
      return;
    }
    require(!log_.failed(), "a run's end is said to be on disk, and is not");
    require(folded() == logic.state(), "(4) what is on disk is not what the supervisor knew");
    require(checker_->finished(), "(3) a run ends without an end");
    require(std::holds_alternative<writer_closed>(log_.durable().back()),
            "the last event is not the writer's good-bye");
    open_books(); // the whole history once more, as a reader finds it
    checker_->compare(logic.state());
  }

  seeded random_;
  random_run run_;
  recording_observer observer_;
  simulated_log log_;
  simulated_clock time_;
  bool strict_, stops_, crashes_, failures_;
  bool may_crash_ = false;
  bool may_fail_ = false;
  std::optional<run_checker> checker_;
  std::vector<std::function<void()>> answers_;
  simulation_result result_;
};

} // namespace

simulation_result simulate(std::uint64_t seed) {
  return simulation(seed).play();
}

} // namespace troupe::test
