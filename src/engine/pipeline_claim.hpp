// How a supervisor gets a pipeline from the pipeline's own state, and how it is given back: what is true is taken over,
// an entry in the pipeline's folder says where the history is, and the old journal is put aside. Knows no reload.
//
//   claim:    what is true ──► the supervisor's journal ──► the entry ──► journal.mdb becomes journal.mdb.moved
//   release:  journal.mdb.moved becomes journal.mdb ──► what is true ──► the own journal ──► the entry goes
//
// After a crash in between, the same is done again, which harms nothing.
#pragma once

#include "base/result.hpp"
#include "core/pipeline/pipeline.hpp"

#include <cstddef>
#include <functional>
#include <string>

namespace troupe_internal {

class serving_engine;
class system_clock;

/// An own journal that is put aside, in the own state's folder.
inline constexpr const char* moved_journal_file = "journal.mdb.moved";

/// Makes the pipeline the supervisor's that has `engine` and its state, unless it is already. `note` gets lines for
/// people. Errors: state_locked where another process writes the pipeline's own state; state_unusable where that state,
/// or the supervisor's, cannot be used, or where an entry names another supervisor's. Nothing is lost by any of them.
[[nodiscard]] result<void> claim_pipeline(const pipeline& p, serving_engine& engine, const std::string& state,
                                          system_clock& time, const std::function<void(const std::string&)>& note);

struct released_pipeline {
  std::string from, to;   ///< folders of states
  std::size_t assets = 0; ///< whose records were taken over
  bool moved_back = false;
};
/// Gives the pipeline back to its own state. Errors: invalid_input where no supervisor has it; state_locked where one
/// still serves it, or another process writes the own state; state_unusable.
[[nodiscard]] result<released_pipeline> release_pipeline(const pipeline& p, system_clock& time,
                                                         const std::function<void(const std::string&)>& note);

} // namespace troupe_internal
