// What a template that names a param or a matrix variable stands for: values, columns of rows, ids, parts of paths.
// Knows the pipeline; knows nothing of how values are quoted or passed.
#pragma once

#include "core/command/template_text.hpp"
#include "core/pipeline/pipeline.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace troupe_internal {

/// One value or a list of them.
struct variable_values {
  std::span<const std::string_view> list; ///< if is_list
  std::string_view one;                   ///< otherwise
  bool is_list = false;
  bool path = false; ///< it is a path, relative to the pipeline's folder

  template <class Take>
  void each(Take&& take) const {
    if (!is_list)
      take(one, path);
    for (const auto text : list)
      take(text, path);
  }
};

/// Why a param or matrix template cannot be filled in; nullopt if it can.
[[nodiscard]] std::optional<std::string> unknown_variable(const pipeline& p, std::span<const matrix_value> matrix,
                                                          const template_piece& piece);
/// What a param or matrix template stands for that is not unknown, without its filter.
[[nodiscard]] variable_values values_of_variable(const pipeline& p, std::span<const matrix_value> matrix,
                                                 const template_piece& piece);
/// Whether the template stands for any number of values where it is written; of a param or matrix template that is not
/// unknown.
[[nodiscard]] bool stands_for_list(const pipeline& p, std::span<const matrix_value> matrix,
                                   const template_piece& piece);

/// Whether the name is that of a secret param.
[[nodiscard]] bool is_secret(const pipeline& p, const template_piece& piece);

/// A template or a name in quotes for a message.
[[nodiscard]] std::string quoted_name(std::string_view name);

} // namespace troupe_internal
