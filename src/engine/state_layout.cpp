// Names of files and folders.
#include "engine/state_layout.hpp"

#include "base/digest.hpp"

#include <algorithm>
#include <vector>

namespace troupe_internal {

namespace {
/// Leaves room for ".4294967295.log" within the 255 bytes of a file name.
constexpr std::size_t longest_name = 200;

std::string as_file_name(std::string_view name) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string text;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                       c == '-' || c == '[' || c == ']' || c == ',' || c == '=' || (c == '.' && !text.empty());
    if (plain) {
      text += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      text += {'%', digits[byte >> 4U], digits[byte & 15U]};
    }
  }
  if (text.size() > longest_name) {
    text.resize(longest_name - 33);
    text += '~' + to_hex(quick_digest(name));
  }
  return text;
}
} // namespace

std::string run_log_folder(const std::string& state_folder, run_number run) {
  return state_folder + "/logs/" + std::to_string(run.value);
}

std::string log_path(const std::string& state_folder, run_number run, std::string_view asset_name,
                     std::uint32_t attempt) {
  return run_log_folder(state_folder, run) + "/" + log_file_name(asset_name, attempt);
}

std::string log_file_name(std::string_view asset_name, std::uint32_t attempt) {
  return as_file_name(asset_name) + "." + std::to_string(attempt) + ".log";
}

std::string response_file_name(std::string_view asset_name, std::uint32_t number) {
  return as_file_name(asset_name) + "." + std::to_string(number) + ".values";
}

std::string result_file_name(std::string_view run_id, asset_index asset, std::uint32_t attempt) {
  return std::string(run_id) + "." + std::to_string(asset.value) + "." + std::to_string(attempt);
}

bool is_result_file_name(std::string_view name) {
  constexpr std::size_t id_length = 36;
  const auto digits = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (name.size() <= id_length || name[id_length] != '.' ||
      name.substr(0, id_length).find_first_not_of("0123456789abcdef-") != std::string_view::npos)
    return false;
  const auto rest = name.substr(id_length + 1);
  const auto dot = rest.find('.');
  return dot != std::string_view::npos && digits(rest.substr(0, dot)) && digits(rest.substr(dot + 1));
}

std::string join_as_written(std::string_view folder, std::string_view path) {
  std::string joined = path.starts_with('/') ? std::string() : std::string(folder);
  const bool absolute = joined.starts_with('/') || path.starts_with('/');
  for (std::size_t at = 0; at < path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto part = path.substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".")
      continue;
    if ((!joined.empty() || absolute) && !joined.ends_with('/'))
      joined += '/';
    joined += part;
  }
  return joined.empty() ? (absolute ? "/" : ".") : joined;
}

std::string join_path(std::string_view folder, std::string_view path) {
  std::string joined = path.starts_with('/') ? std::string(path) : std::string(folder) + "/" + std::string(path);
  const bool absolute = joined.starts_with('/');
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at < joined.size();) {
    auto end = joined.find('/', at);
    if (end == std::string::npos)
      end = joined.size();
    const auto part = std::string_view(joined).substr(at, end - at);
    if (part == ".." && !parts.empty() && parts.back() != "..")
      parts.pop_back();
    else if (part == ".." && absolute)
      ;
    else if (!part.empty() && part != ".")
      parts.push_back(part);
    at = end + 1;
  }
  std::string text = absolute ? "/" : "";
  for (const auto part : parts) {
    if (!text.empty() && text.back() != '/')
      text += '/';
    text += part;
  }
  return text.empty() ? "." : text;
}

std::string relative_to(std::string_view folder, std::string_view path) {
  const auto inside = folder == "/" ? folder.size() : folder.size() + 1; // where a path beneath goes on
  if (path.size() > inside && path.starts_with(folder) && path[inside - 1] == '/')
    return std::string(path.substr(inside));
  return std::string(path);
}

} // namespace troupe_internal
