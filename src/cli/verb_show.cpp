// `troupe show`: one run whole.
#include "adapters/system/system_clock.hpp"
#include "cli/definitions_text.hpp"
#include "cli/run_text.hpp"
#include "cli/verbs.hpp"
#include "views/documents.hpp"

namespace troupe_internal::cli {

namespace {

struct show_arguments {
  std::string run = "latest";
  bool all = false;
  bool definitions = false;
};

/// An empty history has no latest run; that is no mistake.
int show_nothing(invocation& with) {
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    write_no_run(json);
  } else {
    with.io.out.stream << "no runs yet\n";
  }
  return exit_ok;
}

int show(invocation& with, const show_arguments& arguments) {
  auto state = with.state_folder();
  if (!state)
    return with.report(state.error());
  if (arguments.run == "latest") {
    auto any = list_runs(*state, 1);
    if (!any)
      return with.report(any.error());
    if (any->empty())
      return show_nothing(with);
  }
  auto run = find_run(*state, arguments.run);
  if (!run)
    return with.report(run.error());
  auto report = read_run_report(*state, run->run,
                                with.options.json || arguments.definitions ? report_detail::every_attempt
                                                                           : report_detail::last_attempts);
  if (!report)
    return with.report(report.error());
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    const run_logs logs(*state, run->run);
    write_run(json, *report, [&](const auto& asset, auto attempt) { return log_of(logs, asset, attempt); });
  } else {
    print_run(with.io.out, *state, *report, arguments.all, system_clock().now());
    if (arguments.definitions)
      print_definitions(with.io.out, *report);
  }
  return exit_ok;
}

} // namespace

void declare_show(command_spec& root, invocation& with) {
  auto to = std::make_shared<show_arguments>();
  auto& verb = root.subcommand("show", "Show one run whole");
  verb.positional("RUN", to->run, false, "#42, 42, an id, a unique prefix of one, or latest (the default)").completes =
      completion::runs;
  verb.flag("-a,--all", to->all, "list fresh assets, too");
  verb.flag("-d,--definitions", to->definitions, "print the definitions that its assets had, too");
  verb.examples = {{"troupe show", "the latest run"},
                   {"troupe show 42 --definitions", "run #42, and the commands, inputs and deps of its assets"},
                   {"troupe show 42 --json", "run #42, for programs"}};
  verb.action = [to, &with] { return show(with, *to); };
}

} // namespace troupe_internal::cli
