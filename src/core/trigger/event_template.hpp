// Templates in a trigger's params, {{ tick.date }} and the like, and what they become for an event. Knows no trigger
// and no JSON.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "core/schedule/time_zone.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// What a piece stands for.
enum class event_name : std::uint8_t { literal, tick_date, tick_time, tick_instant, body, header, event_id };

struct event_piece {
  event_name name = event_name::literal;
  std::string text;              ///< literal: the text; header: its name, in lower case
  std::vector<std::string> path; ///< body: keys, and numbers of elements
  friend bool operator==(const event_piece&, const event_piece&) = default;
};

/// A text with templates.
struct event_template {
  std::string written;
  std::vector<event_piece> pieces;

  [[nodiscard]] bool names(event_name wanted) const {
    for (const auto& piece : pieces)
      if (piece.name == wanted)
        return true;
    return false;
  }
  [[nodiscard]] bool of_tick() const {
    return names(event_name::tick_date) || names(event_name::tick_time) || names(event_name::tick_instant);
  }
  /// A value that somebody outside chose can be in it.
  [[nodiscard]] bool from_outside() const { return names(event_name::body) || names(event_name::header); }
  friend bool operator==(const event_template&, const event_template&) = default;
};

/// Cuts the text: {{{{ is a literal {{. invalid_input with what is wrong in it.
[[nodiscard]] result<event_template> parse_event_template(std::string_view text);
/// "body.a.b" or "header.name", without braces, as filters and keys write it.
[[nodiscard]] result<event_template> parse_event_value(std::string_view text);

/// What an event has to fill in.
struct event_values {
  std::optional<timestamp> tick; ///< the nominal moment
  const time_zone* zone = nullptr;
  std::string id;
  /// The value at a path of the body: a string's content, else as JSON writes it; nullopt: there is none, or it is an
  /// object or a list.
  std::function<std::optional<std::string>(const std::vector<std::string>& path)> body;
  /// By name in lower case.
  std::function<std::optional<std::string>(std::string_view name)> header;
};

/// The text for an event: dates and times of ticks as the zone's clocks show them, `2026-03-29` and `02:30:00`; the
/// instant in UTC, `2026-03-29T01:30:00Z`. invalid_input if the event lacks a value.
[[nodiscard]] result<std::string> render(const event_template& text, const event_values& values);

} // namespace troupe_internal
