// Matching the command line with the verbs, and what holds for all of them.
#include "cli/cli_main.hpp"

#include "adapters/journal/state_lock.hpp"
#include "cli/logging.hpp"
#include "cli/verbs.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace troupe_internal::cli {

std::unique_ptr<command_spec> make_commands(invocation& with) {
  auto root = std::make_unique<command_spec>("troupe", "Troupe keeps assets up to date: it runs what is stale, in "
                                                       "parallel, and nothing else.");
  auto& options = with.options;
  root->text("-f,--file", "FILE", options.file, "the pipeline file (default: troupe.json); -: standard input")
      .completes = completion::files;
  root->text("-C,--directory", "DIR", options.directory, "work as if started in that folder").completes =
      completion::folders;
  root->text("--state", "DIR", options.state, "the state folder (default: the pipeline's state_dir)").completes =
      completion::folders;
  root->text("--pipeline", "NAME", options.pipeline, "with -f and a supervisor's file: which of its pipelines");
  root->texts("--param", "NAME=VALUE", options.params, "another value for a param of the pipeline");
  root->flag("--json", options.json, "one JSON document on standard output instead of text");
  root->choice("--format", "FORMAT", options.format, {"text", "json", "ndjson"},
               "how it is printed; json is the same as --json, ndjson one JSON object a line, as it comes");
  root->choice("--color", "WHEN", options.colour, {"auto", "always", "never"}, "colours");
  root->choice("--log-level", "LEVEL", options.log_level, log_level_names(), "how much is logged to standard error");
  root->choice("--log-format", "FORMAT", options.log_format, log_format_names(),
               "how log lines are written: text (default), or json, one object a line");
  root->examples = {{"troupe init && troupe run", "write a small pipeline into this folder and run it"},
                    {"troupe plan", "what would run now, and why"},
                    {"troupe runs", "what has been run"}};
  for (const auto declare :
       {declare_run,         declare_plan,    declare_explain, declare_why,     declare_command,  declare_status,
        declare_list,        declare_which,   declare_history, declare_graph,   declare_validate, declare_triggers,
        declare_events,      declare_queue,   declare_notify,  declare_runs,    declare_show,     declare_logs,
        declare_resume,      declare_cancel,  declare_serve,   declare_stop,    declare_reload,   declare_release,
        declare_token,       declare_clean,   declare_adopt,   declare_journal, declare_init,     declare_schema,
        declare_completions, declare_version, declare_complete})
    declare(*root, with);
  return root;
}

} // namespace troupe_internal::cli

namespace troupe_internal {

int cli_main(int argc, const char* const* argv, cli::console& io) {
  using namespace cli;
  invocation with(io);
  const auto root = make_commands(with);
  // "help run" is "run --help".
  std::vector<const char*> words(argv, argv + argc);
  if (argc > 1 && std::string_view(argv[1]) == "help") {
    words.erase(words.begin() + 1);
    words.push_back("--help");
  }
  const auto line = parse_line(*root, static_cast<int>(words.size()), words.data());
  const bool nothing = line.command == root.get() && !line.version && line.error.empty();
  if (line.error.empty() && (line.help || nothing)) {
    io.out.stream << help_text(*root, *line.command, line.path) << std::flush;
    return exit_ok;
  }
  if (!line.error.empty()) {
    const auto* const end = std::find(argv, argv + argc, std::string_view("--"));
    if (std::find(argv, end, std::string_view("--json")) != end) { // nothing of a wrong line was assigned
      json_writer json(io.out.stream);
      write_error(json, fail(error_code::invalid_input, line.error), {});
      io.out.stream << std::flush;
    }
    io.err.stream << io.err.colours.paint(tint::bad, "error: ") << printable(line.error) << "\n'" << line.path
                  << " --help' tells more\n"
                  << std::flush;
    return exit_usage;
  }
  if (line.version) {
    io.out.stream << "troupe " TROUPE_VERSION "\n" << std::flush;
    return exit_ok;
  }
  io.set_colour(with.options.colour);
  if (with.options.json && with.options.format == "text")
    return with.report(fail(error_code::invalid_input, "--json and --format text exclude each other"));
  with.options.json = with.options.json || with.options.format == "json" || with.options.format == "ndjson";
  with.options.lines = with.options.format == "ndjson";
  if (with.options.lines && !line.command->streams)
    return with.report(fail(error_code::invalid_input, "--format ndjson is for run, resume and runs; '" + line.path +
                                                           "' prints one document: --format json"));
  if (!with.options.directory.empty() && ::chdir(with.options.directory.c_str()) != 0)
    return with.report(fail(error_code::invalid_input, "-C " + with.options.directory + ": " + std::strerror(errno)));
  if (with.options.log_level != "off")
    set_up_logging(with.options.log_level, with.options.log_format);
  name_lock_holder(line.path);
  int status = exit_state;
  try {
    status = line.command->action();
  } catch (const std::system_error& refused) {
    status = with.report(fail(error_code::state_unusable,
                              std::string("the system refuses what this needs: ") + refused.what() + "; run again"));
  }
  io.out.stream << std::flush;
  return status;
}

} // namespace troupe_internal
