// The state of one run: a fold over its events, used live and on replay. Knows nothing of why things happen: see
// run_logic.
#pragma once

#include "core/model/event.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

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

/// apply() and try_apply() are the only mutators. Assets have dense positions in order of id. One thread at a time.
class run_state {
public:
  /// Folds one event; events of other runs and of the state as a whole change nothing. An event that cannot follow
  /// those before it is a bug and stops the process.
  void apply(const event& e);
  /// The same for events that come from outside, in a state with that many asset ids. Null, or what is impossible about
  /// the event; then this holds rubbish.
  [[nodiscard]] const char* try_apply(const event& e, std::uint32_t asset_count);

  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] run_number run() const { return run_; }
  [[nodiscard]] const uuid& id() const { return id_; }
  [[nodiscard]] std::size_t size() const { return assets_.size(); }
  [[nodiscard]] bool has_assets_of(const run_state& other) const { return members_ == other.members_; }
  /// The position of an asset, or nullopt if it is not in this run.
  [[nodiscard]] std::optional<std::uint32_t> position(asset_id asset) const;
  [[nodiscard]] asset_id id_at(std::uint32_t position) const;
  [[nodiscard]] const asset_in_run& at(std::uint32_t position) const { return assets_[position]; }
  [[nodiscard]] const status_counts& counts() const { return counts_; }
  [[nodiscard]] std::uint32_t open_attempts() const { return open_attempts_; }
  [[nodiscard]] std::optional<stop_cause> stopping() const { return stopping_; }
  [[nodiscard]] std::optional<run_status> finished() const { return finished_; }

  /// For checkpoints: everything, as bytes, and back. decode fails (nullopt) on bytes that encode() did not make: of
  /// those that hold, all events that may follow can be folded.
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static std::optional<run_state> decode(std::string_view bytes);

  friend bool operator==(const run_state& a, const run_state& b) {
    return a.started_ == b.started_ && a.run_ == b.run_ && a.id_ == b.id_ && a.members_ == b.members_ &&
           a.assets_ == b.assets_ && a.stopping_ == b.stopping_ && a.finished_ == b.finished_;
  }

private:
  /// What try_apply() answers, one for each kind of event.
  template <class Event>
  const char* fold(const Event&) {
    return nullptr;
  }
  const char* fold(const run_started& e);
  const char* fold(const run_resumed& e);
  const char* fold(const asset_found_fresh& e);
  const char* fold(const attempt_started& e);
  const char* fold(const attempt_finished& e);
  const char* fold(const assets_settled& e);
  const char* fold(const run_stopping& e);
  const char* fold(const run_finished& e);
  const char* fold_any(const event& e);

  [[nodiscard]] const char* set(asset_in_run& asset, asset_status to);
  void wait_again(asset_in_run& asset);
  /// Null if it is not in the run.
  [[nodiscard]] asset_in_run* find(asset_id asset);

  bool started_ = false;
  run_number run_;
  uuid id_;
  asset_set members_;                  // sorted, disjoint
  std::vector<std::uint32_t> offsets_; // position of each range's first member
  std::vector<asset_in_run> assets_;
  std::vector<std::uint32_t> touched_; // positions of those that no longer wait since the run started or was resumed
  status_counts counts_{};
  std::uint32_t open_attempts_ = 0;
  std::optional<stop_cause> stopping_;
  std::optional<run_status> finished_;
};

/// Sorted, disjoint, joined ranges of the ids.
[[nodiscard]] asset_set make_asset_set(std::vector<asset_id> ids);
/// How many assets are in a set.
[[nodiscard]] std::size_t count_of(const asset_set& set);
/// Whether the set is one that make_asset_set() may give, of ids below the limit.
[[nodiscard]] bool is_asset_set(const asset_set& set, std::uint32_t id_limit);

} // namespace troupe_internal
