// Where the values of matrices come from, as a pipeline file says it, and what they are once they are read. Knows no
// JSON and no disk.
#pragma once

#include "base/result.hpp"
#include "core/pipeline/pipeline.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::config {

/// How values are read from outside of the pipeline file. An empty function: nothing is there, and nothing is said of
/// it.
struct value_sources {
  /// Files that match a pattern (folders, if it ends in "/"), sorted, as the pattern spells them; nothing in the
  /// folders `skip`.
  std::function<result<std::vector<std::string>>(const std::string& pattern, const std::vector<std::string>& skip)>
      glob{};
  /// The content of a file, at most `limit` bytes; `path` is relative to the pipeline's folder.
  std::function<result<std::string>(const std::string& path, std::uint64_t limit)> read_text{};
  /// Which of these paths the state records as last made by an asset of this pipeline, and are as they were left.
  std::function<result<std::vector<std::string>>(const pipeline& p, std::span<const std::string> paths)> made_here{};
};

enum class source_kind : std::uint8_t { list, named, glob, lines, csv, json };

struct declared_cell {
  std::string_view column;
  std::span<const std::string_view> texts; ///< exactly one unless `list`
  bool list = false;
};

/// A value in a list, as written.
struct declared_value {
  std::string_view text;              ///< of a scalar
  std::span<const declared_cell> row; ///< of a row
  bool is_row = false;
  place where;
};

struct declared_pattern {
  std::string_view text; ///< without the "!" of an exclusion
  bool excludes = false;
  place where;
};

/// What is written as the values of a variable, or under "values".
struct declared_source {
  source_kind kind = source_kind::list;
  place where;
  std::string_view used_for;              ///< the name of the variable or of the list
  std::vector<declared_value> values;     ///< list
  std::vector<declared_pattern> patterns; ///< glob
  std::string_view text;                  ///< named: the name; lines, csv, json: the file
  place text_where;
  std::string_view pointer;            ///< json: "at"
  std::optional<std::string_view> key; ///< csv, json
  char separator = ',';                ///< csv
  bool broken = false;                 ///< something in it was reported
};

/// A value as matrix_value has it, of whatever variable.
struct source_entry {
  std::string_view value;
  const matrix_item* more = nullptr;

  [[nodiscard]] std::string_view id() const { return more == nullptr ? value : more->id; }
};

/// What a source was found to hold.
struct loaded_source {
  enum class step : std::uint8_t { unread, reading, read };
  std::vector<source_entry> entries;
  bool from_files = false; ///< other files, other values
  bool broken = false;     ///< something was reported
  step at = step::unread;
};

struct matrix_variable {
  std::string_view name;
  place where;
  std::uint32_t source = 0;                          ///< number in declared_values::sources
  const std::vector<source_entry>* values = nullptr; ///< null until they are read
  bool from_files = false;
};

/// Combinations that are left out: those that have all of these ids.
struct declared_exclusion {
  std::vector<std::pair<std::string_view, std::string_view>> ids;  ///< variable, id
  std::vector<std::pair<std::size_t, std::string_view>> by_number; ///< number of the variable, id; once they are known
  place where;
};

struct declared_matrix {
  std::vector<matrix_variable> variables;
  std::vector<declared_exclusion> exclude;
  bool broken = false;
};

struct named_source {
  place where;
  std::uint32_t source = 0;
  bool used = false;
};

/// A glob of a source, in normal form.
struct searched_glob {
  std::vector<declared_pattern> patterns;
  std::vector<std::string_view> exclusions;
};

struct declared_values {
  std::deque<declared_source> sources;
  std::vector<loaded_source> read;                        ///< by number; grows once
  std::map<std::string, named_source, std::less<>> named; ///< "values"
  std::vector<declared_matrix> matrices;
  value_sources outside;
  std::vector<searched_glob> globs;                 ///< all that were searched
  std::vector<std::pair<std::string, place>> files; ///< all that were read
};

} // namespace troupe_internal::config
