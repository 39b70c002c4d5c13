// `troupe run`: bring assets up to date.
#include "cli/beside_supervisor.hpp"
#include "cli/run_arguments.hpp"
#include "cli/verbs.hpp"
#include "cli/waiting.hpp"

namespace troupe_internal::cli {

namespace {

std::optional<error_strategy> strategy_of(const std::string& word) {
  if (word.empty())
    return std::nullopt;
  return word == "abort"      ? error_strategy::abort
         : word == "continue" ? error_strategy::continue_
                              : error_strategy::fail_fast;
}

std::optional<error_strategy> asked_strategy(const run_arguments& arguments) {
  return strategy_of(arguments.strategy.empty() && arguments.keep_going ? "continue" : arguments.strategy);
}

int run(invocation& with, run_arguments& arguments) {
  if (arguments.dry_run)
    return show_plan(with, arguments.options, arguments.verbose);
  auto on = with.open(
      {.all_files = arguments.options.selection.empty(), .journal = true, .strict = arguments.options.strict});
  if (!on)
    return with.report(on.error());
  auto request = with.project_request();
  if (!request)
    return with.report(request.error());
  arguments.options.params = request->params;
  arguments.options.error_strategy = asked_strategy(arguments);
  if (const auto supervisor = supervisor_of(on->state_folder))
    return run_beside(with, *supervisor, *on, arguments.options, arguments.detach);
  if (arguments.detach)
    return with.report(fail(error_code::state_unusable, "--detach needs a supervisor, which carries the run out: "
                                                        "`troupe serve` starts one"));
  arguments.options.command_started = with.io.started;
  return watch_run(with, *on, arguments.options.strict, [&](run_observer& observer, stop_request& stop) {
    return run_pipeline(*on, arguments.options, observer, stop);
  });
}

} // namespace

void declare_selection(command_spec& verb, run_options& to) {
  auto& selection = verb.positionals("SELECTION", to.selection,
                                     "what to bring up to date: name, +name (and upstream), name+ (and downstream), "
                                     "tag:x, group:x, globs; several are a "
                                     "union, a comma is an intersection; default: everything");
  selection.completes = completion::assets;
  auto& exclude = verb.texts("-x,--exclude", "SELECTION", to.exclude, "leave these out: they are taken as last made");
  exclude.completes = completion::assets;
  verb.flag("--only", to.only, "the selected alone, without what they need");
  verb.flag("--force", to.force, "run the selected even if they are fresh").also = "-B";
}

void declare_strict(command_spec& verb, bool& to) {
  verb.flag("--strict", to, "warnings count as errors");
}

void declare_assume_dead(command_spec& verb, bool& to) {
  verb.flag(
      "--assume-dead", to,
      "what a run that died had started has ended: do not refuse because that cannot be seen (in a container), or "
      "because nothing but the journal says that a process is its own");
}

void declare_run(command_spec& root, invocation& with) {
  auto to = std::make_shared<run_arguments>();
  auto& verb = root.subcommand("run", "Bring assets and all they need up to date");
  declare_selection(verb, to->options);
  verb.number("-j,--workers", "N", to->options.workers, 1, "how many assets may run at a time", max_workers).also =
      "--jobs";
  verb.choice("--error-strategy", "STRATEGY", to->strategy, {"fail_fast", "continue", "abort"},
              "what a failure means for the rest");
  verb.flag("-k,--keep-going", to->keep_going, "the same as --error-strategy continue");
  verb.flag("-n,--dry-run", to->dry_run, "show the plan and run nothing");
  verb.flag("--detach", to->detach, "have the supervisor of this state carry the run out, and do not wait for its end");
  verb.flag("-v,--verbose", to->verbose, "with --dry-run: the commands, too");
  declare_strict(verb, to->options.strict);
  declare_assume_dead(verb, to->options.assume_dead);
  verb.examples = {{"troupe run", "everything that is stale, and nothing else"},
                   {"troupe run report", "the asset report and all it needs"},
                   {"troupe run 'raw_*' tag:daily+", "what the glob matches, and what depends on assets tagged daily"},
                   {"troupe run --force --only report", "report again, whatever its state"},
                   {"troupe run -j 1 --error-strategy continue", "one at a time, on past failures"}};
  set_waiting_action(
      verb, with, [to, &with] { return run(with, *to); },
      [to, &with] { // a supervisor is not waited for: it takes the run on
        return to->dry_run || supervisor_here(with) ? result<std::string>(std::string()) : with.state_folder();
      });
}

} // namespace troupe_internal::cli
