// One pass over the components, into a string that is reused from path to path.
#include "config/path_text.hpp"

#include "core/pipeline/glob.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace troupe_internal::config {
namespace {

// PATH_MAX of Linux less the final zero: no system call takes more.
constexpr std::size_t max_path_bytes = 4095;

// Bytes that mean nothing wherever they stand in a path.
constexpr std::array<bool, 256> harmless_bytes = [] {
  std::array<bool, 256> harmless{};
  for (std::size_t c = 0x21; c < 0x7F; ++c)
    harmless[c] = std::string_view("/.*?[]\\").find(static_cast<char>(c)) == std::string_view::npos;
  return harmless;
}();

constexpr std::size_t max_glob_components = 256;
constexpr std::string_view any_depth = "**";

/// Whether the path's last two components are "**".
bool ends_in_two_depths(std::string_view path) {
  return path == "**/**" || path.ends_with("/**/**");
}

bool is_dot_dot(std::string_view component) {
  return component == "..";
}

void remove_escapes(std::string& text) {
  std::size_t to = 0;
  for (std::size_t from = 0; from < text.size(); ++from) {
    if (text[from] == '\\' && from + 1 < text.size() &&
        std::string_view("*?[]\\").find(text[from + 1]) != std::string_view::npos)
      ++from;
    text[to++] = text[from];
  }
  text.resize(to);
}

} // namespace

void read_path(std::string_view written, declared_path& out) {
  out.text.clear();
  out.glob = false;
  out.went_up = false;
  if (written.starts_with("\\!"))
    written.remove_prefix(1);
  out.problem = {};
  if (written.empty())
    out.problem = "is empty";
  else if (written.size() > max_path_bytes)
    out.problem = "is longer than 4095 bytes";
  if (!out.problem.empty())
    return;
  const bool absolute = written.front() == '/';
  if (absolute)
    out.text = '/';
  const std::size_t root = out.text.size();
  for (std::size_t at = 0; at <= written.size();) {
    auto end = written.find('/', at);
    if (end == std::string_view::npos)
      end = written.size();
    const auto component = written.substr(at, end - at);
    at = end + 1;
    if (component.empty() || component == ".")
      continue;
    if (is_dot_dot(component)) {
      const auto slash = out.text.rfind('/');
      const std::size_t last = slash == std::string::npos ? 0 : slash + 1;
      const auto before = std::string_view(out.text).substr(last);
      if (is_glob(before)) {
        out.problem = "has .. behind a wildcard";
        return;
      }
      if (!before.empty() && !is_dot_dot(before)) {
        out.text.resize(last > root ? last - 1 : root);
        out.went_up = true;
        continue;
      }
      if (absolute)
        continue; // "/.." is "/"
    }
    // "**/**" stands for what "**" stands for; only at the end the last of two asks for something to be there.
    if (ends_in_two_depths(std::string_view(out.text).substr(root))) {
      if (component == any_depth)
        continue;
      out.text.resize(out.text.size() - any_depth.size() - 1);
    }
    if (out.text.size() > root)
      out.text += '/';
    out.text += component;
  }
  if (out.text.size() == root) {
    out.problem = absolute ? "is the root folder" : "is the pipeline's own folder";
    return;
  }
  if (out.text.find_first_not_of(" \t\n") == std::string::npos) {
    out.problem = "is blank";
    return;
  }
  out.glob = is_glob(out.text);
  if (out.glob && std::count(out.text.begin(), out.text.end(), '/') >= std::ptrdiff_t{max_glob_components}) {
    out.problem = "is a pattern of more than 256 components";
    return;
  }
  if (out.glob && written.ends_with('/'))
    out.text += '/';
  if (!out.glob && out.text.find('\\') != std::string::npos)
    remove_escapes(out.text);
}

bool is_plain_path(std::string_view written) {
  bool begins = true; // a component
  for (const char c : written) {
    const bool harmless = harmless_bytes[static_cast<unsigned char>(c)];
    if (!harmless && (begins || (c != '/' && c != '.')))
      return false;
    begins = c == '/';
  }
  return !begins && written.size() <= max_path_bytes;
}

bool is_at_or_beneath(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

} // namespace troupe_internal::config
