// One question before, one run to watch.
#include "cli/beside_supervisor.hpp"

#include "cli/asset_lookup.hpp"
#include "engine/supervisor_client.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

#include <unistd.h>

#include <filesystem>

namespace troupe_internal::cli {

std::string words_on(const supervisor_answer& supervisor) {
  return "in the supervisor (pid " + std::to_string(supervisor.pid) + ", " + printable(supervisor.user) +
         ", its environment)";
}

std::optional<supervisor_answer> supervisor_here(const invocation& with) {
  const auto folder = with.state_folder();
  return folder ? supervisor_of(*folder) : std::nullopt; // who opens it says what is wrong
}

int run_beside(invocation& with, const supervisor_answer& supervisor, const project& on, const run_options& options,
               const run_manner& manner, bool detach) {
  const auto named = with.options.file.empty() ? std::string("troupe.json") : with.options.file;
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
  ask.selection = located(*on, options.selection);
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
