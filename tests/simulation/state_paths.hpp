// What rarely happens in a history of many runs, counted: a simulation that never gets there tests nothing of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace troupe_internal::test {

/// X(name, in words)
#define TROUPE_STATE_PATHS(PATH)                                                                                       \
  PATH(two_pipelines, "two pipelines live at once")                                                                    \
  PATH(three_runs, "three runs live at once")                                                                          \
  PATH(held_by_same, "asset held: an earlier run has not settled the same one")                                        \
  PATH(held_by_read, "asset held: an earlier run has not settled one that it reads")                                   \
  PATH(held_by_outside, "asset held by one that it reads and that is not in its own run")                              \
  PATH(held_by_reader, "asset held before it is executed: an earlier run has not settled one that reads it")           \
  PATH(held_by_foreign_maker, "asset held by one of another pipeline that makes what it reads")                        \
  PATH(held_by_foreign_reader, "asset held before it is executed by one of another pipeline that reads it")            \
  PATH(held_by_failure, "asset held by one that then fails")                                                           \
  PATH(fresh_after_hold, "asset found fresh after a hold")                                                             \
  PATH(made_after_hold, "asset made after a hold")                                                                     \
  PATH(records_read_anew, "records read anew")                                                                         \
  PATH(fresh_becomes_waiting, "asset that the plan found fresh and that waits all the same")                           \
  PATH(plan_lags, "plan whose snapshot lags behind what was appended when its run begins")                             \
  PATH(plan_sees_torn, "plan that looks at a file which is being written")                                             \
  PATH(two_plans, "two plans at once")                                                                                 \
  PATH(two_plans_new_names, "two plans that both need ids for new names")                                              \
  PATH(appended_before_begin, "events appended between a run's admission and its beginning")                           \
  PATH(all_fresh_beside_live, "run in which all is fresh, recorded while another lives")                               \
  PATH(budget_raised, "budget raised by several bundles")                                                              \
  PATH(alone_again, "run that gets everything again, since the others have ended")                                     \
  PATH(limited_later, "run that began alone and gets a budget")                                                        \
  PATH(bundle_kept, "pools kept for a bundle that does not fit")                                                       \
  PATH(pool_full_by_other, "ready asset held back by a pool that another run has filled")                              \
  PATH(workers_taken_by_other, "ready asset held back by workers that another run has")                                \
  PATH(cancel_beside_live, "run cancelled while others live")                                                          \
  PATH(cancel_while_held, "run cancelled while an asset of it is held")                                                \
  PATH(failure_beside_live, "run that fails while others live")                                                        \
  PATH(resumed_beside_live, "run resumed while another lives")                                                         \
  PATH(resumed_as_later, "run resumed with a lower number than an earlier live one")                                   \
  PATH(reopened_by_others, "asset reopened by a resume because another run has touched it")                            \
  PATH(found_fresh_reopened, "asset reopened by a resume that another run had found or made anew")                     \
  PATH(crash_with_several, "crash with several live runs")                                                             \
  PATH(crash_while_planning, "crash while somebody plans")                                                             \
  PATH(crash_while_held, "crash while an asset is held")                                                               \
  PATH(crash_between_admission_and_beginning, "crash after a run was admitted and before it began")                    \
  PATH(interrupted_of_several, "recovery that ends attempts of several runs")                                          \
  PATH(leftover_ended_well, "process of a dead engine that ends well before it is ended")                              \
  PATH(power_cut, "power cut")                                                                                         \
  PATH(power_cut_loses_run, "power cut that loses a whole run")                                                        \
  PATH(journal_fails_several, "journal that fails while several runs live")                                            \
  PATH(journal_lied, "commit with several runs' events, reported as failed and on disk")                               \
  PATH(source_edited, "source edited while runs live")                                                                 \
  PATH(early_cut_off, "asset made again with the same output")                                                         \
  PATH(allowed_failure, "allowed failure that another run's asset reads")                                              \
  PATH(blocked_from_outside, "asset blocked from outside its run")                                                     \
  PATH(clock_set_back, "clock set back while runs live")                                                               \
  PATH(engine_with_six, "engine with six runs")

enum class state_path : std::uint8_t {
#define TROUPE_STATE_PATH(name, words) name,
  TROUPE_STATE_PATHS(TROUPE_STATE_PATH)
#undef TROUPE_STATE_PATH
};

inline constexpr std::array state_path_names{
#define TROUPE_STATE_PATH(name, words) std::string_view(words),
    TROUPE_STATE_PATHS(TROUPE_STATE_PATH)
#undef TROUPE_STATE_PATH
};

/// How often each was reached. One thread.
struct state_paths {
  std::array<std::uint64_t, state_path_names.size()> counts{};
  void reached(state_path path) { ++counts[static_cast<std::size_t>(path)]; }
  void reached_if(state_path path, bool condition) { counts[static_cast<std::size_t>(path)] += condition ? 1 : 0; }
};

} // namespace troupe_internal::test
