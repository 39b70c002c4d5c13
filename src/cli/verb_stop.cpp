// `troupe stop` and `troupe reload`: what is asked of a supervisor as a whole.
#include "cli/signals.hpp"
#include "cli/supervised_state.hpp"
#include "cli/verbs.hpp"
#include "config/value_text.hpp"
#include "engine/state_wait.hpp"
#include "engine/supervisor_client.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

#include <chrono>
#include <memory>

namespace troupe_internal::cli {

namespace {

error nobody(const std::string& state) {
  return fail(error_code::state_unusable,
              "no supervisor has the state " + state + ": `troupe serve` starts one. Nothing was done");
}

/// As a document, or as lines.
int tell(invocation& with, const supervisor_answer& answer) {
  auto& out = with.io.out.stream;
  if (with.options.json) {
    json_writer json(out);
    begin_document(json);
    json.member("pid", answer.pid);
    for (const auto& [name, lines] : {std::pair("problems", &answer.problems), std::pair("notes", &answer.notes)}) {
      json.key(name).begin_array();
      for (const auto& line : *lines)
        json.value(line);
      json.end_array();
    }
    json.end_object().finish();
  } else {
    for (const auto& line : answer.notes)
      out << printable(line) << "\n";
    for (const auto& line : answer.problems)
      with.io.err.stream << "error: " << printable(line) << "\n";
  }
  return answer.problems.empty() ? exit_ok : exit_usage;
}

int stop(invocation& with, std::optional<duration> drain) {
  const auto state = supervisor_state(with);
  if (!state)
    return with.report(state.error());
  supervisor_ask asked;
  asked.what = supervisor_ask::verb::stop;
  asked.drain = drain;
  const auto answer = ask_supervisor(*state, asked);
  if (!answer)
    return with.report(answer.error().code == error_code::not_found ? nobody(*state) : answer.error());
  stop_request interrupted;
  const signal_guard guard(interrupted);
  wait_setup how;
  how.told = [&with](const std::string& line) { with.io.err.stream << printable(line) << "\n" << std::flush; };
  if (const auto ended = wait_until_free(*state, how, interrupted); !ended)
    return with.report(ended.error());
  if (!with.options.json)
    with.io.out.stream << "the supervisor (pid " << answer->pid << ") has stopped\n";
  return with.options.json ? tell(with, *answer) : static_cast<int>(exit_ok);
}

int reload(invocation& with) {
  const auto state = supervisor_state(with);
  if (!state)
    return with.report(state.error());
  supervisor_ask asked;
  asked.what = supervisor_ask::verb::reload;
  const auto answer = ask_supervisor(*state, asked, std::chrono::minutes(10));
  if (!answer)
    return with.report(answer.error().code == error_code::not_found ? nobody(*state) : answer.error());
  if (!with.options.json && answer->problems.empty())
    with.io.out.stream << "all files are loaded\n";
  return tell(with, *answer);
}

} // namespace

void declare_drain(command_spec& verb, std::optional<duration>& to, std::string what) {
  verb.flag_or_value("--drain", "TIME", std::move(what), [&to](const std::string& value) {
    constexpr duration for_ever = std::chrono::hours(24 * 365 * 100);
    to = value.empty() ? std::optional<duration>(for_ever) : config::parse_duration(value);
    return to ? std::string() : "--drain takes a time such as 10m, not '" + value + "'";
  });
}

void declare_stop(command_spec& root, invocation& with) {
  auto drain = std::make_shared<std::optional<duration>>();
  auto& verb = root.subcommand("stop", "Stop the supervisor of this state; its next start resumes what was running");
  declare_drain(verb, *drain, "let live runs come to their end first; for TIME at most, such as 10m");
  verb.examples = {{"troupe stop", "commands are ended, and their runs are resumed at the next start"},
                   {"troupe stop --drain=10m", "wait up to 10 minutes for live runs"}};
  verb.action = [drain, &with] { return stop(with, *drain); };
}

void declare_reload(command_spec& root, invocation& with) {
  auto& verb = root.subcommand("reload", "Have the supervisor of this state load all of its files again");
  verb.examples = {{"troupe reload", "exit status 2 if a file has mistakes: then what was loaded before stays"}};
  verb.action = [&with] { return reload(with); };
}

} // namespace troupe_internal::cli
