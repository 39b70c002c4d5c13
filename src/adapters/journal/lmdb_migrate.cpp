// Table by table, in order of key, so that pages are full.
#include "adapters/journal/lmdb_migrate.hpp"

#include "adapters/journal/lmdb_draft.hpp"
#include "adapters/journal/lmdb_inspect.hpp"
#include "adapters/journal/lmdb_open.hpp"
#include "adapters/journal/lmdb_snapshot.hpp"
#include "adapters/process/own_identity.hpp"
#include "core/model/origin.hpp"

#include <unistd.h>

#include <cerrno>

namespace troupe_internal {

std::uint64_t journal_bytes(const state_dir& dir) {
  const auto info = dir.look(journal_file);
  return info ? static_cast<std::uint64_t>(info->st_size) : 0;
}

namespace {

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

/// Records of an older layout, in the newest.
template <class T>
result<void> rewrite_table(lmdb_access& from, lmdb_draft& to, lmdb_table table) {
  result<void> done;
  auto visited = visit_records<T>(from, table, [&](std::uint64_t key, const T& record) {
    encode(record, to.access().start_record());
    done = to.access().put(table, key, MDB_APPEND);
    if (done)
      if (auto breathed = to.breathe(); !breathed)
        done = breathed.error();
    return done.has_value();
  });
  return visited ? done : visited;
}

result<void> carry_over(const lmdb_snapshot& from, lmdb_draft& to, lmdb_table table) {
  if (table == lmdb_table::events)
    return copy_events(from, to);
  if (from.access().layout() == newest_layout)
    return copy_table(from.access(), to, table);
  switch (table) {
  case lmdb_table::assets:
  case lmdb_table::base_assets:
    return rewrite_table<asset_record>(from.access(), to, table);
  case lmdb_table::files:
  case lmdb_table::base_files:
    return rewrite_table<file_record>(from.access(), to, table);
  case lmdb_table::runs:
    return rewrite_table<run_record>(from.access(), to, table);
  case lmdb_table::open_attempts:
  case lmdb_table::base_open_attempts:
    return rewrite_table<open_attempt>(from.access(), to, table);
  default: // texts, and what has one layout
    return copy_table(from.access(), to, table);
  }
}

/// A second name for the old file, which is about to lose its first.
result<void> keep_old_file(const state_dir& dir) {
  if (auto removed = dir.remove(kept_journal_file); !removed) // of an upgrade that a crash cut short
    return removed;
  if (::linkat(dir.descriptor(), journal_file, dir.descriptor(), kept_journal_file, 0) != 0)
    return state_error(dir.path(), "keep its old journal as " + dir.path_of(kept_journal_file), errno);
  return dir.sync();
}

} // namespace

result<std::uint64_t> copy_journal(const state_dir::handle& dir, bool keep_old) {
  // All of it is going to be read. What is open to write is shared, and was looked at.
  auto env = open_journal_to_read(
      dir, [](lmdb_file& file, const lmdb_meta& version) { return inspect_everything(file, version); });
  if (!env)
    return env.error();
  auto from = lmdb_snapshot::take(*env);
  if (!from)
    return from.error();
  auto to = lmdb_draft::begin(dir, (*from)->info().id, journal_bytes(*dir));
  if (!to)
    return to.error();
  for (std::size_t i = 0; i < lmdb_table_count; ++i) {
    const auto table = static_cast<lmdb_table>(i);
    if (table == lmdb_table::meta)
      continue;
    if (auto copied = carry_over(**from, **to, table); !copied)
      return copied.error();
  }
  auto info = (*from)->info();
  auto base = (*from)->base_info();
  if ((*from)->access().layout() != newest_layout) {
    const auto own = own_identity();
    note_writer(info, own);
    note_writer(base, own);
  }
  if (auto done = write_state_info((*to)->access(), info, base); !done)
    return done.error();
  if (keep_old)
    if (auto kept = keep_old_file(*dir); !kept)
      return kept.error();
  return (*to)->take_place();
}

} // namespace troupe_internal
