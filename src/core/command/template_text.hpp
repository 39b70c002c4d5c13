// The notation {{ params.x }}: text cut into literal pieces and names. Knows what may stand between the braces, not
// what it stands for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// What a template may name.
enum class template_name : std::uint8_t { literal, param, matrix, asset_name, run_id, inputs, outputs };

/// One piece of a template's text; views into it.
struct template_piece {
  template_name name = template_name::literal;
  std::string_view text;              ///< literal: the text; param, matrix: the variable's name
  std::optional<std::uint32_t> index; ///< of inputs[2], outputs[0]
  std::string_view written;           ///< the whole {{ … }}, for messages

  /// Stands for any number of values, not for one.
  [[nodiscard]] bool is_list() const {
    return (name == template_name::inputs || name == template_name::outputs) && !index;
  }
};

/// A template (or a name in one) for a message: the end of a long one is "…".
[[nodiscard]] std::string shown(std::string_view written);

/// Something between (or missing from) braces that is no template.
struct template_problem {
  std::string_view written;
  std::string message;
};

/// Whether the text holds anything but itself. False for nearly every text, and cheap.
[[nodiscard]] inline bool has_template(std::string_view text) {
  return text.find("{{") != std::string_view::npos;
}

/// Cuts the text: {{{{ is a literal {{. What cannot be read goes to `problems` and is left out.
[[nodiscard]] std::vector<template_piece> parse_template(std::string_view text,
                                                         std::vector<template_problem>& problems);
/// The same, behind the pieces that are there already.
void parse_template(std::string_view text, std::vector<template_piece>& pieces,
                    std::vector<template_problem>& problems);

} // namespace troupe_internal
