// Stands in for the engine when the command line is tested: each function of engine/project.hpp answers what the
// test says. Linked instead of the engine.
#pragma once

#include "engine/adoption.hpp"
#include "engine/delegation.hpp"
#include "engine/orphans.hpp"
#include "engine/output_cleaning.hpp"
#include "engine/pipeline_claim.hpp"
#include "engine/project.hpp"
#include "engine/state_wait.hpp"
#include "engine/supervisor_client.hpp"
#include "engine/trigger_history.hpp"

#include <functional>
#include <string>
#include <vector>

namespace troupe_internal::test {

/// What the engine's functions answer. Defaults: the pipeline of make_project(), an empty history.
struct fake_engine {
  std::function<result<project>(const project_options&, diagnostics&)> open;
  std::function<result<std::string>(const project_options&)> state_folder;
  std::string pipeline; ///< of the pipeline file that find_state_folder reads; empty: there is none
  std::function<result<run_result>(const project&, const run_options&, run_observer&, stop_request&)> run;
  std::function<result<run_result>(const project&, run_number, run_observer&, stop_request&)> resume;
  resume_options resumed_with; ///< last
  std::function<result<plan_report>(const project&, const run_options&)> plan;
  std::function<result<std::vector<asset_status_report>>(const project&, const std::vector<std::string>&)> statuses;
  std::vector<run_record> runs; ///< newest first
  std::function<result<run_report>(run_number)> report;
  std::optional<remembered_asset> remembered; ///< whatever is asked for
  std::function<result<run_record>(const std::optional<std::string>&)> cancel;
  std::vector<trigger_event_info> events; ///< of triggers, newest first
  std::vector<trigger_record> trigger_records;
  std::vector<notice_taken> notices;           ///< that wait to be delivered
  trigger_ask asked;                           ///< of a supervisor, last
  taken_event taken;                           ///< what it answers
  std::optional<supervisor_answer> supervisor; ///< what one answers as a whole; none: there is none
  supervisor_ask supervisor_asked;             ///< last
  std::optional<released_pipeline> released;   ///< none: no supervisor has it
  run_ask delegated;                           ///< to a supervisor, last
  std::vector<std::string> served;             ///< pipelines of the last `serve`
  std::function<result<wait_end>(const std::string&, const wait_setup&)> wait; ///< none: nobody has the lock
  std::function<result<state_compaction>(const std::string&, const retention_rule&, duration)> compact;
  std::vector<orphaned_output> orphans;
  output_cleaning cleanable;
  adoption adoptable;
  std::string logs_folder; ///< where log_path points
};

/// The one that answers; reset() at the start of each test.
[[nodiscard]] fake_engine& engine();
void reset();

/// raw (source) -> clean -> report, and side (pool db, allowed to fail) beneath raw; matrix n[a], n[b] on its own.
[[nodiscard]] project make_project();

/// The places of its assets.
inline constexpr asset_index raw{0U}, clean{1U}, report{2U}, side{3U}, n_a{4U}, n_b{5U};

/// One invocation of the program, its output and exit status.
struct invoked {
  int status = -1;
  std::string out, err;
};
[[nodiscard]] invoked troupe_cli(std::vector<std::string> words);

/// 2026-01-02T03:04:05.678Z and some seconds.
[[nodiscard]] timestamp at(int seconds);
[[nodiscard]] run_record make_run(std::uint32_t number, run_status status);
[[nodiscard]] status_counts counts_of(const run_report& report);

} // namespace troupe_internal::test
