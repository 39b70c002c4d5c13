// The thread that watches files for all `watch` triggers of a supervisor. It sleeps until the system reports a change,
// or something has settled. Knows no pattern and no rule of what settles.
#pragma once

#include "adapters/files/posix_file_system.hpp"
#include "adapters/system/unique_fd.hpp"
#include "serve/own_outputs.hpp"
#include "serve/trigger_desk.hpp"
#include "serve/watched_trigger.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace troupe_internal::serve {

/// What is shown of it.
struct watch_figures {
  std::size_t folders = 0;   ///< that the system reports changes of
  std::size_t files = 0;     ///< that are known
  std::size_t polling = 0;   ///< triggers that poll
  std::size_t overflows = 0; ///< how often reports were lost, and everything was looked at
};

class file_watcher {
public:
  /// All outlive it. `events`: null where the system has none left; then everything is polled. Throws
  /// std::system_error where the system has no thread or descriptor left.
  file_watcher(serving_engine& engine, trigger_desk& desk, system_clock& time,
               std::function<void(const std::string&)> log, std::unique_ptr<folder_events> events);
  ~file_watcher();
  file_watcher(const file_watcher&) = delete;
  file_watcher& operator=(const file_watcher&) = delete;

  /// The triggers are other ones, or one was paused or resumed. Any thread.
  void look_anew();
  /// Any thread.
  [[nodiscard]] watch_figures figures() const;

private:
  struct watching {
    watched_trigger files;
    digest definition;
    watch_base base;                  ///< what the first sight found on record
    bool anchored = false;            ///< its first sight is on record
    std::optional<duration> poll_at;  ///< of one that polls
    std::optional<duration> retry_at; ///< something was refused
    duration pause{0};                ///< after which it is tried again
    std::set<std::string> complaints; ///< of files that cannot be read
    std::string trouble;              ///< as it was reported
  };
  void run();
  [[nodiscard]] bool rebuild();
  [[nodiscard]] result<void> anchor(watching& of, duration now);
  void drop_unwanted();
  void heed_all(duration now);
  void work_on(watching& of, duration now);
  void try_again(watching& of, duration now, const std::string& why);
  void report(watching& of, const std::string& trouble);
  /// An error: it has to be tried again.
  [[nodiscard]] result<void> take_in(watching& of, const std::vector<settling_files::due_file>& due, duration now);
  void show();
  [[nodiscard]] int wait_ms(duration now) const;

  serving_engine& engine_;
  trigger_desk& desk_;
  system_clock& time_;
  std::function<void(const std::string&)> log_;
  std::unique_ptr<folder_events> events_;
  std::unique_ptr<posix_file_system> files_;
  std::unique_ptr<own_outputs> own_;
  unique_fd wake_, mounts_;
  std::vector<std::unique_ptr<watching>> all_;
  bool rebuild_ = true;
  std::size_t overflows_ = 0;
  mutable std::mutex figures_mutex_;
  watch_figures figures_; ///< under figures_mutex_
  std::atomic<bool> changed_{false}, ending_{false};
  std::thread thread_; ///< last: it uses the others
};

} // namespace troupe_internal::serve
