// Write, sync, rename, sync the folder.
#include "adapters/lmdb_draft.hpp"

#include "adapters/lmdb_open.hpp"
#include "adapters/posix_error.hpp"
#include "adapters/state_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace troupe {
namespace {

constexpr const char* draft_file = "journal.mdb.new";
constexpr std::uint64_t transaction_bytes = std::uint64_t{32} << 20U;
constexpr std::uint64_t least_map_bytes = std::uint64_t{16} << 20U;

} // namespace

std::string lmdb_draft::path() const {
  return folder_ + "/" + draft_file;
}

result<std::unique_ptr<lmdb_draft>> lmdb_draft::begin(const std::string& folder, const uuid& id, std::uint64_t bytes) {
  std::unique_ptr<lmdb_draft> draft(new lmdb_draft(folder));
  ::unlink(draft->path().c_str());
  ::unlink((draft->path() + "-lock").c_str());
  lmdb_open_options options;
  options.folder = folder;
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
  ::unlink(path().c_str());
  ::unlink((path() + "-lock").c_str());
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
  return code == 0 ? result<void>() : lmdb_error(folder_, "make its journal anew", code);
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

result<void> lmdb_draft::keep_owner() const {
  struct stat was {};
  struct stat is {};
  if (::stat(journal_path(folder_).c_str(), &was) != 0 || ::stat(path().c_str(), &is) != 0)
    return {}; // there is none yet
  if ((was.st_uid == is.st_uid && was.st_gid == is.st_gid) || ::chown(path().c_str(), was.st_uid, was.st_gid) == 0)
    return {};
  return fail(error_code::state_unusable, "state " + folder_ +
                                              ": its journal belongs to another user, to whom a new one cannot be "
                                              "given (" +
                                              errno_text(errno) + "): run this as that user");
}

result<std::uint64_t> lmdb_draft::take_place() {
  if (auto done = commit(); !done)
    return done.error();
  if (auto synced = env_->sync(); !synced)
    return synced.error();
  env_.reset();
  if (auto owned = keep_owner(); !owned)
    return owned.error();
  struct stat st {};
  ::stat(path().c_str(), &st);
  const auto lock_file = journal_path(folder_) + "-lock";
  ::unlink((path() + "-lock").c_str());
  if (std::rename(path().c_str(), journal_path(folder_).c_str()) != 0)
    return fail(error_code::state_unusable,
                "state " + folder_ + ": cannot put its journal in place: " + errno_text(errno));
  // LMDB keeps the number of the last transaction there, and that of the old file means nothing in the new one. Who has
  // the old file open keeps both; who opens one with the other sees it (lmdb_env::inspect).
  ::unlink(lock_file.c_str());
  if (auto synced = sync_folder(folder_); !synced)
    return synced.error();
  return static_cast<std::uint64_t>(st.st_size);
}

} // namespace troupe
