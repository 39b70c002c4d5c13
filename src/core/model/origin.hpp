// Whether a state was made here: by this user on this machine, or by somebody whom one of them has trusted. Knows the
// note in the state, not where it is stored nor how a machine is told.
#pragma once

#include "core/model/state_info.hpp"

#include <cstdint>
#include <string_view>

namespace troupe_internal {

/// Who asks, and in which start of the machine.
struct writer_here {
  writer_identity who;
  std::string_view boot_id; ///< empty: unknown
};

enum class state_origin : std::uint8_t {
  here,
  other_user,    ///< nobody in the note is this user
  other_machine, ///< this user, on other machines
  unknown,       ///< there is no note; in format 1 the last writer was of another start of the machine
};

/// `has_note`: the state's format has one (2 and later). Anything but `here` is a foreign state: it is read, and not
/// written to.
///
/// A note names this writer if the user is the same and, where this machine is known, the machine is too. An entry
/// without a machine (made in a container) names this user on a known machine only while the state's last writer is of
/// this start of the machine: a boot id cannot be guessed, whereas anybody can write a note that names no machine.
/// Where this machine is unknown, the user alone counts.
[[nodiscard]] state_origin origin_of(const state_info& info, bool has_note, const writer_here& here);

/// Adds the writer to the note; false if it is there already.
bool note_writer(state_info& info, const writer_identity& who);

} // namespace troupe_internal
