// A process whose parent dies is handed to the nearest subreaper above it: so whatever a command started and left is,
// sooner or later, a child of ours, and nothing can slip away from being found by forking.
#include "adapters/process/orphan_watch.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <set>
#include <string_view>
#include <thread>

namespace troupe_internal {
namespace {

constexpr auto patience_with_the_rest = std::chrono::seconds(5);

bool dead(const process_facts& facts) {
  return facts.state == 'Z' || facts.state == 'X';
}

} // namespace

orphan_watch::orphan_watch(bool owns_every_orphan, bool process_one, bool adopts)
    : reaps_all_(owns_every_orphan), process_one_(process_one), owns_every_orphan_(owns_every_orphan) {
  const auto path = "/proc/self/task/" + std::to_string(getpid()) + "/children";
  children_ = unique_fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  (void)children_.lift_above_standard(); // if not: children() walks /proc instead
  // Children from before (left by a program that became this one by exec) may have descendants that are none of ours.
  if (!children().empty())
    owns_every_orphan_ = false;
  if (adopts)
    adopt(true);
}

orphan_watch::~orphan_watch() {
  adopt(false);
}

void orphan_watch::adopt(bool on) {
  if (on == adopts_)
    return;
  adopts_ = on;
  if (on)
    prctl(PR_GET_CHILD_SUBREAPER, &was_subreaper_);
  prctl(PR_SET_CHILD_SUBREAPER, on ? 1 : was_subreaper_);
}

std::vector<pid_t> orphan_watch::children() const {
  std::vector<pid_t> pids;
  if (!children_) { // a kernel without CONFIG_PROC_CHILDREN
    for (const auto pid : all_processes())
      if (const auto facts = read_process_facts(pid); facts && facts->parent == getpid())
        pids.push_back(pid);
    return pids;
  }
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    const auto got = pread(children_.get(), buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
    if (got <= 0)
      break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  for (const char *at = text.data(), *end = at + text.size(); at < end;) {
    pid_t pid = 0;
    const auto parsed = std::from_chars(at, end, pid);
    if (parsed.ec != std::errc())
      break;
    pids.push_back(pid);
    at = parsed.ptr + 1;
  }
  return pids;
}

bool orphan_watch::may_be_strange(pid_t pid) const {
  if (!owns_every_orphan_ || !process_one_)
    return !owns_every_orphan_;
  // What is brought into a container has a session of its own, or one from outside, which shows as 0.
  const auto session = getsid(0);
  return session <= 0 || getsid(pid) != session;
}

const attempt_mark* orphan_watch::owner(const process_facts& facts, std::span<const attempt_mark> attempts) const {
  for (const auto& mark : attempts)
    if (facts.group == mark.leader)
      return &mark;
  if (const auto environment = read_settled_environment(facts); environment && !environment->empty())
    for (const auto& mark : attempts)
      if (!mark.entries.empty() && facts.start_ticks >= mark.start_ticks &&
          std::all_of(mark.entries.begin(), mark.entries.end(),
                      [&](const auto& entry) { return environment_has(*environment, entry); }))
        return &mark;
  if (may_be_strange(facts.pid))
    return nullptr;
  // It left its group and its environment. While several attempts could have started it, it is none's; the last of
  // them to end answers for it.
  const attempt_mark* only = nullptr;
  for (const auto& mark : attempts)
    if (facts.start_ticks >= mark.start_ticks) {
      if (only != nullptr)
        return nullptr;
      only = &mark;
    }
  return only;
}

std::vector<pid_t> orphan_watch::look(std::span<const attempt_mark> attempts) {
  std::vector<pid_t> found;
  for (bool again = true; again;) {
    again = false;
    for (const auto pid : children()) {
      if (const auto known = orphans_.find(pid); known != orphans_.end()) {
        if (!known->second.pidfd && reap(pid))
          again = true;
        continue;
      }
      if (std::any_of(attempts.begin(), attempts.end(), [&](const auto& mark) { return mark.leader == pid; }))
        continue;
      const auto facts = read_process_facts(pid);
      if (!facts)
        continue;
      if (dead(*facts)) {
        const bool ours = reaps_all_ || std::any_of(attempts.begin(), attempts.end(),
                                                    [&](const auto& mark) { return facts->group == mark.leader; });
        if (ours && waitpid(pid, nullptr, WNOHANG) == pid)
          again = true; // what it had adopted or started is ours now
        continue;
      }
      const auto* mark = owner(*facts, attempts);
      if (mark == nullptr)
        continue;
      unique_fd pidfd(open_pidfd(pid));
      if (pidfd && !pidfd.lift_above_standard())
        pidfd.reset();
      orphans_[pid] = {mark->attempt, std::move(pidfd), facts->group == mark->leader, false};
      found.push_back(pid);
    }
  }
  return found;
}

void orphan_watch::end_the_rest() {
  if (!reaps_all_)
    return;
  const auto give_up_at = std::chrono::steady_clock::now() + patience_with_the_rest;
  std::set<pid_t> beyond_reach;
  for (;;) {
    bool waiting = false;
    for (const auto pid : children()) // not reaped yet, so no number can have come to mean another
      if (waitpid(pid, nullptr, WNOHANG) != pid && !beyond_reach.contains(pid)) {
        if (!orphans_.contains(pid) && may_be_strange(pid))
          beyond_reach.insert(pid);
        else if (kill(pid, SIGKILL) != 0)
          beyond_reach.insert(pid);
        else
          waiting = true; // and what it has started is a child of ours then
      }
    if (!waiting || std::chrono::steady_clock::now() >= give_up_at)
      break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  orphans_.clear();
}

bool orphan_watch::reap(pid_t pid) {
  if (waitpid(pid, nullptr, WNOHANG) == 0)
    return false;
  orphans_.erase(pid);
  return true;
}

bool orphan_watch::all_watched() const {
  return std::all_of(orphans_.begin(), orphans_.end(), [](const auto& entry) { return bool(entry.second.pidfd); });
}

std::size_t orphan_watch::count(std::uint64_t attempt) const {
  return static_cast<std::size_t>(std::count_if(orphans_.begin(), orphans_.end(), [&](const auto& entry) {
    return entry.second.attempt == attempt && !entry.second.beyond_reach;
  }));
}

} // namespace troupe_internal
