// The commit thread.
#include "adapters/journal/group_commit.hpp"

#include "adapters/system/start_thread.hpp"

namespace troupe_internal {

group_commit::group_commit(journal_store& store, duration gather, std::function<void()> committed)
    : store_(store), gather_(gather), committed_(std::move(committed)) {
  thread_ = start_thread([this] { serve(); });
}

group_commit::~group_commit() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void group_commit::append(std::vector<event> events, bool urgent, std::function<void(result<std::uint64_t>)> durable) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    wake = waiting_.empty() || (urgent && !urgent_);
    if (!since_)
      since_ = std::chrono::steady_clock::now();
    waiting_.push_back({std::move(events), std::move(durable), {}});
    urgent_ = urgent_ || urgent;
  }
  if (wake)
    wake_.notify_one();
}

void group_commit::checkpoint(run_number run, std::string state) {
  submit([this, run, state = std::move(state)](journal_store& store) {
    // Replay without it is slower and no different; a journal that takes no writes says so at the next append.
    static_cast<void>(store.write_checkpoint(run, {last_seq_, state}));
  });
}

void group_commit::submit(std::function<void(journal_store&)> work) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({{}, {}, std::move(work)});
  }
  wake_.notify_one();
}

duration group_commit::oldest_wait() {
  const std::lock_guard lock(mutex_);
  return since_ ? std::chrono::duration_cast<duration>(std::chrono::steady_clock::now() - *since_) : duration::zero();
}

void group_commit::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty())
      return;
    if (!urgent_ && !ending_)
      wake_.wait_for(lock, gather_, [this] { return ending_ || urgent_; });
    std::deque<item> batch;
    batch.swap(waiting_);
    urgent_ = false;
    const auto taken = std::chrono::steady_clock::now();
    lock.unlock();
    commit(std::move(batch));
    lock.lock();
    since_ = waiting_.empty() ? std::nullopt : std::optional(taken); // what waits came after that
  }
}

void group_commit::commit(std::deque<item> batch) {
  while (!batch.empty()) {
    if (batch.front().work) {
      if (!failure_)
        batch.front().work(store_);
      batch.pop_front();
      continue;
    }
    std::vector<event> events;
    std::vector<std::function<void(result<std::uint64_t>)>> waiting;
    while (!batch.empty() && !batch.front().work) {
      auto& front = batch.front();
      events.insert(events.end(), std::make_move_iterator(front.events.begin()),
                    std::make_move_iterator(front.events.end()));
      if (front.durable)
        waiting.push_back(std::move(front.durable));
      batch.pop_front();
    }
    if (events.empty() && waiting.empty())
      continue;
    result<std::uint64_t> outcome = failure_ ? result<std::uint64_t>(*failure_) : store_.append(events);
    if (outcome)
      last_seq_ = *outcome;
    else if (!failure_)
      failure_ = outcome.error();
    if (outcome && !events.empty() && committed_)
      committed_(); // first: with its last event on disk a run, and all else, may end
    for (const auto& durable : waiting)
      durable(outcome);
  }
}

} // namespace troupe_internal
