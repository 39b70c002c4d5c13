// Making, opening and refusing states.
#include "adapters/lmdb_journal_store.hpp"

#include "adapters/lmdb_draft.hpp"
#include "adapters/lmdb_inspect.hpp"
#include "adapters/lmdb_migrate.hpp"
#include "adapters/lmdb_open.hpp"
#include "adapters/lmdb_origin.hpp"
#include "adapters/lmdb_pages.hpp"
#include "adapters/lmdb_snapshot.hpp"
#include "adapters/lmdb_writer.hpp"
#include "adapters/own_identity.hpp"
#include "adapters/posix_error.hpp"
#include "adapters/state_folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace troupe {
namespace {

bool exists(const std::string& path) {
  struct stat st {};
  return ::lstat(path.c_str(), &st) == 0;
}

/// Why no state can be or come to be there; null: one can.
const char* problem_of_place(const std::string& folder) {
  struct stat st {};
  if (::stat(folder.c_str(), &st) == 0)
    return S_ISDIR(st.st_mode) ? nullptr : "it is a file, not a folder";
  // Not any entry: a folder may have been made there since.
  const int why = errno;
  if (why == ENOENT && ::lstat(folder.c_str(), &st) == 0 && S_ISLNK(st.st_mode))
    return "it is a link that leads nowhere";
  return why == ENOTDIR ? "a part of its path is a file, not a folder" : nullptr;
}

result<void> make_journal(const std::string& folder, troupe::clock& clock) {
  const auto high = clock.random();
  state_info info;
  info.id = make_uuid_v7(clock.now(), high, clock.random());
  note_writer(info, own_identity());
  auto draft = lmdb_draft::begin(folder, info.id, 0);
  if (!draft)
    return draft.error();
  if (auto noted = write_state_info((*draft)->access(), info, info); !noted)
    return noted.error();
  const auto placed = (*draft)->take_place();
  return placed ? result<void>() : result<void>(placed.error());
}

/// Looks at everything while the caller goes on to plan; a small journal is looked at when the answer is asked for.
pending_inspection inspect_beside(const std::string& folder, std::uint64_t bytes, const lmdb_meta& version) {
  constexpr std::uint64_t small_bytes = std::uint64_t{1} << 20U;
  return pending_inspection(
      [folder, version]() -> std::string {
        auto file = lmdb_file::open(folder, journal_path(folder));
        return file ? inspect_everything(*file, version) : file.error().message;
      },
      bytes > small_bytes);
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

std::string journal_path(const std::string& folder) {
  return folder + "/journal.mdb";
}

result<void> settle_unsynced(lmdb_env& env) {
  if (auto synced = env.sync(); !synced) {
    static_cast<void>(mark_lost(env.folder())); // where that fails too, the disk is beyond a note
    return synced;
  }
  return clear_unsynced(env.folder());
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
                                                    troupe::clock& clock) {
  auto lock = settings.trust ? lock_state(folder) : lock_own_state(folder);
  if (!lock)
    return lock.error();
  return open_journal(std::move(*lock), settings, clock);
}

result<std::unique_ptr<journal_store>> open_journal(state_lock lock, const journal_settings& settings,
                                                    troupe::clock& clock) {
  const auto folder = lock.folder();
  if (auto good = require_trustworthy(folder); !good)
    return good.error();
  if (!exists(journal_path(folder)))
    if (auto made = make_journal(folder, clock); !made)
      return made.error();
  lmdb_open_options options;
  options.folder = folder;
  options.read_only = false;
  options.map_bytes = settings.map_bytes;
  pending_inspection doubts;
  options.inspect = [&](lmdb_file& file, const lmdb_meta& version) {
    auto problem = inspect_projections(file, version);
    if (problem.empty())
      doubts = inspect_beside(folder, file.bytes(), version);
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
    return foreign_state(folder, (*taken)->info(), origin);
  if ((*env)->tables().format() != journal_format || settings.trust) {
    if (const auto problem = doubts.take(); !problem.empty())
      return damaged_journal(folder, problem);
    if ((*env)->tables().format() != journal_format) {
      taken->reset();
      env->reset(); // a process has the file open once
      if (auto migrated = copy_journal(folder, true); !migrated)
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
    if (auto synced = sync_path(folder); !synced)
      return synced.error();
  if (settings.durability == troupe::durability::none) {
    if (auto marked = mark_unsynced(folder); !marked)
      return marked.error();
    (*env)->set_no_sync(true);
  } else if (is_marked_unsynced(folder)) {
    // What a writer of this boot left unsynced when it was killed is in the kernel still.
    if (auto settled = settle_unsynced(**env); !settled)
      return settled.error();
  }
  return std::unique_ptr<journal_store>(std::make_unique<lmdb_writer>(
      std::move(lock), std::move(*env), settings.durability, std::move(info), std::move(doubts)));
}

result<void> may_read_journal(const std::string& folder) {
  struct stat st {};
  if (::lstat(journal_path(folder).c_str(), &st) != 0) {
    if (auto problem = problem_of_place(folder); problem != nullptr)
      return fail(error_code::state_unusable, "there can be no state in " + folder + ": " + problem +
                                                  ". Remove it, or name another folder with --state or "
                                                  "engine.state_dir");
    // What may not be looked at is not taken for an empty history.
    if (const int why = errno; why != ENOENT && why != ENOTDIR)
      return fail(error_code::state_unusable, "the state in " + folder + " cannot be read: " + errno_text(why));
    return fail(error_code::not_found, "there is no state in " + folder + " yet");
  }
  if (auto local = require_local(folder); !local)
    return local;
  return require_trustworthy(folder);
}

result<std::shared_ptr<lmdb_env>> open_journal_to_read(const std::string& folder,
                                                       decltype(lmdb_open_options::inspect) inspect) {
  if (auto may = may_read_journal(folder); !may)
    return may.error();
  lmdb_open_options options;
  options.folder = folder;
  options.inspect = inspect ? std::move(inspect) : inspect_projections;
  options.without_lock_file = is_foreign(folder) && !is_locked(folder);
  return lmdb_env::open(options, open_journal_tables);
}

result<std::unique_ptr<journal_snapshot>> open_snapshot(const std::string& folder) {
  auto env = open_journal_to_read(folder);
  if (!env)
    return env.error();
  auto taken = lmdb_snapshot::take(*env);
  if (!taken)
    return taken.error();
  return std::unique_ptr<journal_snapshot>(std::move(*taken));
}

} // namespace troupe
