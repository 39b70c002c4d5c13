// Compaction of a state, its logs included.
#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/journal/lmdb_remake.hpp"
#include "adapters/process/state_logs.hpp"
#include "adapters/system/system_clock.hpp"
#include "engine/housekeeping.hpp"
#include "engine/project.hpp"

namespace troupe_internal {

result<state_compaction> compact_state(const std::string& state_folder, const retention_rule& rule,
                                       duration keep_logs) {
  system_clock time;
  auto lock = lock_journal(state_folder);
  if (!lock)
    return lock.error();
  const auto dir = lock->dir();
  const auto store = open_journal(std::move(*lock), {}, time); // holds the lock to the end
  if (!store)
    return store.error();
  state_logs logs(dir);
  if (auto claimed = claim_logs(logs, **store); !claimed)
    return claimed.error();
  const auto compacted = compact_journal(**store, dir, rule);
  if (!compacted)
    return compacted.error();
  state_compaction out;
  out.events_dropped = compacted->events_dropped;
  out.runs_dropped = compacted->runs_dropped.size();
  out.bytes_before = compacted->bytes_before;
  out.bytes_after = compacted->bytes_after;
  for (const auto run : compacted->runs_dropped)
    out.logs_dropped += logs.remove(run) ? 1U : 0U;
  out.logs_dropped += logs.remove_old(time.now() - keep_logs, {}, [] { return false; });
  return out;
}

} // namespace troupe_internal
