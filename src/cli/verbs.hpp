// The verbs: each declares its arguments below `root` and what it does with them. One file a verb.
#pragma once

#include "cli/invocation.hpp"

namespace troupe_internal::cli {

// Each adds its command to `root`; `with` must outlive the parsing and the action.
void declare_run(command_spec& root, invocation& with);
void declare_plan(command_spec& root, invocation& with);
void declare_explain(command_spec& root, invocation& with);
/// The same under the name `why`, which is hidden.
void declare_why(command_spec& root, invocation& with);
void declare_command(command_spec& root, invocation& with);
void declare_list(command_spec& root, invocation& with);
void declare_which(command_spec& root, invocation& with);
void declare_history(command_spec& root, invocation& with);
void declare_validate(command_spec& root, invocation& with);
void declare_graph(command_spec& root, invocation& with);
void declare_status(command_spec& root, invocation& with);
void declare_triggers(command_spec& root, invocation& with);
void declare_events(command_spec& root, invocation& with);
void declare_queue(command_spec& root, invocation& with);
void declare_release(command_spec& root, invocation& with);
void declare_notify(command_spec& root, invocation& with);
void declare_runs(command_spec& root, invocation& with);
void declare_show(command_spec& root, invocation& with);
void declare_logs(command_spec& root, invocation& with);
void declare_resume(command_spec& root, invocation& with);
void declare_serve(command_spec& root, invocation& with);
void declare_stop(command_spec& root, invocation& with);
void declare_reload(command_spec& root, invocation& with);
/// --drain[=TIME], of verbs that stop a supervisor.
void declare_drain(command_spec& verb, std::optional<duration>& to, std::string what);
void declare_token(command_spec& root, invocation& with);
void declare_cancel(command_spec& root, invocation& with);
void declare_clean(command_spec& root, invocation& with);
void declare_adopt(command_spec& root, invocation& with);
void declare_journal(command_spec& root, invocation& with);
/// Of `journal`: what makes it anew.
void declare_journal_remake(command_spec& journal, invocation& with);
/// Of `journal`: what takes over a state that was made elsewhere.
void declare_journal_trust(command_spec& journal, invocation& with);
void declare_init(command_spec& root, invocation& with);
void declare_schema(command_spec& root, invocation& with);
void declare_completions(command_spec& root, invocation& with);
void declare_version(command_spec& root, invocation& with);
/// Hidden until there is more of it than --check.
void declare_serve(command_spec& root, invocation& with);
/// Hidden: what the shells' completions ask for names.
void declare_complete(command_spec& root, invocation& with);

} // namespace troupe_internal::cli
