// Making, opening and refusing states.
#include "adapters/lmdb_journal_store.hpp"

#include "adapters/lmdb_open.hpp"
#include "adapters/lmdb_snapshot.hpp"
#include "adapters/lmdb_writer.hpp"
#include "adapters/posix_error.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace troupe {
namespace {

constexpr const char* draft_file = "journal.mdb.new";

bool exists(const std::string& path) {
  struct stat st {};
  return ::lstat(path.c_str(), &st) == 0;
}

/// A new journal is made under another name and renamed when it is whole and on disk: a crash leaves none, or all of
/// it.
result<void> make_journal(const std::string& folder, troupe::clock& clock) {
  const auto draft = folder + "/" + draft_file;
  const auto draft_lock = draft + "-lock";
  ::unlink(draft.c_str());
  ::unlink(draft_lock.c_str());
  const auto high = clock.random();
  const auto id = make_uuid_v7(clock.now(), high, clock.random());
  lmdb_open_options options;
  options.folder = folder;
  options.file = draft_file;
  options.read_only = false;
  options.create = true;
  options.map_bytes = std::size_t{1} << 24U;
  {
    auto env = lmdb_env::open(options, [&](lmdb_env& opened) -> result<std::shared_ptr<const lmdb_tables>> {
      auto txn = opened.begin_write();
      if (!txn)
        return txn.error();
      auto tables = lmdb_tables::open(*txn, folder, true, id);
      if (!tables)
        return tables.error();
      if (const int code = txn->commit(); code != 0)
        return lmdb_error(folder, "make its journal", code);
      return std::make_shared<const lmdb_tables>(*tables);
    });
    if (!env)
      return env.error();
    if (auto synced = (*env)->sync(); !synced)
      return synced;
  }
  ::unlink(draft_lock.c_str());
  if (std::rename(draft.c_str(), journal_path(folder).c_str()) != 0)
    return fail(error_code::state_unusable, "state " + folder + ": cannot make its journal: " + std::strerror(errno));
  return sync_folder(folder);
}

} // namespace

std::string journal_path(const std::string& folder) {
  return folder + "/journal.mdb";
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
  auto lock = lock_state(folder);
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
  auto env = lmdb_env::open(options, open_journal_tables);
  if (!env)
    return env.error();
  auto taken = lmdb_snapshot::take(*env);
  if (!taken)
    return taken.error();
  auto info = (*taken)->info();
  taken->reset();
  if (settings.durability == troupe::durability::none) {
    if (auto marked = mark_unsynced(folder); !marked)
      return marked.error();
    (*env)->set_no_sync(true);
  } else {
    // What a writer of this boot left unsynced when it was killed is in the kernel still.
    if (auto synced = exists(folder + "/unsynced") ? (*env)->sync() : result<void>(); !synced)
      return synced.error();
    if (auto cleared = clear_unsynced(folder); !cleared)
      return cleared.error();
  }
  return std::unique_ptr<journal_store>(
      std::make_unique<lmdb_writer>(std::move(lock), std::move(*env), settings.durability, std::move(info)));
}

result<std::shared_ptr<lmdb_env>> open_journal_to_read(const std::string& folder,
                                                       const lmdb_env::table_opener& open_tables) {
  struct stat st {};
  if (::lstat(journal_path(folder).c_str(), &st) != 0) {
    // What may not be looked at is not taken for an empty history.
    if (const int why = errno; why != ENOENT && why != ENOTDIR)
      return fail(error_code::state_unusable, "the state in " + folder + " cannot be read: " + errno_text(why));
    return fail(error_code::not_found, "there is no state in " + folder + " yet");
  }
  if (auto local = require_local(folder); !local)
    return local.error();
  if (auto good = require_trustworthy(folder); !good)
    return good.error();
  lmdb_open_options options;
  options.folder = folder;
  return lmdb_env::open(options, open_tables);
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
