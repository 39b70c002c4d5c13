// A new thread inherits the mask of the one that starts it.
#include "adapters/system/start_thread.hpp"

#include <csignal>

#include <utility>

namespace troupe_internal {
namespace {

class all_signals_blocked {
public:
  all_signals_blocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~all_signals_blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  all_signals_blocked(const all_signals_blocked&) = delete;
  all_signals_blocked& operator=(const all_signals_blocked&) = delete;

private:
  sigset_t before_{};
};

} // namespace

std::thread start_thread(std::function<void()> work) {
  const all_signals_blocked here;
  return std::thread(std::move(work));
}

void let_child_signals_be_ignored() {
  struct sigaction action {};
  if (sigaction(SIGCHLD, nullptr, &action) != 0 || action.sa_handler != SIG_DFL)
    return; // for the threads of who handles it
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  pthread_sigmask(SIG_UNBLOCK, &child, nullptr);
}

} // namespace troupe_internal
