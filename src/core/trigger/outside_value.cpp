// The rules in the order in which they are stated.
#include "core/trigger/outside_value.hpp"

#include "base/utf8.hpp"
#include "core/command/template_text.hpp"

#include <algorithm>
#include <vector>

namespace troupe_internal {
namespace {

bool is_safe_in_paths(std::string_view value) {
  const auto is_word = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  if (value.empty() || value.size() > 200 || !is_word(value.front()))
    return false;
  return std::all_of(value.begin(), value.end(),
                     [&](char c) { return is_word(c) || c == '.' || c == ':' || c == '+' || c == '-'; });
}

/// Of ASCII and of Latin-1, as UTF-8.
bool has_control_character(std::string_view value) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto c = static_cast<unsigned char>(value[i]);
    if (c < 0x20 || c == 0x7F || (c == 0xC2 && i + 1 < value.size() && static_cast<unsigned char>(value[i + 1]) < 0xA0))
      return true;
  }
  return false;
}

/// How many parts of a path are "..".
std::size_t steps_up(std::string_view path) {
  std::size_t count = 0;
  for (std::size_t from = 0; from <= path.size();) {
    const auto end = std::min(path.find('/', from), path.size());
    count += path.substr(from, end - from) == ".." ? 1 : 0;
    from = end + 1;
  }
  return count;
}

/// The text of a path with the value for the param, and a letter for everything else that is filled in.
std::string filled_in(std::string_view path, std::string_view param, std::string_view value) {
  std::vector<template_problem> problems; // such a pipeline does not load
  std::string out;
  for (const auto& piece : parse_template(path, problems)) {
    if (piece.name == template_name::literal)
      out += piece.text;
    else if (piece.name == template_name::param && piece.text == param)
      out += value;
    else
      out += 'x';
  }
  return out;
}

} // namespace

std::string outside_value_problem(std::string_view param, std::string_view value, const param_use& use,
                                  const value_pattern* allow) {
  const std::string start = "the value for the param \"" + std::string(param) + "\" ";
  if (value.size() > max_outside_bytes)
    return start + "is longer than 4096 bytes";
  if (has_control_character(value))
    return start + "holds a control character";
  if (!is_utf8(value))
    return start + "is not UTF-8";
  if (allow != nullptr) {
    if (!allow->matches(value))
      return start + "does not match what \"allow\" has for it";
  } else {
    if (!use.paths.empty() && !is_safe_in_paths(value))
      return start + "goes into a path, so it has to begin with a letter, a digit or _ and may hold only letters, "
                     "digits and . _ : + - (at most 200 bytes); \"allow\" in the trigger can say otherwise";
    if (use.begins_argument && value.starts_with('-'))
      return start + "begins with -, so a command would take it for an option; \"allow\" in the trigger can say "
                     "otherwise";
  }
  for (const auto& path : use.paths) {
    const auto as_declared = filled_in(path, param, "x");
    const auto with_value = filled_in(path, param, value);
    if (steps_up(with_value) > steps_up(as_declared) || (with_value.starts_with('/') && !as_declared.starts_with('/')))
      return start + "would lead a path out of the folder that the file declares";
  }
  return {};
}

std::string outside_value_problem(const trigger_set& set, const trigger& of, std::string_view param,
                                  std::string_view value) {
  const auto use = set.uses.find(param);
  const auto allow = of.allow.find(param);
  return outside_value_problem(param, value, use == set.uses.end() ? param_use{} : use->second,
                               allow == of.allow.end() ? nullptr : &allow->second);
}

std::string outside_values_problem(const trigger_set& set,
                                   const std::vector<std::pair<std::string, std::string>>& values) {
  const trigger none;
  for (const auto& [param, value] : values)
    if (auto problem = outside_value_problem(set, none, param, value); !problem.empty())
      return problem;
  return {};
}

} // namespace troupe_internal
