// A ring of batches between two threads.
#include "engine/record_reader.hpp"

#include "adapters/system/start_thread.hpp"

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
  if (!thread_.joinable()) {
    if (const auto read = snapshot_.read_asset(ids_[at_++], record_); !read)
      return read.error();
    return &record_;
  }
  if (current_ == nullptr || (next_ == current_->count && !current_->failed())) {
    std::unique_lock lock(mutex_);
    if (current_ != nullptr) {
      ++taken_;
      room_.notify_one();
    }
    more_.wait(lock, [&] { return taken_ < filled_; });
    current_ = &ring_[taken_ % ring_.size()];
    next_ = 0;
  }
  if (next_ == current_->count && current_->thrown)
    std::rethrow_exception(current_->thrown);
  if (next_ == current_->count)
    return *current_->problem;
  return &current_->records[next_++];
}

void record_reader::work() {
  while (at_ < ids_.size()) {
    std::uint64_t number = 0;
    {
      std::unique_lock lock(mutex_);
      room_.wait(lock, [&] { return stopped_ || filled_ - taken_ < ring_.size(); });
      if (stopped_)
        return;
      number = filled_;
    }
    auto& into = ring_[number % ring_.size()];
    try {
      fill(into);
    } catch (...) { // for who asks
      into.thrown = std::current_exception();
      at_ = ids_.size();
    }
    {
      const std::lock_guard lock(mutex_);
      ++filled_;
    }
    more_.notify_one();
  }
}

void record_reader::fill(batch& into) {
  std::size_t entries = 0;
  for (into.count = 0; into.count < batch_size && entries < entries_in_batch && at_ < ids_.size(); ++at_) {
    auto& record = into.records[into.count];
    if (entries_of(record) > entries_kept)
      record = {};
    if (const auto read = twin_->read_asset(ids_[at_], record); !read) {
      into.problem = read.error();
      at_ = ids_.size();
      return;
    }
    entries += entries_of(record);
    ++into.count;
  }
}

} // namespace troupe_internal
