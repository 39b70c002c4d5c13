// Supervisors one after the other: what each finds, and what the next writer does about it.
#include "simulated_run.hpp"
#include "require.hpp"

#include "core/run/reopening.hpp"
#include "invariants.hpp"
#include "projection_check.hpp"
#include "simulated_life.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace troupe_internal::test {

namespace {

class history {
public:
  history(std::uint64_t seed, bool keep_log)
      : random_(seed), case_(make_random_case(random_)),
        log_(keep_log), world_{case_,
                               random_,
                               paths_,
                               log_,
                               simulated_clock(random_),
                               simulated_journal(case_.p->engine.durability != durability::none),
                               process_world(case_),
                               {}} {
    world_.time.start = case_.started.at;
    describe();
  }

  simulation_result play() {
    paths_.reached_if(rare_path::hundred_assets, case_.ids.size() >= 100);
    for (std::uint32_t life = 0;; ++life) {
      const bool last = life + 1 >= case_.lives;
      limit_journal(last);
      log_.add("life ", life + 1);
      auto state = recover(last);
      if (!state)
        continue; // recovery did not come to its end: the next one will
      if (state->finished() == run_status::succeeded)
        break; // recorded, though its supervisor could not say so
      live(std::move(*state), last);
      const auto after = folded();
      if (refused_)
        break;
      if (after.started() && after.finished() &&
          (last || *after.finished() == run_status::succeeded || random_.once_in(2)))
        break;
      require(!last, "(3) the run has not settled");
    }
    check_projections(world_.journal.events());
    check_history(case_, world_.processes, world_.journal.events(), random_);
    return summary();
  }

  [[nodiscard]] const std::string& log() const { return log_.text(); }

private:
  void describe() {
    log_.add(graph_shape_names[static_cast<std::size_t>(case_.shape)], ", ", case_.ids.size(), " assets, ",
             case_.policy.workers, " workers, error strategy ", static_cast<int>(case_.policy.error_strategy),
             ", durability ", static_cast<int>(case_.p->engine.durability));
  }

  [[nodiscard]] run_state folded() const {
    run_state state;
    for (const auto& e : world_.journal.events())
      state.apply(e);
    return state;
  }

  /// Room for some more events, or, in the last life, for all.
  void limit_journal(bool last) {
    if (case_.faults.full && !last && random_.once_in(2))
      world_.journal.limit(world_.journal.events().size() + random_.below(12));
    else
      world_.journal.limit(std::nullopt);
  }

  /// As state_writer does: leftovers are ended, then what they were doing is recorded as interrupted, at once. Then the
  /// state that the run goes on with, or nullopt.
  std::optional<run_state> recover(bool last) {
    auto& journal = world_.journal;
    const bool clean = journal.events().empty() || std::holds_alternative<writer_closed>(journal.events().back());
    const auto open = check_projections(journal.events());
    opening_ = {writer_opened{world_.time.now(), "boot", 1}};
    auto state = folded();
    if (const auto kept = journal.from_checkpoint(case_.started.run)) {
      paths_.reached(rare_path::checkpoint_used);
      require(*kept == state, "(4) a checkpoint and the events after it do not give the state");
    }
    if (!clean) {
      const auto ended = world_.processes.end_all();
      paths_.reached_if(rare_path::leftover_ended, ended > 0);
      std::vector<event> found = std::exchange(opening_, {});
      for (const auto& attempt : open)
        found.emplace_back(interrupted(attempt));
      const bool anything = found.size() > 1;
      if (!journal.append_now(std::move(found))) {
        paths_.reached(rare_path::recovery_refused);
        log_.add("recovery is refused: the disk is full");
        return std::nullopt;
      }
      if (!last && case_.faults.crashes && random_.once_in(8)) {
        log_.add("a crash in recovery");
        paths_.reached_if(rare_path::crash_during_recovery, anything);
        return std::nullopt;
      }
      state = folded();
    }
    return state;
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

  void live(run_state state, bool last) {
    auto first = std::exchange(opening_, {});
    const auto is_names = [](const event& e) { return std::holds_alternative<names_interned>(e); };
    if (std::none_of(world_.journal.events().begin(), world_.journal.events().end(), is_names))
      first.push_back(names_of(case_));
    if (!state.started()) {
      first.emplace_back(case_.started);
      state.apply(case_.started);
      if (case_.started.waiting.empty())
        return record_fresh(std::move(first), state);
    } else {
      const auto before = state.finished();
      paths_.reached(!before                         ? rare_path::resumed_interrupted
                     : *before == run_status::failed ? rare_path::resumed_failed
                                                     : rare_path::resumed_cancelled);
      run_resumed resumed{case_.started.run, world_.time.now(), {}};
      resumed.reopened = reopened_by_resume(*case_.graph, case_.ids, state, [&](asset_index asset) {
        const bool lost = random_.once_in(8);
        paths_.reached_if(rare_path::lost_output, lost && !case_.graph->downstream(asset).empty());
        return lost;
      });
      first.emplace_back(resumed);
      state.apply(resumed);
    }
    ++lives_;
    bool crashed = false;
    {
      simulated_life life(world_, std::move(state), std::move(first), last);
      life.play();
      life.close();
      crashed = life.crashed();
    }
    if (!crashed)
      world_.processes.end_all(); // the executor's end is that of all that it runs
    lose_writer(crashed);
  }

  /// Nothing is to run: one transaction, no actors.
  void record_fresh(std::vector<event> first, const run_state& state) {
    run_finished finished{case_.started.run, world_.time.now(), run_status::succeeded, state.counts()};
    first.emplace_back(finished);
    first.emplace_back(writer_closed{world_.time.now()});
    if (!world_.journal.append_now(std::move(first)))
      paths_.reached(rare_path::recovery_refused);
  }

  void lose_writer(bool crashed) {
    const bool power = crashed && case_.faults.power && random_.once_in(2);
    const auto events = world_.journal.events().size();
    paths_.reached_if(rare_path::power_cut, power);
    if (power && world_.journal.unsynced() > 0 && random_.once_in(2)) {
      // Without syncing, a power cut may leave anything: the journal finds that out and refuses.
      paths_.reached(rare_path::state_refused);
      log_.add("the state is refused");
      refused_ = true;
    }
    world_.journal.lose_writer(power);
    if (power) {
      world_.processes.end_all();
      log_.add("a power cut loses ", events - world_.journal.events().size(), " events");
      paths_.reached_if(rare_path::power_cut_loses_commits, world_.journal.events().size() < events);
    }
  }

  simulation_result summary() {
    simulation_result result;
    result.log = log_.text();
    result.journal = world_.journal.bytes();
    result.steps = world_.steps;
    result.lives = lives_;
    result.crashes = world_.crashes;
    result.events = world_.journal.events().size();
    result.assets = case_.ids.size();
    result.shape = case_.shape;
    result.paths = paths_;
    return result;
  }

  seeded random_;
  random_case case_;
  rare_paths paths_;
  step_log log_;
  simulated_world world_;
  std::vector<event> opening_;
  std::uint64_t lives_ = 0;
  bool refused_ = false;
};

} // namespace

simulation_result simulate(std::uint64_t seed, bool keep_log, std::string* log_so_far) {
  history one(seed, keep_log);
  try {
    return one.play();
  } catch (const std::runtime_error&) {
    if (log_so_far != nullptr)
      *log_so_far = one.log();
    throw;
  }
}

} // namespace troupe_internal::test
