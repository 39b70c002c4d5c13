// What people are to be told of: a run that failed, an asset that is overdue. Plain values; knows no command, no URL
// and no settings.
#pragma once

#include "base/strong_id.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe_internal {

/// Persisted: do not change the values.
enum class notice_kind : std::uint8_t {
  failed = 0,    ///< a run failed
  recovered = 1, ///< a run succeeded after one that failed, or an overdue asset is up to date again
  paused = 2,    ///< a trigger was paused
  overdue = 3,   ///< an asset was not up to date when it was expected to be
  rejected = 4,  ///< an event of a trigger was rejected
};
inline constexpr std::size_t notice_kind_count = 5;

/// How a delivery ended. Persisted: do not change the values.
enum class delivery_end : std::uint8_t {
  delivered = 0,
  given_up = 1, ///< it failed for too long
  removed = 2,  ///< the settings have no such target any more
};

/// A notice exists, and is to be delivered to these targets. In the transaction that says so the journal also says up
/// to where it was read for notices.
struct notice_taken {
  std::uint64_t notice = 0; ///< 1, 2, 3 … in the state
  timestamp at;
  notice_kind kind = notice_kind::failed;
  std::string pipeline;
  std::string subject;  ///< what it is about: "PIPELINE", "PIPELINE/TRIGGER", "PIPELINE/ASSET"
  run_number bound_run; ///< 0: none
  std::string because;  ///< for people
  std::vector<std::string> targets;
  bool opens = false;       ///< it lasts until a later notice closes it: failed, overdue
  std::uint64_t closes = 0; ///< the one that lasted until now; 0: none
  friend bool operator==(const notice_taken&, const notice_taken&) = default;
};

/// Its delivery to a target has ended.
struct notice_settled {
  std::uint64_t notice = 0;
  std::string target;
  timestamp at;
  delivery_end how = delivery_end::delivered;
  std::uint32_t attempts = 1;
  std::string because; ///< of one that was not delivered: the last error
  friend bool operator==(const notice_settled&, const notice_settled&) = default;
};

/// All events up to this one were read for notices.
struct notices_read {
  std::uint64_t up_to = 0;
  friend bool operator==(const notices_read&, const notices_read&) = default;
};

} // namespace troupe_internal
