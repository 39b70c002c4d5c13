// Cursors over the tables.
#include "adapters/journal/lmdb_snapshot.hpp"

#include "adapters/journal/lmdb_inspect.hpp"
#include "adapters/journal/lmdb_projection.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace troupe_internal {
namespace {

/// No state has so many events: beyond it, numbers could wrap around.
constexpr std::uint64_t most_events = std::uint64_t{1} << 62U;

const char* problem_of(const run_record& record, std::uint64_t key, const state_info& info) {
  if (record.run.value != key)
    return "it is of another run";
  if (record.first_seq > record.segment_seq || record.segment_seq > record.last_seq || record.last_seq > info.last_seq)
    return "it names events that cannot be";
  if (record.request.error_strategy >= error_strategies)
    return "it has a kind this version does not know";
  if (record.status == run_status::queued || (record.dequeued && (record.attempts > 0 || !record.finished_at)))
    return "it says that the run never started, and more of it";
  return nullptr;
}

const char* problem_of(const run_queued& queued, std::uint64_t key, const state_info& info) {
  if (queued.run.value != key || queued.run > info.last_run)
    return "it is of another run, or of one that was never given a number";
  if (queued.request.error_strategy >= error_strategies)
    return "it has a kind this version does not know";
  return nullptr;
}

/// Whether all ids below `count`, and no others, have a record.
result<bool> is_dense(lmdb_access& access, lmdb_table table, std::uint32_t count) {
  MDB_stat size;
  if (const int code = mdb_stat(access.txn(), access.tables()[table], &size); code != 0)
    return lmdb_error(access.folder(), "read its journal", code);
  if (size.ms_entries != count || count == 0)
    return size.ms_entries == count;
  lmdb_cursor cursor(access, table);
  const auto found = cursor.move(MDB_LAST);
  return found && *found ? result<bool>(cursor.key() == count - 1) : found;
}

/// Whole tables are read once from end to end: what lies behind is let go of after so many records.
constexpr std::size_t records_in_memory = 8'192;

result<void> visit_texts(lmdb_access& access, lmdb_table table, const lmdb_snapshot& snapshot,
                         const std::function<bool(std::uint32_t, std::string_view)>& visit) {
  lmdb_cursor cursor(access, table);
  auto more = cursor.move(MDB_FIRST);
  for (std::size_t visited = 1; more && *more; ++visited) {
    if (!visit(static_cast<std::uint32_t>(cursor.key()), cursor.content()))
      break;
    if (visited % records_in_memory == 0)
      snapshot.release_memory();
    more = cursor.move(MDB_NEXT);
  }
  return more ? result<void>() : result<void>(more.error());
}

} // namespace

result<std::unique_ptr<lmdb_snapshot>> lmdb_snapshot::take(const std::shared_ptr<lmdb_env>& env) {
  auto txn = env->begin_read();
  if (!txn)
    return txn.error();
  std::unique_ptr<lmdb_snapshot> snapshot(new lmdb_snapshot(env, std::move(*txn)));
  for (const auto& [key, info] : {std::pair(0U, &snapshot->info_), std::pair(1U, &snapshot->base_info_)}) {
    const auto found = snapshot->access_.read(lmdb_table::meta, key, *info);
    if (!found)
      return found.error();
    if (!*found)
      return snapshot->access_.damage(lmdb_table::meta, key, "it is missing");
  }
  if (auto sound = snapshot->check_info(); !sound)
    return sound.error();
  return snapshot;
}

result<void> lmdb_snapshot::check_info() const {
  for (const auto& [table, count] :
       {std::pair(lmdb_table::asset_names, info_.asset_count), std::pair(lmdb_table::paths, info_.path_count)}) {
    const auto dense = is_dense(access_, table, count);
    if (!dense)
      return dense.error();
    if (!*dense)
      return access_.damage(lmdb_table::meta, 0,
                            "it counts " + std::to_string(count) + " ids, which is not what the table \"" +
                                table_name(table) + "\" holds");
  }
  if (info_.last_seq >= most_events || info_.first_seq > info_.last_seq + 1 || info_.writer_seq > info_.last_seq ||
      info_.last_run.value == std::numeric_limits<std::uint32_t>::max())
    return access_.damage(lmdb_table::meta, 0, "it has a number that cannot be");
  if (base_info_.last_seq >= most_events || base_info_.last_seq + 1 != info_.first_seq ||
      base_info_.asset_count > info_.asset_count || base_info_.path_count > info_.path_count ||
      base_info_.last_run > info_.last_run)
    return access_.damage(lmdb_table::meta, 1, "it does not fit the state record");
  return {};
}

error lmdb_snapshot::damaged_event(std::uint64_t seq, const std::string& finding) const {
  return access_.damage(lmdb_table::events, seq, finding);
}

error lmdb_snapshot::damaged_run(run_number run, const std::string& finding) const {
  return access_.damage(lmdb_table::runs, run.value, finding);
}

result<void> lmdb_snapshot::inspect_events_from(std::uint64_t first) const {
  if (first >= inspected_from_)
    return {};
  auto done = inspect_events(access_, first);
  if (done)
    inspected_from_ = first;
  return done;
}

result<void> lmdb_snapshot::visit_events(std::uint64_t first_seq,
                                         const std::function<bool(std::uint64_t, const event&)>& visit) const {
  const auto from = std::max(first_seq, info_.first_seq);
  if (from > info_.last_seq)
    return {};
  if (auto sound = inspect_events_from(from); !sound)
    return sound;
  lmdb_cursor cursor(access_, lmdb_table::events);
  auto more = cursor.move_to_last_at_most(from);
  if (more && !*more)
    return access_.damage(lmdb_table::events, from, "it is missing");
  auto seq = more ? cursor.key() : 0;
  for (; more && *more; more = cursor.move(MDB_NEXT)) {
    if (cursor.key() != seq)
      return access_.damage(lmdb_table::events, seq, "it is missing");
    for (event_decoder decoder(cursor.content()); !decoder.done(); ++seq) {
      const auto e = decoder.next();
      if (!e)
        return access_.damage(lmdb_table::events, seq, e.error().message);
      if (seq >= from && !visit(seq, *e))
        return {};
    }
  }
  if (!more)
    return more.error();
  if (seq != info_.last_seq + 1)
    return access_.damage(lmdb_table::events, seq,
                          seq <= info_.last_seq ? "it is missing" : "it lies beyond the last event there is");
  return {};
}

result<void> lmdb_snapshot::visit_asset_names(const std::function<bool(asset_id, std::string_view)>& visit) const {
  return visit_texts(access_, lmdb_table::asset_names, *this,
                     [&](std::uint32_t id, std::string_view text) { return visit(asset_id(id), text); });
}

result<void> lmdb_snapshot::visit_identities(const std::function<bool(asset_id, std::string_view)>& visit) const {
  return visit_texts(access_, lmdb_table::identities, *this,
                     [&](std::uint32_t id, std::string_view text) { return visit(asset_id(id), text); });
}

result<bool> lmdb_snapshot::read_made(path_id path, made_record& out) const {
  return access_.read(lmdb_table::made, path.value, out);
}

result<void> lmdb_snapshot::visit_made(const std::function<bool(path_id)>& wanted,
                                       const std::function<bool(path_id, const made_record&)>& visit) const {
  lmdb_cursor cursor(access_, lmdb_table::made);
  made_record record;
  auto more = cursor.move_key(MDB_FIRST);
  for (std::size_t visited = 1; more && *more; more = cursor.move_key(MDB_NEXT), ++visited) {
    if (visited % records_in_memory == 0)
      release_memory();
    const path_id path(static_cast<std::uint32_t>(cursor.key()));
    if (!wanted(path))
      continue;
    if (auto taken = cursor.take_content(); !taken)
      return taken;
    if (const char* problem = decode(cursor.content(), record, access_.layout()))
      return access_.damage(lmdb_table::made, cursor.key(), problem);
    if (!visit(path, record))
      return {};
  }
  return more ? result<void>() : result<void>(more.error());
}

result<void> lmdb_snapshot::visit_paths(const std::function<bool(path_id, std::string_view)>& visit) const {
  return visit_texts(access_, lmdb_table::paths, *this,
                     [&](std::uint32_t id, std::string_view text) { return visit(path_id(id), text); });
}

result<bool> lmdb_snapshot::read_asset(asset_id asset, asset_record& out) const {
  if (!assets_)
    assets_.emplace(access_, lmdb_table::assets);
  const auto found = assets_->move_to(asset.value);
  if (!found)
    return found;
  if (!*found)
    return access_.read(lmdb_table::assets, asset.value, out); // looks at the neighbours, too: it may be one of them
  if (const char* problem = decode(assets_->content(), out, access_.layout()))
    return access_.damage(lmdb_table::assets, asset.value, problem);
  return true;
}

result<bool> lmdb_snapshot::read_base_asset(asset_id asset, asset_record& out) const {
  return access_.read(lmdb_table::base_assets, asset.value, out);
}

result<bool> lmdb_snapshot::read_definition(const digest& of, asset_definition& out) const {
  if (!inspected_definitions_) {
    if (const auto sound = inspect_definitions(access_); !sound)
      return sound.error();
    inspected_definitions_ = true;
  }
  definition_record record;
  for (const auto table : {lmdb_table::definitions, lmdb_table::base_definitions}) {
    const auto found = access_.read(table, definition_key(of), record);
    if (!found)
      return found;
    if (*found && record.of == of && record.has_text) {
      out = std::move(record.text);
      return true;
    }
  }
  out = {};
  return false;
}

result<void> lmdb_snapshot::visit_assets(const std::function<bool(asset_id, const asset_record&)>& visit) const {
  return visit_records<asset_record>(access_, lmdb_table::assets, [&](std::uint64_t key, const asset_record& record) {
    return visit(asset_id(static_cast<std::uint32_t>(key)), record);
  });
}

result<void> lmdb_snapshot::visit_files(const std::function<bool(path_id, const file_record&)>& visit) const {
  std::size_t visited = 0;
  return visit_records<file_record>(access_, lmdb_table::files, [&](std::uint64_t key, const file_record& record) {
    if (++visited % records_in_memory == 0)
      release_memory();
    return visit(path_id(static_cast<std::uint32_t>(key)), record);
  });
}

result<std::optional<run_record>> lmdb_snapshot::read_run(run_number run) const {
  std::optional<run_record> record(std::in_place);
  const auto found = access_.read(lmdb_table::runs, run.value, *record);
  if (!found)
    return found.error();
  if (!*found)
    record.reset();
  else if (const char* problem = problem_of(*record, run.value, info_))
    return damaged_run(run, problem);
  return record;
}

result<void> lmdb_snapshot::visit_runs_newest_first(const std::function<bool(const run_record&)>& visit) const {
  std::optional<error> failure;
  auto done = visit_records<run_record>(
      access_, lmdb_table::runs,
      [&](std::uint64_t key, const run_record& record) {
        if (const char* problem = problem_of(record, key, info_))
          failure = access_.damage(lmdb_table::runs, key, problem);
        return !failure && visit(record);
      },
      MDB_LAST, MDB_PREV);
  return failure ? result<void>(std::move(*failure)) : done;
}

result<void> lmdb_snapshot::visit_queue(const std::function<bool(const run_queued&)>& visit) const {
  std::optional<error> failure;
  auto done = visit_records<run_queued>(access_, lmdb_table::queue, [&](std::uint64_t key, const run_queued& queued) {
    if (const char* problem = problem_of(queued, key, info_))
      failure = access_.damage(lmdb_table::queue, key, problem);
    return !failure && visit(queued);
  });
  return failure ? result<void>(std::move(*failure)) : done;
}

result<void> lmdb_snapshot::visit_triggers(const std::function<bool(const trigger_record&)>& visit) const {
  std::optional<error> failure;
  auto done = visit_records<trigger_record>(access_, lmdb_table::triggers, [&](std::uint64_t key, const auto& record) {
    if (key != trigger_key(record.trigger))
      failure = access_.damage(lmdb_table::triggers, key, "it is of another trigger");
    return !failure && visit(record);
  });
  return failure ? result<void>(std::move(*failure)) : done;
}

result<void> lmdb_snapshot::visit_pending(const std::function<bool(const event_taken&)>& visit) const {
  std::optional<error> failure;
  auto done = visit_records<event_taken>(access_, lmdb_table::pending, [&](std::uint64_t key, const auto& what) {
    if (key != what.event || what.event > info_.last_event)
      failure = access_.damage(lmdb_table::pending, key, "it is of another event, or of none");
    return !failure && visit(what);
  });
  return failure ? result<void>(std::move(*failure)) : done;
}

result<bool> lmdb_snapshot::read_trigger(const std::string& name, trigger_record& out) const {
  const auto found = access_.read(lmdb_table::triggers, trigger_key(name), out);
  if (!found || !*found || out.trigger == name)
    return found;
  out = {};
  return false;
}

result<bool> lmdb_snapshot::read_seen_key(const std::string& trigger, const std::string& key, seen_key& out) const {
  const auto found = access_.read(lmdb_table::keys, seen_key_key(trigger, key), out);
  if (!found || !*found || (out.trigger == trigger && out.key == key))
    return found;
  out = {};
  return false;
}

result<std::vector<open_attempt>> lmdb_snapshot::open_attempts() const {
  std::vector<open_attempt> open;
  std::optional<error> failure;
  auto done = visit_records<open_attempt>(
      access_, lmdb_table::open_attempts, [&](std::uint64_t key, const open_attempt& attempt) {
        if (key != open_attempt_key(attempt.run, attempt.asset) || attempt.asset.value >= info_.asset_count)
          failure = access_.damage(lmdb_table::open_attempts, key, "it is of another attempt, or of no known asset");
        open.push_back(attempt);
        return !failure;
      });
  if (failure)
    return std::move(*failure);
  if (!done)
    return done.error();
  return open;
}

result<std::optional<run_checkpoint>> lmdb_snapshot::read_checkpoint(run_number run) const {
  std::string_view content;
  const auto found = access_.get(lmdb_table::checkpoints, run.value, content);
  if (!found)
    return found.error();
  if (!*found)
    return std::optional<run_checkpoint>();
  if (content.size() < 8)
    return access_.damage(lmdb_table::checkpoints, run.value, "it ends too early");
  run_checkpoint checkpoint;
  for (unsigned i = 0; i < 8; ++i)
    checkpoint.seq |= std::uint64_t{static_cast<unsigned char>(content[i])} << 8U * i;
  checkpoint.bytes = content.substr(8);
  return std::optional(std::move(checkpoint));
}

std::unique_ptr<const journal_snapshot> lmdb_snapshot::twin() const {
  auto other = take(env_);
  if (!other || mdb_txn_id((*other)->txn_.get()) != mdb_txn_id(txn_.get())) // somebody has written meanwhile
    return nullptr;
  return std::move(*other);
}

void lmdb_snapshot::release_memory() const {
  // LMDB does not tell where it mapped its file; the kernel does. Clean pages of a shared mapping: dropping them loses
  // nothing.
  if (mapped_.empty()) { // it stays where it is as long as anybody reads
    const std::string file = env_->folder() + "/journal.mdb";
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      if (!line.ends_with(file))
        continue;
      const auto begin = std::strtoull(line.c_str(), nullptr, 16);
      const auto end = std::strtoull(line.c_str() + line.find('-') + 1, nullptr, 16);
      mapped_ = {reinterpret_cast<std::byte*>(begin), static_cast<std::size_t>(end - begin)};
    }
  }
  if (!mapped_.empty()) // refused: then the memory stays, as without asking
    static_cast<void>(madvise(mapped_.data(), mapped_.size(), MADV_DONTNEED));
}

} // namespace troupe_internal
