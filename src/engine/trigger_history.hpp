// Events of triggers as the journal has them, each with what became of it; and asking the supervisor of a state for
// something of a trigger. Knows no trigger's definition.
#pragma once

#include "core/model/notice.hpp"
#include "core/model/trigger_event.hpp"
#include "engine/trigger_intake.hpp"
#include "ports/journal_store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe_internal {

struct events_wanted {
  std::optional<event_fate> fate;
  std::string trigger;      ///< TRIGGER or PIPELINE/TRIGGER; empty: all
  std::size_t limit = 0;    ///< 0: all
  std::uint64_t before = 0; ///< events with a lower `seq` alone; 0: all
};

/// Newest first. Reads all events that are kept.
[[nodiscard]] result<std::vector<trigger_event_info>> events_in(const journal_snapshot& snapshot,
                                                                const events_wanted& wanted);
/// The same of a state's folder; none where there is no state.
[[nodiscard]] result<std::vector<trigger_event_info>> list_events(const std::string& state_folder,
                                                                  const events_wanted& wanted);
/// What is remembered of the triggers; nothing where there is no state.
[[nodiscard]] result<std::vector<trigger_record>> list_trigger_records(const std::string& state_folder);
/// Notices that are to be delivered yet, oldest first, with the targets that are left; none where there is no state.
[[nodiscard]] result<std::vector<notice_taken>> list_waiting_notices(const std::string& state_folder);

/// Where no supervisor has the state: has keys of a trigger count no more, as its writer. not_found, and errors of
/// state_writer::open().
[[nodiscard]] result<taken_event> forget_keys_as_writer(const std::string& state_folder, const std::string& name,
                                                        const std::string& key, const std::string& by);

/// Through the control socket. state_unusable if no supervisor has the state; else as trigger_port::ask().
[[nodiscard]] result<taken_event> ask_supervisor(const std::string& state_folder, const trigger_ask& asked);

} // namespace troupe_internal
