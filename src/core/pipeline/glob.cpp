// Matching by the greedy walk with one point to go back to: a later * makes every earlier one final, so the time is at
// most pattern times text, whatever the pattern. The same holds for ** over components: a component's pattern matches
// either hidden ones only or none of them, so a later start never passes a hidden component that an earlier one cannot.
#include "core/pipeline/glob.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace troupe_internal {
namespace {

constexpr auto npos = std::string_view::npos;

/// The character that starts at `at`, which is moved behind it; a byte that is not UTF-8 counts as one character.
char32_t next_character(std::string_view text, std::size_t& at) {
  const auto first = static_cast<std::uint8_t>(text[at]);
  if (first >= 0x80)
    if (const auto next = decode_utf8(text.substr(at)); next.valid) {
      at += next.bytes;
      return next.point;
    }
  ++at;
  return first < 0x80 ? first : 0x110000U + first; // beyond Unicode: never equal to a real character
}

/// Whether `c` is in the set that begins behind the "[" at `at`, which is moved behind the "]"; nullopt if the set is
/// never closed. "!" or "^" in first place negates; a "]" in first place, and a "-" in first or last, stand for
/// themselves.
std::optional<bool> in_set(std::string_view pattern, std::size_t& at, char32_t c) {
  std::size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated)
    ++i;
  bool found = false;
  for (bool first = true; i < pattern.size(); first = false) {
    if (pattern[i] == ']' && !first) {
      at = i + 1;
      return found != negated;
    }
    const auto member = [&] {
      if (pattern[i] == '\\' && i + 1 < pattern.size())
        ++i;
      return next_character(pattern, i);
    };
    const char32_t low = member();
    char32_t high = low;
    if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
      ++i;
      high = member();
    }
    found = found || (low <= c && c <= high);
  }
  return std::nullopt;
}

/// Matches one element of the pattern other than * against one character; moves both on if it does.
bool step(std::string_view pattern, std::size_t& p, std::string_view text, std::size_t& t) {
  std::size_t after = t;
  const char32_t c = next_character(text, after);
  if (pattern[p] == '?') {
    ++p;
    t = after;
    return true;
  }
  if (pattern[p] == '[' && pattern.find(']', p + 1) != npos) { // many that are never closed are told at a glance
    std::size_t behind = p;
    if (const auto found = in_set(pattern, behind, c)) {
      if (*found) {
        p = behind;
        t = after;
      }
      return *found;
    }
  }
  std::size_t literal = p;
  if (pattern[literal] == '\\' && literal + 1 < pattern.size())
    ++literal;
  if (pattern[literal] != text[t])
    return false;
  p = literal + 1;
  ++t;
  return true;
}

/// An empty component, which no path in normal form has, is matched by an empty one only.
bool component_matches(std::string_view pattern, std::string_view text) {
  if (text.empty())
    return pattern.empty();
  const bool hidden = text.front() == '.';
  const bool asks_hidden = !pattern.empty() && (pattern.front() == '.' || pattern.substr(0, 2) == "\\.");
  return (!hidden || asks_hidden) && wildcard_matches(pattern, text);
}

/// Walks over the components of a path, which are what stands between its "/".
class components {
public:
  explicit components(std::string_view path) : rest_(path) { split(); }
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] bool last() const { return last_; }
  [[nodiscard]] std::string_view now() const { return now_; }
  void next() {
    done_ = last_;
    if (!done_)
      split();
  }

private:
  void split() {
    const auto slash = rest_.find('/');
    last_ = slash == npos;
    now_ = rest_.substr(0, slash);
    rest_ = last_ ? std::string_view() : rest_.substr(slash + 1);
  }

  std::string_view rest_, now_;
  bool last_ = false, done_ = false;
};

bool any_depth_may_take(std::string_view component) {
  return !component.empty() && component.front() != '.';
}

/// How many bytes of the pattern stand before its first wildcard.
std::size_t literal_length(std::string_view pattern) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\')
      ++i;
    else if (pattern[i] == '*' || pattern[i] == '?' || pattern[i] == '[')
      return i;
  }
  return pattern.size();
}

std::string without_escapes(std::string_view pattern) {
  std::string text;
  text.reserve(pattern.size());
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size() && pattern[i + 1] != '/') // at a component's end it is itself
      ++i;
    text += pattern[i];
  }
  return text;
}

} // namespace

bool is_glob(std::string_view text) {
  return literal_length(text) != text.size();
}

bool wildcard_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = npos; // behind the last * seen
  std::size_t resume = 0;  // where its match of the text ends so far
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      resume = t;
      continue;
    }
    if (p < pattern.size() && step(pattern, p, text, t))
      continue;
    if (star == npos)
      return false;
    p = star;
    next_character(text, resume);
    t = resume;
  }
  while (p < pattern.size() && pattern[p] == '*')
    ++p;
  return p == pattern.size();
}

bool glob_matches(std::string_view pattern, std::string_view path) {
  components p(pattern);
  components t(path);
  std::optional<components> star; // behind the last ** seen
  std::optional<components> resume;
  while (!t.done()) {
    if (!p.done() && p.now() == "**") {
      if (p.last()) { // takes all that is left, which is something
        for (; !t.done(); t.next())
          if (!any_depth_may_take(t.now()))
            return false;
        return true;
      }
      p.next();
      star = p;
      resume = t;
      continue;
    }
    if (!p.done() && component_matches(p.now(), t.now())) {
      p.next();
      t.next();
      continue;
    }
    if (!star || !any_depth_may_take(resume->now()))
      return false;
    resume->next();
    p = *star;
    t = *resume;
  }
  return p.done();
}

// All positions in the pattern that some reading of the path's components so far leads to.
glob_relation relate_to_glob(std::string_view pattern, std::string_view path) {
  if (path == "." || path == "/") { // where paths begin, with no component of their own
    const bool reaches = path == "/" ? pattern.starts_with('/') && pattern.size() > 1
                                     : !pattern.starts_with('/') && pattern != ".." && !pattern.starts_with("../");
    return {pattern == path, false, reaches, reaches};
  }
  std::vector<std::string_view> parts;
  for (components p(pattern); !p.done(); p.next())
    parts.push_back(p.now());
  std::vector<bool> at(parts.size() + 1, false);
  std::vector<bool> next(parts.size() + 1);
  const auto open_up = [&](std::vector<bool>& positions) { // ** stands for nothing too, but for a last one
    for (std::size_t i = 0; i + 1 < parts.size(); ++i)
      if (positions[i] && parts[i] == "**")
        positions[i + 1] = true;
  };
  at[0] = true;
  open_up(at);
  glob_relation relation;
  for (components t(path); !t.done(); t.next()) {
    if (at.back())
      relation.beneath = true;
    next.assign(next.size(), false);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (!at[i])
        continue;
      if (parts[i] == "**") {
        if (any_depth_may_take(t.now())) {
          next[i] = true;
          if (i + 1 == parts.size())
            next[i + 1] = true;
        }
      } else if (component_matches(parts[i], t.now())) {
        next[i + 1] = true;
        relation.by_name = relation.by_name || (t.last() && i + 1 < parts.size());
      }
    }
    open_up(next);
    at.swap(next);
  }
  relation.matches = at.back();
  relation.reaches = std::find(at.begin(), at.end() - 1, true) != at.end() - 1;
  return relation;
}

bool enters_folders(std::string_view pattern) {
  const auto rest = pattern.substr(std::min(pattern.size(), literal_length(pattern)));
  return rest.find('/') != npos || rest.find("**") != npos;
}

std::string glob_of_path(std::string_view path) {
  std::string pattern;
  pattern.reserve(path.size());
  for (const char c : path) {
    if (c == '*' || c == '?' || c == '[' || c == '\\')
      pattern += '\\';
    pattern += c;
  }
  return pattern;
}

bool glob_takes(std::string_view glob, std::string_view path) {
  if (!asks_for_folders(glob))
    return glob_matches(glob, path);
  const auto relation = relate_to_glob(without_slash(glob), path);
  return relation.matches || relation.beneath;
}

std::string glob_root(std::string_view pattern) {
  const auto slash = pattern.substr(0, literal_length(pattern)).rfind('/');
  if (slash == npos)
    return {};
  return slash == 0 ? "/" : without_escapes(pattern.substr(0, slash));
}

std::string_view glob_rest(std::string_view pattern) {
  const auto slash = pattern.substr(0, literal_length(pattern)).rfind('/');
  return slash == npos ? pattern : pattern.substr(slash + 1);
}

std::string glob_prefix(std::string_view pattern) {
  return without_escapes(pattern.substr(0, literal_length(pattern)));
}

} // namespace troupe_internal
