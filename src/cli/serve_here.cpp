// A supervisor in this process, from its start to the signal that ends it. Part of the program, not of the command
// line's library: its tests have no engine.
#include "cli/serve_here.hpp"

#include "adapters/system/service_manager.hpp"
#include "adapters/system/start_thread.hpp"
#include "cli/logging.hpp"
#include "cli/serve_settings.hpp"
#include "cli/signals.hpp"
#include "engine/project.hpp"
#include "engine/state_wait.hpp"
#include "serve/supervisor.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace troupe_internal::cli {

namespace {

/// SIGHUP asks to load the pipelines anew, unless a terminal is in use, which it says has gone.
class reload_guard {
public:
  explicit reload_guard(stop_request& asked) {
    request() = &asked;
    struct sigaction now {};
    now.sa_handler = [](int number) { request()->request(number); };
    sigaction(SIGHUP, &now, &before_);
  }
  ~reload_guard() { sigaction(SIGHUP, &before_, nullptr); }
  reload_guard(const reload_guard&) = delete;
  reload_guard& operator=(const reload_guard&) = delete;

private:
  static stop_request*& request() {
    static stop_request* asked = nullptr;
    return asked;
  }
  struct sigaction before_ {};
};

/// Opens it once no other process writes the state, or the time is over.
result<std::unique_ptr<serve::supervisor>> open_when_free(const serve::supervisor_options& how, duration longest,
                                                          system_clock& time, stop_request& stop,
                                                          const service_manager& manager) {
  constexpr int most_lost_races = 20;
  const auto until = time.monotonic() + longest;
  bool told = false;
  for (int lost = 0;;) {
    auto opened = serve::supervisor::open(how, time, stop);
    const auto left = until - time.monotonic();
    if (opened || opened.error().code != error_code::state_locked || left <= duration::zero())
      return opened;
    wait_setup waits;
    constexpr duration step = std::chrono::seconds(5);
    waits.longest = manager.listens() ? std::min(left, step) : left;
    waits.told = [&](const std::string& line) {
      if (!std::exchange(told, true))
        how.log(line);
      manager.status(line);
    };
    manager.extend(2 * step);
    const auto ended = wait_until_free(how.state, waits, stop);
    if (!ended)
      return ended.error();
    if (*ended == wait_end::free && ++lost == most_lost_races)
      return opened; // it is not a lock that keeps it
  }
}

/// How long to sleep at most: somebody else may have read of the stop, and the watchdog wants a word.
int look_again_after(const service_manager& manager) {
  constexpr std::int64_t usual_ms = 1'000;
  if (!manager.watchdog())
    return static_cast<int>(usual_ms);
  const auto half = std::chrono::duration_cast<std::chrono::milliseconds>(*manager.watchdog() / 2).count();
  return static_cast<int>(std::clamp<std::int64_t>(half, 1, usual_ms));
}

/// While runs come to their end, the service manager is told that it takes longer, and the watchdog that it lives.
class stop_teller {
public:
  stop_teller(const service_manager& manager, serve::supervisor& of)
      : thread_(start_thread([this, &manager, &of] {
          constexpr auto longer = std::chrono::seconds(20);
          std::unique_lock lock(mutex_);
          while (!over_) {
            lock.unlock();
            manager.extend(longer);
            of.on_turn([&manager] { manager.alive(); });
            lock.lock();
            changed_.wait_for(lock, std::chrono::milliseconds(look_again_after(manager)), [this] { return over_; });
          }
        })) {}
  ~stop_teller() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  stop_teller(const stop_teller&) = delete;
  stop_teller& operator=(const stop_teller&) = delete;

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_; ///< last
};

} // namespace

int serve_here(invocation& with, const serve_request& request) {
  auto manager = service_manager::from_environment(); // before there is another thread
  auto options = options_for(request);
  if (!options)
    return with.report(options.error());
  auto& how = *options;
  how.log = [](const std::string& line) { log_entry(serve::log_entry_of(line)); };
  set_up_logging(with.options.log_level != "warn" ? with.options.log_level // what is served is worth a line
                 : request.settings               ? request.settings->log_level
                                                  : "info",
                 !with.options.log_format.empty()                 ? with.options.log_format
                 : request.settings && request.settings->log_json ? "json"
                                                                  : "text");
  how.inherited = std::make_shared<std::vector<http_listener>>();
  for (auto& socket : manager.take_sockets()) {
    log_line("listening at a socket of the service manager, \"" + socket.name + "\"");
    how.inherited->push_back({std::move(socket.fd), socket.local, socket.name == "hooks"});
  }

  system_clock time;
  stop_request stop;
  stop_request reload;
  const signal_guard signals(stop);
  std::optional<reload_guard> hang_up;
  if (isatty(STDIN_FILENO) == 0)
    hang_up.emplace(reload);
  std::unique_ptr<serve::supervisor>* served = nullptr;
  how.on_reload = [&](bool begins) {
    if (begins)
      manager.reloading();
    else
      manager.ready(served != nullptr ? (*served)->status_line() : std::string());
  };
  auto opened = open_when_free(how, request.wait, time, stop, manager);
  if (!opened)
    return with.report(opened.error());
  served = &*opened;
  manager.ready((*opened)->status_line());
  const int look_again_ms = look_again_after(manager);
  constexpr duration between_claims = std::chrono::seconds(2);
  auto claimed_at = time.monotonic();
  for (int loaded = 0; stop.count() == 0;) {
    pollfd asked[] = {{stop.descriptor(), POLLIN, 0}, {reload.descriptor(), POLLIN, 0}};
    if (poll(asked, 2, look_again_ms) > 0 && (asked[1].revents & POLLIN) != 0) {
      std::uint64_t times = 0;
      if (read(reload.descriptor(), &times, sizeof times) < 0) // it says that it was asked, and no more
        continue;
    }
    if (manager.watchdog()) // a loop that does not turn says nothing, and neither does this thread
      (*opened)->on_turn([&manager] { manager.alive(); });
    if (manager.listens())
      manager.status((*opened)->status_line());
    if (time.monotonic() - claimed_at >= between_claims) {
      claimed_at = time.monotonic();
      (*opened)->retry_claims();
    }
    if (const int wanted = reload.count(); wanted != loaded) {
      loaded = wanted;
      const auto report = (*opened)->reload();
      log_line("loaded all files anew" +
               (report.problems.empty() ? std::string() : "; " + std::to_string(report.problems.size()) + " left out"));
    }
  }
  log_line(how.engine.drain ? "stopping, once live runs have ended" : "stopping");
  manager.stopping("stopping");
  {
    const stop_teller teller(manager, **opened);
    (*opened)->shut_down();
  }
  opened->reset();
  log_line("stopped");
  return exit_ok;
}

} // namespace troupe_internal::cli
