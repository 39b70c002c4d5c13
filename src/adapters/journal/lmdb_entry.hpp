// A journal's files before LMDB gets to them: in a state that others can change, and in one that is ours. Knows nothing
// of what is in them.
#pragma once

#include "adapters/journal/lmdb_file.hpp"
#include "adapters/state/state_dir.hpp"
#include "base/result.hpp"

#include <string>

namespace troupe_internal {

/// Fails, with who it is, if anybody holds the state; `because` says why it cannot be read meanwhile.
[[nodiscard]] result<void> require_unheld(const state_dir& dir, const std::string& because);

/// A copy in memory of a journal that others can change, while nobody writes it: they can neither cut it off nor change
/// a page after it was looked at.
[[nodiscard]] result<lmdb_file> private_copy(const state_dir& dir, const lmdb_file& file);

/// LMDB makes the lock file of `file`, and writes it: so it is looked at, or made, before. False: it belongs to another
/// user, and has to be done without.
[[nodiscard]] result<bool> may_use_lock_file(const state_dir& dir, const std::string& file, bool read_only);

} // namespace troupe_internal
