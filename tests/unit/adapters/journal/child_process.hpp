// Runs a function in a forked child: for what must happen in another process, or to one.
#pragma once

#include <doctest/doctest.h>

#include <csignal>
#include <functional>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe_internal::test {

class child_process {
public:
  /// The child ends with what `body` returns as its exit status. It must not use doctest.
  explicit child_process(const std::function<int()>& body) : pid_(::fork()) {
    REQUIRE(pid_ >= 0);
    if (pid_ == 0)
      ::_exit(body());
  }
  ~child_process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
  }
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  void kill() const { ::kill(pid_, SIGKILL); }
  /// Its exit status; -signal if a signal ended it.
  int wait() {
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, 0) == pid_);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

private:
  pid_t pid_;
};

/// One byte from one process to another says "now".
class signal_pipe {
public:
  signal_pipe() { REQUIRE(::pipe(ends_) == 0); }
  ~signal_pipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  signal_pipe(const signal_pipe&) = delete;
  signal_pipe& operator=(const signal_pipe&) = delete;
  void notify() const { static_cast<void>(::write(ends_[1], "x", 1) == 1); }
  [[nodiscard]] bool await() const {
    char byte = 0;
    return ::read(ends_[0], &byte, 1) == 1;
  }

private:
  int ends_[2] = {-1, -1};
};

} // namespace troupe_internal::test
