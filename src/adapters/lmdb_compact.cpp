// Retention to its end, then a copy of what is left.
#include "adapters/lmdb_draft.hpp"
#include "adapters/lmdb_open.hpp"
#include "adapters/lmdb_remake.hpp"
#include "adapters/lmdb_snapshot.hpp"
#include "adapters/state_lock.hpp"

#include <sys/stat.h>

namespace troupe {
namespace {

constexpr std::uint64_t events_per_step = 5'000;

std::uint64_t bytes_of(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 ? static_cast<std::uint64_t>(st.st_size) : 0;
}

/// Records as they are, in order.
result<void> copy_table(lmdb_access& from, lmdb_draft& to, lmdb_table table) {
  lmdb_cursor cursor(from, table);
  auto more = cursor.move(MDB_FIRST);
  for (; more && *more; more = cursor.move(MDB_NEXT)) {
    to.access().start_record() += cursor.content();
    if (auto done = to.access().put(table, cursor.key(), MDB_APPEND); !done)
      return done;
    if (auto done = to.breathe(); !done)
      return done.error();
  }
  return more ? result<void>() : result<void>(more.error());
}

result<void> copy_events(const lmdb_snapshot& from, lmdb_draft& to) {
  result<void> copied;
  auto visited = from.visit_events(0, [&](std::uint64_t seq, const event& e) {
    copied = to.add_event(seq, e);
    if (copied)
      if (auto done = to.breathe(); !done)
        copied = done.error();
    return copied.has_value();
  });
  if (!visited || !copied)
    return visited ? copied : visited;
  return to.finish_events();
}

result<std::uint64_t> copy_journal(const std::string& folder) {
  auto env = open_journal_to_read(folder); // what is open to write is shared
  if (!env)
    return env.error();
  auto from = lmdb_snapshot::take(*env);
  if (!from)
    return from.error();
  auto to = lmdb_draft::begin(folder, (*from)->info().id, bytes_of(journal_path(folder)));
  if (!to)
    return to.error();
  for (std::size_t i = 0; i < lmdb_table_count; ++i) {
    const auto table = static_cast<lmdb_table>(i);
    if (table == lmdb_table::meta)
      continue;
    auto copied = table == lmdb_table::events ? copy_events(**from, **to) : copy_table((*from)->access(), **to, table);
    if (!copied)
      return copied.error();
  }
  auto& access = (*to)->access();
  if (auto done = access.write(lmdb_table::meta, 0, (*from)->info()); !done)
    return done.error();
  if (auto done = access.write(lmdb_table::meta, 1, (*from)->base_info()); !done)
    return done.error();
  return (*to)->take_place();
}

} // namespace

result<journal_compaction> compact_journal(const std::string& folder, const retention_rule& rule, clock& time) {
  if (auto may = may_read_journal(folder); !may) // before a lock is made where there is nothing
    return may.error();
  auto lock = lock_state(folder);
  if (!lock)
    return lock.error();
  journal_compaction out;
  out.bytes_before = bytes_of(journal_path(folder));
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
  const auto after = copy_journal(folder);
  if (!after)
    return after.error();
  out.bytes_after = *after;
  return out;
}

} // namespace troupe
