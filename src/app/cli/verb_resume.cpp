// `troupe resume`: go on with a run that did not come to its end.
#include "app/cli/documents.hpp"
#include "app/cli/run_arguments.hpp"
#include "app/cli/run_text.hpp"
#include "app/cli/text.hpp"
#include "app/cli/verbs.hpp"

#include <filesystem>

namespace troupe::cli {

namespace {

/// The file the run was started with, unless -f names another.
std::string file_of(const invocation& with, const run_record& run, const std::string& state) {
  if (!with.options.file.empty() || run.request.pipeline_file.empty() || run.request.pipeline_file == "-")
    return with.options.file;
  const std::filesystem::path file = run.request.pipeline_file;
  return file.is_absolute() ? file.string() : (std::filesystem::path(state).parent_path() / file).string();
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
  auto run = pipeline.empty() ? find_run(*state, name) : latest_run_of(*state, pipeline);
  if (!run)
    return with.report(run.error());
  const bool succeeded = run->status == run_status::succeeded;
  if (succeeded && (with.options.file.empty() || of_this_file))
    return tell_succeeded(with, *state, *run);
  if (with.options.file.empty() && run->request.pipeline_file == "-")
    return with.report(fail(error_code::invalid_input, "run #" + std::to_string(run->run.value) +
                                                           " read its pipeline from standard input: give it again, "
                                                           "with -f"));
  with.options.file = file_of(with, *run, *state);
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
