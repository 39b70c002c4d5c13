// Ids: what the values of matrices are called in the names of assets. Knows no source.
#pragma once

#include <string>
#include <string_view>

namespace troupe_internal::config {

/// The text as part of a name: "%", "[", "]", ",", control characters and bytes that are no UTF-8 are written %XX.
[[nodiscard]] std::string id_of_text(std::string_view text);
/// Why a text that somebody typed is no id; empty if it is one.
[[nodiscard]] std::string id_problem(std::string_view text);

/// What a match of a glob is called.
class glob_ids {
public:
  /// `pattern` in normal form, as it was searched.
  explicit glob_ids(std::string_view pattern);
  /// The match without the pattern's text before its first and after its last wildcard; "." if nothing is left. Not yet
  /// written as an id.
  [[nodiscard]] std::string_view of(std::string_view match) const;

private:
  std::string before_, after_;
};

} // namespace troupe_internal::config
