// `troupe cancel`: end a live run from elsewhere.
#include "cli/run_text.hpp"
#include "cli/verbs.hpp"
#include "views/documents.hpp"

namespace troupe_internal::cli {

namespace {

int cancel(invocation& with, const std::string& name) {
  auto state = with.state_folder();
  if (!state)
    return with.report(state.error());
  auto run = cancel_run(*state, name.empty() ? std::nullopt : std::optional(name));
  if (!run)
    return with.report(run.error());
  auto& to = with.io.out;
  if (with.options.json) {
    json_writer json(to.stream);
    begin_document(json);
    write_run_members(json, *run, run->counts);
    json.end_object().finish();
  } else {
    to.stream << "run #" << run->run.value << " " << to.colours.paint(tint_of(run->status), to_string(run->status))
              << ": " << (run->dequeued ? "never started" : counts_text(run->counts)) << "\n";
  }
  return exit_ok;
}

} // namespace

void declare_cancel(command_spec& root, invocation& with) {
  auto name = std::make_shared<std::string>();
  auto& verb = root.subcommand(
      "cancel",
      "End a live run from another terminal, and wait until it has ended; or take a queued one off the queue");
  verb.positional("RUN", *name, false, "#42, 42, an id or a unique prefix of one; default: the live run").completes =
      completion::runs;
  verb.examples = {{"troupe cancel", "the run that is going on in this state"}};
  verb.action = [name, &with] { return cancel(with, *name); };
}

} // namespace troupe_internal::cli
