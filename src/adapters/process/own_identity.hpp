// Who this process is to a state: its user, and the machine it runs on. Knows nothing of states.
#pragma once

#include "core/model/state_info.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe_internal {

/// What stands for a machine in a state, of the text of /etc/machine-id: a digest, since the id itself is not to be
/// handed around. nullopt unless the text is 32 hexadecimal digits, not all 0, and at most a line's end.
[[nodiscard]] std::optional<digest> machine_of(std::string_view text);

/// The effective user, on this machine. The machine is unknown where /etc/machine-id has none, and in a PID namespace
/// of its own (a container): its file says which image the container was made of. Any thread.
[[nodiscard]] writer_identity own_identity();

/// "user 1000 (alice)": a user for people.
[[nodiscard]] std::string words_on_user(std::uint32_t user);

} // namespace troupe_internal
