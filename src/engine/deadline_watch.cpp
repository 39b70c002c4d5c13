// A map of moments; the thread sleeps until the first.
#include "engine/deadline_watch.hpp"

#include "adapters/system/start_thread.hpp"

#include <pthread.h>

namespace troupe_internal {

deadline_watch::~deadline_watch() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable())
    thread_.join();
}

deadline_watch::deadline::deadline(deadline_watch& watch, clock::time_point when, troupe_stop& stop)
    : watch_(watch), number_([&] {
        const std::lock_guard lock(watch.mutex_);
        return ++watch.last_;
      }()),
      when_(when) {
  const std::lock_guard lock(watch_.mutex_);
  if (!watch_.thread_.joinable()) {
    watch_.thread_ = start_thread([all = &watch_] { all->run(); });
    pthread_setname_np(watch_.thread_.native_handle(), "troupe-deadline");
  }
  const auto at = watch_.due_.emplace(std::pair(when_, number_), &stop).first;
  if (at == watch_.due_.begin())
    watch_.changed_.notify_all();
}

deadline_watch::deadline::~deadline() {
  const std::lock_guard lock(watch_.mutex_);
  watch_.due_.erase({when_, number_});
}

void deadline_watch::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    if (due_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto first = due_.begin();
    if (const auto when = first->first.first; clock::now() < when) {
      changed_.wait_until(lock, when);
      continue;
    }
    auto* const stop = first->second;
    due_.erase(first);
    stop->retain();
    lock.unlock(); // who is told is the function's own code
    stop->request();
    stop->release();
    lock.lock();
  }
}

} // namespace troupe_internal
