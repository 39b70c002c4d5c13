// Counting what a journal holds and what it takes on disk.
#include "adapters/journal/lmdb_journal_check.hpp"
#include "adapters/journal/lmdb_migrate.hpp"
#include "adapters/journal/lmdb_open.hpp"
#include "adapters/journal/lmdb_snapshot.hpp"
#include "core/journal/event_json.hpp"

#include <cstring>

namespace troupe_internal {
namespace {

constexpr MDB_dbi free_list_table = 0;

result<void> count_events(const lmdb_snapshot& snapshot, journal_statistics& out) {
  for (std::size_t i = 0; i < std::variant_size_v<event>; ++i)
    out.types.push_back({std::string(event_type_name(i)), 0, 0});
  lmdb_cursor cursor(snapshot.access(), lmdb_table::events);
  auto more = cursor.move(MDB_FIRST);
  for (; more && *more; more = cursor.move(MDB_NEXT)) {
    event_decoder decoder(cursor.content());
    while (!decoder.done()) {
      const auto before = decoder.left();
      const auto e = decoder.next();
      if (!e)
        return snapshot.access().damage(lmdb_table::events, cursor.key(), e.error().message);
      auto& type = out.types[e->index()];
      ++type.events;
      type.bytes += before - decoder.left();
    }
  }
  return more ? result<void>() : result<void>(more.error());
}

/// Each entry of the list is a count, then that many page numbers.
result<void> count_free_pages(const lmdb_snapshot& snapshot, journal_statistics& out) {
  MDB_cursor* cursor = nullptr;
  int code = mdb_cursor_open(snapshot.access().txn(), free_list_table, &cursor);
  MDB_val key{};
  MDB_val pages{};
  while (code == 0 && (code = mdb_cursor_get(cursor, &key, &pages, MDB_NEXT)) == 0) {
    std::size_t count = 0;
    if (pages.mv_size >= sizeof count)
      std::memcpy(&count, pages.mv_data, sizeof count);
    out.free_pages += count;
  }
  if (cursor != nullptr)
    mdb_cursor_close(cursor);
  if (code != MDB_NOTFOUND)
    return lmdb_error(snapshot.access().folder(), "read its journal", code);
  return {};
}

} // namespace

double journal_statistics::event_bytes_per_attempt() const {
  for (const auto& t : tables)
    if (t.name == table_name(lmdb_table::events) && attempts > 0)
      return static_cast<double>(t.bytes) / static_cast<double>(attempts);
  return 0;
}

result<journal_statistics> journal_stats(const std::string& folder) {
  const auto dir = state_dir::open(folder);
  if (!dir)
    return dir.error();
  auto env = open_journal_to_read(*dir);
  if (!env)
    return env.error();
  auto snapshot = lmdb_snapshot::take(*env);
  if (!snapshot)
    return snapshot.error();
  auto& access = (*snapshot)->access();
  journal_statistics out;
  out.first_seq = (*snapshot)->info().first_seq;
  out.last_seq = (*snapshot)->info().last_seq;
  MDB_envinfo info;
  mdb_env_info((*env)->get(), &info);
  out.map_bytes = info.me_mapsize;
  out.pages = info.me_last_pgno + 1;
  out.file_bytes = journal_bytes(**dir);
  for (std::size_t i = 0; i < lmdb_table_count; ++i) {
    const auto table = static_cast<lmdb_table>(i);
    if (!access.tables().has(table))
      continue;
    MDB_stat size;
    if (const int code = mdb_stat(access.txn(), access.tables()[table], &size); code != 0)
      return lmdb_error(folder, "read its journal", code);
    out.page_bytes = size.ms_psize;
    const auto pages = size.ms_branch_pages + size.ms_leaf_pages + size.ms_overflow_pages;
    out.tables.push_back({table_name(table), size.ms_entries, std::uint64_t{pages} * size.ms_psize});
  }
  auto done = (*snapshot)->visit_runs_newest_first([&](const run_record& run) {
    ++out.runs;
    out.attempts += run.attempts;
    return true;
  });
  if (done)
    done = (*snapshot)->inspect_events_from(0);
  if (done)
    done = count_events(**snapshot, out);
  if (done)
    done = count_free_pages(**snapshot, out);
  if (!done)
    return done.error();
  return out;
}

} // namespace troupe_internal
