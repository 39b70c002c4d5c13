// Group commit over a store in memory: order, grouping, failures, the end.
#include "adapters/journal/group_commit.hpp"
#include "support/memory_journal_store.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <vector>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

constexpr run_number run{1U};

/// A store whose appends wait for a word, so that a test can let things pile up behind one.
class gated_store final : public journal_store {
public:
  result<std::uint64_t> append(std::span<const event> events) override {
    std::unique_lock lock(mutex_);
    sizes_.push_back(events.size());
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    lock.unlock();
    return store.append(events);
  }
  result<void> write_checkpoint(run_number number, const run_checkpoint& checkpoint) override {
    return store.write_checkpoint(number, checkpoint);
  }
  result<retention_step> retain(const retention_rule& rule, std::uint64_t max_events) override {
    return store.retain(rule, max_events);
  }
  result<std::unique_ptr<journal_snapshot>> snapshot() const override { return store.snapshot(); }

  void set_open(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }
  /// Waits until that many appends have come; a minute means it never will.
  void wait_for_appends(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, 1min, [&] { return sizes_.size() >= count; }));
  }
  /// The number of events of each append so far.
  std::vector<std::size_t> sizes() {
    const std::lock_guard lock(mutex_);
    return sizes_;
  }

  test::memory_journal_store store;

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::size_t> sizes_;
  bool open_ = true;
};

/// An event that can be told from others.
event numbered(std::int32_t number) {
  writer_opened e;
  e.pid = number;
  return e;
}

std::vector<std::int32_t> numbers_in(const test::memory_journal_store& store) {
  std::vector<std::int32_t> numbers;
  for (const auto& e : store.events())
    if (const auto* opened = std::get_if<writer_opened>(&e))
      numbers.push_back(opened->pid);
  return numbers;
}

using answer = std::promise<result<std::uint64_t>>;

std::function<void(result<std::uint64_t>)> into(answer& promise) {
  return [&promise](result<std::uint64_t> r) { promise.set_value(std::move(r)); };
}

result<std::uint64_t> wait(answer& promise) {
  auto future = promise.get_future();
  REQUIRE(future.wait_for(1min) == std::future_status::ready);
  return future.get();
}

} // namespace

TEST_CASE("what is appended is durable, in the order of the calls, and numbered by its last event") {
  gated_store store;
  answer first;
  answer second;
  {
    group_commit log(store, 0ms);
    log.append({numbered(1), numbered(2)}, true, into(first));
    CHECK(wait(first).value() == 2);
    log.append({numbered(3)}, true, into(second));
    CHECK(wait(second).value() == 3);
  }
  CHECK(numbers_in(store.store) == std::vector{1, 2, 3});
}

TEST_CASE("what comes while a commit is under way shares the next one") {
  gated_store store;
  group_commit log(store, 0ms);
  store.set_open(false);
  log.append({numbered(1)}, true, {});
  store.wait_for_appends(1);
  answer last;
  for (int i = 2; i <= 9; ++i)
    log.append({numbered(i)}, true, {});
  log.append({numbered(10)}, true, into(last));
  store.set_open(true);
  CHECK(wait(last).value() == 10);
  CHECK(store.sizes() == std::vector<std::size_t>{1, 9});
  CHECK(numbers_in(store.store) == std::vector{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
}

TEST_CASE("somebody who waits cuts the gathering short") {
  gated_store store;
  group_commit log(store, 24h);
  log.append({numbered(1)}, false, {});
  answer urgent;
  log.append({numbered(2)}, true, into(urgent));
  CHECK(wait(urgent).value() == 2);
  CHECK(store.sizes() == std::vector<std::size_t>{2});
}

TEST_CASE("the end commits what was still being gathered") {
  gated_store store;
  {
    group_commit log(store, 24h);
    log.append({numbered(1)}, false, {});
    log.append({numbered(2)}, false, {});
  }
  CHECK(numbers_in(store.store) == std::vector{1, 2});
}

TEST_CASE("after a failure nothing is tried again, and everybody is told why") {
  gated_store store;
  store.store.fail_after(1);
  group_commit log(store, 0ms);
  answer good;
  answer bad;
  answer later;
  log.append({numbered(1)}, true, into(good));
  CHECK(wait(good).has_value());
  log.append({numbered(2)}, true, into(bad));
  const auto failure = wait(bad);
  REQUIRE(failure.has_error());
  CHECK(failure.error().code == error_code::state_unusable);
  log.append({numbered(3)}, true, into(later));
  CHECK(wait(later).error().message == failure.error().message);
  CHECK(store.sizes().size() == 2);
  CHECK(numbers_in(store.store) == std::vector{1});
}

TEST_CASE("a checkpoint stands for the events before it and none after") {
  gated_store store;
  {
    group_commit log(store, 24h);
    log.append({numbered(1), numbered(2)}, false, {});
    log.checkpoint(run, "as of two");
    log.append({numbered(3)}, false, {});
  }
  const auto snapshot = store.snapshot().value();
  const auto checkpoint = snapshot->read_checkpoint(run).value();
  REQUIRE(checkpoint.has_value());
  CHECK(checkpoint->seq == 2);
  CHECK(checkpoint->bytes == "as of two");
  CHECK(store.sizes() == std::vector<std::size_t>{2, 1});
}

TEST_CASE("other work on the store runs in order with the appends, and not on one that has failed") {
  gated_store store;
  std::vector<std::uint64_t> seen;
  {
    group_commit log(store, 0ms);
    log.append({numbered(1)}, false, {});
    log.submit([&](journal_store& s) { seen.push_back(s.snapshot().value()->info().last_seq); });
    log.append({numbered(2)}, false, {});
    log.submit([&](journal_store& s) { seen.push_back(s.snapshot().value()->info().last_seq); });
  }
  CHECK(seen == std::vector<std::uint64_t>{1, 2});
  store.store.fail_after(0);
  {
    group_commit log(store, 0ms);
    log.append({numbered(3)}, false, {});
    log.submit([&](journal_store&) { seen.push_back(99); });
    log.checkpoint(run, "of nothing");
  }
  CHECK(seen.size() == 2);
}

TEST_CASE("an append of nothing only waits for those before it") {
  gated_store store;
  group_commit log(store, 24h);
  answer done;
  log.append({numbered(1)}, false, {});
  log.append({}, true, into(done));
  CHECK(wait(done).value() == 1);
}
