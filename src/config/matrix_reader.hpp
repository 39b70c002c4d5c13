// Reads "values" and "matrix", and the sources of values in both. Knows their keys; reads no file and expands nothing.
#pragma once

#include "config/declared_pipeline.hpp"
#include "config/value_reader.hpp"

namespace troupe_internal::config {

/// What it reads goes into `d.values`; texts are kept in the pipeline's arena.
class matrix_reader {
public:
  matrix_reader(value_reader& values, declared_pipeline& d) : values_(values), d_(d), p_(*d.p), out_(values.out) {}

  /// The top-level key "values".
  void named_values();
  /// An asset's matrix; false if something in it was reported.
  [[nodiscard]] bool matrix(declared_asset& a);

private:
  [[nodiscard]] std::uint32_t source(std::string_view used_for);
  void list(declared_source& s);
  void list_value(declared_source& s);
  [[nodiscard]] std::span<const declared_cell> row(declared_source& s);
  void source_object(declared_source& s);
  void glob(declared_source& s);
  void pattern(declared_source& s, const json_value& v);
  void text_of(declared_source& s, source_kind kind, std::string_view key, std::string_view expected);
  void exclude(declared_matrix& m);
  void exclusion(declared_matrix& m);
  [[nodiscard]] std::string_view keep(std::string_view text);
  void wrong(declared_source& s, place where, std::string_view code, std::string message);

  value_reader& values_;
  declared_pipeline& d_;
  pipeline& p_;
  findings& out_;
};

} // namespace troupe_internal::config
