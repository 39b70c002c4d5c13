// Values in texts that no shell reads.
#include "core/command/expansion.hpp"

namespace troupe_internal {

bool expansion::env_value(std::span<const template_piece> pieces, std::string& out) {
  for (const auto& piece : pieces) {
    bool first = true;
    const auto insert = [&](std::string_view value, bool path) {
      if (!std::exchange(first, false))
        out += '\n';
      append(out, value, path);
    };
    if (!values(piece, insert))
      return false;
  }
  return true;
}

bool expansion::add_to_file(std::string& content, value_filter kind, std::string_view value, bool path) {
  if (kind == value_filter::file && value.find('\n') != std::string_view::npos)
    return false;
  const bool option = path && value.starts_with('-');
  if (option) {
    passed_otherwise_ = true;
    content += "./";
  }
  if (kind != value_filter::rsp) {
    content += value;
    content += kind == value_filter::file ? '\n' : '\0';
    return true;
  }
  if (value.empty())
    content += "\"\"";
  for (const char c : value) {
    if (std::string_view(" \t\n\v\f\r\\'\"").find(c) != std::string_view::npos)
      content += '\\';
    content += c;
  }
  content += '\n';
  return true;
}

bool expansion::inserts_dash(std::span<const template_piece> pieces) {
  bool found = false;
  for (const auto& piece : pieces)
    if (piece.name == template_name::inputs || piece.name == template_name::outputs ||
        piece.name == template_name::matrix)
      static_cast<void>(
          values(piece, [&](std::string_view value, bool path) { found = found || (path && value.starts_with('-')); }));
  return found;
}

} // namespace troupe_internal
