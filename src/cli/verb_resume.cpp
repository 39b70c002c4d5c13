// `troupe resume`: go on with a run that did not come to its end.
#include "adapters/journal/lmdb_origin.hpp"
#include "cli/beside_supervisor.hpp"
#include "cli/run_arguments.hpp"
#include "cli/run_text.hpp"
#include "cli/verbs.hpp"
#include "cli/waiting.hpp"
#include "core/command/secret_mask.hpp"
#include "core/command/shell_text.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

namespace troupe_internal::cli {

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
    if (run.pipeline == pipeline && !never_started(run))
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
    const run_logs logs(state, run.run);
    write_run(json, *report, [&](const auto& asset, auto attempt) { return log_of(logs, asset, attempt); });
  }
  (with.options.json ? with.io.err : with.io.out).stream
      << "run #" << run.run.value
      << " has succeeded: there is nothing to resume (troupe run brings the pipeline up to date)\n";
  return exit_ok;
}

using param_list = std::vector<std::pair<std::string, std::string>>;

bool has(const param_list& params, const std::string& name) {
  return std::any_of(params.begin(), params.end(), [&](const auto& param) { return param.first == name; });
}

/// Names as "a", "a and b", "a, b and c".
std::string in_words(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + printable(names[i]);
  return text;
}

/// Why the params given again and those recorded are not what the run was started with; nullopt if they are.
std::optional<error> wrong_params(const pipeline& p, const run_record& run, const param_list& given) {
  const auto is_secret = [&](const std::string& name) {
    const auto param = p.params.find(name);
    return param != p.params.end() && param->second.secret;
  };
  std::vector<std::string> public_ones;
  for (const auto& [name, value] : given)
    if (!is_secret(name))
      public_ones.push_back(name);
  if (!public_ones.empty())
    return fail(error_code::invalid_input,
                "resume continues with the params that the run was started with; only secret params are given again, "
                "and " +
                    in_words(public_ones) + (public_ones.size() == 1 ? " is" : " are") +
                    " not secret: leave --param out, or start a new run with troupe run");
  std::vector<std::string> missing;
  std::string again;
  for (const auto& [name, value] : run.request.params)
    if (is_secret(name) && !has(given, name) && std::find(missing.begin(), missing.end(), name) == missing.end()) {
      missing.push_back(name);
      again += " --param " + printable(name) + "=VALUE";
    }
  if (missing.empty())
    return std::nullopt;
  const bool one = missing.size() == 1;
  const auto number = std::to_string(run.run.value);
  return fail(error_code::invalid_input, "run #" + number + " was started with the secret " +
                                             (one ? "param " : "params ") + in_words(missing) + ", whose " +
                                             (one ? "value is" : "values are") + " recorded nowhere. Give " +
                                             (one ? "it" : "them") + " again: troupe resume " + number + again);
}

/// The project with the run's own params, and those that are given again.
result<project> open_as_started(invocation& with, const run_record& run, const param_list& given) {
  const auto open = [&](bool marks) {
    with.options.params.clear();
    for (const auto& [name, value] : run.request.params)
      if (!has(given, name) && (marks || value != secret_mark))
        with.options.params.push_back(name + "=" + value);
    for (const auto& [name, value] : given)
      with.options.params.push_back(name + "=" + value);
    return with.open();
  };
  auto on = open(false);
  if (!on)
    return on;
  if (auto wrong = wrong_params(*on->p, run, given))
    return std::move(*wrong);
  const bool meant = std::any_of(run.request.params.begin(), run.request.params.end(), [&](const auto& param) {
    return param.second == secret_mark && !has(given, param.first);
  });
  return meant ? open(true) : std::move(on); // of a param that is no secret it is the value
}

struct resume_arguments {
  std::string name = "latest";
  std::optional<std::uint32_t> workers;
  std::string strategy;
  bool keep_going = false;
  bool assume_dead = false;
  run_manner manner;
};

int resume(invocation& with, const resume_arguments& arguments) {
  const auto& name = arguments.name;
  const auto asked = with.project_request();
  if (!asked)
    return with.report(asked.error());
  const auto given = asked->params;
  with.options.params.clear(); // that file may be of another pipeline than the run
  std::string pipeline;        // asked for only where -f says which: else the run says it
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
  auto on = open_as_started(with, *run, given);
  if (!on)
    return with.report(on.error());
  if (succeeded && on->p->name == run->pipeline)
    return tell_succeeded(with, *state, *run);
  const auto strategy = asked_strategy(arguments.strategy, arguments.keep_going);
  if (const auto supervisor = supervisor_of(*state)) {
    if (arguments.workers || strategy)
      return with.report(
          fail(error_code::state_unusable, "a supervisor has this state (pid " + std::to_string(supervisor->pid) +
                                               "), and it continues a run as the run was asked for: leave -j, -k and "
                                               "--error-strategy out, or stop the supervisor first (troupe stop)"));
    with.io.err.stream << words_on(*supervisor) << "\n" << std::flush;
    return watch_run(with, *on, arguments.manner, [&](run_observer& observer, stop_request& stop) {
      return resume_in_supervisor(*on, run->run, given, observer, stop);
    });
  }
  return watch_run(with, *on, arguments.manner, [&](run_observer& observer, stop_request& stop) {
    return resume_run(*on, run->run, {arguments.workers, strategy, arguments.assume_dead}, observer, stop);
  });
}

} // namespace

void declare_resume(command_spec& root, invocation& with) {
  auto to = std::make_shared<resume_arguments>();
  auto& verb = root.subcommand("resume", "Continue an interrupted, failed or cancelled run as the same run");
  verb.positional(
          "RUN", to->name, false,
          "#42, 42, an id, a unique prefix of one, or latest (the default: with -f the latest of that pipeline)")
      .completes = completion::runs;
  verb.examples = {{"troupe resume", "the latest run; what succeeded in it is not run again"},
                   {"troupe resume 42", "run #42, with its selection and params"},
                   {"troupe resume 42 --param token=VALUE", "run #42 was started with a secret param: give it again"},
                   {"troupe resume -k -j 1", "the latest run, one asset at a time, on past failures"}};
  declare_strategy(verb, to->workers, to->strategy, to->keep_going);
  declare_manner(verb, to->manner);
  verb.flag("-v,--verbose", to->manner.verbose, "show each command as it begins");
  declare_assume_dead(verb, to->assume_dead);
  verb.streams = true;
  set_waiting_action(
      verb, with, [to, &with] { return resume(with, *to); },
      [&with] { // a supervisor is not waited for: it resumes the run
        return supervisor_here(with) ? result<std::string>(std::string()) : with.state_folder();
      });
}

} // namespace troupe_internal::cli
