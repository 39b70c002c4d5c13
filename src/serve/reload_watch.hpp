// Tells when files may have changed: by inotify on their folders, or where the system refuses that, by a look every two
// seconds. Knows nothing of what is in them.
#pragma once

#include "adapters/system/unique_fd.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace troupe_internal::serve {

class reload_watch {
public:
  /// `changed` is called by a thread of its own, when nothing has happened to any of the files for `settle`, though
  /// something did (`seen`), or though the watch of them has just begun, before which something may have. It may not
  /// destroy the watch. Throws std::system_error.
  explicit reload_watch(std::function<void(bool seen)> changed,
                        std::chrono::milliseconds settle = std::chrono::milliseconds(500));
  ~reload_watch();
  reload_watch(const reload_watch&) = delete;
  reload_watch& operator=(const reload_watch&) = delete;

  /// These files from now on; absolute paths. Any thread.
  void watch(std::vector<std::string> files);

private:
  void run();
  /// inotify's watches of the files' folders.
  void renew(const std::vector<std::string>& files);
  /// Whether something was read that concerns one of the files.
  [[nodiscard]] bool read_changes(const std::vector<std::string>& files);

  std::function<void(bool seen)> changed_;
  const std::chrono::milliseconds settle_;
  unique_fd inotify_; ///< none: files are looked at
  unique_fd wake_;
  std::atomic<bool> ending_{false};
  std::mutex mutex_;
  std::vector<std::string> files_; ///< under mutex_
  bool renewed_ = false;           ///< under mutex_
  std::vector<int> folders_;       ///< the thread's
  bool looks_ = false;             ///< the thread's: inotify does not see all
  std::string seen_;               ///< the thread's: what a look saw last
  std::thread thread_;             ///< last
};

} // namespace troupe_internal::serve
