// Retention to its end, then a copy of what is left.
#include "adapters/journal/lmdb_migrate.hpp"
#include "adapters/journal/lmdb_remake.hpp"

namespace troupe_internal {
namespace {

constexpr std::uint64_t events_per_step = 5'000;

} // namespace

result<journal_compaction> compact_journal(journal_store& store, const state_dir::handle& dir,
                                           const retention_rule& rule) {
  journal_compaction out;
  out.bytes_before = journal_bytes(*dir);
  for (bool more = true; more;) {
    const auto step = store.retain(rule, events_per_step);
    if (!step)
      return step.error();
    out.events_dropped += step->events_dropped;
    out.runs_dropped.insert(out.runs_dropped.end(), step->runs_dropped.begin(), step->runs_dropped.end());
    more = step->more;
  }
  const auto after = copy_journal(dir, false);
  if (!after)
    return after.error();
  out.bytes_after = *after;
  if (auto removed = dir->remove(kept_journal_file); !removed) // there is no way back beyond what was let go
    return removed.error();
  return out;
}

} // namespace troupe_internal
