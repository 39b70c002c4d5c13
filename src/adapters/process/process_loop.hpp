// Starts, watches and ends processes: who is alive, what is due, what to signal. Knows nothing of assets, of files only
// through log_writer, and of the work it does for others only that it is short.
#pragma once

#include "adapters/process/exit_waiters.hpp"
#include "adapters/process/fair_mutex.hpp"
#include "adapters/process/leader_reaper.hpp"
#include "adapters/process/log_writer.hpp"
#include "adapters/process/orphan_watch.hpp"
#include "adapters/process/process_executor.hpp"
#include "adapters/process/process_spawn.hpp"
#include "adapters/system/unique_fd.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

namespace troupe_internal {

struct start_process {
  process_request request;
  std::function<void(process_spawned)> spawned;
  std::function<void(process_exit)> exited;
};
struct end_process {
  process_key key = 0;
  urgency how = urgency::graceful;
};
struct end_processes {
  urgency how = urgency::graceful;
  std::optional<process_owner> owner{}; ///< none: of all
};
struct stop_loop {};
using process_order = std::variant<start_process, end_process, end_processes, stop_loop>;

/// One attempt's way:
///
///   running ──timeout, end(graceful)──► asked ──grace over, end(at_once)──► killed      what its group was told
///      └────────────────── end(at_once) ────────────────────────────────────►┘
///
///   and, from any of these, when the leader ends: wait (asking, then killing) until all it left behind has ended,
///   drain the log, reap the leader, report. The leader stays a zombie until then, so that its process group's number
///   cannot be given to others while we still signal it.
///
/// All of it, and all work, is done by the one thread whose turn it is. The loop's own thread takes its turn when there
/// is output, something is due or was posted; the thread that waited for the end of a command, at that end. Nobody
/// leaves a turn while there is something to do, unless another thread waits to take it up, or is woken to: the loop's
/// own, after 2 ms of a turn that is not its own.
class process_loop {
public:
  [[nodiscard]] static result<std::unique_ptr<process_loop>> open(process_executor_options options);
  ~process_loop();

  /// Any thread; never blocks for long.
  void post(process_order order);
  void post(std::function<void()> work);
  /// `work` is done when nothing else is to be done, or after 2 ms at the end of a turn, one piece each.
  void post_idle(std::function<void()> work);

private:
  using clock = std::chrono::steady_clock;
  enum class told : std::uint8_t { nothing, to_end, killed };
  // What an epoll event is about: an id in the upper bits, one of these in the lower three.
  enum about : std::uint64_t {
    about_wake = 0,
    about_leader = 1,
    about_output = 2,
    about_orphan = 3,
    about_captured = 4
  };

  struct attempt {
    std::uint64_t id = 0;
    start_process order;
    pid_t pid = 0;
    std::uint64_t start_ticks = 0;
    unique_fd pidfd; ///< only if no thread waits for it
    unique_fd output;
    /// Its other end, kept while few run: that the last writer is gone is no news worth waking for, but a descriptor
    /// each is too much for many.
    unique_fd input;
    log_writer log;
    unique_fd capture{};    ///< its standard output by itself, if that is asked for
    std::string captured{}; ///< at most as much as was asked for
    bool captured_less = false;
    std::optional<mask_stream> mask{};            ///< what it lets through is logged
    std::optional<clock::time_point> pause_due{}; ///< when the mask is told that nothing has come for a while
    told group_was = told::nothing;
    process_exit::kind how = process_exit::kind::ended;
    bool leader_ended = false;
    bool end_came_later = false;          ///< end() was called when the leader had ended already
    std::optional<clock::time_point> due; // of the timeout, then of the SIGKILL
    std::string problem;
    std::map<pid_t, std::string> left; // what it left running and we ended, with the program's name
  };

  process_loop(process_executor_options options, command_spawner spawner);
  void run();
  void be_awake();
  /// From a thread that waited for it; takes a turn.
  void waited_for(std::uint64_t id);
  /// What was posted, and what follows from ends.
  void work();
  void take_orders(clock::time_point until);
  /// Whether there is nothing to do, or another thread waits for its turn, who looks at it first.
  [[nodiscard]] bool may_rest();
  /// Returns how many there were. Nobody's turn meanwhile.
  std::size_t wait_for_events();
  /// One piece of it, if nothing else is to be done (there are no events either, and nothing was posted) or it has
  /// waited for as long as a turn may take.
  void do_what_can_wait(bool no_events);

  void carry_out(start_process& order);
  void carry_out(const end_process& order);
  void carry_out(const end_processes& order);
  void carry_out(const stop_loop&);

  [[nodiscard]] std::optional<spawn_failure> start(start_process& order);
  void read_output(attempt& a, std::uint32_t events);
  void drain_output(attempt& a);
  /// Reads once; false where there is nothing, or nobody left to write.
  bool read_captured(attempt& a);
  void log_output(attempt& a, std::string_view bytes);
  /// The last bytes that a mask held back, then the end of the log.
  void finish_log(attempt& a);
  void set_pause(attempt& a, std::optional<clock::time_point> when);
  void handle_pauses(clock::time_point now);
  void end(attempt& a, urgency how, process_exit::kind because);
  void tell_all(attempt& a, told what);
  void tell_orphans(const attempt& a, told what);
  /// An adopted process is about to be ended, which its command left running: noted, with what descends from it.
  void note_left(attempt& a, pid_t pid);
  void tell_orphan(pid_t pid, told what);
  void leader_ended(attempt& a);
  /// Looks for what ended attempts left behind; reports those that left nothing.
  void settle();
  void report(std::unique_ptr<attempt> a);
  /// Whether its end may be part of ours, of which we have not heard yet.
  [[nodiscard]] bool may_be_ours(const attempt& a, const process_exit& exit) const;
  /// Reports the ends that were held back and whose time has come.
  void report_held();
  /// Reports those that were held back, of one owner or of all, as ended by us.
  void report_held_as_ours(std::optional<process_owner> owner);
  void was_stopped(attempt& a, int signal);
  /// The leaders that no thread waits for.
  void look_for_stopped();
  void set_due(attempt& a, std::optional<clock::time_point> when);
  /// Now and a span later; spans beyond a century are one.
  [[nodiscard]] static clock::time_point after(duration d);
  void handle_due();
  /// From now to sleeps_until_, which it sets.
  [[nodiscard]] int wait_ms();
  [[nodiscard]] bool watch(int fd, std::uint64_t what, std::uint32_t events);
  [[nodiscard]] bool watch_leader(attempt& a);
  [[nodiscard]] static bool has_ended(const attempt& a);
  [[nodiscard]] attempt* find(std::uint64_t id);

  process_executor_options options_;
  command_spawner spawner_;
  unique_fd epoll_;
  unique_fd wake_;
  orphan_watch orphans_;

  std::mutex mutex_;
  std::vector<process_order> orders_;      // guarded by mutex_
  std::deque<std::function<void()>> work_; // guarded by mutex_
  struct waiting_work {
    std::function<void()> work;
    clock::time_point since;
  };
  std::deque<waiting_work> idle_; // guarded by mutex_
  bool awake_ = true;             // guarded by mutex_: somebody will look at these before all rest

  fair_mutex turn_; // taken before mutex_
  exit_waiters waiters_;

  // From here on guarded by turn_.
  std::deque<std::function<void()>> todo_; // taken from work_
  clock::time_point sleeps_until_;         // the loop's own thread
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<attempt>> attempts_;
  std::unordered_map<process_key, std::uint64_t> by_key_;
  std::set<std::pair<clock::time_point, std::uint64_t>> dues_;
  std::set<std::pair<clock::time_point, std::uint64_t>> pauses_;
  std::string unmasked_; // reused
  struct held_report {
    clock::time_point until;
    process_owner owner = 0;
    std::function<void(process_exit)> exited;
    process_exit exit;
  };
  std::deque<held_report> held_; // the first is due first
  clock::time_point look_at_;
  bool settle_wanted_ = false;
  leader_reaper reaper_;
  bool stopping_ = false;
  std::vector<attempt_mark> marks_; // of attempts_, for orphans_
  std::unique_ptr<char[]> buffer_;
  std::thread thread_;
};

} // namespace troupe_internal
