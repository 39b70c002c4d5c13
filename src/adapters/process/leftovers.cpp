// One pass over /proc decides; whatever is in doubt is left alone.
#include "adapters/process/leftovers.hpp"

#include "adapters/system/posix_error.hpp"
#include "adapters/system/unique_fd.hpp"

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

namespace troupe_internal {
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

/// This process and all above it, which are never leftovers.
std::set<pid_t> ancestors(const table& t) {
  std::set<pid_t> pids{1, getpid()};
  for (auto pid = getppid(); pid > 0;) {
    if (!pids.insert(pid).second)
      break;
    const auto found = t.all.find(pid);
    pid = found == t.all.end() ? 0 : found->second.parent;
  }
  return pids;
}

enum class supervisor { dead, this_process, may_live };

/// The supervisor of a process, as its environment names it. Without proof it may live: then the process is at work for
/// another state with the same id, one of which is a copy.
supervisor supervisor_of(std::string_view environment, std::string_view own_mark, bool& in_doubt) {
  for (std::string_view name = supervisor_variable; !environment.empty();) {
    const auto entry = environment.substr(0, environment.find('\0'));
    environment.remove_prefix(std::min(entry.size() + 1, environment.size()));
    if (!entry.starts_with(name))
      continue;
    const auto value = entry.substr(name.size());
    if (!own_mark.empty() && value == own_mark)
      return supervisor::this_process;
    pid_t pid = 0;
    std::uint64_t start_ticks = 0;
    const auto* const end = value.data() + value.size();
    const auto number = std::from_chars(value.data(), end, pid);
    if (number.ec != std::errc() || number.ptr == end || *number.ptr != ':')
      return supervisor::may_live;
    const auto start = std::from_chars(number.ptr + 1, end, start_ticks);
    if (start.ec != std::errc() || start.ptr == end || *start.ptr != ':')
      return supervisor::may_live; // of an older version: it does not say where the number counts
    const auto where = parse_place({start.ptr + 1, static_cast<std::size_t>(end - start.ptr - 1)}, ':');
    return where && life_of(pid, start_ticks, *where, &in_doubt) == life::ended ? supervisor::dead
                                                                                : supervisor::may_live;
  }
  return supervisor::may_live;
}

/// The process that recorded an attempt started before the attempt's command: if its number names a younger process
/// now, that is another.
supervisor supervisor_of(const recorded_process& record, bool& in_doubt) {
  bool doubt = false;
  const auto facts = read_process_facts(record.supervisor, &doubt);
  in_doubt = in_doubt || doubt;
  if (doubt || record.supervisor <= 0 || (!facts && (kill(record.supervisor, 0) == 0 || errno != ESRCH)))
    return supervisor::may_live;
  return !facts || facts->dead() || facts->start_ticks > record.start_ticks ? supervisor::dead : supervisor::may_live;
}

bool same_start(std::uint64_t a, std::uint64_t b) {
  return a <= b + 1 && b <= a + 1;
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

std::string supervisor_mark(pid_t pid, std::uint64_t start_ticks, const process_place& where) {
  return std::to_string(pid) + ":" + std::to_string(start_ticks) + ":" + to_text(where, ':');
}

std::string own_supervisor_mark() {
  const auto where = own_place();
  const auto started = process_start_ticks(getpid());
  return where && started ? supervisor_mark(getpid(), *started, *where) : std::string();
}

namespace {

/// What one pass over /proc finds. `known`: leftovers that an earlier pass proved, with their start times: what
/// descends from them, or is in their groups as recorded, is proved by them.
leftover_tally look_for_leftovers(std::string_view state_id, std::span<const recorded_process> recorded,
                                  const std::map<pid_t, std::uint64_t>& known, bool& in_doubt) {
  bool doubt = false;
  const auto t = read_table(doubt);
  const auto excluded = ancestors(t);
  std::set<pid_t> beneath; // by birth, or adopted: what a dead supervisor left may have become ours
  add_with_descendants(t, getpid(), beneath);
  const auto user = geteuid();
  const auto eligible = [&](pid_t pid) { return !excluded.contains(pid) && process_user(pid) == user; };

  std::set<pid_t> proved;
  std::set<pid_t> adopted; // of these, what is beneath and was not started by this process
  std::set<pid_t> proved_groups;
  std::map<pid_t, leftover_proof> proofs; // of what does not merely descend from another
  const auto take = [&](pid_t pid, bool supervisor_is_dead, leftover_proof why) {
    proofs.emplace(pid, why);
    if (!beneath.contains(pid))
      add_with_descendants(t, pid, proved);
    else if (supervisor_is_dead)
      add_with_descendants(t, pid, adopted);
  };
  const auto own_mark = own_supervisor_mark();
  const auto entry = "TROUPE_STATE_ID=" + std::string(state_id);
  for (const auto& [pid, facts] : t.all) {
    if (const auto before = known.find(pid); before != known.end() && before->second == facts.start_ticks) {
      take(pid, true, leftover_proof::mark);
      proved_groups.insert(facts.group);
    }
    if (!state_id.empty() && facts.state != 'Z' && facts.state != 'X' && eligible(pid))
      if (const auto environment = read_settled_environment(facts, &doubt);
          environment && environment_has(*environment, entry))
        if (const auto by = supervisor_of(*environment, own_mark, doubt); by != supervisor::may_live) {
          take(pid, by == supervisor::dead, leftover_proof::mark);
          proved_groups.insert(facts.group);
        }
  }
  leftover_tally found;
  const auto here = own_place();
  const auto boot = boot_id();
  std::vector<const recorded_process*> unproved;
  for (const auto& record : recorded) {
    if (record.process_group <= 1 || boot.empty() || record.boot_id != boot ||
        (record.pid_namespace != 0 && (!here || record.pid_namespace != here->pid_namespace)))
      continue;
    if (supervisor_of(record, doubt) != supervisor::dead)
      continue;
    if (!proved_groups.contains(record.process_group)) {
      unproved.push_back(&record);
      continue;
    }
    for (const auto& [pid, facts] : t.all)
      if (facts.group == record.process_group && !excluded.contains(pid))
        take(pid, true, leftover_proof::group);
  }

  const auto runs = [&](pid_t pid) {
    const auto facts = t.all.find(pid);
    return facts != t.all.end() && facts->second.state != 'Z' && facts->second.state != 'X';
  };
  const auto add = [&](pid_t pid) {
    const auto why = proofs.find(pid);
    if (runs(pid) && eligible(pid))
      found.ended.push_back({pid, t.all.at(pid).start_ticks, process_name(pid),
                             why == proofs.end() ? leftover_proof::descendant : why->second});
  };
  for (const auto pid : proved)
    if (!beneath.contains(pid))
      add(pid);
  for (const auto pid : adopted)
    add(pid);
  for (const auto* record : unproved) {
    const auto leader = t.all.find(record->process_group);
    if (leader == t.all.end() || leader->second.group != record->process_group ||
        !same_start(leader->second.start_ticks, record->start_ticks))
      continue; // the number means another by now
    for (const auto& [pid, facts] : t.all)
      if (facts.group == record->process_group && runs(pid) && !excluded.contains(pid) && !proved.contains(pid) &&
          !adopted.contains(pid))
        found.unproved.push_back({pid, process_name(pid), record->process_group, process_user(pid) != user});
  }
  in_doubt = in_doubt || doubt || boot.empty();
  return found;
}

} // namespace

std::vector<leftover> find_leftovers(std::string_view state_id, std::span<const recorded_process> recorded,
                                     bool* in_doubt, std::vector<unproved_process>* unproved) {
  bool doubt = false;
  auto found = look_for_leftovers(state_id, recorded, {}, doubt);
  if (in_doubt != nullptr)
    *in_doubt = doubt;
  if (unproved != nullptr)
    *unproved = std::move(found.unproved);
  return std::move(found.ended);
}

result<void> end_leftovers(std::string_view state_id, std::span<const recorded_process> recorded, duration grace,
                           leftover_tally& tally, const std::function<bool()>& hurried) {
  constexpr duration longest = std::chrono::hours(24 * 365);
  const auto kill_at =
      steady::now() + std::chrono::ceil<steady::duration>(std::clamp(grace, duration::zero(), longest));
  const auto give_up_at = kill_at + wait_after_kill;
  // What is asked to end may start others on its way out (a shell's trap), and those are found in the next round. A
  // recorded group may lose the member that proved it: its other members are remembered from the first round.
  std::map<pid_t, held_process> held;
  bool clean_before = false;
  for (;;) {
    bool in_doubt = false;
    std::map<pid_t, std::uint64_t> before;
    for (const auto& [pid, process] : held)
      before.emplace(pid, process.who.start_ticks);
    auto found = look_for_leftovers(state_id, recorded, before, in_doubt);
    tally.unproved = std::move(found.unproved);
    for (const auto& one : found.ended) {
      const auto known = held.find(one.pid);
      if (known != held.end() && known->second.who.start_ticks == one.start_ticks)
        continue;
      auto process = hold(one, in_doubt);
      if (!process)
        continue;
      tally.ended.push_back(one);
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
        return {};
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

} // namespace troupe_internal
