// Globs against matchers that try every way, and the paths that pipelines are written with.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "base/utf8.hpp"
#include "config/path_text.hpp"
#include "core/pipeline/exclusion.hpp"
#include "core/pipeline/glob.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe_internal::fuzz {
namespace {

using characters = std::vector<char32_t>;

/// Of what is no UTF-8 each byte is a character of its own, unlike all others.
characters characters_of(std::string_view text) {
  characters all;
  while (!text.empty()) {
    const auto next = decode_utf8(text);
    all.push_back(next.valid ? next.point : 0x110000U + static_cast<unsigned char>(text.front()));
    text.remove_prefix(next.valid ? next.bytes : 1);
  }
  return all;
}

/// Wildcards as the header describes them, by trying every length for every *.
class wildcard_oracle {
public:
  wildcard_oracle(std::string_view pattern, std::string_view text)
      : p_(characters_of(pattern)), t_(characters_of(text)), known_((p_.size() + 1) * (t_.size() + 1), -1) {}
  bool matches() { return from(0, 0); }

private:
  bool from(std::size_t p, std::size_t t) {
    auto& known = known_[p * (t_.size() + 1) + t];
    if (known < 0)
      known = look(p, t) ? 1 : 0;
    return known == 1;
  }
  bool look(std::size_t p, std::size_t t) {
    if (p == p_.size())
      return t == t_.size();
    if (p_[p] == '*')
      return from(p + 1, t) || (t < t_.size() && from(p, t + 1));
    if (t == t_.size())
      return false;
    if (p_[p] == '?')
      return from(p + 1, t + 1);
    if (p_[p] == '[') {
      bool in = false;
      if (const auto behind = set(p, t_[t], in))
        return in && from(*behind, t + 1);
    }
    if (p_[p] == '\\' && p + 1 < p_.size())
      ++p;
    return p_[p] == t_[t] && from(p + 1, t + 1);
  }
  /// Where the set ends that begins at `p`; nullopt if nowhere.
  std::optional<std::size_t> set(std::size_t p, char32_t c, bool& in) const {
    std::size_t i = p + 1;
    const bool negated = i < p_.size() && (p_[i] == '!' || p_[i] == '^');
    i += negated ? 1 : 0;
    bool found = false;
    for (const std::size_t begin = i; i < p_.size();) {
      if (p_[i] == ']' && i != begin) {
        in = found != negated;
        return i + 1;
      }
      const auto one = [&] {
        if (p_[i] == '\\' && i + 1 < p_.size())
          ++i;
        return p_[i++];
      };
      const char32_t low = one();
      char32_t high = low;
      if (i + 1 < p_.size() && p_[i] == '-' && p_[i + 1] != ']') {
        ++i;
        high = one();
      }
      found = found || (low <= c && c <= high);
    }
    return std::nullopt;
  }

  characters p_, t_;
  std::vector<int> known_;
};

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto slash = path.find('/');
    parts.push_back(path.substr(0, slash));
    if (slash == path.npos)
      return parts;
    path.remove_prefix(slash + 1);
  }
}

class path_oracle {
public:
  path_oracle(std::string_view pattern, std::string_view path) : p_(split(pattern)), t_(split(path)) {}
  bool from(std::size_t p, std::size_t t) {
    const auto known = known_.find({p, t});
    if (known != known_.end())
      return known->second;
    return known_[{p, t}] = look(p, t);
  }

private:
  static bool shown(std::string_view component) { return !component.empty() && component.front() != '.'; }
  bool look(std::size_t p, std::size_t t) {
    if (p == p_.size())
      return t == t_.size();
    if (p_[p] == "**") {
      if (p + 1 == p_.size()) // what is in a folder, not the folder
        return t < t_.size() && shown(t_[t]) && (t + 1 == t_.size() || from(p, t + 1));
      return from(p + 1, t) || (t < t_.size() && shown(t_[t]) && from(p, t + 1));
    }
    if (t == t_.size())
      return false;
    if (t_[t].empty()) // no path in normal form has such a component
      return p_[p].empty() && from(p + 1, t + 1);
    const bool hidden = t_[t].starts_with('.');
    const bool asks = p_[p].starts_with('.') || p_[p].starts_with("\\.");
    return (!hidden || asks) && wildcard_oracle(p_[p], t_[t]).matches() && from(p + 1, t + 1);
  }

  std::vector<std::string_view> p_, t_;
  std::map<std::pair<std::size_t, std::size_t>, bool> known_;
};

void check_matching(std::string_view written) {
  config::declared_path path;
  config::read_path(written, path);
  if (!path.problem.empty())
    return;
  FUZZ_CHECK(!path.text.empty() && path.text.find("//") == path.text.npos, path.text);
  FUZZ_CHECK(!path.text.ends_with('/') || (path.glob && written.ends_with('/')), path.text);
  FUZZ_CHECK(path.glob == is_glob(path.text) || !path.glob, path.text);
  FUZZ_CHECK(config::is_at_or_beneath(path.text, path.text), path.text);
  if (path.text.find('\\') != path.text.npos)
    return; // escapes were taken away
  config::declared_path again;
  config::read_path(path.text, again);
  if (!path.glob && is_glob(path.text))
    return; // an escaped wildcard
  FUZZ_CHECK(again.problem.empty() && again.text == path.text, again.text);
}

/// As read_path() leaves them; of others the walk promises nothing but an end.
bool normalised(std::string_view path) {
  return path.find("//") == path.npos && !path.ends_with('/');
}

} // namespace

void fuzz_glob(std::string_view bytes) {
  input in(bytes);
  const auto pattern = in.text();
  const auto path = in.text();
  check_matching(pattern);
  check_matching(path);
  if (pattern.size() > 200 || path.size() > 200)
    return static_cast<void>(glob_matches(pattern, path));
  const std::string shown = std::string(pattern) + " against " + std::string(path);
  const bool matches = glob_matches(pattern, path);
  if (is_utf8(pattern)) {
    FUZZ_CHECK(wildcard_matches(pattern, path) == wildcard_oracle(pattern, path).matches(), shown);
    if (normalised(pattern) && normalised(path))
      FUZZ_CHECK(matches == path_oracle(pattern, path).from(0, 0), shown);
  }
  if (normalised(pattern) && normalised(path) && path != "." && path != "/") {
    const auto relation = relate_to_glob(pattern, path);
    FUZZ_CHECK(relation.matches == matches, shown);
    for (auto end = path.find('/', 1); end != path.npos; end = path.find('/', end + 1))
      FUZZ_CHECK(relation.beneath || !glob_matches(pattern, path.substr(0, end)), shown);
    const auto slash = path.rfind('/');
    FUZZ_CHECK(!matches || slash == path.npos || slash == 0 || relate_to_glob(pattern, path.substr(0, slash)).reaches,
               shown);
    FUZZ_CHECK(takes_out(glob_of_path(path), path) && (!matches || takes_out(pattern, path)), shown);
    std::string name(path);
    const std::string_view patterns[] = {pattern};
    add_spelling(name, path, patterns);
    FUZZ_CHECK(unfiltered(name) == path || path.find('\0') != path.npos, shown);
  }
  if (!matches)
    return;
  FUZZ_CHECK(path.starts_with(glob_prefix(pattern)), shown);
  const auto root = glob_root(pattern);
  FUZZ_CHECK(root.empty() || path.starts_with(root == "/" ? root : root + "/"), shown);
  if (!is_glob(pattern))
    FUZZ_CHECK(glob_prefix(pattern) == path, shown);
}

} // namespace troupe_internal::fuzz
