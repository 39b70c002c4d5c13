// The validated, immutable DAG over dense asset indices: edges, makers of files, topological order. Knows nothing of
// what is fresh or of running, and of the disk only what it is handed.
#pragma once

#include "base/strong_id.hpp"
#include "core/model/materialization.hpp"
#include "core/pipeline/diagnostic.hpp"
#include "core/pipeline/graph_rows.hpp"
#include "core/pipeline/output_index.hpp"
#include "core/pipeline/path_identities.hpp"
#include "core/pipeline/pipeline.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// What a graph is built from beside the pipeline. Empty: nothing is known of the disk, every path is its own file.
struct disk_facts {
  path_identities same;
  /// What is there under an identity, links followed; asked once for each output that a glob could reach into.
  std::function<file_kind(std::string_view identity)> kind_of;
};

/// An edge that a record tells, or the disk: the asset reported a file as an input, and another asset makes it; or a
/// link in an input folder leads to what another asset makes.
struct recorded_edge {
  asset_index needing, needed;
  std::string path;     ///< as reported; or the link
  bool by_link = false; ///< the path is a link in an input folder
  friend bool operator==(const recorded_edge&, const recorded_edge&) = default;
};

/// Every list is sorted by index and without duplicates. Any thread may read.
class asset_graph {
public:
  /// Builds the graph of a pipeline: dependencies by name, and inferred from inputs. An input that is another asset's
  /// output, lies beneath another's output, contains one, or is a link to one; a glob that matches one, starts beneath
  /// one, or could match something beneath one that is (or may become) a folder. What "!PATTERN" takes out makes none.
  /// Reports to `out` and returns nullopt if there was any error (for a pipeline with mistakes, already in `out`, only
  /// what does not follow from them):
  ///   duplicate_output   a file that two assets make (or one lists twice)
  ///   output_prefix      an output beneath another output
  ///   self_dependency    an asset that names itself, or reads what it writes (its own outputs are left out of globs)
  ///   excluded_input     a literal input that a "!PATTERN" of the same list takes out
  ///   too_many_comparisons  globs and outputs so many that matching them would take minutes
  ///   cycle              assets that need each other: one shortest cycle, whole and in order, of each such knot
  /// Warns with folder_left_out where a glob could match something in a folder whose maker already needs the reader:
  /// that folder is then left out of the glob.
  [[nodiscard]] static std::optional<asset_graph> build(const pipeline& p, diagnostics& out, disk_facts facts = {});
  /// The same graph with more edges. Those that would close a cycle are left out, and handed back.
  [[nodiscard]] asset_graph with_edges(std::vector<recorded_edge> more, std::vector<recorded_edge>& left_out) const;

  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  /// What the asset needs: named, inferred and recorded.
  [[nodiscard]] std::span<const asset_index> upstream(asset_index i) const { return rows_.upstream(i); }
  /// What needs the asset.
  [[nodiscard]] std::span<const asset_index> downstream(asset_index i) const { return rows_.downstream(i); }
  /// Every asset once, each after all it needs; among those ready at once, in order of declaration (deterministic).
  [[nodiscard]] std::span<const asset_index> topological_order() const { return rows_.order(); }

  [[nodiscard]] const path_identities& same() const { return same_; }
  /// The asset that declares the file as an output, by whatever spelling.
  [[nodiscard]] std::optional<asset_index> producer(path_index path) const { return outputs_.maker(same_.of(path)); }
  /// The asset that makes what this identity names: that file or folder, or a folder above it.
  [[nodiscard]] std::optional<asset_index> maker_of(const pipeline& p, std::string_view identity) const;
  /// The assets that make an input of the reader: the file, a folder it lies in, something in it, or what it is a link
  /// to.
  [[nodiscard]] std::vector<asset_index> makers_of(const pipeline& p, asset_index reader, path_index input) const;
  [[nodiscard]] bool is_made(const pipeline& p, asset_index reader, path_index input) const {
    return !makers_of(p, reader, input).empty();
  }
  /// What other assets' outputs a glob among the inputs of an asset takes, as the glob spells them, sorted.
  [[nodiscard]] std::vector<std::string> outputs_taken(const pipeline& p, asset_index reader, path_index glob) const;
  /// The output folders that the globs of an asset leave out because their makers need the asset.
  [[nodiscard]] std::vector<file_number> left_out(asset_index reader) const;
  /// A glob that would reach into this output if it were a folder, which was taken to be a file.
  [[nodiscard]] std::optional<path_index> glob_if_folder(path_index output) const;
  /// The recorded edge between the two, if that is what connects them; null if not.
  [[nodiscard]] const recorded_edge* recorded(asset_index needing, asset_index needed) const;

private:
  class builder;
  asset_graph() = default;

  path_identities same_;
  output_index outputs_;
  graph_rows rows_;
  std::vector<std::pair<asset_index, file_number>> left_out_;       ///< sorted
  std::vector<std::pair<file_number, path_index>> taken_for_files_; ///< output, glob; sorted
  std::vector<recorded_edge> recorded_;                             ///< sorted by needing, then needed
};

/// Whether a "!PATTERN" of the asset's inputs takes out the path, which is told by its identity.
[[nodiscard]] bool is_excluded(const pipeline& p, const path_identities& same, asset_index asset,
                               std::string_view identity);
/// Whether they take out all that could lie in the folder.
[[nodiscard]] bool is_emptied(const pipeline& p, const path_identities& same, asset_index asset,
                              std::string_view identity);

} // namespace troupe_internal
