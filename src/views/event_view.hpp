// Events of triggers for people and programs: `troupe events`. Knows no journal.
#pragma once

#include "base/json_writer.hpp"
#include "core/model/trigger_event.hpp"
#include "views/console.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe_internal::cli {

/// The members "format" and "events"; the object is left open for more.
void begin_events(json_writer& json, const std::vector<trigger_event_info>& events);
void print_events(const output& to, const std::vector<trigger_event_info>& events);
/// A fate by its word; nullopt: there is none of that name.
[[nodiscard]] std::optional<event_fate> fate_of(std::string_view word);

} // namespace troupe_internal::cli
