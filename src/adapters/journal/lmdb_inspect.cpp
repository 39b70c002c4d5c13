// Walks with the scopes that the header names.
#include "adapters/journal/lmdb_inspect.hpp"

#include "adapters/system/start_thread.hpp"

#include <limits>
#include <memory>
#include <system_error>
#include <utility>

namespace troupe_internal {

namespace {

std::vector<std::string_view> definition_tables() {
  return {table_name(lmdb_table::definitions), table_name(lmdb_table::base_definitions)};
}

/// Pages and check values of all tables but the counted ones; those of events behind all others.
std::string inspect_records(lmdb_file& file, const lmdb_meta& version, std::vector<std::string_view> counted,
                            const std::function<bool()>& enough, const std::function<void()>& before_events) {
  std::string first;
  lmdb_walk how;
  how.last_table = table_name(lmdb_table::events);
  how.before_last = before_events;
  how.counted_tables = std::move(counted);
  how.visit = [&](std::string_view table, std::string_view key, std::string_view stored) {
    first = stored_record_problem(table, key, stored);
    return first.empty() && (!enough || !enough());
  };
  const auto walked = walk_lmdb_pages(file, version, how);
  return walked.findings.empty() ? first : walked.findings.front().what;
}

} // namespace

std::string inspect_projections(lmdb_file& file, const lmdb_meta& version) {
  lmdb_walk how;
  how.sparse_table = table_name(lmdb_table::events);
  how.counted_tables = definition_tables();
  const auto walked = walk_lmdb_pages(file, version, how);
  return walked.findings.empty() ? std::string() : walked.findings.front().what;
}

std::string inspect_everything(lmdb_file& file, const lmdb_meta& version) {
  return inspect_records(file, version, {}, {}, {});
}

std::string inspect_for_writing(lmdb_file& file, const lmdb_meta& version, const std::function<bool()>& enough,
                                const std::function<void()>& projections_sound) {
  return inspect_records(file, version, definition_tables(), enough, projections_sound);
}

pending_inspection::pending_inspection(std::function<std::string()> look, bool beside) {
  auto task = std::make_shared<std::packaged_task<std::string()>>(std::move(look));
  answer_ = task->get_future();
  begin_ = [task] { (*task)(); };
  if (!beside)
    return;
  try {
    worker_ = start_thread(begin_);
    begin_ = nullptr;
  } catch (const std::system_error&) { // none to be had
  }
}

pending_inspection& pending_inspection::operator=(pending_inspection&& other) noexcept {
  std::swap(begin_, other.begin_);
  std::swap(answer_, other.answer_);
  std::swap(worker_, other.worker_);
  return *this;
}

pending_inspection::~pending_inspection() {
  if (worker_.joinable())
    worker_.join();
}

std::string pending_inspection::take() {
  if (begin_)
    begin_();
  begin_ = nullptr;
  return answer_.get();
}

namespace {

/// The pages of a table that may hold keys from `first` on; `with_values`: the check values of its records, too.
result<void> inspect_table(lmdb_access& access, lmdb_table table, std::uint64_t first, bool with_values) {
  // The table of tables is LMDB's own; its entries are trees.
  constexpr MDB_dbi table_of_tables = 1;
  std::string name = table_name(table);
  MDB_val key{name.size(), name.data()};
  MDB_val stored{};
  if (const int code = mdb_get(access.txn(), table_of_tables, &key, &stored); code != 0)
    return lmdb_error(access.folder(), "read its journal", code);
  if (stored.mv_size != lmdb_tree::bytes)
    return damaged_journal(access.folder(), "the entry of the table \"" + name + "\" has an impossible size");
  const auto tree = lmdb_tree_at(static_cast<const char*>(stored.mv_data));

  MDB_env* env = mdb_txn_env(access.txn());
  mdb_filehandle_t fd = -1;
  MDB_stat page;
  if (mdb_env_get_fd(env, &fd) != 0 || mdb_env_stat(env, &page) != 0)
    return lmdb_error(access.folder(), "read its journal", MDB_INVALID);
  auto file = lmdb_file::same_as(access.folder(), fd); // by now another file may lie at its path
  if (!file)
    return file.error();
  lmdb_meta version;
  version.page_bytes = page.ms_psize;
  version.last_page = file->bytes() / page.ms_psize;
  lmdb_walk how;
  how.sparse_table = name;
  how.first = first;
  how.last = std::numeric_limits<std::uint64_t>::max();
  std::string problem;
  if (with_values)
    how.visit = [&](std::string_view of, std::string_view record, std::string_view data) {
      problem = stored_record_problem(of, record, data);
      return problem.empty();
    };
  const auto walked = walk_lmdb_table(*file, version, name, tree, how);
  if (!walked.findings.empty())
    problem = walked.findings.front().what;
  return problem.empty() ? result<void>() : damaged_journal(access.folder(), problem);
}

} // namespace

result<void> inspect_definitions(lmdb_access& access) {
  for (const auto table : {lmdb_table::definitions, lmdb_table::base_definitions})
    if (auto done = inspect_table(access, table, 0, false); !done)
      return done;
  return {};
}

result<void> definition_guard::require_sound(lmdb_access& access) {
  if (sound_)
    return {};
  for (const auto table : {lmdb_table::definitions, lmdb_table::base_definitions})
    if (auto done = inspect_table(access, table, 0, true); !done)
      return done;
  sound_ = true;
  return {};
}

result<void> inspect_events(lmdb_access& access, std::uint64_t first) {
  return inspect_table(access, lmdb_table::events, first, false);
}

} // namespace troupe_internal
