// Depfiles: any bytes are read or refused in words, and what compilers write comes back name by name.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "base/utf8.hpp"
#include "engine/depfile.hpp"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

namespace troupe_internal::fuzz {
namespace {

/// A name as gcc writes it (munge() of libcpp's mkdeps.c): blanks get a backslash and double those before them.
std::string munged(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (c == ' ' || c == '\t') {
      for (std::size_t k = i; k > 0 && name[k - 1] == '\\'; --k)
        out += '\\';
      out += '\\';
    } else if (c == '$') {
      out += '$';
    } else if (c == '#') {
      out += '\\';
    }
    out += c;
  }
  return out;
}

/// Whether make's notation can say it at all.
bool can_be_written(std::string_view name) {
  return !name.empty() && name.find_first_of(std::string_view("\n\0", 2)) == std::string_view::npos &&
         name.back() != '\\' && name.back() != ':' && name.back() != '\r' &&
         name.find("\\:") == std::string_view::npos && name != ":";
}

std::string written(const std::vector<std::string>& names) {
  std::string text = "out.o:";
  for (const auto& name : names)
    text += " \\\n " + munged(name);
  return text + "\n";
}

} // namespace

void fuzz_depfile(std::string_view bytes) {
  const auto found = parse_depfile(bytes);
  if (found) {
    std::size_t size = 0;
    std::unordered_set<std::string> seen;
    for (const auto& name : *found) {
      FUZZ_CHECK(!name.empty() && name.find('\0') == std::string::npos, "no name is empty or holds a NUL");
      FUZZ_CHECK(seen.insert(name).second, "each name once");
      size += name.size();
    }
    FUZZ_CHECK(size <= bytes.size(), "names are no longer than their text");
  } else {
    const auto& message = found.error().message;
    FUZZ_CHECK(found.error().code == error_code::invalid_input, message);
    FUZZ_CHECK(is_utf8(message) && message.size() < 300 && message.starts_with("line "), message);
  }

  std::vector<std::string> names; // the lines of the input
  for (std::size_t at = 0; at <= bytes.size();) {
    const auto end = std::min(bytes.find('\n', at), bytes.size());
    const std::string name(bytes.substr(at, end - at));
    if (can_be_written(name) && std::find(names.begin(), names.end(), name) == names.end() && names.size() < 20)
      names.push_back(name);
    at = end + 1;
  }
  const auto again = parse_depfile(written(names));
  FUZZ_CHECK(again.has_value(), again ? "" : again.error().message);
  FUZZ_CHECK(*again == names, "what a compiler writes comes back");
}

} // namespace troupe_internal::fuzz
