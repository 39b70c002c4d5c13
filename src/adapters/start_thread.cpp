// A new thread inherits the mask of the one that starts it.
#include "adapters/start_thread.hpp"

#include <signal.h>

#include <utility>

namespace troupe {
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

} // namespace troupe
