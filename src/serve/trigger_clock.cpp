// timerfd, eventfd, poll.
#include "serve/trigger_clock.hpp"

#include "adapters/system/event_wake.hpp"
#include "adapters/system/start_thread.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

namespace troupe_internal::serve {

namespace {

constexpr int again_after_ms = 1'000;
constexpr auto between_tidyings = std::chrono::hours(1);

/// Without a tick it is armed all the same, far ahead: only an armed timer tells that the clock was set.
void arm(int timer, std::optional<timestamp> next) {
  constexpr std::int64_t far_ahead = std::int64_t{1} << 40U;
  constexpr std::int64_t second = 1'000'000'000;
  const auto ns = next ? to_unix_ns(*next) : 0;
  itimerspec at{};
  at.it_value.tv_sec = static_cast<time_t>(next ? ns / second : far_ahead);
  at.it_value.tv_nsec = next ? static_cast<long>(ns % second) : 0;
  if (at.it_value.tv_sec == 0 && at.it_value.tv_nsec == 0)
    at.it_value.tv_nsec = 1; // 0 disarms
  static_cast<void>(timerfd_settime(timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, nullptr));
}

} // namespace

trigger_clock::trigger_clock(trigger_desk& desk, duration keep_events, std::function<void(const std::string&)> log)
    : desk_(desk), keep_events_(keep_events), log_(std::move(log)),
      timer_(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC)), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      commits_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!timer_ || !wake_ || !commits_)
    throw std::system_error(errno, std::generic_category(), "a timer");
  thread_ = start_thread([this] { run(); });
  desk_.set_waker([this] { look_now(); });
}

trigger_clock::~trigger_clock() {
  desk_.set_waker({});
  ending_ = true;
  look_now();
  thread_.join();
}

void trigger_clock::look_now() {
  wake(wake_.get());
}

void trigger_clock::look_at_commits() {
  wake(commits_.get());
}

void trigger_clock::run() {
  std::string trouble;
  std::optional<std::chrono::steady_clock::time_point> tidied;
  while (!ending_) {
    if (const auto now = std::chrono::steady_clock::now(); !tidied || now - *tidied >= between_tidyings) {
      tidied = now;
      if (const auto done = desk_.tidy(keep_events_); !done)
        log_("what came with old events stays for now: " + done.error().message);
    }
    const auto fired = desk_.fire_due();
    if (!fired && fired.error().message != trouble)
      log_("triggers wait: " + fired.error().message);
    trouble = fired ? std::string() : fired.error().message;
    arm(timer_.get(), fired ? fired->next : std::nullopt);
    bool only_commits = true; // of which most change nothing that a trigger follows
    while (only_commits && !ending_) {
      std::array<pollfd, 3> waits{{{timer_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}, {commits_.get(), POLLIN, 0}}};
      constexpr int an_hour_ms = 3'600'000;
      static_cast<void>(poll(waits.data(), waits.size(), !fired || fired->again ? again_after_ms : an_hour_ms));
      only_commits = waits[0].revents == 0 && waits[1].revents == 0 && waits[2].revents != 0;
      // Whatever a read says is worth a look: also that the clock was set, with which it fails (ECANCELED).
      for (const int fd : {timer_.get(), wake_.get(), commits_.get()}) {
        std::uint64_t times = 0;
        [[maybe_unused]] const auto count = read(fd, &times, sizeof times);
      }
      if (only_commits)
        only_commits = !desk_.assets_changed();
    }
  }
}

} // namespace troupe_internal::serve
