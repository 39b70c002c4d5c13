// Order, and what comes first.
#include "engine/state_log.hpp"

#include <chrono>
#include <future>
#include <utility>

namespace troupe_internal {

namespace {

/// How long events that nobody waits for are gathered for one commit.
constexpr duration gather_time = std::chrono::milliseconds(50);

} // namespace

state_log::state_log(journal_store& store, std::shared_ptr<state_names> names,
                     std::function<std::vector<event>()> opening, std::function<void()> committed)
    : store_(store), before_(std::move(names), std::move(opening)), committed_(std::move(committed)) {}

void state_log::start() {
  const std::lock_guard lock(mutex_); // nobody appends to the store by himself from here on
  commits_ = std::make_unique<group_commit>(store_, gather_time, committed_);
}

void state_log::append(std::vector<event> events, bool urgent, std::function<void(result<std::uint64_t>)> durable) {
  const std::lock_guard lock(mutex_);
  commits_->append(before_.put_before(std::move(events)), urgent, std::move(durable));
}

bool state_log::started() {
  const std::lock_guard lock(mutex_);
  return commits_ != nullptr;
}

bool state_log::used() {
  const std::lock_guard lock(mutex_);
  return before_.used();
}

void state_log::checkpoint(run_number run, std::string state) {
  commits_->checkpoint(run, std::move(state));
}

result<std::uint64_t> state_log::append_now(std::vector<event> events) {
  {
    const std::lock_guard lock(mutex_);
    if (commits_ == nullptr)
      return store_.append(before_.put_before(std::move(events)));
  }
  std::promise<result<std::uint64_t>> done;
  append(std::move(events), true, [&](result<std::uint64_t> outcome) { done.set_value(std::move(outcome)); });
  return done.get_future().get();
}

result<void> state_log::flush() {
  if (!started())
    return {};
  std::promise<result<std::uint64_t>> done;
  commits_->append({}, true, [&](result<std::uint64_t> outcome) { done.set_value(std::move(outcome)); });
  const auto outcome = done.get_future().get();
  if (!outcome)
    return outcome.error();
  return {};
}

} // namespace troupe_internal
