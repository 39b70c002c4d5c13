// One question before, one run to watch.
#include "cli/beside_supervisor.hpp"

#include "adapters/journal/state_lock.hpp"
#include "cli/asset_lookup.hpp"
#include "engine/supervisor_client.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <set>

namespace troupe_internal::cli {

std::string words_on(const supervisor_answer& supervisor) {
  return "in the supervisor (pid " + std::to_string(supervisor.pid) + ", " + printable(supervisor.user) +
         ", its environment)";
}

std::optional<supervisor_answer> supervisor_here(const invocation& with) {
  const auto folder = with.state_folder();
  return folder ? supervisor_of(*folder) : std::nullopt; // who opens it says what is wrong
}

void use_environment_of_supervisor(invocation& with, project& on) {
  std::set<std::string> names;
  for (const auto& settings : on.p->settings)
    for (const auto& entry : settings.env)
      if (entry.source == env_source::from_env && !entry.secret)
        names.insert(entry.text);
  if (names.empty())
    return;
  const auto holder = living_holder_of(on.state_folder);
  if (!holder)
    return;
  supervisor_ask look;
  look.variables.assign(names.begin(), names.end());
  const auto answer = ask_supervisor(on.state_folder, look, std::chrono::seconds(10));
  const auto which = counted(names.size(), "variable");
  if (!answer) { // the process of one run has no such answer, and the environment of who started it
    if (holder->command == "troupe serve")
      with.warn("the supervisor (pid " + std::to_string(holder->pid) + ") does not answer: " + which +
                " of the environment count as they are here, and it may have other values");
    return;
  }
  auto values = std::make_shared<std::map<std::string, std::optional<std::string>>>();
  for (const auto& name : names)
    values->emplace(name, std::nullopt);
  for (const auto& [name, value] : answer->variables)
    values->insert_or_assign(name, value);
  on.environment = std::move(values);
  with.io.err.stream << "with the environment of the supervisor (pid " << answer->pid << ", " << printable(answer->user)
                     << "): " << which << "\n"
                     << std::flush;
}

int run_beside(invocation& with, const supervisor_answer& supervisor, const project& on, const run_options& options,
               const run_manner& manner, bool detach) {
  const auto request = with.project_request();
  if (!request)
    return with.report(request.error());
  const auto& named = request->file;
  if (named == "-")
    return with.report(fail(error_code::state_unusable,
                            "a supervisor has this state (pid " + std::to_string(supervisor.pid) +
                                "), and it runs files that it serves: standard input is none. Name another state with "
                                "--state, or stop the supervisor first (troupe stop)"));
  std::error_code unknown;
  const auto file = std::filesystem::absolute(named, unknown).lexically_normal().string();
  supervisor_ask load;
  load.what = supervisor_ask::verb::load;
  load.file = file;
  const auto loaded = ask_supervisor(on.state_folder, load, std::chrono::minutes(10));
  if (!loaded)
    return with.report(loaded.error().code == error_code::not_found
                           ? fail(error_code::state_unusable,
                                  loaded.error().message + ". It has this state (pid " +
                                      std::to_string(supervisor.pid) +
                                      "): add the file to what it serves, or name another state with --state")
                           : loaded.error());
  if (!loaded->problems.empty())
    return with.report(fail(error_code::invalid_input, "the supervisor cannot load it: " + loaded->problems.front()));
  run_ask ask;
  ask.file = file;
  ask.selection = located(on, options.selection);
  ask.exclude = options.exclude;
  ask.only = options.only;
  ask.force = options.force;
  ask.params = options.params;
  ask.workers = options.workers;
  if (options.error_strategy)
    ask.error_strategy = static_cast<std::uint8_t>(*options.error_strategy);
  ask.cause.by = "uid " + std::to_string(geteuid());
  (with.options.json || !detach ? with.io.err : with.io.out).stream << words_on(supervisor) << "\n" << std::flush;
  if (!detach)
    return watch_run(with, on, manner, [&](run_observer& observer, stop_request& stop) {
      return run_in_supervisor(on, ask, observer, stop);
    });
  const auto taken = submit_to_supervisor(on.state_folder, ask);
  if (!taken)
    return with.report(taken.error());
  auto& out = with.io.out.stream;
  if (with.options.json) {
    json_writer json(out);
    begin_document(json);
    json.member("number", taken->run.value).member("queued", taken->queued).end_object().finish();
  } else {
    out << "run #" << taken->run.value << (taken->queued ? " is queued" : " has started") << "; troupe show "
        << taken->run.value << " tells more\n";
  }
  return exit_ok;
}

} // namespace troupe_internal::cli
