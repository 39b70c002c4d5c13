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
enum class template_name : std::uint8_t { literal, param, matrix, asset_name, run_id, inputs, outputs, pool };

/// A part of a path: of "a/x.tar.gz" the name "x.tar.gz", the stem "x.tar", the extension ".gz", the folder "a".
enum class path_part : std::uint8_t { whole, name, stem, extension, folder };

/// What is made of a template's values.
/// file, file0, rsp: the path of a file that Troupe writes, with a value a line, each value ended by a NUL, or as gcc
/// and ld read it behind "@".
enum class value_filter : std::uint8_t { none, join, file, file0, rsp };

/// One piece of a template's text; views into it.
struct template_piece {
  template_name name = template_name::literal;
  /// literal: the text; param, pool: its name; matrix: the variable's name, and what follows it up to a "["; inputs,
  /// outputs: the name of one, or empty.
  std::string_view text;
  std::optional<std::uint32_t> index = std::nullopt; ///< of inputs[2], outputs[0]
  bool rest = false;                                 ///< of inputs[2:]: that one and all that follow
  path_part part = path_part::whole;
  value_filter filter = value_filter::none;
  std::string_view separator; ///< of join
  std::string_view written;   ///< the whole {{ … }}, for messages

  [[nodiscard]] bool writes_file() const { return filter > value_filter::join; }
  [[nodiscard]] bool is_path() const { return name == template_name::inputs || name == template_name::outputs; }
  /// Names all inputs or outputs, or all behind one. A named input and a column of a row may be lists, too.
  [[nodiscard]] bool names_list() const {
    return is_path() && text.empty() && (!index || rest) && filter == value_filter::none;
  }
};

/// Reads ".name", ".stem", ".ext" or ".dir" at the end of a text, and takes it off.
[[nodiscard]] path_part take_part(std::string_view& text);
/// That part of a path; "." where the path has no folder.
[[nodiscard]] std::string_view part_of(std::string_view path, path_part part);

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
