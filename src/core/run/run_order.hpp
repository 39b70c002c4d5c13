// Whether the events of each run can follow each other, and checkpoints are what the events make: for who checks a
// whole journal. Knows nothing of storage, and nothing of what events change beyond their run.
#pragma once

#include "core/run/run_state.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace troupe_internal {

/// Fed all events in order, folds each run as whoever shows or resumes it does. Keeps what is open, so its memory is in
/// proportion to the assets of a few runs. One thread.
class run_order {
public:
  /// The number of an event, and the state as of it in bytes.
  using kept_state = std::pair<std::uint64_t, std::string>;
  /// `last_of`: the number of a run's last event, 0 if it is not known; `kept_of`: its checkpoint, if there is one.
  run_order(std::function<std::uint64_t(run_number)> last_of,
            std::function<std::optional<kept_state>(run_number)> kept_of)
      : last_of_(std::move(last_of)), kept_of_(std::move(kept_of)) {}

  /// Empty, or what is impossible about the event; then nothing more is said of its run. `names`: how many ids of
  /// assets were given out.
  [[nodiscard]] std::string take(std::uint64_t seq, const event& e, std::uint32_t names);
  /// After the last event.
  void finish();
  /// Runs whose checkpoint is what the events make, and those whose checkpoint is not.
  [[nodiscard]] const std::set<run_number>& sound_checkpoints() const { return sound_; }
  [[nodiscard]] const std::set<run_number>& wrong_checkpoints() const { return wrong_; }

private:
  struct open_run {
    run_state state;
    std::uint64_t last_seq = 0;
    std::optional<kept_state> kept;
  };
  using runs = std::map<run_number, open_run>;

  std::string fold(std::uint64_t seq, const event& e, run_number run, std::uint32_t names);
  /// Compares the checkpoint once all events before `next` are folded.
  void compare(run_number run, open_run& known, std::uint64_t next);
  void forget(runs::iterator at);

  std::function<std::uint64_t(run_number)> last_of_;
  std::function<std::optional<kept_state>(run_number)> kept_of_;
  runs runs_;
  std::uint64_t assets_ = 0; ///< in all of them
  std::set<run_number> sound_;
  std::set<run_number> wrong_;
};

} // namespace troupe_internal
