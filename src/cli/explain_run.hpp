// Why an asset ran, waited or did not run in one run: found from the run's report and the graph. Knows nothing of
// printing.
#pragma once

#include "engine/project.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe_internal::cli {

/// What an asset waited for in a run before its (only) attempt started.
struct waiting_story {
  duration until_ready{};  ///< from the start of the run until all it needs was there
  std::string last_needed; ///< the upstream that was there last; empty: it needed nothing of this run
  duration for_slot{};     ///< from then until it started: for a worker or a pool
};

/// The report of this asset in the run; null if it was not part of it.
[[nodiscard]] const asset_run_report* find_in(const run_report& report, std::string_view name);

/// nullopt if it did not start, or more than once (then only the last start is known).
[[nodiscard]] std::optional<waiting_story> waited(const project& on, const run_report& report, asset_index asset);

/// Sentences for people: what happened to the asset in the run, and why.
[[nodiscard]] std::vector<std::string> explain_in_run(const project& on, const run_report& report, asset_index asset);

} // namespace troupe_internal::cli
