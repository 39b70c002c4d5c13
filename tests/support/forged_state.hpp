// A state as somebody who may write its folder can make it: its records changed through the project's own tables.
#pragma once

#include "adapters/journal/lmdb_open.hpp"
#include "adapters/journal/lmdb_snapshot.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal::test {

/// Changes records of a state that nobody has open; what is wrong, empty if it worked.
inline std::string forge(const std::string& folder, const std::function<result<void>(lmdb_access&)>& change) {
  const auto dir = state_dir::open(folder);
  if (!dir)
    return dir.error().message;
  lmdb_open_options options;
  options.dir = *dir;
  options.read_only = false;
  const auto env = lmdb_env::open(options, open_journal_tables);
  if (!env)
    return env.error().message;
  auto txn = (*env)->begin_write();
  if (!txn)
    return txn.error().message;
  lmdb_access access(*txn, (*env)->tables(), folder);
  if (const auto changed = change(access); !changed)
    return changed.error().message;
  return txn->commit() == 0 ? "" : "the change was not committed";
}

/// Changes what the journal says of the state, and of its base.
inline std::string forge_info(const std::string& folder, const std::function<void(state_info&)>& change) {
  return forge(folder, [&](lmdb_access& access) -> result<void> {
    for (const std::uint64_t which : {0U, 1U}) {
      state_info info;
      if (const auto found = access.read(lmdb_table::meta, which, info); !found)
        return found.error();
      change(info);
      if (auto written = access.write(lmdb_table::meta, which, info); !written)
        return written;
    }
    return {};
  });
}

/// Has every open attempt name this process group, with this start.
inline std::string forge_attempts(const std::string& folder, std::int32_t group, std::uint64_t start_ticks) {
  return forge(folder, [&](lmdb_access& access) -> result<void> {
    std::vector<std::pair<std::uint64_t, open_attempt>> all;
    auto visited = visit_records<open_attempt>(access, lmdb_table::open_attempts,
                                               [&](std::uint64_t key, const open_attempt& attempt) {
                                                 all.emplace_back(key, attempt);
                                                 return true;
                                               });
    if (!visited)
      return visited;
    if (all.empty())
      return fail(error_code::not_found, "there is no open attempt");
    for (auto& [key, attempt] : all) {
      attempt.process_group = group;
      attempt.start_ticks = start_ticks;
      if (auto written = access.write(lmdb_table::open_attempts, key, attempt); !written)
        return written;
    }
    return {};
  });
}

} // namespace troupe_internal::test
