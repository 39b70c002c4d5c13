// Compaction of a state, its logs included.
#include "adapters/lmdb_remake.hpp"
#include "adapters/system_clock.hpp"
#include "app/engine/housekeeping.hpp"
#include "app/engine/project.hpp"

namespace troupe {

result<state_compaction> compact_state(const std::string& state_folder, const retention_rule& rule,
                                       duration keep_logs) {
  system_clock time;
  const auto compacted = compact_journal(state_folder, rule, time);
  if (!compacted)
    return compacted.error();
  state_compaction out;
  out.events_dropped = compacted->events_dropped;
  out.runs_dropped = compacted->runs_dropped.size();
  out.bytes_before = compacted->bytes_before;
  out.bytes_after = compacted->bytes_after;
  for (const auto run : compacted->runs_dropped)
    out.logs_dropped += delete_logs(state_folder, run) ? 1U : 0U;
  out.logs_dropped += delete_old_logs(state_folder, time.now() - keep_logs, {}, [] { return false; });
  return out;
}

} // namespace troupe
