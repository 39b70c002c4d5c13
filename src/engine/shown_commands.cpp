// The assets are looked at as a plan does it.
#include "engine/shown_commands.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/system/system_clock.hpp"
#include "core/command/command.hpp"
#include "engine/planning.hpp"
#include "engine/state_layout.hpp"

namespace troupe_internal {

namespace {

constexpr std::string_view unknown_run = "RUN_ID";

variable_source source_of(env_source source) {
  return source == env_source::literal    ? variable_source::literal
         : source == env_source::from_env ? variable_source::environment
                                          : variable_source::file;
}

result<shown_command> show(const pipeline& p, asset_index asset, const findings& found) {
  const auto& settings = p.settings_of(asset);
  const command_scope scope{p, asset, unknown_run, found.inputs, found.input_starts, found.steps_up};
  auto command = render_command(scope, value_use::shown);
  if (!command)
    return command.error();
  shown_command out;
  out.argv = std::move(command->argv);
  out.through_shell = command->through_shell;
  out.folder = join_path(p.folder, settings.cwd);
  out.inherits_env = settings.inherit_env;
  out.inherited = settings.inherit_names;
  for (const auto& entry : settings.env) {
    defined_variable variable{entry.name, source_of(entry.source), entry.text, entry.secret};
    if (entry.source == env_source::from_file) {
      variable.text = join_path(p.folder, entry.text);
    } else if (entry.source == env_source::literal) {
      auto text = render_env_value(scope, entry.text, value_use::shown);
      if (!text)
        return text.error();
      variable.text = std::move(*text);
    }
    out.env.push_back(std::move(variable));
  }
  return out;
}

} // namespace

result<std::map<asset_index, shown_command>> shown_commands(const project& on, const std::vector<asset_index>& assets) {
  auto snapshot = open_snapshot(on.state_folder);
  if (!snapshot && snapshot.error().code != error_code::not_found)
    return snapshot.error();
  const system_clock time;
  const auto only_these = [&](const project& now) -> result<run_scope> {
    run_scope scope{std::vector<bool>(now.p->assets.size(), false), std::vector<bool>(now.p->assets.size(), false)};
    for (const auto asset : assets)
      scope.in_run[asset.value] = true;
    return scope;
  };
  auto plan = planning::make(on, only_these, snapshot ? snapshot->get() : nullptr, time, false);
  if (!plan)
    return plan.error();
  std::map<asset_index, shown_command> commands;
  findings found;
  for (const auto asset : assets) {
    if (on.p->is_source(asset))
      continue;
    (*plan)->looks->examine(
        asset, {}, [&](asset_index upstream) { return (*plan)->versions[upstream.value]; }, look::anew, found);
    auto command = show(*on.p, asset, found);
    if (!command)
      return command.error();
    commands.emplace(asset, std::move(*command));
  }
  return commands;
}

} // namespace troupe_internal
