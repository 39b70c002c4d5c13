// `troupe serve`: a supervisor that stays up.
#include "cli/run_arguments.hpp"
#include "cli/serve_here.hpp"
#include "cli/verbs.hpp"
#include "cli/waiting.hpp"

#include <memory>

namespace troupe_internal::cli {

void declare_serve(command_spec& root, invocation& with) {
  auto to = std::make_shared<serve_request>();
  auto& verb =
      root.subcommand("serve", "Stay up: take runs on from the command line and over HTTP, and keep a queue of them");
  verb.positionals("PIPELINE", to->pipelines,
                   "pipeline files (default: troupe.json); several share the state that --state names")
      .completes = completion::files;
  verb.texts(
      "--listen", "ADDRESS", to->listen,
      "a TCP address for the HTTP interface (127.0.0.1:7070); its Unix socket in the state's folder is always there");
  verb.texts("--host", "NAME", to->hosts, "a name of this server that clients may use beyond localhost");
  verb.number("--max-runs", "N", to->max_runs, 1,
              "how many runs are live at a time, beside those that people start (default: 16)", 64);
  declare_assume_dead(verb, to->assume_dead);
  verb.examples = {{"troupe serve", "the pipeline in this folder; Ctrl-C ends it"},
                   {"troupe serve --listen 127.0.0.1:7070 etl.json", "with HTTP for other programs"},
                   {"curl --unix-socket .troupe/supervisor.sock http://localhost/api/v1/runs", "what was run"}};
  const auto files = [to, &with] {
    auto request = *to;
    if (request.pipelines.empty())
      request.pipelines.push_back(with.options.file.empty() ? "troupe.json" : with.options.file);
    request.state = with.options.state;
    return request;
  };
  verb.action = [files, &with] { return serve_here(with, files()); };
}

} // namespace troupe_internal::cli
