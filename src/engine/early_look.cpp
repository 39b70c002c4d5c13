// One thread that takes whatever waits.
#include "engine/early_look.hpp"

#include "adapters/files/posix_file_system.hpp"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <system_error>
#include <utility>

namespace troupe_internal {

namespace {
constexpr auto ask_every = std::chrono::milliseconds(20);
constexpr std::size_t share = 256; ///< paths that one thread takes at a time
} // namespace

early_look::~early_look() {
  stop([] { return true; });
}

void early_look::add(const std::shared_ptr<const pipeline>& p, std::span<const std::string_view> paths) {
  {
    const std::lock_guard lock(mutex_);
    paths_.insert(paths_.end(), paths.begin(), paths.end());
    last_ = paths_.size();
  }
  if (!thread_.joinable()) {
    p_ = p;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); // signals stay with the main thread
    try {
      thread_ = std::thread([this] { work(); });
    } catch (const std::system_error&) { // no thread to be had: planning looks for itself
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  more_.notify_one();
}

config::links_seen early_look::find_links() {
  look_from_the_back();
  config::links_seen seen;
  seen.paths = looked_at_.load(std::memory_order_acquire); // links of those are in the list
  const std::lock_guard lock(mutex_);
  seen.again_from = paths_.size() - back_.size();
  seen.links = links_;
  for (auto i = back_.size(); i-- > 0;)
    if (back_[i].link)
      seen.links.push_back(static_cast<std::uint32_t>(paths_.size() - 1 - i));
  return seen;
}

void early_look::look_from_the_back() {
  if (!thread_.joinable())
    return;
  const auto files = posix_file_system::open(p_->folder);
  if (!files)
    return;
  std::vector<std::string_view> batch;
  for (;;) {
    batch.clear();
    {
      const std::lock_guard lock(mutex_);
      const auto from = last_ - std::min(share, last_ - first_);
      batch.assign(paths_.begin() + static_cast<std::ptrdiff_t>(from),
                   paths_.begin() + static_cast<std::ptrdiff_t>(last_));
      last_ = from;
    }
    if (batch.empty())
      return;
    for (auto path = batch.rbegin(); path != batch.rend(); ++path) {
      const auto seen = (*files)->glance(*path);
      back_.push_back(seen ? *seen : file_stat{});
      if (back_.back().kind == file_kind::folder) // what is in it may be much
        back_.back().kind = file_kind::absent;
    }
  }
}

large_vector<file_stat> early_look::take(const std::function<bool()>& enough) {
  stop(enough);
  if (!back_.empty()) {
    seen_.reserve(paths_.size());
    seen_.resize(paths_.size() - back_.size());
    seen_.insert(seen_.end(), back_.rbegin(), back_.rend());
    back_ = {};
  }
  return std::exchange(seen_, {});
}

void early_look::stop(const std::function<bool()>& enough) {
  if (!thread_.joinable())
    return;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  more_.notify_one();
  if (enough) {
    std::unique_lock lock(mutex_);
    while (!ended_.wait_for(lock, ask_every, [&] { return over_; }))
      if (enough()) {
        broken_off_ = true;
        break;
      }
  }
  thread_.join();
}

void early_look::work() {
  look();
  if (at_work_)
    at_work_(false);
  const std::lock_guard lock(mutex_);
  over_ = true;
  ended_.notify_one();
}

void early_look::look() {
  const auto files = posix_file_system::open(p_->folder, {[this] { return broken_off_.load(); }, {}});
  if (!files)
    return; // whoever needs the folder says what is wrong with it
  std::vector<std::string_view> batch;
  for (;;) {
    batch.clear();
    {
      std::unique_lock lock(mutex_);
      if (at_work_)
        at_work_(first_ < last_);
      more_.wait(lock, [&] { return stopped_ || first_ < last_; });
      if (stopped_)
        return;
      const auto until = first_ + std::min(share, last_ - first_);
      batch.assign(paths_.begin() + static_cast<std::ptrdiff_t>(first_),
                   paths_.begin() + static_cast<std::ptrdiff_t>(until));
      first_ = until;
    }
    for (const auto path : batch) {
      if (stopped_)
        return;
      // A folder whose links are to be followed has another stat then: it is looked at again.
      const auto seen = (*files)->stat(path, link_rule::text);
      if (seen && seen->link) {
        const std::lock_guard lock(mutex_);
        links_.push_back(static_cast<std::uint32_t>(seen_.size()));
      }
      seen_.push_back(seen ? *seen : file_stat{});
      looked_at_.store(seen_.size(), std::memory_order_release);
    }
  }
}

} // namespace troupe_internal
