// Values of names, and what is wrong with a name that has none.
#include "core/command/expansion.hpp"

#include "core/pipeline/nearest_name.hpp"

namespace troupe_internal {
namespace {

std::string quoted_name(std::string_view name) {
  return '"' + shown(name) + '"';
}

std::optional<std::string_view> matrix_value_of(std::span<const matrix_value> matrix, std::string_view variable) {
  for (const auto& [name, value] : matrix)
    if (name == variable)
      return value;
  return std::nullopt;
}

} // namespace

std::optional<std::string> unknown_variable(const pipeline& p, std::span<const matrix_value> matrix,
                                            const template_piece& piece) {
  if (piece.name == template_name::param ? p.params.contains(piece.text)
                                         : matrix_value_of(matrix, piece.text).has_value())
    return std::nullopt;
  nearest_name nearest(piece.text);
  if (piece.name == template_name::param) {
    for (const auto& [name, value] : p.params)
      nearest.consider(name);
    return shown(piece.written) + ": there is no param " + quoted_name(piece.text) +
           (p.params.empty() ? "; declare it under \"params\"" : nearest.hint());
  }
  for (const auto& [name, value] : matrix)
    nearest.consider(name);
  return shown(piece.written) + ": " +
         (matrix.empty() ? "the asset has no matrix"
                         : "the matrix has no variable " + quoted_name(piece.text) + nearest.hint());
}

std::string_view variable_value(const pipeline& p, std::span<const matrix_value> matrix, const template_piece& piece) {
  return piece.name == template_name::param ? std::string_view(p.params.find(piece.text)->second.text)
                                            : *matrix_value_of(matrix, piece.text);
}

bool is_secret(const pipeline& p, const template_piece& piece) {
  if (piece.name != template_name::param)
    return false;
  const auto param = p.params.find(piece.text);
  return param != p.params.end() && param->second.secret;
}

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

bool expansion::inserts_dash(std::span<const template_piece> pieces) {
  bool found = false;
  for (const auto& piece : pieces)
    if (piece.name == template_name::inputs || piece.name == template_name::outputs)
      static_cast<void>(values(piece, [&](std::string_view value, bool) { found = found || value.starts_with('-'); }));
  return found;
}

} // namespace troupe_internal
