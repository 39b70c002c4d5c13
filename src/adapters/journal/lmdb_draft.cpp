// Write, sync, rename, sync the folder.
#include "adapters/journal/lmdb_draft.hpp"

#include <algorithm>

namespace troupe_internal {
namespace {

constexpr const char* draft_file = "journal.mdb.new";
constexpr std::uint64_t transaction_bytes = std::uint64_t{32} << 20U;
constexpr std::uint64_t least_map_bytes = std::uint64_t{16} << 20U;

} // namespace

result<void> lmdb_draft::remove_files() const {
  auto removed = dir_->remove(draft_file);
  return removed ? dir_->remove(std::string(draft_file) + "-lock") : removed;
}

result<std::unique_ptr<lmdb_draft>> lmdb_draft::begin(const state_dir::handle& dir, const uuid& id,
                                                      std::uint64_t bytes) {
  std::unique_ptr<lmdb_draft> draft(new lmdb_draft(dir));
  if (auto removed = draft->remove_files(); !removed)
    return removed.error();
  // LMDB takes an empty file for a new one.
  if (auto made = dir->make(draft_file); !made)
    return made.error();
  const auto& folder = dir->path();
  lmdb_open_options options;
  options.dir = dir;
  options.file = draft_file;
  options.read_only = false;
  options.create = true;
  options.map_bytes = bytes * 4 + least_map_bytes;
  auto env = lmdb_env::open(options, [&](lmdb_env& opened) -> result<std::shared_ptr<const lmdb_tables>> {
    opened.set_no_sync(true); // until all of it is brought to disk at once
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
  draft->env_ = std::move(*env);
  if (auto begun = draft->begin_transaction(); !begun)
    return begun.error();
  return draft;
}

lmdb_draft::~lmdb_draft() {
  access_.reset();
  txn_.reset();
  env_.reset();
  static_cast<void>(remove_files());
}

result<void> lmdb_draft::begin_transaction() {
  auto txn = env_->begin_write();
  if (!txn)
    return txn.error();
  txn_.emplace(std::move(*txn));
  access_.emplace(*txn_, env_->tables(), env_->folder());
  return {};
}

result<void> lmdb_draft::commit() {
  access_.reset();
  const int code = txn_->commit();
  txn_.reset();
  return code == 0 ? result<void>() : lmdb_error(dir_->path(), "make its journal anew", code);
}

result<bool> lmdb_draft::breathe() {
  if (access_->bytes_put() < transaction_bytes)
    return false;
  if (auto done = commit(); !done)
    return done.error();
  if (auto done = begin_transaction(); !done)
    return done.error();
  return true;
}

result<void> lmdb_draft::add_event(std::uint64_t seq, const event& e) {
  if (record_.bytes().empty())
    record_seq_ = seq;
  record_.add(e);
  return record_.bytes().size() < event_record_bytes ? result<void>() : finish_events();
}

result<void> lmdb_draft::finish_events() {
  if (record_.bytes().empty())
    return {};
  access_->start_record() += record_.bytes();
  record_.clear();
  return access_->put(lmdb_table::events, record_seq_, MDB_APPEND);
}

result<std::uint64_t> lmdb_draft::take_place() {
  if (auto done = commit(); !done)
    return done.error();
  if (auto synced = env_->sync(); !synced)
    return synced.error();
  env_.reset();
  const auto made = dir_->look(draft_file);
  static_cast<void>(dir_->remove(std::string(draft_file) + "-lock"));
  if (auto placed = dir_->rename(draft_file, journal_file); !placed)
    return placed.error();
  // LMDB keeps the number of the last transaction there, and that of the old file means nothing in the new one. Who has
  // the old file open keeps both; who opens one with the other sees it (lmdb_env::inspect).
  if (auto removed = dir_->remove(std::string(journal_file) + "-lock"); !removed)
    return removed.error();
  if (auto synced = dir_->sync(); !synced)
    return synced.error();
  return made ? static_cast<std::uint64_t>(made->st_size) : 0;
}

} // namespace troupe_internal
