// Turns one declared asset into declarations and assets of the pipeline. Knows no other asset, and not whether its
// names are known.
#pragma once

#include "config/declared_pipeline.hpp"
#include "config/findings.hpp"
#include "config/path_text.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe_internal::config {

/// Appends to the pipeline; lists are collected in vectors that are reused from asset to asset, then kept in its arena.
class asset_maker {
public:
  asset_maker(declared_pipeline& d, findings& out) : d_(d), p_(*d.p), out_(out) {}

  /// Appends the declaration, and the asset or one for each combination of its matrix. Its mistakes are reported once.
  void make(declared_asset& a);

  /// The assets of a name, in order; of a wrong one none, and that is reported at the place.
  using find_assets = std::function<std::vector<asset_index>(std::string_view name, place where)>;
  /// Fills in the inputs of the assets of a declaration that takes outputs of others, from `first` on. Once all assets
  /// are made.
  void take_outputs(declared_asset& a, std::uint32_t first, std::uint32_t end, const find_assets& find);

  enum class kind : std::uint8_t { input, output, exclusion, optional, depfile };
  /// Reads a path; nullopt if it is none, which is reported. `text` is what is read, `written` what stands in the file;
  /// both without the "!" of an exclusion.
  [[nodiscard]] std::optional<path_item> read(std::string_view text, std::string_view written, kind what, place where);

private:
  void declare(const declared_asset& a);
  void add(declared_asset& a, bool first, bool only);
  void next_combination(const declared_asset& a);
  void name(const declared_asset& a, asset_spec& spec, std::uint32_t index);
  void inputs(declared_asset& a, asset_spec& spec, bool first);
  void input(const path_item& item, bool first);
  [[nodiscard]] bool outputs_of(const declared_asset& a, const path_item& item, const asset_spec& spec, bool first);
  [[nodiscard]] std::string written(const path_item& item) const;
  [[nodiscard]] bool read_all(const std::vector<std::string>& texts, std::string_view written, path_item item,
                              kind what);
  void outputs(declared_asset& a, asset_spec& spec, bool first, bool only);
  void depfile(declared_asset& a, asset_index asset, bool first);
  [[nodiscard]] const std::vector<path_item>& filled_in(declared_asset& a, path_item item, const asset_spec& spec,
                                                        kind what, bool first);
  [[nodiscard]] bool excluded(const declared_asset& a) const;
  [[nodiscard]] bool good_output(declared_asset& a, const path_item& item, bool again, bool only);
  [[nodiscard]] bool is_new(std::uint32_t path, std::uint32_t list);

  declared_pipeline& d_;
  pipeline& p_;
  findings& out_;
  std::vector<std::size_t> combination_; // an index into the values of each variable
  std::vector<matrix_value> matrix_;
  std::string name_;
  declared_path path_;
  std::vector<input_ref> refs_;
  std::vector<named_input> named_;
  std::vector<path_index> exclusions_;
  std::vector<path_index> paths_;
  std::vector<path_item> items_; // that one became
  std::vector<place> places_;
  std::vector<std::uint32_t> last_list_; // by path: the list that named it last
  std::vector<std::uint32_t> number_;    // by path: its number in that list, if that is of inputs
  std::uint32_t lists_ = 0;              // so far; 0 is none
  const find_assets* find_ = nullptr;    // in take_outputs()
};

/// About how much memory one combination takes: its name, its values, its paths.
[[nodiscard]] std::uint64_t expanded_bytes(const declared_pipeline& d, const declared_asset& a);
/// The number of combinations, with those that "exclude" leaves out; nullopt if more than `most`.
[[nodiscard]] std::optional<std::size_t> combinations(const declared_pipeline& d, const declared_asset& a,
                                                      std::size_t most);

} // namespace troupe_internal::config
