// The state of one run: a fold over its events, used live and on replay. Knows nothing of why things happen: see
// run_logic.
#pragma once

#include "core/event.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// One asset's standing in a run.
struct asset_in_run {
  asset_status status = asset_status::waiting;
  bool open = false;                              ///< an attempt is running
  std::uint32_t attempts = 0;                     ///< started in this run, all segments: the next one is attempts + 1
  std::uint32_t segment_attempts = 0;             ///< started in this segment: the retry budget is spent by these
  timestamp retry_at;                             ///< status retrying
  duration retry_delay{};                         ///< the wait that is or was last waited out; 0: none in this segment
  asset_id because;                               ///< blocked: who blocks
  outcome_kind outcome = outcome_kind::succeeded; ///< of the last attempt that ended
  bool refused = false;                           ///< failed without an attempt
  friend bool operator==(const asset_in_run&, const asset_in_run&) = default;
};

/// apply() is the only mutator. Assets have dense positions in order of id. One thread at a time.
class run_state {
public:
  /// Folds one event; events of other runs and of the state as a whole change nothing. A transition that
  /// asset_status.hpp does not allow is a bug and stops the process.
  void apply(const event& e);

  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] run_number run() const { return run_; }
  [[nodiscard]] const uuid& id() const { return id_; }
  [[nodiscard]] std::size_t size() const { return assets_.size(); }
  /// The position of an asset, or nullopt if it is not in this run.
  [[nodiscard]] std::optional<std::uint32_t> position(asset_id asset) const;
  [[nodiscard]] asset_id id_at(std::uint32_t position) const;
  [[nodiscard]] const asset_in_run& at(std::uint32_t position) const { return assets_[position]; }
  [[nodiscard]] const status_counts& counts() const { return counts_; }
  [[nodiscard]] std::uint32_t open_attempts() const { return open_attempts_; }
  [[nodiscard]] std::optional<stop_cause> stopping() const { return stopping_; }
  [[nodiscard]] std::optional<run_status> finished() const { return finished_; }

  /// For checkpoints: everything, as bytes, and back. decode fails (nullopt) on bytes that encode() did not make.
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static std::optional<run_state> decode(std::string_view bytes);

  friend bool operator==(const run_state&, const run_state&) = default;

private:
  void set(std::uint32_t position, asset_status to);
  asset_in_run& known(asset_id asset);

  bool started_ = false;
  run_number run_;
  uuid id_;
  asset_set members_;                  // sorted, disjoint
  std::vector<std::uint32_t> offsets_; // position of each range's first member
  std::vector<asset_in_run> assets_;
  status_counts counts_{};
  std::uint32_t open_attempts_ = 0;
  std::optional<stop_cause> stopping_;
  std::optional<run_status> finished_;
};

/// Sorted, disjoint, joined ranges of the ids.
[[nodiscard]] asset_set make_asset_set(std::vector<asset_id> ids);
/// How many assets are in a set.
[[nodiscard]] std::size_t count_of(const asset_set& set);

} // namespace troupe
