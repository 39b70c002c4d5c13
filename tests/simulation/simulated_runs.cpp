// Engines one after the other: what each finds, what the next writer does about it, and what has to come out.
#include "simulated_runs.hpp"
#include "projection_check.hpp"
#include "require.hpp"
#include "simulated_engine.hpp"
#include "simulated_state.hpp"

#include <set>
#include <stdexcept>
#include <utility>

namespace troupe_internal::test {

namespace {

class state_history {
public:
  state_history(std::uint64_t seed, bool keep_log)
      : random_(seed), case_(make_state_case(random_)),
        log_(keep_log), world_{case_,
                               random_,
                               paths_,
                               log_,
                               simulated_clock(random_),
                               simulated_journal(case_.durable != durability::none),
                               file_world(case_),
                               state_books(case_, paths_, world_.files),
                               std::make_unique<memory_journal_store>()} {
    world_.time.start = from_unix_ns(1'800'000'000'000'000'000);
    world_.runs_left = case_.runs;
    log_.add(case_.pipelines.size(), " pipelines, ", case_.runs, " runs, durability ", static_cast<int>(case_.durable));
  }

  runs_result play() {
    for (std::uint32_t engine = 0; engine < case_.engines; ++engine)
      one_engine(false);
    one_engine(true);
    check_projections(world_.journal.events());
    return summary();
  }

  [[nodiscard]] const std::string& log() const { return log_.text(); }

private:
  void one_engine(bool last) {
    log_.add("engine ", ++engines_);
    auto opening = recover();
    bool crashed = false;
    {
      simulated_engine engine(world_, std::move(opening), last);
      engine.play();
      world_.runs_left = last ? 0 : world_.runs_left;
      if (last)
        check_outcome(engine);
      crashed = engine.crashed() || engine.failed();
      if (!crashed)
        engine.close();
      engine.take_down();
    }
    if (!crashed)
      require(world_.files.running() == 0, "(6) an engine is closed, and something runs on");
    lose_writer(crashed);
  }

  /// When all has ended, one calm run of each pipeline makes all as it would be if it had been made once, in order; and
  /// then there is nothing to do.
  void check_outcome(simulated_engine& engine) {
    world_.books.records_are_true();
    for (std::uint32_t i = 0; i < case_.pipelines.size(); ++i) {
      run_wish wish;
      wish.pipeline = i;
      wish.calm = true;
      wish.mode = random_.below(3);
      wish.workers = 1 + random_.below(4);
      log_.add("a calm run of pipeline ", i);
      static_cast<void>(engine.run_alone(wish));
      world_.books.is_as_clean(i, wish.mode);
      require(!engine.run_alone(wish), "(10) after a run of everything, something is not fresh");
    }
    world_.books.records_are_true();
  }

  /// As state_writer does: leftovers are ended, then what they were doing is recorded as interrupted, at once. What the
  /// next writer appends before all else.
  std::vector<event> recover() {
    auto& journal = world_.journal;
    const bool clean = journal.events().empty() || std::holds_alternative<writer_closed>(journal.events().back());
    const auto open = check_projections(journal.events());
    check_checkpoints();
    std::vector<event> opening{writer_opened{world_.time.now(), "boot", 1}};
    if (clean) {
      world_.books.reset(journal.events());
      return opening;
    }
    world_.files.end_all(std::nullopt, [&] {
      const bool well = random_.once_in(4);
      paths_.reached_if(state_path::leftover_ended_well, well);
      return well;
    });
    std::set<run_number> runs;
    for (const auto& attempt : open) {
      runs.insert(attempt.run);
      opening.emplace_back(interrupted(attempt));
    }
    paths_.reached_if(state_path::interrupted_of_several, runs.size() > 1);
    const auto appended = journal.append_now(std::move(opening));
    require(appended.has_value(), "recovery is refused");
    world_.show_commits();
    world_.books.reset(journal.events());
    return {};
  }

  /// A checkpoint and the events after it give the run as all of its events do.
  void check_checkpoints() const {
    const auto& events = world_.journal.events();
    for (const auto& e : events) {
      const auto* started = std::get_if<run_started>(&e);
      if (started == nullptr)
        continue;
      const auto kept = world_.journal.from_checkpoint(started->run);
      if (!kept)
        continue;
      run_state state;
      for (const auto& all : events)
        if (state.started() || std::get_if<run_started>(&all) == started)
          state.apply(all);
      require(*kept == state, "(4) a checkpoint and the events after it do not give the state");
    }
  }

  [[nodiscard]] event interrupted(const open_attempt& open) const {
    attempt_finished lost;
    lost.run = open.run;
    lost.asset = open.asset;
    lost.attempt = open.attempt;
    lost.at = world_.time.now();
    lost.outcome = outcome_kind::interrupted;
    lost.message = "the supervisor died while this attempt ran";
    return lost;
  }

  void lose_writer(bool crashed) {
    const bool power = crashed && case_.faults.power && random_.once_in(2);
    const auto runs = world_.store->snapshot().value()->info().last_run;
    world_.journal.lose_writer(power);
    if (!power)
      return;
    paths_.reached(state_path::power_cut);
    log_.add("a power cut");
    world_.files.end_all(std::nullopt, [] { return false; });
    world_.show_again();
    paths_.reached_if(state_path::power_cut_loses_run, world_.store->snapshot().value()->info().last_run < runs);
  }

  runs_result summary() {
    runs_result result;
    result.log = log_.text();
    result.journal = world_.journal.bytes();
    result.steps = world_.steps;
    result.engines = engines_;
    result.runs = world_.runs;
    result.crashes = world_.crashes;
    result.events = world_.journal.events().size();
    result.paths = paths_;
    return result;
  }

  seeded random_;
  state_case case_;
  state_paths paths_;
  step_log log_;
  simulated_state world_;
  std::uint64_t engines_ = 0;
};

} // namespace

runs_result simulate_runs(std::uint64_t seed, bool keep_log, std::string* log_so_far) {
  state_history one(seed, keep_log);
  try {
    return one.play();
  } catch (const std::runtime_error&) {
    if (log_so_far != nullptr)
      *log_so_far = one.log();
    throw;
  }
}

} // namespace troupe_internal::test
