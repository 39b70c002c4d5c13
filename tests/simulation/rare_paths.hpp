// The paths that a simulation is there to reach, counted: a run of many seeds that did not reach one has not tested it.
// Knows only their names.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace troupe_internal::test {

// One line a path: its name here, and in words.
#define TROUPE_RARE_PATHS(PATH)                                                                                        \
  PATH(crash_between_record_and_commit, "crash between record and commit")                                             \
  PATH(crash_between_commit_and_answer, "crash between a commit and its answer")                                       \
  PATH(crash_while_work_runs, "crash while work runs")                                                                 \
  PATH(crash_while_waiting_to_retry, "crash while an asset waits to be tried again")                                   \
  PATH(crash_before_the_run_is_recorded, "crash before anything of the run is on disk")                                \
  PATH(crash_after_the_end_is_recorded, "crash after the run's end is on disk, before it is told")                     \
  PATH(crash_during_recovery, "crash during recovery, with the interrupted attempts recorded")                         \
  PATH(three_crashes_in_one_history, "three crashes or more in one history")                                           \
  PATH(power_cut, "power cut")                                                                                         \
  PATH(power_cut_loses_commits, "power cut that loses unsynced commits (durability none)")                             \
  PATH(state_refused, "state refused after a power cut (durability none)")                                             \
  PATH(leftover_ended, "work that outlived its supervisor is ended by the next")                                       \
  PATH(checkpoint_used, "recovery from a checkpoint")                                                                  \
  PATH(resumed_failed, "resume of a failed run")                                                                       \
  PATH(resumed_cancelled, "resume of a cancelled run")                                                                 \
  PATH(resumed_interrupted, "resume of an interrupted run")                                                            \
  PATH(lost_output, "output that is lost before a resume, and read by others")                                         \
  PATH(retry_after_resume, "retry with a new budget after a resume")                                                   \
  PATH(retry_during_cancel, "failure that would be tried again, while the run stops")                                  \
  PATH(stop_while_waiting_to_retry, "stop while an asset waits to be tried again")                                     \
  PATH(stop_before_begin, "stop before the run begins")                                                                \
  PATH(stop_while_settling, "stop when the run is over, but its end is not on disk")                                   \
  PATH(stop_while_examining, "stop while an asset is examined")                                                        \
  PATH(second_stop, "second stop, at once")                                                                            \
  PATH(success_during_stop, "success while the run stops")                                                             \
  PATH(hung_work_ended, "work that hangs is ended by a stop")                                                          \
  PATH(hung_work_timed_out, "work that hangs is ended by its timeout")                                                 \
  PATH(late_report_after_timeout, "late report after a timeout")                                                       \
  PATH(double_report, "double report of an attempt")                                                                   \
  PATH(double_report_contradicts, "double report that says the opposite")                                              \
  PATH(double_report_after_retry, "double report of an attempt after the next one was begun")                          \
  PATH(process_reported_late, "process reported after its attempt's end")                                              \
  PATH(stale_report_after_resume, "stale report after a resume")                                                       \
  PATH(report_to_dead_supervisor, "report to a supervisor that is gone")                                               \
  PATH(executor_bursts, "executor throws")                                                                             \
  PATH(append_failed, "failing append")                                                                                \
  PATH(journal_full, "full journal")                                                                                   \
  PATH(unknown_commit_outcome, "unknown commit outcome: reported as failed, but on disk")                              \
  PATH(unknown_outcome_of_the_end, "unknown outcome of the commit that holds the run's end")                           \
  PATH(end_not_recorded, "run over, but its end cannot be recorded")                                                   \
  PATH(beginning_not_recorded, "run that starts nothing, since its beginning cannot be recorded")                      \
  PATH(recovery_refused, "recovery that cannot append")                                                                \
  PATH(strict_grant_held, "grant held back until its attempt is on disk")                                              \
  PATH(held_success_stands, "held success that stands: what it discovered is as before")                               \
  PATH(held_success_outdated, "held success that is outdated: what it discovered was made again")                      \
  PATH(outdated_while_stopping, "outdated attempt in a run that is stopping")                                          \
  PATH(outdated_and_blocked, "outdated attempt whose maker failed")                                                    \
  PATH(maker_needs_reader, "success that stands though a maker of what it discovered is not settled: that needs it")   \
  PATH(crash_while_held, "crash while a success is held")                                                              \
  PATH(stop_while_held, "stop while a success is held")                                                                \
  PATH(pool_full, "ready asset held back by a full pool")                                                              \
  PATH(slots_kept, "ready asset held back by slots that are kept for a more urgent one")                               \
  PATH(allowed_failure, "failure that is allowed, with dependents")                                                    \
  PATH(blocked_from_outside, "asset blocked from outside the run")                                                     \
  PATH(fresh_when_looked_at, "asset found fresh when its turn came")                                                   \
  PATH(impossible_when_looked_at, "asset that cannot be made")                                                         \
  PATH(retry_found_fresh, "retry of an asset that is found fresh")                                                     \
  PATH(failure_while_stopping, "second failure while the run stops")                                                   \
  PATH(clock_set_back, "clock set back")                                                                               \
  PATH(clock_set_forward, "clock set forward")                                                                         \
  PATH(clock_set_while_waiting, "clock set while an asset waits to be tried again")                                    \
  PATH(hundred_assets, "graph of a hundred assets or more")

enum class rare_path : std::uint8_t {
#define TROUPE_RARE_PATH(name, words) name,
  TROUPE_RARE_PATHS(TROUPE_RARE_PATH)
#undef TROUPE_RARE_PATH
};

inline constexpr std::array rare_path_names{
#define TROUPE_RARE_PATH(name, words) std::string_view(words),
    TROUPE_RARE_PATHS(TROUPE_RARE_PATH)
#undef TROUPE_RARE_PATH
};

/// So many histories reach every path, whatever their seeds.
inline constexpr std::uint64_t seeds_that_reach_everything = 5'000;

/// How often each was reached. One thread.
struct rare_paths {
  std::array<std::uint64_t, rare_path_names.size()> counts{};
  void reached(rare_path path) { ++counts[static_cast<std::size_t>(path)]; }
  void reached_if(rare_path path, bool condition) { counts[static_cast<std::size_t>(path)] += condition ? 1 : 0; }
  void add(const rare_paths& other) {
    for (std::size_t i = 0; i < counts.size(); ++i)
      counts[i] += other.counts[i];
  }
};

} // namespace troupe_internal::test
