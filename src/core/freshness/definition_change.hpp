// What differs between two definitions of an asset, as texts to show. Knows nothing of what counts as a change
// (freshness.hpp) or of how it is shown.
#pragma once

#include "core/model/asset_definition.hpp"
#include "core/model/reason.hpp"

namespace troupe_internal {

/// Adds to a reason (command_changed, env_changed, param_changed) what it is about: from what to what,
/// values of params included; or a note, where nothing that was recorded differs. Other reasons stay as they are.
void tell_change(reason& why, const asset_definition& was, const asset_definition& now);

/// The command as one text: a shell's as it is, a list's elements with blanks between them, quoted where need be.
[[nodiscard]] std::string command_text(const asset_definition& definition);

/// The note of such a reason where the definition from before was not recorded.
void tell_that_nothing_was_recorded(reason& why);

} // namespace troupe_internal
