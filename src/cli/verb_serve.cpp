// `troupe serve`: a supervisor that stays up.
#include "cli/run_arguments.hpp"
#include "cli/serve_here.hpp"
#include "cli/served_files.hpp"
#include "cli/verbs.hpp"
#include "config/value_text.hpp"
#include "views/text.hpp"

#include <memory>

namespace troupe_internal::cli {

namespace {

struct serve_arguments {
  std::vector<std::string> pipelines;
  bool check = false;
  serve_request request;
};

int serve(invocation& with, const serve_arguments& given) {
  if (given.check)
    return check_served(with, given.pipelines);
  auto named = find_served(with, given.pipelines);
  if (!named)
    return with.report(named.error());
  if (!named->findings.items.empty())
    with.io.err.stream << findings_text(named->findings, with.io.err.colours) << std::flush;
  if (named->is_supervisor && !named->settings)
    return with.report(fail(error_code::invalid_input, named->supervisor_file + " has mistakes; nothing is served"));
  auto request = given.request;
  request.pipelines = std::move(named->files);
  request.state = with.options.state;
  request.settings = std::move(named->settings);
  request.folder = std::move(named->folder);
  request.supervisor_file = std::move(named->supervisor_file);
  return serve_here(with, request);
}

} // namespace

void declare_serve(command_spec& root, invocation& with) {
  auto to = std::make_shared<serve_arguments>();
  auto& verb =
      root.subcommand("serve", "Stay up: take runs on from the command line and over HTTP, and keep a queue of them");
  verb.positionals(
          "PIPELINE", to->pipelines,
          "pipeline files (default: supervisor.json, else troupe.json); several share the state that --state names")
      .completes = completion::files;
  verb.flag("--check", to->check, "report every mistake and the next ticks of schedules; serve nothing");
  verb.texts(
      "--listen", "ADDRESS", to->request.listen,
      "a TCP address for the HTTP interface (127.0.0.1:7070), beside those of the file; its Unix socket in the state's "
      "folder is always there");
  verb.texts("--host", "NAME", to->request.hosts, "a name of this server that clients may use beyond localhost");
  verb.number("--max-runs", "N", to->request.max_runs, 1,
              "how many runs are live at a time, beside those that people start (default: 16)", 64);
  declare_drain(verb, to->request.drain,
                "when it is stopped, let live runs come to their end first; for TIME at most, such as 10m");
  verb.flag_or_value("--wait", "TIME", "how long to wait for a process that writes the state (default: 10m)",
                     [to](const std::string& value) {
                       const auto longest = config::parse_duration(value);
                       if (longest)
                         to->request.wait = *longest;
                       return longest || value.empty() ? std::string()
                                                       : "--wait takes a time such as 30s, not '" + value + "'";
                     });
  declare_assume_dead(verb, to->request.assume_dead);
  verb.flag("--trust-clock", to->request.trust_clock,
            "schedules fire though the clock is more than a day behind the journal's last event");
  verb.examples = {{"troupe serve", "supervisor.json or the pipeline in this folder; Ctrl-C ends it"},
                   {"troupe serve --listen 127.0.0.1:7070 etl.json", "with HTTP for other programs"},
                   {"troupe serve --check", "what would be served, what is wrong with it, and when it runs"}};
  verb.action = [to, &with] { return serve(with, *to); };
}

} // namespace troupe_internal::cli
