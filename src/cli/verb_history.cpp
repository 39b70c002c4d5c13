// `troupe history`: the runs that executed an asset.
#include "adapters/system/system_clock.hpp"
#include "cli/asset_lookup.hpp"
#include "cli/explain_run.hpp"
#include "cli/run_text.hpp"
#include "cli/verbs.hpp"
#include "views/documents.hpp"
#include "views/reason_text.hpp"
#include "views/text.hpp"

namespace troupe_internal::cli {

namespace {

constexpr std::uint32_t executions_shown = 10;

struct history_arguments {
  std::string asset;
  std::optional<std::uint32_t> limit;
};

struct execution_of_asset {
  run_record run;
  asset_run_report asset;
};

/// Newest first, at most `limit` (0: all).
result<std::vector<execution_of_asset>> executions(const std::string& state, const std::string& pipeline,
                                                   const history_arguments& arguments) {
  const auto runs = list_runs(state, 0);
  if (!runs)
    return runs.error();
  const auto limit = arguments.limit.value_or(executions_shown);
  std::vector<execution_of_asset> found;
  for (const auto& run : *runs) {
    if (run.pipeline != pipeline || (run.attempts == 0 && run.finished_at))
      continue;
    auto report = read_run_report(state, run.run);
    if (!report && report.error().code == error_code::not_found)
      continue; // a writer has dropped it since then
    if (!report)
      return report.error();
    const auto* asset = find_in(*report, arguments.asset);
    if (asset == nullptr || asset->attempts == 0)
      continue;
    found.push_back({report->run, *asset});
    if (limit != 0 && found.size() == limit)
      break;
  }
  return found;
}

int history(invocation& with, const history_arguments& arguments) {
  std::string pipeline;
  const auto state = with.state_folder(&pipeline);
  if (!state)
    return with.report(state.error());
  const auto found = executions(*state, pipeline, arguments);
  if (!found)
    return with.report(found.error());
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    begin_document(json);
    json.member("pipeline", pipeline).member("asset", arguments.asset).key("runs").begin_array();
    for (const auto& one : *found) {
      json.begin_object().member("run", to_string(one.run.id)).member("number", one.run.run.value);
      const run_logs logs(*state, one.run.run);
      write_asset_run_members(json, one.asset,
                              [&](const auto& asset, auto attempt) { return log_of(logs, asset, attempt); });
      json.end_object();
    }
    json.end_array().end_object().finish();
    return exit_ok;
  }
  if (found->empty()) {
    with.io.out.stream << "no run that is kept executed " << printable(arguments.asset) << "\n";
    return exit_ok;
  }
  const auto now = system_clock().now();
  table rows({{"RUN", true, false},
              {"STARTED", false, false},
              {"STATUS", false, false},
              {"DURATION", true, false},
              {"DATA VERSION", false, true, false, true},
              {"WHY", false, true}});
  for (const auto& one : *found) {
    const auto& asset = one.asset;
    const auto started = asset.started_at.value_or(one.run.started_at);
    rows.row({"#" + std::to_string(one.run.run.value),
              local_time(started) + " (" + ago(started, now) + ")",
              {std::string(to_string(asset.status)) +
                   (asset.attempts > 1 ? ", attempt " + std::to_string(asset.attempts) : ""),
               tint_of(asset.status)},
              to_human(asset.took),
              asset.data_version ? (asset.reported_version.empty() ? to_hex(*asset.data_version).substr(0, 12)
                                                                   : asset.reported_version)
                                 : "",
              asset.error.empty() ? reason_words(asset.reasons) : asset.error});
  }
  rows.print(with.io.out);
  return exit_ok;
}

} // namespace

void declare_history(command_spec& root, invocation& with) {
  auto to = std::make_shared<history_arguments>();
  auto& verb = root.subcommand("history", "List the runs that executed an asset");
  verb.positional("ASSET", to->asset, true, "the asset").completes = completion::assets;
  verb.number("-l,--limit", "N", to->limit, 0, "how many, the newest first; 0: all (default: 10)");
  verb.examples = {{"troupe history report", "when report was made, how long that took, and why it ran"}};
  verb.action = [to, &with] {
    to->asset = asset_called(with, to->asset);
    return history(with, *to);
  };
}

} // namespace troupe_internal::cli
