// `troupe resume`: go on with a run that did not come to its end.
#include "adapters/lmdb_origin.hpp"
#include "app/cli/documents.hpp"
#include "app/cli/run_arguments.hpp"
#include "app/cli/run_text.hpp"
#include "app/cli/text.hpp"
#include "app/cli/verbs.hpp"
#include "core/shell_text.hpp"

#include <filesystem>
#include <system_error>

namespace troupe::cli {

namespace {

/// The file the run was started with, as a path from here.
std::string recorded_path(const run_record& run, const std::string& state) {
  const std::filesystem::path file = run.request.pipeline_file;
  return file.is_absolute() ? file.string() : (std::filesystem::path(state).parent_path() / file).string();
}

/// What a journal names is not loaded for that: whoever could write the journal chose it. The file in hand must be the
/// run's, or be given by the user.
result<void> require_file_of(const run_record& run, const std::string& state, const project_options& request) {
  const auto called = "run #" + std::to_string(run.run.value);
  const auto& recorded = run.request.pipeline_file;
  if (recorded == "-")
    return fail(error_code::invalid_input, called + " read its pipeline from standard input: give it again, with -f");
  std::error_code unknown;
  const auto path = recorded_path(run, state);
  if (recorded.empty() || std::filesystem::equivalent(path, request.file, unknown))
    return {};
  const bool there = std::filesystem::exists(request.file, unknown);
  const auto shown = short_path(path);
  auto text = called + " was started with the pipeline file " + shown +
              (there ? ", and the one here is " + request.file : ", and there is no " + request.file + " here") +
              ". Nothing was run. To continue the run with that file, name it: troupe resume " +
              std::to_string(run.run.value) + " -f ";
  append_quoted(text, shown, shell_quotes::none);
  return fail(error_code::invalid_input, printable(text));
}

/// Other pipelines may share the state and have run later.
result<run_record> latest_run_of(const std::string& state, const std::string& pipeline) {
  auto runs = list_runs(state, 0);
  if (!runs)
    return runs.error();
  for (auto& run : *runs)
    if (run.pipeline == pipeline)
      return std::move(run);
  return fail(error_code::not_found, "there is no run of the pipeline \"" + printable(pipeline) + "\" in " + state +
                                         " to resume: troupe run makes one");
}

/// A run that has succeeded stays as it is, so that resuming again until it succeeds works.
int tell_succeeded(invocation& with, const std::string& state, const run_record& run) {
  if (with.options.json) {
    const auto report = read_run_report(state, run.run);
    if (!report)
      return with.report(report.error());
    json_writer json(with.io.out.stream);
    write_run(json, *report, [&](const auto& asset) { return log_of(state, run.run, asset); });
  }
  (with.options.json ? with.io.err : with.io.out).stream
      << "run #" << run.run.value
      << " has succeeded: there is nothing to resume (troupe run brings the pipeline up to date)\n";
  return exit_ok;
}

int resume(invocation& with, const std::string& name, bool assume_dead) {
  if (!with.options.params.empty())
    return with.report(fail(error_code::invalid_input, "resume goes on with the params the run was started with; "
                                                       "--param is for run"));
  std::string pipeline; // asked for only where -f says which: else the run says it
  const bool of_this_file = name == "latest" && !with.options.file.empty();
  auto state = with.state_folder(of_this_file ? &pipeline : nullptr);
  if (!state)
    return with.report(state.error());
  if (const auto own = require_own_state(*state); !own)
    return with.report(own.error());
  auto run = pipeline.empty() ? find_run(*state, name) : latest_run_of(*state, pipeline);
  if (!run)
    return with.report(run.error());
  const bool succeeded = run->status == run_status::succeeded;
  if (succeeded && (with.options.file.empty() || of_this_file))
    return tell_succeeded(with, *state, *run);
  if (with.options.file.empty()) {
    const auto request = with.project_request();
    if (!request)
      return with.report(request.error());
    if (const auto in_hand = require_file_of(*run, *state, *request); !in_hand)
      return with.report(in_hand.error());
  }
  with.options.state = *state;
  for (const auto& [key, value] : run->request.params)
    with.options.params.push_back(key + "=" + value);
  auto on = with.open();
  if (!on)
    return with.report(on.error());
  if (succeeded && on->p->name == run->pipeline)
    return tell_succeeded(with, *state, *run);
  return watch_run(with, *on, false, [&](run_observer& observer, stop_request& stop) {
    return resume_run(*on, run->run, assume_dead, observer, stop);
  });
}

} // namespace

void declare_resume(command_spec& root, invocation& with) {
  auto name = std::make_shared<std::string>("latest");
  auto& verb = root.subcommand("resume", "Continue an interrupted, failed or cancelled run as the same run");
  verb.positional(
          "RUN", *name, false,
          "#42, 42, an id, a unique prefix of one, or latest (the default: with -f the latest of that pipeline)")
      .completes = completion::runs;
  verb.examples = {{"troupe resume", "the latest run; what succeeded in it is not run again"},
                   {"troupe resume 42", "run #42, with its selection and params"}};
  auto assume_dead = std::make_shared<bool>(false);
  declare_assume_dead(verb, *assume_dead);
  verb.action = [name, assume_dead, &with] { return resume(with, *name, *assume_dead); };
}

} // namespace troupe::cli
