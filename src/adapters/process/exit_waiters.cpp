// Each thread waits for its child, leaves it a zombie, and tells.
#include "adapters/process/exit_waiters.hpp"

#include "adapters/system/start_thread.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace troupe_internal {

int take_stop(pid_t pid) {
  siginfo_t info{};
  const bool stopped = waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED | WNOHANG) == 0 && info.si_pid == pid;
  return stopped ? info.si_status : 0;
}

exit_waiters::exit_waiters(std::size_t most, bool let_be_ignored, std::function<void(std::uint64_t)> ended,
                           std::function<void(std::uint64_t, int)> stopped)
    : ended_(std::move(ended)), stopped_(std::move(stopped)), most_(most), let_be_ignored_(let_be_ignored) {}

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

void exit_waiters::wait_for_end(std::uint64_t id, pid_t pid) const {
  for (;;) {
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WSTOPPED | WNOWAIT) != 0) {
      if (errno == EINTR)
        continue;
      return; // somebody else in this process has reaped it (ECHILD): it has ended too
    }
    if (info.si_code != CLD_STOPPED)
      return;
    if (const int signal = take_stop(pid); signal != 0)
      stopped_(id, signal);
  }
}

void exit_waiters::serve(waiter& w) {
  if (let_be_ignored_)
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
    wait_for_end(id, pid);
    lock.lock();
    w.pid = 0;
    lock.unlock();
    ended_(id);
    lock.lock();
  }
}

} // namespace troupe_internal
