// The durable journal: opening a state to write or to read. What lies on disk is described in docs/journal-format.md.
#pragma once

#include "adapters/journal/early_inspection.hpp"
#include "adapters/journal/state_lock.hpp"
#include "base/result.hpp"
#include "core/pipeline/pipeline.hpp"
#include "ports/clock.hpp"
#include "ports/journal_store.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace troupe_internal {

struct journal_settings {
  troupe_internal::durability durability = troupe_internal::durability::pipelined; ///< strict and pipelined write alike
  std::size_t map_bytes = 0; ///< address space to begin with; 0: as much as is sensible
  /// Takes over a state that was made elsewhere: adds this user and machine to its note. Else such a state is refused.
  bool trust = false;
  /// Whoever looks at the journal already; may be null.
  std::shared_ptr<early_inspection> early{};
};

/// Takes the state's lock and opens it to write, making it if there is none; whatever an earlier writer left half done
/// is taken care of. The store holds the lock until it is destroyed. `clock` is used only to make the id of a new
/// state. state_locked if another process writes it; state_unusable for anything else that is wrong with it, and if
/// it was made elsewhere (lmdb_origin.hpp).
/// One thread at a time; one store and no snapshot of the state may be open in the process.
[[nodiscard]] result<std::unique_ptr<journal_store>>
open_journal(const std::string& folder, const journal_settings& settings, troupe_internal::clock& clock);
/// The same with a lock already taken.
[[nodiscard]] result<std::unique_ptr<journal_store>> open_journal(state_lock lock, const journal_settings& settings,
                                                                  troupe_internal::clock& clock);
/// The same with a lock that somebody keeps beyond the store. It is released when the store and whoever else has it
/// have let it go.
[[nodiscard]] result<std::unique_ptr<journal_store>>
open_journal(std::shared_ptr<const state_lock> lock, const journal_settings& settings, troupe_internal::clock& clock);

/// Takes the lock of a state that has a journal; not_found, and nothing is made, where there is none.
[[nodiscard]] result<state_lock> lock_journal(const std::string& folder);

/// Opens a state to read: takes no lock, changes nothing, works beside a writer and on a read-only folder. not_found if
/// there is no state. Any thread.
[[nodiscard]] result<std::unique_ptr<journal_snapshot>> open_snapshot(const std::string& folder);

} // namespace troupe_internal
