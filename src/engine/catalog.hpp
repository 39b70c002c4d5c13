// Who is who between a pipeline and its state: asset and path ids of the journal, and the paths found while running. An
// asset of a matrix is known by its variables and values, in whatever order the file writes them, any other by its
// name. Knows nothing of files' content or of records.
#pragma once

#include "base/interner.hpp"
#include "base/result.hpp"
#include "core/freshness/freshness.hpp"
#include "core/model/event.hpp"
#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/pipeline.hpp"
#include "engine/state_names.hpp"
#include "ports/journal_store.hpp"

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe_internal {

/// A path as far as one process is concerned: the pipeline's own paths first (slot = path_index), then those found
/// while running.
using path_slot = strong_id<struct path_slot_tag>;

/// Maps names to ids of one state, giving out new ones; what is new is handed over once, to be recorded before it is
/// used. Any thread.
class catalog final : public name_source {
  static constexpr std::uint32_t none = 0xFFFFFFFFU;

public:
  /// Reads the state's names (none if there is no state) and gives ids to all assets and paths of the pipeline, in
  /// topological order. `ids` gives out those of a state that others use at the same time; null: nobody else does.
  /// `beside`: there is a processor for a thread of its own.
  [[nodiscard]] static result<std::unique_ptr<catalog>> load(const pipeline& p, const asset_graph& graph,
                                                             const journal_snapshot* snapshot,
                                                             std::shared_ptr<state_names> ids = nullptr,
                                                             bool beside = false);

  [[nodiscard]] asset_id id_of(asset_index asset) const { return asset_ids_[asset.value]; }
  [[nodiscard]] const std::vector<asset_id>& asset_ids() const { return asset_ids_; }
  /// The pipeline's asset with this id; nullopt if it has none.
  [[nodiscard]] std::optional<asset_index> index_of(asset_id id) const {
    return id.value < asset_of_.size() && asset_of_[id.value] != none ? std::optional(asset_index(asset_of_[id.value]))
                                                                      : std::nullopt;
  }
  /// Whether the id was in the journal when this was loaded.
  [[nodiscard]] bool was_known(asset_id id) const { return id.value < known_assets_; }
  [[nodiscard]] path_id id_of(path_slot slot) const;
  /// The slot of a literal input, by its number in the asset's list: a folder of which "!PATTERN" takes something out
  /// has one of its own.
  [[nodiscard]] path_slot input_slot(asset_index asset, std::size_t k) const {
    if (!filtered_.empty())
      if (const auto at = filtered_.find(std::uint64_t(asset.value) << 32U | k); at != filtered_.end())
        return at->second;
    return path_slot(p_.asset(asset).inputs[k].path.value);
  }
  /// The slot of any path, old or new.
  [[nodiscard]] path_slot slot_of(std::string_view path);
  /// The slot of a recorded path of this pipeline; nullopt if it is another's.
  [[nodiscard]] std::optional<path_slot> slot_of(path_id id) const;
  /// The slot of a path among the inputs of an asset, without what the asset's "!PATTERN"s take out of it.
  [[nodiscard]] path_slot filtered_slot_of(const path_identities& same, asset_index asset, std::string_view path,
                                           std::string_view identity);
  [[nodiscard]] std::string_view text(path_slot slot) const;
  [[nodiscard]] std::size_t slots() const;

  [[nodiscard]] std::string_view asset_name(asset_id id) const override;
  [[nodiscard]] std::string_view path_text(path_id id) const override;

  /// Events that make known the ids given out since the last call (not those of ids that others use: their owner has
  /// these recorded), and once what else is shown as another name than recorded; to be appended before any event that
  /// uses them.
  [[nodiscard]] std::vector<event> take_new_names();

private:
  explicit catalog(const pipeline& p) : p_(p) {}
  [[nodiscard]] result<void> load_names(const journal_snapshot& snapshot, bool beside);
  [[nodiscard]] result<void> load_assets(const journal_snapshot& snapshot);
  [[nodiscard]] result<void> load_paths(const journal_snapshot& snapshot);
  [[nodiscard]] std::string identity_of(asset_index asset) const;
  path_slot add_path(std::string_view path, bool recorded);
  void give_path_id(path_slot slot);

  const pipeline& p_;
  std::string prefix_; // "pipeline/"
  mutable std::mutex mutex_;
  std::vector<asset_id> asset_ids_;                            // by asset_index
  std::vector<std::uint32_t> asset_of_;                        // by asset_id: asset_index or none
  std::vector<std::pair<asset_id, std::string>> other_assets_; // of this pipeline once, sorted by id
  std::uint32_t known_assets_ = 0;
  std::vector<std::uint32_t> own_ids_;   // by path_index: path_id or none; what load() has given never changes
  std::vector<std::uint32_t> found_ids_; // by slot - own_ids_.size()
  [[nodiscard]] std::uint32_t& id_at(path_slot slot) {
    return slot.value < own_ids_.size() ? own_ids_[slot.value] : found_ids_[slot.value - own_ids_.size()];
  }
  std::vector<std::uint32_t> slot_of_id_;                 // by path_id: slot or none
  interner found_;                                        // slot - p.paths.size()
  std::unordered_map<std::uint64_t, path_slot> filtered_; // by asset and number of the input
  std::vector<event> renamed_;
  std::shared_ptr<state_names> ids_;
  bool own_names_ = true;
};

} // namespace troupe_internal
