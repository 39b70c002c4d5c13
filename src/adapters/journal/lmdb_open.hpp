// Opening an existing journal's environment for reading: what open_snapshot and the checks share.
#pragma once

#include "adapters/journal/lmdb_env.hpp"
#include "adapters/journal/lmdb_tables.hpp"

#include <memory>
#include <string>

namespace troupe_internal {

/// Opens the tables of an environment that was just opened; for lmdb_env::open.
[[nodiscard]] result<std::shared_ptr<const lmdb_tables>> open_journal_tables(lmdb_env& env);
/// Refuses without LMDB what can be refused without it: not_found without a state; network file systems, states that
/// cannot be trusted after a power loss.
[[nodiscard]] result<void> may_read_journal(const state_dir& dir);
/// Opens the state's journal to read, after all that. `inspect` as in lmdb_open_options; none: inspect_projections.
[[nodiscard]] result<std::shared_ptr<lmdb_env>> open_journal_to_read(const state_dir::handle& dir,
                                                                     decltype(lmdb_open_options::inspect) inspect = {});
/// Writes the two records of the meta table that say what is true of the state and of its base.
[[nodiscard]] result<void> write_state_info(lmdb_access& access, const state_info& info, const state_info& base);
/// Forces commits that were made without to disk and takes the mark "unsynced" away. If the disk refuses, the mark says
/// from then on that the state is lost. The writer's.
[[nodiscard]] result<void> settle_unsynced(lmdb_env& env);

} // namespace troupe_internal
