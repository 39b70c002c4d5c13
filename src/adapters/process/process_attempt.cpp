// The life of one attempt in process_loop: started, read from, ended, cleared up after, reported.
#include "adapters/process/process_loop.hpp"
#include "adapters/process/process_table.hpp"
#include "adapters/system/posix_error.hpp"
#include "core/model/warning.hpp"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>

namespace troupe_internal {
namespace {

constexpr std::size_t pipe_bytes = 64 * 1024; // a pipe's capacity
constexpr std::size_t few_attempts = 64;      // no more than these keep both ends of their pipes
// How often adopted children are looked at while commands run, so that neither zombies nor strays pile up.
constexpr auto look_interval = std::chrono::seconds(2);
constexpr auto look_interval_unwatched = std::chrono::milliseconds(20);

/// After so long without output its end is taken for something like a prompt.
constexpr auto prompt_after = std::chrono::milliseconds(300);

constexpr std::size_t most_left_noted = 100;
constexpr std::size_t most_left_named = 5;

std::string words_on_left(const std::map<pid_t, std::string>& left) {
  std::string text = "its command left " + std::string(left.size() >= most_left_noted ? "at least " : "") +
                     std::to_string(left.size()) + (left.size() == 1 ? " process" : " processes") +
                     " running in the background, which Troupe ended: ";
  std::size_t named = 0;
  for (const auto& [pid, name] : left)
    if (named++ < most_left_named)
      text += (named == 1 ? "" : ", ") + name + " (pid " + std::to_string(pid) + ")";
  if (left.size() > most_left_named)
    text += ", …";
  return text + "; to keep one, start it outside of the pipeline; to end it in time, have the command wait for it";
}

/// The entries by which descendants of this command are known wherever they went.
std::vector<std::string> marking_entries(const std::vector<std::string>& environment) {
  std::vector<std::string> entries;
  for (const auto& entry : environment)
    for (const std::string_view name : {"TROUPE_STATE_ID=", "TROUPE_RUN_ID=", "TROUPE_ASSET=", "TROUPE_ATTEMPT="})
      if (entry.starts_with(name))
        entries.push_back(entry);
  return entries;
}

} // namespace

std::optional<spawn_failure> process_loop::start(start_process& order) {
  const auto system_failure = [](std::string_view doing) {
    const int e = errno;
    std::string message = "cannot " + std::string(doing) + ": " + errno_text(e);
    if (e == EMFILE || e == ENFILE)
      message += " (see ulimit -n)";
    return spawn_failure{process_exit::kind::internal, std::move(message)};
  };
  if (options_.no_commands)
    return spawn_failure{process_exit::kind::not_started, "this engine starts no processes"};
  if (options_.guest && attempts_.empty())
    orphans_.adopt(true);
  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    return system_failure("make a pipe for the output");
  unique_fd output(ends[0]);
  unique_fd input(ends[1]);
  if (!output.lift_above_standard() || !input.lift_above_standard())
    return system_failure("make a pipe for the output");
  // Others can open a pipe too (/dev/stdout) and read what we were told is there.
  if (fcntl(output.get(), F_SETFL, O_NONBLOCK) != 0)
    return system_failure("make a pipe for the output");
  unique_fd captured, captured_input;
  if (order.request.capture > 0) {
    std::array<int, 2> more{-1, -1};
    const bool made = pipe2(more.data(), O_CLOEXEC) == 0;
    captured = unique_fd(more[0]);
    captured_input = unique_fd(more[1]);
    if (!made || !captured.lift_above_standard() || !captured_input.lift_above_standard() ||
        fcntl(captured.get(), F_SETFL, O_NONBLOCK) != 0)
      return system_failure("make a pipe for the standard output");
    order.request.answer = captured_input.get();
  }
  auto spawned = spawner_.spawn(order.request, input.get());
  if (captured_input)
    order.request.answer = -1; // it is closed when this returns
  if (attempts_.size() >= few_attempts)
    input.reset();
  if (const auto* failure = std::get_if<spawn_failure>(&spawned))
    return *failure;

  auto& process = std::get<spawned_process>(spawned);
  const auto id = ++last_id_;
  auto a = std::make_unique<attempt>(attempt{
      id,
      {},
      process.pid,
      process.start_ticks,
      {},
      std::move(output),
      std::move(input),
      log_writer(std::move(order.request.open_log), order.request.log_file, order.request.max_log),
  });
  a->capture = std::move(captured);
  if (!watch(a->output.get(), id << 3U | about_output, EPOLLIN) ||
      (a->capture && !watch(a->capture.get(), id << 3U | about_captured, EPOLLIN)) || !watch_leader(*a)) {
    auto failure = system_failure("watch the process");
    kill(-a->pid, SIGKILL);
    while (waitpid(a->pid, nullptr, 0) < 0 && errno == EINTR)
      ;
    return failure;
  }
  a->order = std::move(order);
  const auto& request = a->order.request;
  if (request.mask)
    a->mask.emplace(request.mask);
  if (request.timeout)
    set_due(*a, after(*request.timeout));
  marks_.push_back({id, a->pid, a->start_ticks, marking_entries(request.environment)});
  by_key_[request.key] = id;
  const process_spawned report{a->pid, a->start_ticks};
  const auto& told_to = attempts_.emplace(id, std::move(a)).first->second->order.spawned;
  if (told_to)
    told_to(report);
  return std::nullopt;
}

void process_loop::read_output(attempt& a, std::uint32_t events) {
  if (!a.output)
    return;
  if ((events & (EPOLLIN | EPOLLHUP)) == EPOLLHUP) { // nothing to read, and nobody left to write
    a.output.reset();
    return;
  }
  // One read for each event: a flood from one process does not keep the others waiting.
  const auto got = read(a.output.get(), buffer_.get(), pipe_bytes);
  if (got > 0)
    log_output(a, {buffer_.get(), static_cast<std::size_t>(got)});
  else if (got == 0 || (errno != EINTR && errno != EAGAIN))
    a.output.reset(); // all its writers closed it; the process may live on
}

bool process_loop::read_captured(attempt& a) {
  if (!a.capture)
    return false;
  const auto got = read(a.capture.get(), buffer_.get(), pipe_bytes);
  if (got <= 0) {
    if (got == 0 || (errno != EINTR && errno != EAGAIN))
      a.capture.reset();
    return false;
  }
  const std::string_view bytes(buffer_.get(), static_cast<std::size_t>(got));
  const auto room = a.order.request.capture - a.captured.size();
  a.captured.append(bytes.substr(0, room));
  a.captured_less = a.captured_less || bytes.size() > room;
  log_output(a, bytes);
  return true;
}

void process_loop::drain_output(attempt& a) {
  // No more than a pipe holds: who is beyond reach may write on.
  for (std::size_t most = 0; most < 2 * pipe_bytes && read_captured(a); most += pipe_bytes)
    ;
  a.capture.reset();
  if (!a.output) {
    a.input.reset();
    return;
  }
  // All other writers are dead but for those beyond reach: what is in the pipe now is all that is still waited for.
  int waiting = 0;
  if (ioctl(a.output.get(), FIONREAD, &waiting) != 0)
    waiting = 0;
  while (waiting > 0) {
    const auto got = read(a.output.get(), buffer_.get(), std::min(pipe_bytes, static_cast<std::size_t>(waiting)));
    if (got <= 0)
      break;
    log_output(a, {buffer_.get(), static_cast<std::size_t>(got)});
    waiting -= static_cast<int>(got);
  }
  a.output.reset(); // first: else that its last writer has gone would be an event
  a.input.reset();
}

void process_loop::log_output(attempt& a, std::string_view bytes) {
  if (!a.mask)
    return a.log.write(bytes);
  unmasked_.clear();
  a.mask->write(bytes, unmasked_);
  a.log.write(unmasked_);
  set_pause(a, a.mask->would_show() ? std::optional(clock::now() + prompt_after) : std::nullopt);
}

void process_loop::finish_log(attempt& a) {
  if (a.mask) {
    set_pause(a, std::nullopt);
    unmasked_.clear();
    a.mask->finish(unmasked_);
    a.log.write(unmasked_);
  }
  a.log.finish();
}

void process_loop::set_pause(attempt& a, std::optional<clock::time_point> when) {
  if (a.pause_due)
    pauses_.erase({*a.pause_due, a.id});
  a.pause_due = when;
  if (when)
    pauses_.emplace(*when, a.id);
}

void process_loop::handle_pauses(clock::time_point now) {
  while (!pauses_.empty() && pauses_.begin()->first <= now) {
    auto& a = *attempts_.at(pauses_.begin()->second);
    set_pause(a, std::nullopt);
    unmasked_.clear();
    a.mask->pause(unmasked_);
    a.log.write(unmasked_);
  }
}

void process_loop::end(attempt& a, urgency how, process_exit::kind because) {
  a.end_came_later = a.leader_ended;
  if (a.group_was == told::killed)
    return;
  if (!a.leader_ended && a.group_was == told::nothing)
    a.how = because;
  if (how == urgency::at_once) {
    set_due(a, std::nullopt);
    tell_all(a, told::killed);
  } else if (a.group_was == told::nothing) {
    tell_all(a, told::to_end);
    set_due(a, after(a.order.request.grace));
  }
}

void process_loop::tell_all(attempt& a, told what) {
  a.group_was = what;
  const int signal = what == told::killed ? SIGKILL : SIGTERM;
  const bool leader_moved =
      !a.leader_ended && getpgid(a.pid) != a.pid; // into another group, as a job-control shell may
  int failed = kill(-a.pid, signal) != 0 ? errno : 0;
  if (leader_moved)
    failed = kill(a.pid, signal) != 0 ? errno : 0;
  if (failed == EPERM && !a.leader_ended)
    a.problem = "the process may not be signalled (it runs as another user): waiting for it";
  if (what == told::to_end)
    kill(leader_moved ? a.pid : -a.pid, SIGCONT); // a stopped process could not even end
  if (what == told::killed || a.leader_ended)
    tell_orphans(a, what); // else the leader may want to end what it started in its own way
}

void process_loop::tell_orphans(const attempt& a, told what) {
  std::vector<pid_t> left;
  for (const auto& [pid, orphan] : orphans_.orphans())
    if (orphan.attempt == a.id && (what == told::killed || !orphan.in_group)) // its group has heard a SIGTERM already
      left.push_back(pid);
  for (const auto pid : left)
    tell_orphan(pid, what);
}

void process_loop::note_left(attempt& a, pid_t pid) {
  std::vector<pid_t> todo{pid};
  while (!todo.empty()) {
    const auto next = todo.back();
    todo.pop_back();
    if (a.left.size() >= most_left_noted)
      return;
    auto name = process_name(next);
    if (name.empty() || !a.left.emplace(next, std::move(name)).second)
      continue; // it has ended just now, or was a descendant of one noted before
    for (const auto child : process_children(next))
      todo.push_back(child);
  }
}

void process_loop::tell_orphan(pid_t pid, told what) {
  auto& orphan = orphans_.orphans().at(pid);
  // By pid: it is our child and not yet reaped, so that the number is still its own.
  if (kill(pid, what == told::killed ? SIGKILL : SIGTERM) != 0 && errno == EPERM) {
    orphan.beyond_reach = true;
    settle_wanted_ = true;
    if (auto* a = find(orphan.attempt))
      a->problem = "process " + std::to_string(pid) + ", which it started, runs as another user and cannot be ended";
  }
  if (what == told::to_end)
    kill(pid, SIGCONT);
}

void process_loop::leader_ended(attempt& a) {
  // The event would be raised again and again: the leader stays unreaped for now.
  a.pidfd.reset();
  a.leader_ended = true;
  if (a.group_was == told::nothing)
    set_due(a, std::nullopt); // the timeout was for the leader
  else if (a.group_was == told::to_end)
    tell_orphans(a, told::to_end);
  settle_wanted_ = true;
}

void process_loop::settle() {
  settle_wanted_ = false;
  for (const auto pid : orphans_.look(marks_)) {
    auto& orphan = orphans_.orphans().at(pid);
    if (orphan.pidfd && !watch(orphan.pidfd.get(), static_cast<std::uint64_t>(pid) << 3U | about_orphan, EPOLLIN))
      orphan.pidfd.reset();
    auto& a = *attempts_.at(orphan.attempt);
    if (a.leader_ended && a.how == process_exit::kind::ended && a.group_was != told::nothing)
      note_left(a, pid); // it came to light after the others
    // While its leader lives, that may still care for it. Members of the group have heard a SIGTERM with it.
    if (a.group_was == told::killed || (a.group_was == told::to_end && a.leader_ended && !orphan.in_group))
      tell_orphan(pid, a.group_was);
  }
  look_at_ = clock::now() + (orphans_.all_watched() ? look_interval : look_interval_unwatched);
  std::vector<std::uint64_t> done;
  for (const auto& [id, a] : attempts_) {
    if (!a->leader_ended)
      continue;
    if (orphans_.count(id) == 0) {
      done.push_back(id);
    } else if (a->group_was == told::nothing) {
      for (const auto& [pid, orphan] : orphans_.orphans())
        if (orphan.attempt == id && !orphan.beyond_reach)
          note_left(*a, pid);
      tell_all(*a, told::to_end);
      set_due(*a, after(std::min(options_.leftover_grace, a->order.request.grace)));
    }
  }
  for (const auto id : done) {
    auto a = std::move(attempts_.extract(id).mapped());
    report(std::move(a));
  }
}

void process_loop::report(std::unique_ptr<attempt> a) {
  set_due(*a, std::nullopt);
  by_key_.erase(a->order.request.key);
  std::erase_if(marks_, [&](const auto& mark) { return mark.attempt == a->id; });
  // Nothing is known to be left; if something is (its parent moved it there and lives on), it dies with the group while
  // the leader's zombie still keeps the number.
  kill(-a->pid, SIGKILL);
  drain_output(*a);
  finish_log(*a);
  process_exit exit;
  exit.how = a->how;
  if (!reaper_.reap(a->pid, exit)) {
    exit.how = process_exit::kind::internal;
    a->problem = "the exit status was taken by somebody else in this process: " + errno_text(errno);
  }
  exit.has_log = a->log.made();
  exit.captured = std::move(a->captured);
  exit.captured_less = a->captured_less;
  if (!a->left.empty())
    exit.warnings.push_back(make_warning("background_processes", words_on_left(a->left)));
  if (!a->log.problem().empty())
    exit.warnings.push_back(make_warning("log_incomplete", a->log.problem()));
  if (!a->problem.empty() && exit.how == process_exit::kind::internal)
    exit.message = a->problem;
  else if (!a->problem.empty())
    exit.warnings.push_back(make_warning("process_not_ended", a->problem));
  if (options_.guest && attempts_.empty())
    orphans_.adopt(false);
  const bool ours = may_be_ours(*a, exit);
  if (ours && !a->end_came_later) {
    held_.push_back(
        {after(options_.own_end_grace), a->order.request.owner, std::move(a->order.exited), std::move(exit)});
    return;
  }
  if (ours)
    exit.how = process_exit::kind::ended_by_us;
  a->order.exited(std::move(exit));
}

bool process_loop::may_be_ours(const attempt& a, const process_exit& exit) const {
  constexpr std::array asking = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
  // A shell whose program died of a signal exits with 128 and its number.
  const int signal = exit.signal != 0 ? exit.signal : exit.exit_code - 128;
  return (!stopping_ || a.end_came_later) && a.how == process_exit::kind::ended && exit.how == a.how &&
         std::find(asking.begin(), asking.end(), signal) != asking.end();
}

void process_loop::report_held() {
  const auto now = clock::now();
  while (!held_.empty() && held_.front().until <= now) {
    auto one = std::move(held_.front());
    held_.pop_front();
    one.exited(std::move(one.exit));
  }
}

void process_loop::report_held_as_ours(std::optional<process_owner> owner) {
  std::vector<held_report> ours;
  const auto others =
      std::stable_partition(held_.begin(), held_.end(), [&](const auto& one) { return owner && one.owner != *owner; });
  std::move(others, held_.end(), std::back_inserter(ours));
  held_.erase(others, held_.end());
  for (auto& one : ours) {
    one.exit.how = process_exit::kind::ended_by_us;
    one.exited(std::move(one.exit));
  }
}

void process_loop::was_stopped(attempt& a, int signal) {
  if (a.group_was == told::nothing && !a.leader_ended && a.order.request.stopped)
    a.order.request.stopped(signal);
}

void process_loop::look_for_stopped() {
  for (const auto& [id, a] : attempts_)
    if (a->pidfd)
      if (const int signal = take_stop(a->pid); signal != 0)
        was_stopped(*a, signal);
}

} // namespace troupe_internal
