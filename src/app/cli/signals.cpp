// sigaction and the one pointer a handler can reach.
#include "app/cli/signals.hpp"

#include "base/check.hpp"

#include <atomic>
#include <cerrno>

namespace troupe::cli {

namespace {

std::atomic<stop_request*> target{nullptr};

void on_signal(int number) {
  const int saved = errno;
  if (auto* stop = target.load())
    stop->request(number);
  errno = saved;
}

void do_nothing(int) {}

} // namespace

signal_guard::signal_guard(stop_request& stop) {
  TROUPE_CHECK(target.exchange(&stop) == nullptr, "one signal_guard at a time");
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < signals.size(); ++i) {
    sigaction(signals[i], nullptr, &before_[i]);
    if (signals[i] == SIGHUP && before_[i].sa_handler == SIG_IGN)
      continue;
    sigaction(signals[i], &action, nullptr);
  }
}

signal_guard::~signal_guard() {
  for (std::size_t i = 0; i < signals.size(); ++i)
    sigaction(signals[i], &before_[i], nullptr);
  target.store(nullptr);
}

void survive_closed_pipes() {
  struct sigaction action {};
  action.sa_handler = do_nothing;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGPIPE, &action, nullptr);
}

} // namespace troupe::cli
