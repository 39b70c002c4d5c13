// sigaction and the one pointer a handler can reach.
#include "cli/signals.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <unistd.h>

namespace troupe_internal::cli {

namespace {

std::atomic<stop_request*> target{nullptr};
std::atomic<unsigned> continued{0};

struct sigaction handled_by(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  return action;
}

/// Not by the default action: process 1 of a container has none.
void end_now(int number) {
  _exit(128 + number);
}

void on_signal(int number) {
  const int saved = errno;
  if (auto* stop = target.load()) {
    if (stop->count() > 0 && stop->ends_at_second())
      end_now(number);
    stop->request(number);
  }
  errno = saved;
}

void on_continued(int) {
  continued.fetch_add(1);
}

void do_nothing(int) {}

} // namespace

signal_guard::signal_guard(stop_request& stop) {
  TROUPE_CHECK(target.exchange(&stop) == nullptr, "one signal_guard at a time");
  const auto handled = handled_by(on_signal);
  for (std::size_t i = 0; i < signals.size(); ++i) {
    sigaction(signals[i], nullptr, &before_[i]);
    if (before_[i].sa_handler != SIG_IGN)
      sigaction(signals[i], &handled, nullptr);
  }
  const auto counted = handled_by(on_continued);
  sigaction(SIGCONT, &counted, &before_continued_);
}

signal_guard::~signal_guard() {
  for (std::size_t i = 0; i < signals.size(); ++i)
    sigaction(signals[i], &before_[i], nullptr);
  sigaction(SIGCONT, &before_continued_, nullptr);
  target.store(nullptr);
}

unsigned times_continued() {
  return continued.load();
}

void take_signals_as_errors() {
  const auto ignored = handled_by(do_nothing);
  sigaction(SIGPIPE, &ignored, nullptr);
  sigaction(SIGXFSZ, &ignored, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (getpid() != 1)
    return;
  const auto ending = handled_by(end_now);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    struct sigaction before {};
    if (sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_DFL)
      sigaction(number, &ending, nullptr);
  }
}

void end_as_by_signal(int status) {
  constexpr std::array by_default = {SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU};
  const int number = status - 128;
  if (std::find(by_default.begin(), by_default.end(), number) == by_default.end())
    return;
  const auto action = handled_by(SIG_DFL);
  sigaction(number, &action, nullptr);
  raise(number);
}

} // namespace troupe_internal::cli
