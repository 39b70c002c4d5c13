// Retention to its end, then a copy of what is left.
#include "adapters/lmdb_migrate.hpp"
#include "adapters/lmdb_open.hpp"
#include "adapters/lmdb_origin.hpp"
#include "adapters/lmdb_remake.hpp"
#include "adapters/state_lock.hpp"

#include <unistd.h>

namespace troupe {
namespace {

constexpr std::uint64_t events_per_step = 5'000;

} // namespace

result<journal_compaction> compact_journal(const std::string& folder, const retention_rule& rule, clock& time) {
  if (auto may = may_read_journal(folder); !may) // before a lock is made where there is nothing
    return may.error();
  auto lock = lock_own_state(folder);
  if (!lock)
    return lock.error();
  journal_compaction out;
  out.bytes_before = bytes_on_disk(journal_path(folder));
  auto store = open_journal(std::move(*lock), {}, time); // holds the lock to the end
  if (!store)
    return store.error();
  for (bool more = true; more;) {
    const auto step = (*store)->retain(rule, events_per_step);
    if (!step)
      return step.error();
    out.events_dropped += step->events_dropped;
    out.runs_dropped.insert(out.runs_dropped.end(), step->runs_dropped.begin(), step->runs_dropped.end());
    more = step->more;
  }
  const auto after = copy_journal(folder, false);
  if (!after)
    return after.error();
  out.bytes_after = *after;
  ::unlink(kept_journal_path(folder).c_str()); // there is no way back beyond what was let go
  return out;
}

} // namespace troupe
