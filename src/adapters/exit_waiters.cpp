// Each thread waits for its child, leaves it a zombie, and tells.
#include "adapters/exit_waiters.hpp"

#include "adapters/start_thread.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace troupe {

exit_waiters::exit_waiters(std::size_t most, std::function<void(std::uint64_t)> ended)
    : ended_(std::move(ended)), most_(most) {}

exit_waiters::~exit_waiters() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    for (auto& w : waiters_)
      w.wake.notify_one();
  }
  for (auto& w : waiters_)
    w.thread.join();
}

bool exit_waiters::take(std::uint64_t id, pid_t pid) {
  const std::lock_guard lock(mutex_);
  waiter* chosen = nullptr;
  for (auto& w : waiters_) {
    if (w.pid != 0)
      continue;
    if (w.thread.get_id() == std::this_thread::get_id()) { // it will look by itself
      chosen = &w;
      break;
    }
    if (w.has_nothing)
      chosen = &w;
  }
  if (chosen == nullptr)
    chosen = one_more();
  if (chosen == nullptr)
    return false;
  chosen->id = id;
  chosen->pid = pid;
  if (chosen->has_nothing)
    chosen->wake.notify_one();
  return true;
}

exit_waiters::waiter* exit_waiters::one_more() {
  if (waiters_.size() == most_)
    return nullptr;
  auto& w = waiters_.emplace_back();
  try {
    w.thread = start_thread([this, &w] { serve(w); });
  } catch (const std::system_error&) {
    waiters_.pop_back();
    most_ = waiters_.size(); // those there are will do
    return nullptr;
  }
  return &w;
}

bool exit_waiters::is_here() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(waiters_.begin(), waiters_.end(),
                     [](const auto& w) { return w.thread.get_id() == std::this_thread::get_id(); });
}

void exit_waiters::serve(waiter& w) {
  let_child_signals_be_ignored();
  std::unique_lock lock(mutex_);
  for (;;) {
    w.has_nothing = true;
    w.wake.wait(lock, [&] { return ending_ || w.pid != 0; });
    w.has_nothing = false;
    if (w.pid == 0)
      return;
    const auto id = w.id;
    const auto pid = w.pid;
    lock.unlock();
    siginfo_t info;
    while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR)
      ; // if somebody else in this process has reaped it (ECHILD), it has ended too
    lock.lock();
    w.pid = 0;
    lock.unlock();
    ended_(id);
    lock.lock();
  }
}

} // namespace troupe
