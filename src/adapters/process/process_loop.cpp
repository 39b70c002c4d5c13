// The loop: orders in, events in, what is due; everything else follows from these three.
#include "adapters/process/process_loop.hpp"

#include "adapters/process/process_table.hpp"
#include "adapters/system/event_wake.hpp"
#include "adapters/system/posix_error.hpp"
#include "adapters/system/start_thread.hpp"
#include "base/check.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <system_error>

namespace troupe_internal {

namespace {
/// How long orders and work are taken, each leading to more, before processes are looked at again.
constexpr auto longest_turn = std::chrono::milliseconds(2);
/// Of so many commands that run at a time, each has a thread that waits for its end.
constexpr std::size_t most_waiters = 16;

} // namespace

result<std::unique_ptr<process_loop>> process_loop::open(process_executor_options options) {
  auto spawner = command_spawner::open(options.plain_clone_only ? child_cloner::way::plain : child_cloner::way::best);
  if (!spawner)
    return spawner.error();
  std::unique_ptr<process_loop> loop(new process_loop(options, std::move(*spawner)));
  loop->epoll_ = unique_fd(epoll_create1(EPOLL_CLOEXEC));
  loop->wake_ = unique_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!loop->epoll_ || !loop->wake_ || !loop->epoll_.lift_above_standard() || !loop->wake_.lift_above_standard() ||
      !loop->watch(loop->wake_.get(), about_wake, EPOLLIN | EPOLLET))
    return fail(error_code::io, "cannot prepare to watch processes: " + errno_text(errno));

  // A parent that ignores SIGCHLD hands that on, and then the kernel throws exit statuses away.
  struct sigaction action {};
  const bool ignored = !options.no_commands && sigaction(SIGCHLD, nullptr, &action) == 0 &&
                       (action.sa_handler == SIG_IGN || (action.sa_flags & SA_NOCLDWAIT) != 0);
  if (ignored && options.guest)
    return fail(error_code::io, "this program ignores SIGCHLD, so that the system keeps no exit status of a command: "
                                "set it to SIG_DFL, or to a handler");
  if (ignored) {
    action = {};
    action.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &action, nullptr);
  }
  try {
    loop->thread_ = start_thread([raw = loop.get()] { raw->run(); });
  } catch (const std::system_error& refused) {
    return fail(error_code::io, std::string("cannot prepare to watch processes: no thread: ") + refused.what());
  }
  return loop;
}

process_loop::process_loop(process_executor_options options, command_spawner spawner)
    : options_(options), spawner_(std::move(spawner)),
      orphans_(options.owns_every_orphan && !options.guest, getpid() == 1, !options.guest && !options.no_commands),
      waiters_(
          most_waiters, !options.guest, [this](std::uint64_t id) { waited_for(id); },
          [this](std::uint64_t id, int signal) {
            post([this, id, signal] {
              if (auto* a = find(id))
                was_stopped(*a, signal);
            });
          }) {}

process_loop::~process_loop() {
  if (!thread_.joinable())
    return;
  TROUPE_CHECK(thread_.get_id() != std::this_thread::get_id() && !waiters_.is_here(),
               "an executor cannot be destroyed by its own callback");
  post(stop_loop{});
  thread_.join();
}

void process_loop::post(process_order order) {
  const std::lock_guard lock(mutex_);
  orders_.push_back(std::move(order));
  be_awake();
}

void process_loop::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  work_.push_back(std::move(work));
  be_awake();
}

void process_loop::post_idle(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  idle_.push_back({std::move(work), clock::now()});
  be_awake();
}

void process_loop::be_awake() {
  if (awake_)
    return;
  awake_ = true;
  wake(wake_.get());
}

void process_loop::run() {
  if (!options_.guest && !options_.no_commands)
    let_child_signals_be_ignored();
  const std::lock_guard turn(turn_); // but in wait_for_events()
  buffer_ = std::make_unique_for_overwrite<char[]>(64 * 1024);
  look_at_ = clock::now();
  for (;;) {
    work();
    if (stopping_ && attempts_.empty()) {
      orphans_.end_the_rest();
      return;
    }
    const auto events = wait_for_events();
    handle_due();
    do_what_can_wait(events == 0 && !settle_wanted_);
  }
}

void process_loop::waited_for(std::uint64_t id) {
  turn_.lock_soon();
  const std::lock_guard turn(turn_, std::adopt_lock);
  {
    const std::lock_guard lock(mutex_);
    awake_ = true;
  }
  if (auto* a = find(id))
    leader_ended(*a);
  const auto until = clock::now() + longest_turn; // then it is to wait for what it has started
  bool rest = false;
  for (work(); !(rest = may_rest()) && clock::now() < until; work())
    do_what_can_wait(true);
  do_what_can_wait(false); // whoever else waits for a turn
  const bool over = stopping_ && attempts_.empty();
  const bool due_earlier = (!dues_.empty() && dues_.begin()->first < sleeps_until_) ||
                           (!attempts_.empty() && look_at_ < sleeps_until_) ||
                           (!pauses_.empty() && pauses_.begin()->first < sleeps_until_) ||
                           (!held_.empty() && held_.front().until < sleeps_until_);
  if (!rest || over || due_earlier)
    wake(wake_.get()); // the loop's own thread goes on
}

void process_loop::work() {
  const auto until = clock::now() + longest_turn;
  take_orders(until);
  if (settle_wanted_) {
    settle();
    take_orders(until); // what follows from an end is mostly the next start
  }
}

bool process_loop::may_rest() {
  const std::lock_guard lock(mutex_);
  if (!orders_.empty() || !work_.empty() || !todo_.empty() || !idle_.empty() || settle_wanted_)
    return turn_.wanted();
  awake_ = false;
  return true;
}

void process_loop::take_orders(clock::time_point until) {
  std::vector<process_order> orders;
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      orders.swap(orders_);
      if (todo_.empty())
        todo_.swap(work_);
    }
    if (orders.empty() && todo_.empty())
      return;
    for (auto& order : orders)
      std::visit([this](auto& o) { carry_out(o); }, order);
    orders.clear();
    while (!todo_.empty()) {
      const auto piece = std::move(todo_.front());
      todo_.pop_front();
      piece();
      if (clock::now() >= until)
        return;
    }
  }
}

void process_loop::do_what_can_wait(bool no_events) {
  std::function<void()> piece;
  {
    const std::lock_guard lock(mutex_);
    if (idle_.empty())
      return;
    const bool nothing_else = no_events && orders_.empty() && work_.empty() && todo_.empty();
    if (!nothing_else && clock::now() - idle_.front().since < longest_turn)
      return;
    piece = std::move(idle_.front().work);
    idle_.pop_front();
  }
  piece();
}

std::size_t process_loop::wait_for_events() {
  const int timeout = may_rest() ? wait_ms() : 0;
  std::array<epoll_event, 64> events;
  turn_.unlock();
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout);
  const int problem = errno;
  turn_.lock();
  {
    const std::lock_guard lock(mutex_);
    awake_ = true;
  }
  TROUPE_CHECK(count >= 0 || problem == EINTR, "epoll must work");
  for (int i = 0; i < count; ++i) {
    const auto what = events[static_cast<std::size_t>(i)].data.u64;
    const auto id = what >> 3U;
    switch (what & 7U) {
    case about_wake:
      break; // edge-triggered: the count need not be read
    case about_leader:
      if (auto* a = find(id))
        leader_ended(*a);
      break;
    case about_captured:
      if (auto* a = find(id))
        static_cast<void>(read_captured(*a));
      break;
    case about_output:
      if (auto* a = find(id))
        read_output(*a, events[static_cast<std::size_t>(i)].events);
      break;
    default: // an orphan
      if (orphans_.reap(static_cast<pid_t>(id)))
        settle_wanted_ = true;
      break;
    }
  }
  return static_cast<std::size_t>(std::max(count, 0));
}

void process_loop::carry_out(start_process& order) {
  if (auto failure =
          stopping_ ? spawn_failure{process_exit::kind::internal, "the executor is being shut down"} : start(order)) {
    if (options_.guest && attempts_.empty())
      orphans_.adopt(false);
    process_exit exit;
    exit.how = failure->how;
    exit.message = std::move(failure->message);
    order.exited(std::move(exit));
  }
}

void process_loop::carry_out(const end_process& order) {
  const auto found = by_key_.find(order.key);
  if (found != by_key_.end())
    end(*attempts_.at(found->second), order.how, process_exit::kind::ended_by_us);
}

void process_loop::carry_out(const end_processes& order) {
  for (auto& [id, a] : attempts_)
    if (!order.owner || a->order.request.owner == *order.owner)
      end(*a, order.how, process_exit::kind::ended_by_us);
  report_held_as_ours(order.owner);
}

void process_loop::carry_out(const stop_loop&) {
  stopping_ = true;
  carry_out(end_processes{urgency::at_once, std::nullopt});
}

void process_loop::set_due(attempt& a, std::optional<clock::time_point> when) {
  if (a.due)
    dues_.erase({*a.due, a.id});
  a.due = when;
  if (when)
    dues_.emplace(*when, a.id);
}

process_loop::clock::time_point process_loop::after(duration d) {
  constexpr duration century = std::chrono::hours(24 * 365 * 100);
  return clock::now() + std::chrono::ceil<clock::duration>(std::clamp(d, duration::zero(), century));
}

void process_loop::handle_due() {
  const auto now = clock::now();
  while (!dues_.empty() && dues_.begin()->first <= now) {
    auto& a = *attempts_.at(dues_.begin()->second);
    set_due(a, std::nullopt);
    if (a.group_was == told::nothing && !a.leader_ended) {
      if (!has_ended(a)) // or it did so in time, and we are late
        end(a, urgency::graceful, process_exit::kind::timed_out);
    } else {
      tell_all(a, told::killed);
    }
  }
  if (!attempts_.empty() && look_at_ <= now) {
    settle_wanted_ = true;
    look_for_stopped();
  }
  handle_pauses(now);
  report_held();
}

int process_loop::wait_ms() {
  sleeps_until_ = clock::time_point::max();
  if (attempts_.empty() && held_.empty())
    return -1;
  if (!attempts_.empty())
    sleeps_until_ = look_at_;
  if (!held_.empty())
    sleeps_until_ = std::min(sleeps_until_, held_.front().until);
  if (!dues_.empty())
    sleeps_until_ = std::min(sleeps_until_, dues_.begin()->first);
  if (!pauses_.empty())
    sleeps_until_ = std::min(sleeps_until_, pauses_.begin()->first);
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(sleeps_until_ - clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(ms, 0, 60'000));
}

bool process_loop::has_ended(const attempt& a) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(a.pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
}

bool process_loop::watch(int fd, std::uint64_t what, std::uint32_t events) {
  epoll_event watched{};
  watched.events = events;
  watched.data.u64 = what;
  return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &watched) == 0;
}

bool process_loop::watch_leader(attempt& a) {
  if (waiters_.take(a.id, a.pid))
    return true;
  a.pidfd = unique_fd(open_pidfd(a.pid));
  return a.pidfd && a.pidfd.lift_above_standard() && watch(a.pidfd.get(), a.id << 3U | about_leader, EPOLLIN);
}

process_loop::attempt* process_loop::find(std::uint64_t id) {
  const auto found = attempts_.find(id);
  return found == attempts_.end() ? nullptr : found->second.get();
}

} // namespace troupe_internal
