// Runs and their assets in words for people: summaries, failures with the end of their logs, tables. Knows nothing of
// how runs go.
#pragma once

#include "cli/progress_model.hpp"
#include "core/model/report.hpp"
#include "engine/run_logs.hpp"
#include "views/console.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::cli {

/// "2 failed, 1 blocked, 5 succeeded, 3 fresh"; nothing that is zero.
[[nodiscard]] std::string counts_text(const status_counts& counts);
[[nodiscard]] tint tint_of(asset_status status);
[[nodiscard]] tint tint_of(run_status status);
/// A process that an earlier run had left running, and that was ended: which, and why.
[[nodiscard]] std::string leftover_text(const ended_process& one);
/// In local time: 2026-01-31 08:15:30.
[[nodiscard]] std::string local_time(timestamp t);
/// "3m07s ago"; "just now" within a second or for what lies ahead.
[[nodiscard]] std::string ago(timestamp then, timestamp now);
/// Relative to the working folder where it lies beneath.
[[nodiscard]] std::string short_path(const std::string& path);

/// The name by which an attempt's log is known, whether or not it is there.
[[nodiscard]] const std::string& log_name_of(const run_logs& logs, const asset_run_report& asset,
                                             std::uint32_t attempt);
/// Where the log of an attempt is, or would be.
[[nodiscard]] std::string log_of(const run_logs& logs, const asset_run_report& asset, std::uint32_t attempt);
/// Where an asset's last log of the run is; empty if it has none.
[[nodiscard]] std::string log_of(const run_logs& logs, const asset_run_report& asset);

/// Each failed asset, and each that failed and was to be tried again when the run ended: what happened, where its log
/// is, the end of it. At most `most` of them.
/// `more_of`, if any, gives more lines about an asset. `log_lines`: how many lines of the end of each log.
inline constexpr std::size_t usual_log_lines = 10;
void print_failures(const output& to, const std::string& state_folder, const run_report& report, std::size_t most,
                    const std::function<std::vector<std::string>(const std::string& asset)>& more_of = {},
                    std::size_t log_lines = usual_log_lines);
/// "run #3 succeeded in 3.2s: …": how a run ended, in one or a few lines.
void print_summary(const output& to, run_status status, run_number run, const status_counts& counts, duration took,
                   const progress_totals& totals);
/// `show`: the run and its assets.
void print_run(const output& to, const std::string& state_folder, const run_report& report, bool with_fresh,
               timestamp now);
/// `runs`.
void print_runs(const output& to, const std::vector<run_record>& runs, timestamp now);

} // namespace troupe_internal::cli
