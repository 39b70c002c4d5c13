// `troupe plan`: what would run, and why.
#include "cli/asset_lookup.hpp"
#include "cli/beside_supervisor.hpp"
#include "cli/file_users.hpp"
#include "cli/run_arguments.hpp"
#include "cli/verbs.hpp"
#include "engine/shown_commands.hpp"
#include "views/command_text.hpp"
#include "views/documents.hpp"
#include "views/reason_text.hpp"
#include "views/text.hpp"

#include <algorithm>

namespace troupe_internal::cli {

namespace {

tint tint_of(plan_action action) {
  return action == plan_action::run ? tint::warn : action == plan_action::maybe ? tint::info : tint::dim;
}

void print_plan(const output& to, const pipeline& p, const plan_report& plan, bool with_fresh) {
  std::size_t run = 0, maybe = 0;
  table rows({{"ACTION", false, false}, {"ASSET", false, true, true}, {"WHY", false, true}});
  for (std::size_t i = 0; i < plan.order.size(); ++i) {
    const auto& asset = plan.assets[i];
    run += asset.action == plan_action::run ? 1 : 0;
    maybe += asset.action == plan_action::maybe ? 1 : 0;
    if (asset.action == plan_action::fresh && !with_fresh)
      continue;
    rows.row({{std::string(action_word(asset.action)), tint_of(asset.action)},
              std::string(p.asset(plan.order[i]).name),
              why_words(asset.action, asset.reasons)});
  }
  rows.print(to);
  to.stream << (rows.empty() ? "" : "\n") << printable(p.name) << ": " << run << " to run, " << maybe << " may run, "
            << plan.order.size() - run - maybe << " fresh\n";
}

void print_commands(const output& to, const pipeline& p, const plan_report& plan,
                    const std::map<asset_index, shown_command>& commands) {
  for (const auto asset : plan.order)
    if (const auto found = commands.find(asset); found != commands.end())
      to.stream << "\n"
                << to.colours.paint(tint::strong, printable(p.asset(asset).name)) << "\n  "
                << printable(command_words(found->second)) << "\n";
}

} // namespace

int show_plan(invocation& with, const run_options& options, const plan_manner& manner) {
  auto on = with.open({.all_files = options.selection.empty(), .strict = options.strict});
  if (!on)
    return with.report(on.error());
  use_environment_of_supervisor(with, *on);
  auto asked = options;
  asked.selection = located(*on, options.selection);
  auto with_records = manner.if_changed.empty() ? result<project>(*on) : with_recorded_edges(*on);
  if (!with_records)
    return with.report(with_records.error());
  auto plan = manner.if_changed.empty() ? plan_pipeline(*on, asked)
                                        : plan_if_changed(*with_records, asked.selection, manner.if_changed);
  if (!plan)
    return with.report(plan.error());
  for (const auto& warning : plan->warnings)
    with.warn(warning_line(on->p->asset(warning.asset).name, warning.what));
  if (options.strict && !plan->warnings.empty())
    return with.report(fail(error_code::invalid_input, "warnings count as errors (--strict)"));
  std::map<asset_index, shown_command> commands;
  if (manner.commands) {
    std::vector<asset_index> executed;
    for (std::size_t i = 0; i < plan->order.size(); ++i)
      if (plan->assets[i].action != plan_action::fresh)
        executed.push_back(plan->order[i]);
    auto shown = shown_commands(*on, executed);
    if (!shown)
      return with.report(shown.error());
    commands = std::move(*shown);
  }
  if (!manner.if_changed.empty() && plan->order.empty() && !with.options.json) {
    with.io.out.stream << "nothing is made from that\n";
    return exit_ok;
  }
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    write_plan(json, *on->p, *plan, commands);
  } else {
    print_plan(with.io.out, *on->p, *plan, manner.fresh);
    print_commands(with.io.out, *on->p, *plan, commands);
  }
  const bool all_fresh = std::all_of(plan->assets.begin(), plan->assets.end(),
                                     [](const planned_asset& one) { return one.action == plan_action::fresh; });
  return manner.exit_code && !all_fresh ? exit_failed : exit_ok;
}

void declare_plan(command_spec& root, invocation& with) {
  auto to = std::make_shared<run_options>();
  auto manner = std::make_shared<plan_manner>();
  auto& verb = root.subcommand("plan", "Show what would run, what may, and what is fresh, with the reasons");
  declare_selection(verb, *to);
  declare_strict(verb, to->strict);
  verb.flag("-v,--verbose", manner->commands, "the commands, too");
  verb.flag("-a,--all", manner->fresh, "list what is fresh, too");
  verb.texts("--if-changed", "FILE", manner->if_changed, "instead, what a change of this file would make stale")
      .completes = completion::files;
  verb.flag("--exit-code", manner->exit_code, "exit with 1 if anything would run, or may");
  verb.examples = {{"troupe plan", "what `troupe run` would do now, in order"},
                   {"troupe plan report --json", "the same for report and all it needs, for programs"},
                   {"troupe plan -v", "with the commands that would be executed"},
                   {"troupe plan --if-changed src/a.c", "what would run if this file changed"},
                   {"troupe plan --exit-code", "for CI: the exit status is 1 if anything is stale"},
                   {"troupe plan --param top=5", "what another value of a param would make stale"}};
  verb.action = [to, manner, &with] { return show_plan(with, *to, *manner); };
}

} // namespace troupe_internal::cli
