// The key of a state: random bytes beside the journal, which only the state's owner reads. Knows nothing of what they
// are used for.
#pragma once

#include "base/result.hpp"

#include <array>
#include <optional>
#include <string>

namespace troupe_internal {

using state_key = std::array<unsigned char, 32>;

/// STATE/secret.key. None if there is none, or none that is ours alone: a regular file of this user, with one name,
/// that nobody else may read or write. Any thread.
[[nodiscard]] std::optional<state_key> read_state_key(const std::string& state_folder);
/// Makes one where read_state_key() finds none. Only for whoever has the state's lock. state_unusable says what is in
/// the way.
[[nodiscard]] result<void> make_state_key(const std::string& state_folder);

} // namespace troupe_internal
