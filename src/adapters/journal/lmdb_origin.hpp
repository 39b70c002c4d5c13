// Refusing to write to a state that was made elsewhere, before anything of it is changed, and taking it over. Knows
// what the journal notes of its writers, not what it says of assets and runs.
#pragma once

#include "adapters/journal/lmdb_file.hpp"
#include "adapters/journal/state_lock.hpp"
#include "adapters/state/state_dir.hpp"
#include "base/result.hpp"
#include "core/model/origin.hpp"
#include "ports/clock.hpp"

#include <optional>
#include <string>

namespace troupe_internal {

/// What a journal says of the state as a whole, read page by page without LMDB and without a lock.
struct journal_note {
  std::uint32_t format = 0;
  state_info info;
};
/// nullopt where there is no journal, one of another format or draft, or one whose record of the state is damaged:
/// what opens it then says so. Costs a few small reads.
[[nodiscard]] std::optional<journal_note> read_journal_note(const state_dir& dir);
[[nodiscard]] std::optional<journal_note> read_journal_note(const std::string& folder);

/// Where a state comes from, seen from here.
[[nodiscard]] state_origin origin_of(const state_info& info, std::uint32_t format);
/// Whether the state in the folder was made elsewhere. False where its journal cannot tell.
[[nodiscard]] bool is_foreign(const state_dir& dir);

/// "it was made on another machine": what was found, for people. Not for state_origin::here.
[[nodiscard]] std::string words_on_origin(const state_info& info, state_origin origin);
/// state_unusable, with what was found and the way out.
[[nodiscard]] error foreign_state(const std::string& folder, const state_info& info, state_origin origin);

/// Fails with foreign_state() if the state in the folder was made elsewhere. Touches nothing.
[[nodiscard]] result<void> require_own_state(const std::string& folder);
/// lock_state, of a state that was made here: a foreign one is refused before its lock is touched.
[[nodiscard]] result<state_lock> lock_own_state(const std::string& folder, const lock_patience& patience = {});

/// Adds this user and machine to the note of a foreign state, which makes it this user's to write. Ends no process and
/// records nothing else; a journal of an older format is brought up to date. not_found without a state; state_locked,
/// state_unusable.
[[nodiscard]] result<void> trust_state(const std::string& folder, clock& time);

} // namespace troupe_internal
