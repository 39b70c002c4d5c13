// `troupe journal trust`: a state that was made elsewhere is taken over, after a question.
#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/journal/lmdb_origin.hpp"
#include "adapters/process/own_identity.hpp"
#include "adapters/system/system_clock.hpp"
#include "cli/consent.hpp"
#include "cli/run_text.hpp"
#include "cli/verbs.hpp"
#include "cli/waiting.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

#include <algorithm>
#include <memory>

namespace troupe_internal::cli {

namespace {

constexpr std::size_t most_shown = 10;

/// What a state names, for people to judge it by.
struct account {
  state_info info;
  state_origin origin = state_origin::here;
  std::vector<std::pair<std::string, std::string>> pipelines; ///< name and file, newest first
  std::optional<run_record> last;
  std::size_t runs = 0;
};

result<account> read_account(const std::string& state) {
  const auto snapshot = open_snapshot(state);
  if (!snapshot)
    return snapshot.error();
  account out;
  out.info = (*snapshot)->info();
  const auto note = read_journal_note(state);
  if (!note)
    return fail(error_code::state_unusable,
                "state " + state + ": its journal is being replaced: try again in a moment");
  out.origin = origin_of(note->info, note->format);
  const auto visited = (*snapshot)->visit_runs_newest_first([&](const run_record& run) {
    if (!out.last)
      out.last = run;
    ++out.runs;
    std::pair named(run.pipeline, run.request.pipeline_file);
    if (std::find(out.pipelines.begin(), out.pipelines.end(), named) == out.pipelines.end())
      out.pipelines.push_back(std::move(named));
    return true;
  });
  if (!visited)
    return visited.error();
  return out;
}

const char* machine_word(const writer_identity& writer) {
  if (writer.machine == digest{})
    return "unknown";
  return writer.machine == own_identity().machine ? "this" : "other";
}

std::string writer_text(const writer_identity& writer) {
  const std::string_view machine = machine_word(writer);
  return words_on_user(writer.user) + (machine == "this"    ? " on this machine"
                                       : machine == "other" ? " on another machine"
                                                            : " in a container, or on a machine without an id");
}

std::string last_run_text(const run_record& run) {
  return "#" + std::to_string(run.run.value) + " of " + run.pipeline + ", " + local_time(run.started_at) + ", " +
         (run.finished_at ? std::string(to_string(run.status)) : "which did not come to its end");
}

void print_account(const output& to, const std::string& state, const account& found) {
  to.stream << "state " << printable(state) << "\n";
  const auto row = [&to](const char* title, const std::string& text) {
    to.stream << "  " << title << printable(text) << "\n";
  };
  const auto& writers = found.info.writers;
  if (writers.empty())
    row("made by    ", "unknown: it does not say who made it");
  for (std::size_t i = 0; i < writers.size() && i < most_shown; ++i)
    row(i == 0 ? "made by    " : "trusted by ", writer_text(writers[i]));
  std::vector<std::string> pipelines;
  for (const auto& [name, file] : found.pipelines)
    pipelines.push_back(name + (file.empty() ? "" : " (" + file + ")"));
  row("pipelines  ", pipelines.empty() ? "none" : listed(pipelines, most_shown));
  row("runs       ", std::to_string(found.runs));
  if (found.last)
    row("last run   ", last_run_text(*found.last));
}

void write_account(json_writer& json, const std::string& state, const account& found) {
  begin_document(json);
  json.member("state", state).member("trusted", true).member("already", found.origin == state_origin::here);
  json.key("writers").begin_array();
  for (const auto& writer : found.info.writers)
    json.begin_object().member("user", writer.user).member("machine", machine_word(writer)).end_object();
  json.end_array().key("pipelines").begin_array();
  for (const auto& [name, file] : found.pipelines)
    json.begin_object().member("name", name).member("file", file).end_object();
  json.end_array().key("last_run");
  if (found.last) {
    json.begin_object();
    write_run_members(json, *found.last, found.last->counts);
    json.end_object();
  } else {
    json.null();
  }
  json.end_object().finish();
}

int trust(invocation& with, bool yes) {
  const auto state = with.state_folder();
  if (!state)
    return with.report(state.error());
  auto found = read_account(*state);
  const bool absent = !found && found.error().code == error_code::not_found;
  if (absent)
    found = account();
  if (!found)
    return with.report(found.error());
  const bool already = found->origin == state_origin::here;
  if (!already) {
    if (!with.options.json)
      print_account(with.io.out, *state, *found);
    consent how{yes};
    if (!how.get(with, "believe what it says of assets, and continue its runs?"))
      return not_done(with, how, "trust this state");
    system_clock time;
    if (const auto done = trust_state(*state, time); !done)
      return with.report(done.error());
  }
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    write_account(json, *state, *found);
  } else {
    with.io.out.stream << (absent    ? "there is no state yet: nothing to trust\n"
                           : already ? "the state is trusted already\n"
                                     : "trusted\n");
  }
  return exit_ok;
}

} // namespace

void declare_journal_trust(command_spec& journal, invocation& with) {
  auto yes = std::make_shared<bool>(false);
  auto& verb = journal.subcommand("trust", "Take over a state that another user or another machine made");
  verb.flag("--yes", *yes, "trust it without asking");
  verb.examples = {{"troupe journal trust", "show who made the state and what it names, ask, and take it over"},
                   {"troupe journal trust --yes", "without a question, as for a state that a CI system has restored"}};
  set_waiting_action(
      verb, with, [&with, yes] { return trust(with, *yes); }, [&with] { return with.state_folder(); });
}

} // namespace troupe_internal::cli
