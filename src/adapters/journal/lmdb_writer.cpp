// One write transaction for each call.
#include "adapters/journal/lmdb_writer.hpp"

#include "adapters/journal/lmdb_open.hpp"
#include "adapters/journal/lmdb_pages.hpp"
#include "adapters/journal/lmdb_snapshot.hpp"

namespace troupe_internal {
namespace {

/// A look costs a system call for each reader.
constexpr std::uint32_t transactions_between_looks_for_dead_readers = 256;

} // namespace

lmdb_writer::~lmdb_writer() {
  // If this fails there is a mark, and the next opening sees it: there is nobody left to tell.
  if (durability_ == troupe_internal::durability::none && (!failed_ || untouched_))
    static_cast<void>(settle_unsynced(*env_));
}

result<void> lmdb_writer::transact(const std::function<result<void>(lmdb_access&)>& work) {
  if (doubts_.is_pending())
    if (const auto problem = doubts_.take(); !problem.empty())
      failed_ = damaged_journal(env_->folder(), problem);
  if (failed_)
    return *failed_;
  untouched_ = false;
  if (++transactions_ % transactions_between_looks_for_dead_readers == 0)
    env_->forget_dead_readers();
  for (;;) {
    auto txn = env_->begin_write();
    if (!txn) {
      failed_ = txn.error();
      return txn.error();
    }
    lmdb_access access(*txn, env_->tables(), env_->folder());
    auto done = work(access);
    int refusal = access.refusal();
    if (done && !env_->in_place()) // what is committed to a file that nobody can open again is not recorded
      done =
          fail(error_code::state_unusable, "state " + env_->folder() +
                                               ": its journal was removed or replaced while it was written: what was "
                                               "done since is not recorded; run again");
    if (done) {
      refusal = txn->commit();
      if (refusal == 0)
        return {};
      done = lmdb_error(env_->folder(), "write its journal", refusal);
    }
    if (refusal == MDB_MAP_FULL) {
      { auto abandoned = std::move(*txn); } // the map changes only while no transaction is open
      done = env_->grow();
      if (done)
        continue;
    }
    failed_ = done.error();
    return done;
  }
}

result<void> lmdb_writer::put_events(lmdb_access& access, std::uint64_t first_seq, std::span<const event> events) {
  record_.clear();
  auto seq = first_seq;
  for (const auto& e : events) {
    record_.add(e);
    ++seq;
    if (record_.bytes().size() < event_record_bytes && &e != &events.back())
      continue;
    access.start_record() += record_.bytes();
    if (auto done = access.put(lmdb_table::events, first_seq, MDB_APPEND); !done)
      return done;
    record_.clear();
    first_seq = seq;
  }
  return {};
}

result<std::uint64_t> lmdb_writer::append(std::span<const event> events) {
  if (failed_)
    return *failed_;
  if (events.empty())
    return info_.last_seq;
  state_info after;
  auto done = transact([&](lmdb_access& access) -> result<void> {
    lmdb_projection live(access, lmdb_projection::side::live, info_, &definitions_);
    projector fold(live);
    for (const auto& e : events)
      if (auto applied = fold.apply(live.info().last_seq + 1, e); !applied)
        return applied;
    if (auto put = put_events(access, info_.last_seq + 1, events); !put)
      return put;
    after = live.info();
    return live.flush();
  });
  if (!done)
    return done.error();
  info_ = std::move(after);
  return info_.last_seq;
}

result<void> lmdb_writer::write_checkpoint(run_number run, const run_checkpoint& checkpoint) {
  return transact([&](lmdb_access& access) {
    auto& record = access.start_record();
    for (unsigned i = 0; i < 8; ++i)
      record += static_cast<char>(checkpoint.seq >> 8U * i);
    record += checkpoint.bytes;
    return access.put(lmdb_table::checkpoints, run.value);
  });
}

result<retention_step> lmdb_writer::retain(const retention_rule& rule, std::uint64_t max_events) {
  retention_step step;
  state_info after;
  auto done = transact([&](lmdb_access& access) -> result<void> {
    after = info_;
    auto made = retain_step(access, after, rule, max_events, definitions_);
    if (!made)
      return made.error();
    step = std::move(*made);
    return {};
  });
  if (!done)
    return done.error();
  info_ = std::move(after);
  return step;
}

result<std::unique_ptr<journal_snapshot>> lmdb_writer::snapshot() const {
  auto taken = lmdb_snapshot::take(env_);
  if (!taken)
    return taken.error();
  return std::unique_ptr<journal_snapshot>(std::move(*taken));
}

} // namespace troupe_internal
