// `troupe run`: bring assets up to date.
#include "cli/asset_lookup.hpp"
#include "cli/beside_supervisor.hpp"
#include "cli/run_again.hpp"
#include "cli/run_arguments.hpp"
#include "cli/verbs.hpp"
#include "cli/waiting.hpp"
#include "views/documents.hpp"

#include <utility>

namespace troupe_internal::cli {

namespace {

std::optional<error_strategy> strategy_of(const std::string& word) {
  if (word.empty())
    return std::nullopt;
  return word == "abort"      ? error_strategy::abort
         : word == "continue" ? error_strategy::continue_
                              : error_strategy::fail_fast;
}

/// Whether an asset did not come to be what it should in that run: it failed, something that did kept it from running,
/// or the run ended before it.
bool was_missed(asset_status status) {
  return status != asset_status::succeeded && status != asset_status::fresh && status != asset_status::skipped;
}

/// --failed: the run of this pipeline that did something last, as the selection of what it left undone.
struct last_failures {
  run_number run; ///< 0: there is none
  std::vector<std::string> assets;
};
result<last_failures> find_last_failures(invocation& with) {
  std::string pipeline;
  const auto state = with.state_folder(&pipeline);
  if (!state)
    return state.error();
  const auto runs = list_runs(*state, 0);
  if (!runs)
    return runs.error();
  last_failures found;
  for (const auto& one : *runs) {
    if (one.pipeline != pipeline || never_started(one) || (one.attempts == 0 && one.status == run_status::succeeded))
      continue;
    const auto report = read_run_report(*state, one.run);
    if (!report)
      return report.error();
    found.run = one.run;
    for (const auto& asset : report->assets)
      if (was_missed(asset.status))
        found.assets.push_back(asset.name);
    return found;
  }
  return found;
}

int nothing_had_failed(invocation& with, run_number last) {
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    write_no_run(json);
  }
  (with.options.json ? with.io.err : with.io.out).stream
      << (last.value == 0 ? std::string("there is no run yet") : "nothing failed in run #" + std::to_string(last.value))
      << ": nothing to do\n";
  return exit_ok;
}

int run_once(invocation& with, run_arguments& arguments) {
  if (arguments.failed) {
    if (!arguments.options.selection.empty())
      return with.report(fail(error_code::invalid_input, "--failed is the selection: name no assets beside it"));
    auto last = find_last_failures(with);
    if (!last)
      return with.report(last.error());
    if (last->assets.empty())
      return nothing_had_failed(with, last->run);
    arguments.options.selection = std::move(last->assets);
  }
  arguments.manner.strict = arguments.options.strict;
  if (arguments.dry_run)
    return show_plan(with, arguments.options, {.commands = arguments.manner.verbose});
  auto on = with.open(
      {.all_files = arguments.options.selection.empty(), .journal = true, .strict = arguments.options.strict});
  if (!on)
    return with.report(on.error());
  auto& selection = arguments.options.selection;
  if (arguments.failed) { // what is no longer declared has no way to run
    std::erase_if(selection, [&](const std::string& name) { return !on->p->find(name); });
    if (selection.empty())
      return with.report(fail(error_code::not_found, "what failed in the last run is no longer in the pipeline"));
  }
  selection = located(*on, std::move(selection));
  auto request = with.project_request();
  if (!request)
    return with.report(request.error());
  arguments.options.params = request->params;
  arguments.options.error_strategy = asked_strategy(arguments.strategy, arguments.keep_going);
  if (const auto supervisor = supervisor_of(on->state_folder))
    return run_beside(with, *supervisor, *on, arguments.options, arguments.manner, arguments.detach);
  if (arguments.detach)
    return with.report(fail(error_code::state_unusable, "--detach needs a supervisor, which carries the run out: "
                                                        "`troupe serve` starts one"));
  arguments.options.command_started = with.io.started;
  return watch_run(with, *on, arguments.manner, [&](run_observer& observer, stop_request& stop) {
    return run_pipeline(*on, arguments.options, observer, stop);
  });
}

int run(invocation& with, run_arguments& arguments) {
  if (!arguments.watch)
    return run_once(with, arguments);
  const auto file = with.options.file;
  if (arguments.dry_run || arguments.detach || arguments.failed || with.options.json || file == "-")
    return with.report(fail(error_code::invalid_input,
                            "--watch runs again and again, for people: leave --json, --dry-run, --detach, --failed and "
                            "standard input out"));
  bool first = true;
  return run_and_watch(with, arguments, [&] {
    auto each = arguments; // a run changes them
    each.manner.silent_if_fresh = !std::exchange(first, false);
    each.options.force = each.options.force && !each.manner.silent_if_fresh;
    return run_once(with, each);
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

std::optional<error_strategy> asked_strategy(const std::string& strategy, bool keep_going) {
  return strategy_of(strategy.empty() && keep_going ? "continue" : strategy);
}

void declare_strategy(command_spec& verb, std::optional<std::uint32_t>& workers, std::string& strategy,
                      bool& keep_going) {
  verb.number("-j,--workers", "N", workers, 1, "how many assets may run at a time", max_workers).also = "--jobs";
  verb.choice("--error-strategy", "STRATEGY", strategy, {"fail_fast", "continue", "abort"},
              "what a failure means for the rest");
  verb.flag("-k,--keep-going", keep_going, "the same as --error-strategy continue");
}

void declare_manner(command_spec& verb, run_manner& to) {
  verb.choice("--output", "WHOSE", to.output, {"failed", "all", "none", "live"},
              "whose output is shown: of failed assets its end (default), of all when they end, of none, or of all as "
              "they write it");
  verb.flag("-q,--quiet", to.quiet, "show only failures and warnings");
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
  verb.flag("--failed", to->failed, "what failed in the last run, and what that kept from running");
  declare_strategy(verb, to->options.workers, to->strategy, to->keep_going);
  verb.flag("-n,--dry-run", to->dry_run, "show the plan and run nothing");
  verb.flag("-w,--watch", to->watch, "run again when an input changes, until Ctrl-C");
  verb.flag("--detach", to->detach, "have the supervisor of this state carry the run out, and do not wait for its end");
  declare_manner(verb, to->manner);
  verb.flag("-v,--verbose", to->manner.verbose, "show each command as it begins; with --dry-run those of the plan");
  declare_strict(verb, to->options.strict);
  declare_assume_dead(verb, to->options.assume_dead);
  verb.examples = {{"troupe run", "everything that is stale, and nothing else"},
                   {"troupe run report", "the asset report and all it needs"},
                   {"troupe run 'raw_*' tag:daily+", "what the glob matches, and what depends on assets tagged daily"},
                   {"troupe run --force --only report", "report again, whatever its state"},
                   {"troupe run --failed", "again what failed in the last run, and what that kept from running"},
                   {"troupe run --watch report", "keep report up to date while its inputs are edited"},
                   {"troupe run -v --output live", "with the commands, and what they write as they write it"},
                   {"troupe run -j 1 --error-strategy continue", "one at a time, on past failures"}};
  verb.streams = true;
  set_waiting_action(
      verb, with, [to, &with] { return run(with, *to); },
      [to, &with] { // a supervisor is not waited for: it takes the run on
        return to->dry_run || supervisor_here(with) ? result<std::string>(std::string()) : with.state_folder();
      });
}

} // namespace troupe_internal::cli
