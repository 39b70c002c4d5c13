// A pattern is looked at from its beginning and from its end, component texts and slashes alike.
#include "config/matrix_ids.hpp"

#include "base/shown_text.hpp"
#include "config/findings.hpp"
#include "config/value_text.hpp"
#include "core/pipeline/glob.hpp"

namespace troupe_internal::config {
namespace {

bool is_special(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '[' || c == ']' || c == ',';
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += digits[byte >> 4U];
  out += digits[byte & 0xFU];
}

/// How many bytes of the text are one character of UTF-8 at its beginning; 0: it begins with none.
std::size_t character_at(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t size = first < 0x80                    ? 1
                           : first >= 0xC2 && first < 0xE0 ? 2
                           : first >= 0xE0 && first < 0xF0 ? 3
                           : first >= 0xF0 && first < 0xF5 ? 4
                                                           : 0;
  if (size == 0 || size > text.size())
    return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80)
      return 0;
  const auto second = size > 1 ? static_cast<unsigned char>(text[1]) : 0U;
  const bool wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                     (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return wrong ? 0 : size;
}

/// Where the bracket expression that begins at `open` ends: behind its "]"; npos if it has none in its component.
std::size_t end_of_set(std::string_view pattern, std::size_t open) {
  auto at = open + 1;
  if (at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^'))
    ++at;
  for (const auto first = at; at < pattern.size() && pattern[at] != '/'; ++at) {
    if (pattern[at] == '\\' && at + 1 < pattern.size())
      ++at;
    else if (pattern[at] == ']' && at > first)
      return at + 1;
  }
  return std::string_view::npos;
}

} // namespace

std::string id_of_text(std::string_view text) {
  std::string id;
  while (!text.empty()) {
    const auto size = character_at(text);
    if (size == 0 || text.front() == '%' || is_special(text.front())) {
      append_escaped(id, text.front());
      text.remove_prefix(1);
    } else {
      id += text.substr(0, size);
      text.remove_prefix(size);
    }
  }
  return id;
}

std::string id_problem(std::string_view text) {
  if (text.empty() || text.size() > max_name_bytes)
    return std::string(text.empty() ? "is empty" : "is longer than 200 bytes") +
           "; it becomes part of the asset's name";
  for (const char c : text)
    if (is_special(c))
      return in_quotes(text) + " becomes part of the asset's name, where [ ] , and control characters cannot stand";
  return {};
}

glob_ids::glob_ids(std::string_view pattern) {
  pattern = without_slash(pattern);
  bool wild = false;
  for (std::size_t at = 0; at < pattern.size();) {
    const char c = pattern[at];
    const auto set_end = c == '[' ? end_of_set(pattern, at) : std::string_view::npos;
    if (c == '*' || c == '?' || set_end != std::string_view::npos) {
      wild = true;
      after_.clear();
      at = set_end != std::string_view::npos ? set_end : at + 1;
      continue;
    }
    const bool escaped = c == '\\' && at + 1 < pattern.size() && pattern[at + 1] != '/';
    (wild ? after_ : before_) += escaped ? pattern[at + 1] : c;
    at += escaped ? 2 : 1;
  }
  if (!wild) // the path says it all
    before_.clear();
}

std::string_view glob_ids::of(std::string_view match) const {
  auto left = match;
  if (left.starts_with(before_))
    left.remove_prefix(before_.size());
  if (left.ends_with(after_))
    left.remove_suffix(after_.size());
  else // "a/**/x" matches "a/x": the two texts share the slash
    left = {};
  return left.empty() ? std::string_view(".") : left;
}

} // namespace troupe_internal::config
