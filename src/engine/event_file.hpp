// What the commands of a run are told of the events that it is for: the file TROUPE_EVENT. Knows its format, and how to
// find events in a history; nothing of who runs.
#pragma once

#include "core/model/event.hpp"
#include "engine/payload_store.hpp"
#include "ports/journal_store.hpp"

#include <string>
#include <vector>

namespace troupe_internal {

/// Its name in the folder of the run's logs.
inline constexpr const char* event_file_name = "events.json";
/// What it says: {"events": [{"id", "trigger", "kind", "at", "nominal", "key", "payload" or "payload_file",
/// "files"}]}. A text that is gone is left out.
[[nodiscard]] std::string events_document(const std::vector<event_taken>& events, const payload_store& payloads);
/// Adds to `known` those of the events of a cause that are missing, as far as the history has them; in order.
[[nodiscard]] result<void> complete_events(const journal_snapshot& history, const run_cause& cause,
                                           std::vector<event_taken>& known);

} // namespace troupe_internal
