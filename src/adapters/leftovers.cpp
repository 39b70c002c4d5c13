// One pass over /proc decides; whatever is in doubt is left alone.
#include "adapters/leftovers.hpp"

#include "adapters/posix_error.hpp"
#include "adapters/unique_fd.hpp"

#include <poll.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdio>
#include <map>
#include <set>
#include <thread>
#include <unordered_map>

namespace troupe {
namespace {

using steady = std::chrono::steady_clock;
constexpr auto wait_after_kill = std::chrono::seconds(10);

struct table {
  std::unordered_map<pid_t, process_facts> all;
  std::unordered_map<pid_t, std::vector<pid_t>> children;
};

table read_table(bool& in_doubt) {
  table t;
  for (const auto pid : all_processes(&in_doubt))
    if (auto facts = read_process_facts(pid, &in_doubt)) {
      t.children[facts->parent].push_back(pid);
      t.all.emplace(pid, *facts);
    }
  return t;
}

void add_with_descendants(const table& t, pid_t pid, std::set<pid_t>& to) {
  std::vector<pid_t> todo{pid};
  while (!todo.empty()) {
    const auto next = todo.back();
    todo.pop_back();
    if (!to.insert(next).second)
      continue;
    if (const auto found = t.children.find(next); found != t.children.end())
      todo.insert(todo.end(), found->second.begin(), found->second.end());
  }
}

/// This process, all above it and all beneath it.
std::set<pid_t> kin(const table& t) {
  std::set<pid_t> pids;
  add_with_descendants(t, getpid(), pids);
  for (auto pid = getppid(); pid > 0;) {
    if (!pids.insert(pid).second)
      break;
    const auto found = t.all.find(pid);
    pid = found == t.all.end() ? 0 : found->second.parent;
  }
  pids.insert(1);
  return pids;
}

/// Whether who started the process lives, as its environment tells: then it is no leftover of this state, which is ours
/// alone, but at work for another with the same id, one of which is a copy.
bool supervisor_lives(std::string_view environment, bool& in_doubt) {
  for (std::string_view name = supervisor_variable; !environment.empty();) {
    const auto entry = environment.substr(0, environment.find('\0'));
    environment.remove_prefix(std::min(entry.size() + 1, environment.size()));
    if (!entry.starts_with(name))
      continue;
    const auto value = entry.substr(name.size());
    pid_t pid = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), pid);
    if (parsed.ec != std::errc() || pid <= 1 || pid == getpid())
      return false;
    const auto facts = read_process_facts(pid, &in_doubt);
    return facts && !facts->dead() && value == supervisor_mark(pid, facts->start_ticks);
  }
  return false;
}

bool same_start(std::uint64_t a, std::uint64_t b) {
  return a <= b + 1 && b <= a + 1;
}

std::string name_of(pid_t pid) {
  std::array<char, 64> buffer;
  std::snprintf(buffer.data(), buffer.size(), "/proc/%ld/comm", static_cast<long>(pid));
  const unique_fd fd(open(buffer.data(), O_RDONLY | O_CLOEXEC));
  const auto got = fd ? read(fd.get(), buffer.data(), buffer.size()) : -1;
  std::string name(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  while (!name.empty() && name.back() == '\n')
    name.pop_back();
  return name;
}

/// A leftover held by a pidfd, so that its number cannot come to mean another.
struct held_process {
  leftover who;
  unique_fd pidfd;
};

/// nullopt if it is gone, or in doubt.
std::optional<held_process> hold(const leftover& who, bool& in_doubt) {
  unique_fd pidfd(open_pidfd(who.pid));
  in_doubt = in_doubt || (!pidfd && errno != ESRCH);
  if (!pidfd)
    return std::nullopt;
  // Only now is the number pinned: is it still the same process?
  const auto facts = read_process_facts(who.pid, &in_doubt);
  if (!facts || facts->start_ticks != who.start_ticks)
    return std::nullopt;
  return held_process{who, std::move(pidfd)};
}

std::string list(const std::vector<leftover>& all) {
  std::string text;
  for (const auto& one : all)
    text += (text.empty() ? "" : ", ") + std::to_string(one.pid) + " (" + one.name + ")";
  return text;
}

/// Waits until all have ended or `until` has come.
void wait_for_all(const std::vector<held_process>& held, steady::time_point until) {
  std::vector<pollfd> waiting;
  for (const auto& process : held)
    waiting.push_back({process.pidfd.get(), POLLIN, 0});
  while (!waiting.empty()) {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(until - steady::now()).count();
    if (ms <= 0)
      return;
    if (poll(waiting.data(), waiting.size(), static_cast<int>(std::min<std::int64_t>(ms, INT_MAX))) > 0)
      std::erase_if(waiting, [](const pollfd& p) { return p.revents != 0; });
  }
}

} // namespace

std::string supervisor_mark(pid_t pid, std::uint64_t start_ticks) {
  return std::to_string(pid) + ":" + std::to_string(start_ticks);
}

std::vector<leftover> find_leftovers(std::string_view state_id, std::span<const recorded_process> recorded,
                                     bool* in_doubt) {
  bool doubt = false;
  const auto t = read_table(doubt);
  const auto excluded = kin(t);
  const auto user = geteuid();
  const auto eligible = [&](pid_t pid) { return !excluded.contains(pid) && process_user(pid) == user; };

  std::set<pid_t> proved;
  std::set<pid_t> proved_groups;
  const auto entry = "TROUPE_STATE_ID=" + std::string(state_id);
  for (const auto& [pid, facts] : t.all)
    if (!state_id.empty() && facts.state != 'Z' && facts.state != 'X' && eligible(pid))
      if (const auto environment = read_settled_environment(facts, &doubt);
          environment && environment_has(*environment, entry) && !supervisor_lives(*environment, doubt)) {
        add_with_descendants(t, pid, proved);
        proved_groups.insert(facts.group);
      }
  const auto boot = boot_id();
  for (const auto& record : recorded) {
    if (record.process_group <= 1 || boot.empty() || record.boot_id != boot)
      continue;
    const auto leader = t.all.find(record.process_group);
    const bool there = leader != t.all.end() && leader->second.group == record.process_group &&
                       same_start(leader->second.start_ticks, record.start_ticks) &&
                       (leader->second.state == 'Z' || process_user(record.process_group) == user);
    if (!there && !proved_groups.contains(record.process_group))
      continue;
    if (const auto environment = there && leader->second.state != 'Z'
                                     ? read_process_environment(record.process_group, &doubt)
                                     : std::nullopt;
        environment && supervisor_lives(*environment, doubt))
      continue;
    for (const auto& [pid, facts] : t.all)
      if (facts.group == record.process_group && !excluded.contains(pid))
        add_with_descendants(t, pid, proved);
  }

  std::vector<leftover> found;
  for (const auto pid : proved) {
    const auto facts = t.all.find(pid);
    if (facts != t.all.end() && facts->second.state != 'Z' && facts->second.state != 'X' && eligible(pid))
      found.push_back({pid, facts->second.start_ticks, name_of(pid)});
  }
  if (in_doubt != nullptr)
    *in_doubt = doubt || boot.empty();
  return found;
}

result<std::vector<leftover>> end_leftovers(std::string_view state_id, std::span<const recorded_process> recorded,
                                            duration grace, const std::function<bool()>& hurried) {
  std::vector<leftover> ended;
  constexpr duration longest = std::chrono::hours(24 * 365);
  const auto kill_at =
      steady::now() + std::chrono::ceil<steady::duration>(std::clamp(grace, duration::zero(), longest));
  const auto give_up_at = kill_at + wait_after_kill;
  // What is asked to end may start others on its way out (a shell's trap), and those are found in the next round. A
  // recorded group loses its proof with its leader: its other members are remembered from the first round.
  std::map<pid_t, held_process> held;
  bool clean_before = false;
  for (;;) {
    bool in_doubt = false;
    for (const auto& one : find_leftovers(state_id, recorded, &in_doubt)) {
      const auto known = held.find(one.pid);
      if (known != held.end() && known->second.who.start_ticks == one.start_ticks)
        continue;
      auto process = hold(one, in_doubt);
      if (!process)
        continue;
      ended.push_back(one);
      syscall(SYS_pidfd_send_signal, process->pidfd.get(), SIGTERM, nullptr, 0);
      syscall(SYS_pidfd_send_signal, process->pidfd.get(), SIGCONT, nullptr, 0); // a stopped one could not end
      held.insert_or_assign(one.pid, std::move(*process));
    }
    std::vector<held_process> alive;
    for (auto& [pid, process] : held) {
      pollfd p{process.pidfd.get(), POLLIN, 0};
      if (poll(&p, 1, 0) == 0)
        alive.push_back(std::move(process));
    }
    held.clear();
    if (alive.empty() && in_doubt) {
      clean_before = false;
      if (steady::now() >= give_up_at)
        return fail(error_code::io,
                    "it cannot be seen which processes an earlier run left behind: " + errno_text(errno));
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      continue;
    }
    if (alive.empty()) {
      // What was forked while /proc was being listed may have been missed: two passes have to find nothing.
      if (clean_before)
        return ended;
      clean_before = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      continue;
    }
    clean_before = false;
    const bool past_grace = steady::now() >= kill_at || (hurried && hurried());
    if (steady::now() >= give_up_at) {
      std::vector<leftover> stubborn;
      for (const auto& process : alive)
        stubborn.push_back(process.who);
      return fail(error_code::io, "processes that an earlier run left behind cannot be ended: " + list(stubborn));
    }
    if (past_grace)
      for (const auto& process : alive)
        if (syscall(SYS_pidfd_send_signal, process.pidfd.get(), SIGKILL, nullptr, 0) != 0 && errno == EPERM)
          return fail(error_code::io, "a process that an earlier run left behind may not be ended: " +
                                          list({process.who}) + ": " + errno_text(EPERM));
    wait_for_all(alive, std::min(past_grace ? give_up_at : kill_at, steady::now() + std::chrono::milliseconds(200)));
    for (auto& process : alive) {
      const auto pid = process.who.pid;
      held.emplace(pid, std::move(process));
    }
  }
}

} // namespace troupe
