// Making, opening and refusing states.
#include "adapters/journal/lmdb_journal_store.hpp"

#include "adapters/journal/lmdb_draft.hpp"
#include "adapters/journal/lmdb_inspect.hpp"
#include "adapters/journal/lmdb_migrate.hpp"
#include "adapters/journal/lmdb_open.hpp"
#include "adapters/journal/lmdb_origin.hpp"
#include "adapters/journal/lmdb_pages.hpp"
#include "adapters/journal/lmdb_snapshot.hpp"
#include "adapters/journal/lmdb_writer.hpp"
#include "adapters/process/own_identity.hpp"
#include "adapters/state/state_folder.hpp"
#include "adapters/system/posix_error.hpp"

#include <cerrno>

namespace troupe_internal {
namespace {

result<void> make_journal(const state_dir::handle& dir, troupe_internal::clock& clock) {
  const auto high = clock.random();
  state_info info;
  info.id = make_uuid_v7(clock.now(), high, clock.random());
  note_writer(info, own_identity());
  auto draft = lmdb_draft::begin(dir, info.id, 0);
  if (!draft)
    return draft.error();
  if (auto noted = write_state_info((*draft)->access(), info, info); !noted)
    return noted.error();
  const auto placed = (*draft)->take_place();
  return placed ? result<void>() : result<void>(placed.error());
}

/// Looks at everything while the caller goes on to plan; a small journal is looked at when the answer is asked for.
pending_inspection inspect_beside(const state_dir::handle& dir, const lmdb_file& opened, const lmdb_meta& version,
                                  std::shared_ptr<early_inspection> early) {
  return pending_inspection(
      [dir, version, id = opened.id(), early = std::move(early)]() -> std::string {
        if (early && early->found_sound(id, version.txn_id))
          return {};
        auto file = lmdb_file::open(*dir, journal_file);
        return file ? inspect_for_writing(*file, version) : file.error().message;
      },
      opened.bytes() > small_journal_bytes);
}

/// Adds this user and machine to the note of an open journal.
result<void> note_own(lmdb_env& env, const lmdb_snapshot& as_it_is) {
  auto info = as_it_is.info();
  auto base = as_it_is.base_info();
  const auto own = own_identity();
  const bool new_there = note_writer(info, own);
  const bool new_in_base = note_writer(base, own);
  if (!new_there && !new_in_base)
    return {};
  auto txn = env.begin_write();
  if (!txn)
    return txn.error();
  lmdb_access access(*txn, env.tables(), env.folder());
  if (auto written = write_state_info(access, info, base); !written)
    return written;
  const int code = txn->commit();
  return code == 0 ? result<void>() : result<void>(lmdb_error(env.folder(), "write its journal", code));
}

} // namespace

result<void> write_state_info(lmdb_access& access, const state_info& info, const state_info& base) {
  if (auto done = access.write(lmdb_table::meta, 0, info); !done)
    return done;
  return access.write(lmdb_table::meta, 1, base);
}

result<void> settle_unsynced(lmdb_env& env) {
  if (auto synced = env.sync(); !synced) {
    static_cast<void>(mark_lost(*env.dir())); // where that fails too, the disk is beyond a note
    return synced;
  }
  return clear_unsynced(*env.dir());
}

result<std::shared_ptr<const lmdb_tables>> open_journal_tables(lmdb_env& env) {
  auto txn = env.begin_read();
  if (!txn)
    return txn.error();
  auto tables = lmdb_tables::open(*txn, env.folder(), false, {});
  if (!tables)
    return tables.error();
  if (const int code = txn->commit(); code != 0) // keeps the handles
    return lmdb_error(env.folder(), "open its journal", code);
  return std::make_shared<const lmdb_tables>(*tables);
}

result<std::unique_ptr<journal_store>> open_journal(const std::string& folder, const journal_settings& settings,
                                                    troupe_internal::clock& clock) {
  auto lock = settings.trust ? lock_state(folder) : lock_own_state(folder);
  if (!lock)
    return lock.error();
  return open_journal(std::move(*lock), settings, clock);
}

result<std::unique_ptr<journal_store>> open_journal(state_lock lock, const journal_settings& settings,
                                                    troupe_internal::clock& clock) {
  return open_journal(std::make_shared<const state_lock>(std::move(lock)), settings, clock);
}

result<std::unique_ptr<journal_store>> open_journal(std::shared_ptr<const state_lock> lock,
                                                    const journal_settings& settings, troupe_internal::clock& clock) {
  const auto dir = lock->dir();
  if (auto good = require_trustworthy(*dir); !good)
    return good.error();
  if (!dir->look(journal_file))
    if (auto made = make_journal(dir, clock); !made)
      return made.error();
  lmdb_open_options options;
  options.dir = dir;
  options.read_only = false;
  options.map_bytes = settings.map_bytes;
  pending_inspection doubts;
  options.inspect = [&](lmdb_file& file, const lmdb_meta& version) {
    const bool sound = settings.early && settings.early->found_projections_sound(file.id(), version.txn_id);
    auto problem = sound ? std::string() : inspect_projections(file, version);
    if (problem.empty())
      doubts = inspect_beside(dir, file, version, settings.early);
    return problem;
  };
  auto env = lmdb_env::open(options, open_journal_tables);
  if (!env)
    return env.error();
  auto taken = lmdb_snapshot::take(*env);
  if (!taken)
    return taken.error();
  const auto origin = origin_of((*taken)->info(), (*env)->tables().format());
  if (origin != state_origin::here && !settings.trust) // it came there since lock_own_state() looked
    return foreign_state(dir->path(), (*taken)->info(), origin);
  if ((*env)->tables().format() != journal_format || settings.trust) {
    if (const auto problem = doubts.is_pending() ? doubts.take() : std::string(); !problem.empty())
      return damaged_journal(dir->path(), problem);
    if ((*env)->tables().format() != journal_format) {
      taken->reset();
      env->reset(); // a process has the file open once
      if (auto migrated = copy_journal(dir, true); !migrated)
        return migrated.error();
      env = lmdb_env::open(options, open_journal_tables);
      if (!env)
        return env.error();
    } else if (auto noted = note_own(**env, **taken); !noted) {
      return noted.error();
    }
    taken = lmdb_snapshot::take(*env);
    if (!taken)
      return taken.error();
  }
  auto info = (*taken)->info();
  taken->reset();
  // Before the first event is acknowledged the way to the journal has to be certain: its name in the folder, the
  // folder's in its parent … An earlier process may have made any part of it and died.
  if (info.last_seq == 0)
    if (auto synced = sync_path(*dir); !synced)
      return synced.error();
  if (settings.durability == troupe_internal::durability::none) {
    if (auto marked = mark_unsynced(*dir); !marked)
      return marked.error();
    (*env)->set_no_sync(true);
  } else if (is_marked_unsynced(*dir)) {
    // What a writer of this boot left unsynced when it was killed is in the kernel still.
    if (auto settled = settle_unsynced(**env); !settled)
      return settled.error();
  }
  return std::unique_ptr<journal_store>(std::make_unique<lmdb_writer>(
      std::move(lock), std::move(*env), settings.durability, std::move(info), std::move(doubts)));
}

result<void> may_read_journal(const state_dir& dir) {
  if (!dir.look(journal_file)) {
    if (const int why = errno; why != ENOENT) // what may not be looked at is not taken for an empty history
      return fail(error_code::state_unusable, "the state in " + dir.path() + " cannot be read: " + errno_text(why));
    return fail(error_code::not_found, "there is no state in " + dir.path() + " yet");
  }
  if (auto local = require_local(dir); !local)
    return local;
  return require_trustworthy(dir);
}

result<state_lock> lock_journal(const std::string& folder) {
  const auto dir = state_dir::open(folder);
  if (!dir)
    return dir.error();
  if (auto may = may_read_journal(**dir); !may)
    return may.error();
  return lock_own_state(folder);
}

result<std::shared_ptr<lmdb_env>> open_journal_to_read(const state_dir::handle& dir,
                                                       decltype(lmdb_open_options::inspect) inspect) {
  if (auto may = may_read_journal(*dir); !may)
    return may.error();
  lmdb_open_options options;
  options.dir = dir;
  options.inspect = inspect ? std::move(inspect) : inspect_projections;
  options.without_lock_file = dir->ours() && is_foreign(*dir) && !is_locked(*dir);
  return lmdb_env::open(options, open_journal_tables);
}

result<std::unique_ptr<journal_snapshot>> open_snapshot(const std::string& folder) {
  const auto dir = state_dir::open(folder);
  if (!dir)
    return dir.error();
  auto env = open_journal_to_read(*dir);
  if (!env)
    return env.error();
  auto taken = lmdb_snapshot::take(*env);
  if (!taken)
    return taken.error();
  return std::unique_ptr<journal_snapshot>(std::move(*taken));
}

} // namespace troupe_internal
