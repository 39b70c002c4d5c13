// Looks twice: to ask, and again under the lock.
#include "engine/adoption.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/journal/lmdb_origin.hpp"
#include "adapters/system/system_clock.hpp"
#include "core/command/secret_sources.hpp"
#include "core/model/delta.hpp"
#include "engine/discovered_inputs.hpp"
#include "engine/file_makers.hpp"
#include "engine/orphans.hpp"
#include "engine/selected_plan.hpp"
#include "engine/state_writer.hpp"

#include <algorithm>

namespace troupe_internal {

namespace {

struct assessment {
  adoption found;
  std::vector<event> events; ///< asset_adopted
};

/// The inputs that the asset's depfile names take the place of those that were recorded; else what is wrong.
std::optional<std::string> take_depfile(planning& plan, asset_index asset, fingerprint& now) {
  const auto& p = *plan.on.p;
  if (!p.depfile_of(asset))
    return std::nullopt;
  const posix_file_system& files = *plan.files;
  const auto names = read_depfile(p, asset, files);
  if (!names)
    return names.error().message;
  now.discovered.clear();
  file_makers makers(p, *plan.on.graph, files);
  discovered_inputs discovered(p, *plan.on.graph, *plan.names, makers, asset, now.inputs);
  for (const auto& path : *names) {
    const auto input = discovered.input(path);
    if (!input)
      continue;
    const auto found = plan.table->observe(input->slot);
    if (!found)
      return "its depfile names an input that cannot be read: " + found.error().message;
    file_version version;
    version.path = input->id;
    version.content = found->content;
    version.executable = found->executable;
    now.discovered.push_back(version);
  }
  std::sort(now.discovered.begin(), now.discovered.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return std::nullopt;
}

void assess_one(planning& plan, asset_index asset, timestamp now, assessment& out) {
  const auto& p = *plan.on.p;
  const std::string name(p.asset(asset).name);
  const asset_record none;
  const auto& record = plan.records[asset.value] ? *plan.records[asset.value] : none;
  findings found;
  plan.looks->examine(
      asset, record, [&](asset_index dep) { return plan.versions[dep.value]; }, look::anew, found);
  const auto before = out.found.problems.size();
  if (found.impossible)
    out.found.problems.push_back(name + ": " + *found.impossible);
  for (const auto& file : found.now.inputs)
    if (file.content == absent_file && !found.impossible)
      out.found.problems.push_back(name + ": its input " + std::string(plan.names->path_text(file.path)) +
                                   " is missing");
  for (const auto& file : found.outputs)
    if (file.content == absent_file)
      out.found.problems.push_back(name + ": its output " + std::string(plan.names->path_text(file.path)) +
                                   " is missing: there is nothing to adopt; run the asset");
  if (out.found.problems.size() == before)
    if (auto problem = take_depfile(plan, asset, found.now))
      out.found.problems.push_back(name + ": " + *problem);
  if (out.found.problems.size() != before)
    return;
  production made;
  made.outputs = found.outputs;
  made.data_version = made.outputs.empty() ? content_digest("adopted/" + name + "/" + std::to_string(to_unix_ns(now)))
                                           : version_of_outputs(made.outputs, *plan.names);
  note_declaration(p, asset, *plan.names, plan.pipeline_file, made);
  plan.versions[asset.value] = made.data_version;
  auto changes = make_delta(record.last ? &*record.last : nullptr, found.now, made, duration::zero());
  changes.since = now;
  changes.adopted = true;
  out.events.emplace_back(asset_adopted{plan.names->id_of(asset), now, std::move(changes)});
  out.found.assets.push_back(name);
}

result<assessment> assess(planning& plan, timestamp now) {
  assessment out;
  for (const auto asset : plan.on.graph->topological_order())
    if (plan.scope.in_run[asset.value] && !plan.on.p->is_source(asset) &&
        plan.plan->action(asset) != plan_action::fresh)
      assess_one(plan, asset, now, out);
  return out;
}

} // namespace

result<adoption> adopt_assets(const project& on, const std::vector<std::string>& selection,
                              const std::function<bool(const std::vector<std::string>&)>& confirm,
                              const std::function<void(const std::vector<ended_process>&)>& ended) {
  system_clock time;
  if (const auto own = require_own_state(on.state_folder); !own)
    return own.error();
  {
    auto snapshot = open_snapshot(on.state_folder);
    if (!snapshot && snapshot.error().code != error_code::not_found)
      return snapshot.error();
    auto plan = plan_selected(on, selection, snapshot ? snapshot->get() : nullptr, time);
    if (!plan)
      return plan.error();
    auto first = assess(**plan, time.now());
    if (!first)
      return first.error();
    if (!first->found.problems.empty() || first->found.assets.empty() || !confirm(first->found.assets))
      return std::move(first->found);
  }
  const stop_request nobody_stops;
  state_opening how{on.p->engine.durability, on.p->engine.grace_period};
  how.ended = ended;
  how.reads_secret_files = !secret_sources_of(*on.p).files.empty();
  how.still_here = [&on] { return require_state_of(on); };
  auto writer = state_writer::open(on.state_folder, how, time, nobody_stops);
  if (!writer)
    return writer.error();
  auto snapshot = (*writer)->store().snapshot();
  if (!snapshot)
    return snapshot.error();
  auto plan = plan_selected(on, selection, snapshot->get(), time);
  if (!plan)
    return plan.error();
  auto second = assess(**plan, time.now());
  if (!second)
    return second.error();
  snapshot->reset();
  if (!second->found.problems.empty())
    return std::move(second->found); // something was removed since the user looked
  (*plan)->table->settle();
  auto events = (*writer)->take_opening();
  const auto add = [&](std::vector<event> more) {
    events.insert(events.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  };
  add(names_and_files(**plan));
  add(definitions_to_record(**plan, {}, second->events));
  add(std::move(second->events));
  add((*writer)->closing());
  if (const auto appended = (*writer)->store().append(events); !appended)
    return appended.error();
  second->found.adopted = true;
  return std::move(second->found);
}

} // namespace troupe_internal
