// THE statuses of assets and runs, and which may follow which. Their words exist here only.
//
//            ┌────────────────────────► fresh
//  waiting ──┼─► ready ─► running ─► succeeded
//            │     │       │  ▲  └─► failed
//            │     │       ▼  │
//            │     │    retrying
//            ▼     ▼       │
//    blocked, cancelled, skipped ◄┘ (from any that is not final)
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe_internal {

/// Persisted: do not change the values.
enum class asset_status : std::uint8_t {
  waiting = 0,
  ready = 1,
  running = 2,
  retrying = 3, ///< waiting out a backoff, or to be made once more at once because its attempt was outdated
  succeeded = 4,
  fresh = 5, ///< needed no run
  failed = 6,
  blocked = 7,   ///< something it needs failed, was blocked or cancelled
  cancelled = 8, ///< not started or ended, because the run was stopped
  skipped = 9,   ///< its command said that there is nothing to do, or it needs what was skipped and never made
};
inline constexpr std::size_t asset_status_count = 10;

/// Persisted: do not change the values.
enum class run_status : std::uint8_t {
  queued = 0,
  running = 1,
  succeeded = 2,
  failed = 3,
  cancelled = 4,
  interrupted = 5, ///< derived, never recorded: an open run whose writer is gone
};

[[nodiscard]] constexpr bool is_final(asset_status s) {
  return s >= asset_status::succeeded;
}
/// The transition table of the diagram above.
[[nodiscard]] constexpr bool may_follow(asset_status from, asset_status to) {
  if (is_final(from))
    return false;
  switch (to) {
  case asset_status::waiting:
    return false;
  case asset_status::ready:
    return from == asset_status::waiting;
  case asset_status::running:
    return from != asset_status::running;
  case asset_status::retrying:
    return from == asset_status::running;
  case asset_status::succeeded:
    return from == asset_status::running;
  case asset_status::fresh:
    return from == asset_status::waiting || from == asset_status::ready;
  case asset_status::failed:
    return true;
  case asset_status::blocked:
  case asset_status::cancelled:
  case asset_status::skipped:
    return true;
  }
  return false;
}

[[nodiscard]] std::string_view to_string(asset_status s);
[[nodiscard]] std::string_view to_string(run_status s);

} // namespace troupe_internal
