// The process executor port on Linux, which is a work loop too: what it is made with. How it works is in
// process_loop.
#pragma once

#include "ports/process_executor.hpp"
#include "ports/work_loop.hpp"

#include <chrono>
#include <memory>

namespace troupe_internal {

class process_loop;

struct process_executor_options {
  /// Whether every child this process ever adopts descends from a command. True for a program that starts processes
  /// through the executor only. False in a host that starts others: orphans are then recognised by their process group
  /// and their TROUPE_* environment alone, and one that shed both is left alone.
  bool owns_every_orphan = true;
  /// Inside a program that has children, orphans and a SIGCHLD of its own: this process is a subreaper only while a
  /// command runs, nobody's disposition or mask of SIGCHLD changes, and open() refuses where it is ignored. Then
  /// owns_every_orphan is false.
  bool guest = false;
  /// A work loop alone: nothing of the process is touched, and start() answers that it starts nothing.
  bool no_commands = false;
  /// How long what a command leaves behind when it ends by itself may take from SIGTERM to SIGKILL; at most the
  /// request's own grace.
  duration leftover_grace = std::chrono::seconds(1);
  /// A command that dies of a signal that asks programs to end, and that this executor did not send, may be the first
  /// to hear what is meant for all (a container or a session that is ended): so long its end is not reported, for a
  /// caller that hears it too to say so with end_all().
  duration own_end_grace = std::chrono::milliseconds(250);
  /// Do without the faster way to start a process (see child_clone), as where the system does not have it.
  bool plain_clone_only = false;
};

/// Starts, watches and ends all processes, and does what is posted to it: all on threads of its own, one at a time.
/// Making it turns this process into a child subreaper (PR_SET_CHILD_SUBREAPER) and, where SIGCHLD is ignored, restores
/// its default, without which no exit status could be had; nobody else in the process may wait for "any child". One at
/// a time in a process.
class posix_process_executor final : public process_executor, public work_loop {
public:
  [[nodiscard]] static result<std::unique_ptr<posix_process_executor>> open(process_executor_options options = {});
  ~posix_process_executor() override;

  void prepare(process_request& request) const override;
  void start(process_request request, std::function<void(process_spawned)> spawned,
             std::function<void(process_exit)> exited) override;
  void end(process_key key, urgency how) override;
  void end_all(process_owner owner, urgency how) override;
  /// Work is done between what processes ask for.
  void post(std::function<void()> work) override;
  void post_idle(std::function<void()> work) override;

private:
  explicit posix_process_executor(std::unique_ptr<process_loop> loop);
  std::unique_ptr<process_loop> loop_;
};

} // namespace troupe_internal
