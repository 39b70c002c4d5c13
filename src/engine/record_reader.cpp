// A ring of batches between two threads.
#include "engine/record_reader.hpp"

#include "adapters/system/start_thread.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace troupe_internal {

namespace {
/// Fewer are read before a thread has begun.
constexpr std::size_t worth_a_thread = 2'000;
/// Of lists, in one batch and kept by one record that is read into again: there may be many files to an asset.
constexpr std::size_t entries_in_batch = 4'096;
constexpr std::size_t entries_kept = 256;

/// What its lists have room for.
std::size_t entries_of(const asset_record& record) {
  auto entries = record.attempt_reasons.capacity() + record.absent_outputs.capacity();
  if (record.last) {
    const auto& from = record.last->made_from;
    const auto& made = record.last->made;
    entries += from.inputs.capacity() + from.discovered.capacity() + from.upstreams.capacity() + from.env.capacity() +
               from.params.capacity() + made.outputs.capacity() + made.templates.capacity() +
               made.metadata.capacity() / sizeof(file_version);
  }
  return entries;
}
} // namespace

record_reader::record_reader(const journal_snapshot& snapshot, std::vector<asset_id> ids, bool ahead)
    : snapshot_(snapshot), ids_(std::move(ids)) {
  if (!ahead || ids_.size() < worth_a_thread)
    return;
  twin_ = snapshot.twin();
  if (!twin_)
    return;
  try {
    thread_ = start_thread([this] { work(); });
  } catch (const std::system_error&) { // none to be had
  }
}

record_reader::~record_reader() {
  if (!thread_.joinable())
    return;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  room_.notify_one();
  thread_.join();
}

result<asset_record*> record_reader::next() {
  const auto id = ids_[asked_];
  const auto place = asked_ % batch_size;
  if (thread_.joinable() && place == 0)
    enter(asked_ / batch_size);
  ++asked_;
  if (current_ != nullptr) {
    if (place < current_->count)
      return &current_->records[place];
    if (current_->thrown)
      std::rethrow_exception(current_->thrown);
    if (current_->problem)
      return *current_->problem;
  }
  if (const auto read = snapshot_.read_asset(id, record_); !read)
    return read.error();
  return &record_;
}

void record_reader::enter(std::size_t number) {
  std::unique_lock lock(mutex_);
  if (current_ != nullptr)
    current_->ready = false;
  taken_ = number;
  if (claimed_ - taken_ <= ring_size / 2) // else the thread has enough to do
    room_.notify_one();
  current_ = &ring_[number % ring_size];
  while (!current_->ready)
    if (!fill_next(lock, snapshot_))
      more_.wait(lock);
}

void record_reader::work() {
  std::unique_lock lock(mutex_);
  while (!stopped_ && claimed_ < batches())
    if (!fill_next(lock, *twin_))
      room_.wait(lock);
}

bool record_reader::fill_next(std::unique_lock<std::mutex>& lock, const journal_snapshot& with) {
  if (claimed_ == batches() || claimed_ - taken_ == ring_size)
    return false;
  const auto number = claimed_++;
  auto& into = ring_[number % ring_size];
  lock.unlock();
  try {
    fill(into, number, with);
  } catch (...) { // for who asks
    into.thrown = std::current_exception();
  }
  lock.lock();
  into.ready = true;
  more_.notify_one();
  return true;
}

void record_reader::fill(batch& into, std::size_t number, const journal_snapshot& with) {
  std::size_t entries = 0;
  const auto end = std::min(ids_.size(), (number + 1) * batch_size);
  into.count = 0;
  for (auto i = number * batch_size; i < end && entries < entries_in_batch; ++i) {
    auto& record = into.records[into.count];
    if (entries_of(record) > entries_kept)
      record = {};
    if (const auto read = with.read_asset(ids_[i], record); !read) {
      into.problem = read.error();
      return;
    }
    entries += entries_of(record);
    ++into.count;
  }
}

} // namespace troupe_internal
