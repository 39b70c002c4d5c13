// `troupe journal rebuild` and `troupe journal compact`: the journal made anew.
#include "adapters/journal/lmdb_remake.hpp"
#include "cli/verbs.hpp"
#include "cli/waiting.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

#include <algorithm>

namespace troupe_internal::cli {

namespace {

int rebuild(invocation& with, bool drop_history) {
  const auto state = with.state_folder();
  if (!state)
    return with.report(state.error());
  auto done = rebuild_journal(*state, drop_history);
  const bool absent = !done && done.error().code == error_code::not_found;
  if (absent)
    done = journal_rebuild();
  if (!done)
    return with.report(done.error());
  auto& to = with.io.out;
  if (with.options.json) {
    json_writer json(to.stream);
    begin_document(json);
    json.member("events", done->events).member("complete", done->complete);
    json.key("differences").begin_array();
    for (const auto& difference : done->differences)
      json.value(difference);
    json.end_array().end_object().finish();
    return exit_ok;
  }
  if (absent) {
    to.stream << "there is no state yet: nothing to rebuild\n";
    return exit_ok;
  }
  for (const auto& difference : done->differences)
    to.stream << to.colours.paint(tint::bad, "was: ") << printable(difference) << "\n";
  if (!done->complete)
    to.stream << "there was more than is listed here, or not all could be looked at\n";
  to.stream << to.colours.paint(tint::good, "rebuilt")
            << (drop_history ? " from the projections, without history"
                             : ": every projection made again from " + counted(done->events, "event"))
            << (done->differences.empty() ? "; nothing was otherwise before" : "") << "\n";
  return exit_ok;
}

/// What the pipelines that are named say is kept; without any, what the one says that all commands are about.
struct kept {
  retention_rule rule;
  duration logs = engine_settings{}.keep_logs;
};

result<kept> what_is_kept(invocation& with, const std::vector<std::string>& files, const std::string& state) {
  kept out;
  const auto named = with.options.file;
  auto wanted = files;
  if (wanted.empty())
    wanted.push_back(named);
  bool first = true;
  for (const auto& file : wanted) {
    with.options.file = file;
    const auto on = with.open();
    with.options.file = named;
    if (!on && files.empty() && named.empty() && !with.options.state.empty()) {
      with.warn("there is no pipeline file that could be read: what a state keeps by default is kept");
      return out;
    }
    if (!on)
      return on.error();
    if (with.options.state.empty() && on->state_folder != state)
      return fail(error_code::invalid_input, file + " keeps its state in " + on->state_folder + ", not in " + state +
                                                 ": name only pipelines that share a state, or the state with --state");
    out.rule.of_pipeline[std::string(on->p->name)] = on->p->engine.keep_runs;
    out.logs = first ? on->p->engine.keep_logs : std::max(out.logs, on->p->engine.keep_logs);
    first = false;
  }
  return out;
}

/// The state of the pipeline that -f names, else of the first one.
result<std::string> state_of(invocation& with, const std::vector<std::string>& files) {
  const auto named = with.options.file;
  if (!files.empty() && named.empty())
    with.options.file = files.front();
  auto state = with.state_folder();
  with.options.file = named;
  return state;
}

int compact(invocation& with, const std::vector<std::string>& files) {
  const auto state = state_of(with, files);
  if (!state)
    return with.report(state.error());
  const auto keep = what_is_kept(with, files, *state);
  if (!keep)
    return with.report(keep.error());
  auto done = compact_state(*state, keep->rule, keep->logs);
  const bool absent = !done && done.error().code == error_code::not_found;
  if (absent)
    done = state_compaction();
  if (!done)
    return with.report(done.error());
  auto& to = with.io.out;
  if (with.options.json) {
    json_writer json(to.stream);
    begin_document(json);
    json.member("events_dropped", done->events_dropped).member("runs_dropped", done->runs_dropped);
    json.member("logs_dropped", done->logs_dropped);
    json.member("bytes_before", done->bytes_before).member("bytes_after", done->bytes_after).end_object().finish();
  } else if (absent) {
    to.stream << "there is no state yet: nothing to compact\n";
  } else {
    to.stream << to.colours.paint(tint::good, "compacted") << ": " << bytes_text(done->bytes_before) << " before, "
              << bytes_text(done->bytes_after) << " now; dropped " << counted(done->runs_dropped, "run") << " with "
              << counted(done->events_dropped, "event") << ", and the logs of " << counted(done->logs_dropped, "run")
              << "\n";
  }
  return exit_ok;
}

} // namespace

void declare_journal_remake(command_spec& journal, invocation& with) {
  auto drop_history = std::make_shared<bool>(false);
  auto& rebuild_verb = journal.subcommand("rebuild", "Make every projection again from the events");
  rebuild_verb.flag("--drop-history", *drop_history,
                    "where the events themselves are damaged: keep what the projections say, drop all runs and events");
  rebuild_verb.examples = {{"troupe journal rebuild", "after `journal verify` has found projections damaged"},
                           {"troupe journal rebuild --drop-history", "events are damaged: what is fresh stays fresh"}};
  set_waiting_action(
      rebuild_verb, with, [&with, drop_history] { return rebuild(with, *drop_history); },
      [&with] { return with.state_folder(); });
  auto files = std::make_shared<std::vector<std::string>>();
  auto& compact_verb =
      journal.subcommand("compact", "Drop the runs and logs that need not be kept, and shrink the file");
  compact_verb
      .positionals("FILE", *files,
                   "pipelines that share the state: each keeps as many runs as its engine.keep_runs says; "
                   "default: the pipeline file alone")
      .completes = completion::files;
  compact_verb.examples = {{"troupe journal compact", "as engine.keep_runs and engine.keep_logs say"},
                           {"troupe journal compact etl.json report.json", "of a state that two pipelines share"}};
  set_waiting_action(
      compact_verb, with, [&with, files] { return compact(with, *files); },
      [&with, files] { return state_of(with, *files); });
}

} // namespace troupe_internal::cli
