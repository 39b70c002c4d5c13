// What is wrong with a graph, in words and with its place. Knows nothing of how it is found.
#pragma once

#include "core/pipeline/diagnostic.hpp"
#include "core/pipeline/path_identities.hpp"
#include "core/pipeline/pipeline.hpp"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace troupe_internal {

/// Adds to a list of diagnostics, up to a bound. One mistake in a matrix shows in every asset it expands to: what
/// stands at one place is told once. Where something was found wrong before, only a cycle is worth telling: the rest
/// may follow from it.
class graph_findings {
public:
  graph_findings(const pipeline& p, diagnostics& out);

  [[nodiscard]] bool failed() const { return failed_; }

  // `k` is the number of an output or input in the asset's list.
  void duplicate_output(asset_index asset, std::size_t k, asset_index maker);
  void output_prefix(asset_index asset, std::size_t k, file_number above, asset_index maker,
                     const path_identities& same);
  void names_itself(asset_index asset);
  /// `finding` follows the input's name: " lies in …".
  void reads_own(asset_index asset, std::size_t k, const std::string& finding);
  void excluded_input(asset_index asset, std::size_t k, std::string_view pattern);
  void too_many_comparisons(asset_index asset, std::size_t k);
  void cycle(asset_index first, std::string message);
  /// A warning.
  void folder_left_out(asset_index reader, std::size_t k, file_number folder, asset_index maker,
                       const path_identities& same);

  [[nodiscard]] std::string name(asset_index asset) const { return std::string(p_.asset(asset).name); }
  [[nodiscard]] std::string text(const path_identities& same, file_number file) const {
    return std::string(same.text(p_, file));
  }

private:
  [[nodiscard]] place declared(asset_index asset) const { return p_.declaration(asset).where; }
  [[nodiscard]] place input_place(asset_index asset, std::size_t k) const;
  [[nodiscard]] place output_place(asset_index asset, std::size_t k) const;
  [[nodiscard]] std::string input(asset_index asset, std::size_t k) const;
  [[nodiscard]] std::string output(asset_index asset, std::size_t k) const;
  void report(place where, std::string_view code, std::string message);

  const pipeline& p_;
  diagnostics& out_;
  bool failed_ = false;
  std::size_t reported_count_ = 0; // with those of the list it adds to
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::string_view>> reported_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> wrong_already_;
};

} // namespace troupe_internal
