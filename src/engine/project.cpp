// Opening projects, and the questions that only read: plan, status.
#include "engine/project.hpp"

#include "adapters/journal/early_inspection.hpp"
#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/system/system_clock.hpp"
#include "config/load_pipeline.hpp"
#include "core/pipeline/parent_paths.hpp"
#include "engine/definition_history.hpp"
#include "engine/early_look.hpp"
#include "engine/planning.hpp"
#include "engine/recorded_outputs.hpp"
#include "engine/state_layout.hpp"
#include "engine/supervised_folder.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

namespace troupe_internal {

namespace {

result<std::string> working_folder() {
  std::string folder(4096, '\0');
  if (getcwd(folder.data(), folder.size()) == nullptr)
    return fail(error_code::io, "the working folder cannot be told: it may have been deleted");
  folder.resize(folder.find('\0'));
  return folder;
}

/// A snapshot, or null where there is no state yet.
result<std::unique_ptr<journal_snapshot>> snapshot_if_any(const std::string& state_folder) {
  auto snapshot = open_snapshot(state_folder);
  if (!snapshot && snapshot.error().code == error_code::not_found)
    return std::unique_ptr<journal_snapshot>();
  return snapshot;
}

} // namespace

std::string recorded_file(const pipeline& p, const std::string& state_folder) {
  if (p.file == "-" || p.file == program_file)
    return p.file;
  std::error_code unknown;
  const auto file = std::filesystem::absolute(p.file, unknown).lexically_normal();
  const auto relative = file.lexically_relative(std::filesystem::path(state_folder).lexically_normal().parent_path());
  return relative.empty() || *relative.begin() == ".." ? file.string() : relative.string();
}

/// The state that is asked for, or the one that a supervisor keeps for the pipeline, or the pipeline's own.
static result<std::string> state_of(const pipeline& p, const project_options& options) {
  std::string asked;
  if (!options.state.empty()) {
    const auto here = working_folder();
    if (!here)
      return here.error();
    asked = join_path(*here, options.state);
  }
  if (p.file == "-" || p.file == program_file || config::names_descriptor(p.file))
    return asked.empty() ? join_path(p.folder, p.engine.state_dir) : asked;
  auto supervised = supervised_state_of(p.folder, p.name, p.file, asked);
  if (!supervised)
    return supervised.error();
  if (*supervised)
    return std::move(**supervised);
  return asked.empty() ? join_path(p.folder, p.engine.state_dir) : asked;
}

result<void> require_state_of(const project& on) {
  const auto& p = *on.p;
  if (p.file == "-" || p.file == program_file || config::names_descriptor(p.file))
    return {};
  const auto supervised = supervised_state_of(p.folder, p.name, p.file, {});
  if (!supervised)
    return supervised.error();
  if (!*supervised || is_same_folder(**supervised, on.state_folder))
    return {};
  return fail(error_code::state_locked, "a supervisor has just taken the pipeline over: its history is in " +
                                            **supervised + " now. Nothing was done; run the command again");
}

/// Where the state most likely is; empty where nobody can tell. Only the pipeline's file says for certain.
static std::string likely_state_folder(const project_options& options) {
  const auto here = working_folder();
  if (!here)
    return {};
  if (!options.state.empty())
    return join_path(*here, options.state);
  if (config::names_descriptor(options.file))
    return {};
  return join_path(join_path(*here, parent_path(options.file)), engine_settings().state_dir);
}

result<project> open_project(const project_options& options, diagnostics& findings) {
  std::shared_ptr<early_inspection> journal;
  if (options.journal && usable_cpus() > 1)
    if (auto folder = likely_state_folder(options); !folder.empty())
      journal = early_inspection::begin(std::move(folder));
  config::load_options how{.file = options.file,
                           .params = options.params,
                           .state = options.state,
                           .only_regular = options.only_regular,
                           .made_here = recorded_in(options.state)};
  std::shared_ptr<early_look> seen;
  if (options.all_files && usable_cpus() > 1)
    how.paths_read = [&](const std::shared_ptr<const pipeline>& p, std::span<const std::string_view> paths) {
      if (!seen)
        seen = std::make_shared<early_look>([journal](bool at_work) {
          if (journal)
            journal->stand_still(at_work);
        });
      seen->add(p, paths);
    };
  how.find_links = [&] { return seen ? seen->find_links() : config::links_seen{}; };
  auto loaded = config::load_pipeline(how);
  findings = std::move(loaded.findings);
  if (!loaded.p || !loaded.graph) {
    const auto count = std::count_if(findings.items.begin(), findings.items.end(),
                                     [](const diagnostic& d) { return d.level == severity::error; });
    return fail(error_code::invalid_input, options.file + ": " + std::to_string(count) +
                                               (count == 1 ? " mistake" : " mistakes") + "; nothing was run");
  }
  project opened{std::move(loaded.p), std::move(loaded.graph), {},
                 std::move(seen),     std::move(journal),      std::move(loaded.triggers)};
  auto state = state_of(*opened.p, options);
  if (!state)
    return state.error();
  opened.state_folder = std::move(*state);
  return opened;
}

static config::load_options by_the_way_of(const project_options& options) {
  return {.file = options.file,
          .params = options.params,
          .only_regular = true,
          .with_graph = false,
          .limits = config::limits_by_the_way};
}

std::vector<std::string> asset_names(const project_options& options) {
  const auto loaded = config::load_pipeline(by_the_way_of(options));
  std::vector<std::string> names;
  if (loaded.p)
    for (const auto& asset : loaded.p->assets)
      names.emplace_back(asset.name);
  return names;
}

result<std::string> find_state_folder(const project_options& options, std::string* pipeline, bool by_the_way) {
  const auto here = working_folder();
  if (!here)
    return here.error();
  if (!options.state.empty() && pipeline == nullptr)
    return join_path(*here, options.state);
  const auto loaded = config::load_pipeline(by_the_way ? by_the_way_of(options)
                                                       : config::load_options{.file = options.file,
                                                                              .params = options.params,
                                                                              .only_regular = options.only_regular,
                                                                              .with_graph = false});
  if (loaded.p && pipeline != nullptr)
    *pipeline = loaded.p->name;
  if (!options.state.empty())
    return join_path(*here, options.state);
  if (loaded.p)
    return state_of(*loaded.p, options);
  const auto file = join_path(*here, options.file);
  const auto state =
      config::names_descriptor(options.file) ? join_path(*here, ".troupe") : join_path(file, "../.troupe");
  if (access(state.c_str(), F_OK) == 0)
    return state;
  return fail(error_code::invalid_input, "which state? " + options.file +
                                             " cannot be used (see troupe validate) and there is no " + state +
                                             ": name a pipeline with -f, or a state with --state");
}

result<plan_report> plan_pipeline(const project& on, const run_options& options) {
  const auto snapshot = snapshot_if_any(on.state_folder);
  if (!snapshot)
    return snapshot.error();
  const system_clock time;
  auto plan = planning::make(
      on, [&](const project& now) { return scope_of(now, options); }, snapshot->get(), time, false);
  if (!plan)
    return plan.error();
  plan_report report;
  report.warnings = std::move((*plan)->warnings);
  for (const auto& blocked : (*plan)->blocked_from_outside)
    if (!blocked.message.empty())
      report.warnings.push_back({blocked.asset, make_warning("blocked_outside", "it is blocked: " + blocked.message)});
  definition_texts texts(snapshot->get());
  auto item = (*plan)->plan->items().begin();
  for (const auto asset : (*plan)->on.graph->topological_order()) {
    if (!(*plan)->scope.in_run[asset.value])
      continue;
    report.order.push_back(asset);
    planned_asset planned;
    planned.action = (*plan)->plan->action(asset);
    if (item != (*plan)->plan->items().end() && item->asset == asset) {
      planned.reasons = (item++)->reasons;
      if (const auto& record = (*plan)->records[asset.value])
        if (const auto told = tell_changes_now(planned.reasons, *record, asset, *(*plan)->definitions, texts); !told)
          return told.error();
    }
    report.assets.push_back(std::move(planned));
  }
  return report;
}

result<std::vector<asset_status_report>> asset_statuses(const project& on, const std::vector<std::string>& selection,
                                                        std::vector<asset_warning>* warnings) {
  run_options options;
  options.selection = selection;
  auto only = options;
  only.only = true;
  const auto snapshot = snapshot_if_any(on.state_folder);
  if (!snapshot)
    return snapshot.error();
  const system_clock time;
  std::vector<asset_status_report> reports;
  std::vector<bool> shown;
  planning_view view;
  view.begins = [&](const project& now, const run_scope&) {
    reports.clear();
    const auto selected = scope_of(now, only);
    shown = selected ? selected->in_run : std::vector<bool>(now.p->assets.size(), false);
  };
  view.see = [&](asset_index asset, const asset_record& record) {
    if (shown[asset.value])
      reports.push_back({asset, false, plan_action::fresh, {}, record});
  };
  // What an asset's freshness is depends on all it needs, shown or not.
  auto plan = planning::make(
      on, [&](const project& now) { return scope_of(now, options); }, snapshot->get(), time, false, view);
  if (!plan)
    return plan.error();
  if (warnings != nullptr)
    *warnings = std::move((*plan)->warnings);
  definition_texts texts(snapshot->get());
  auto item = (*plan)->plan->items().begin();
  for (auto& report : reports) {
    report.action = (*plan)->plan->action(report.asset);
    report.fresh = report.action == plan_action::fresh;
    if (report.fresh)
      continue;
    while (item->asset != report.asset)
      ++item;
    report.reasons = item->reasons;
    if (const auto told = tell_changes_now(report.reasons, report.record, report.asset, *(*plan)->definitions, texts);
        !told)
      return told.error();
  }
  return reports;
}

} // namespace troupe_internal
