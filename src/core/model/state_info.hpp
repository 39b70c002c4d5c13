// What is true of a state as a whole. Knows nothing of storage.
#pragma once

#include "base/digest.hpp"
#include "base/strong_id.hpp"
#include "base/uuid.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe_internal {

/// A user on a machine: who may write a state. See core/model/origin.hpp.
struct writer_identity {
  std::uint32_t user = 0; ///< the numeric id
  digest machine;         ///< of the machine's id; all zero: unknown, as in a container
  friend bool operator==(const writer_identity&, const writer_identity&) = default;
};

/// Facts about a whole state at one moment.
struct state_info {
  uuid id;                       ///< made once, when the state was
  std::uint64_t first_seq = 1;   ///< of the oldest event kept: everything before is folded into the base
  std::uint64_t last_seq = 0;    ///< of the newest event; 0: none yet
  std::uint32_t asset_count = 0; ///< ids given out: 0 … asset_count - 1
  std::uint32_t path_count = 0;
  run_number last_run;                    ///< 0: none yet
  std::uint64_t writer_seq = 0;           ///< of the last writer_opened
  std::string writer_boot_id;             ///< its boot id
  bool closed_cleanly = true;             ///< the last writer_opened is followed by writer_closed
  std::uint64_t writer_pid_namespace = 0; ///< of the last writer; see writer_opened
  bool writer_process_one = false;
  std::vector<writer_identity> writers; ///< who made it, then who has trusted it since; format 1 has none
  std::uint64_t last_event = 0;         ///< of those that triggers took in; 0: none yet
  std::uint64_t last_notice = 0;        ///< 0: none yet
  std::uint64_t notices_up_to = 0;      ///< events up to here were read for notices; 0: none were
  friend bool operator==(const state_info&, const state_info&) = default;
};

} // namespace troupe_internal
