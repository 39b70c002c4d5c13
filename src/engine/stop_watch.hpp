// Listens, while a run lives, for those who want it stopped: this process's signals and other processes. Knows nothing
// of the run.
#pragma once

#include "adapters/state/state_dir.hpp"
#include "adapters/system/unique_fd.hpp"
#include "engine/project.hpp"

#include <functional>
#include <string>
#include <thread>

namespace troupe_internal {

/// One thread that waits on the stop request and the FIFO. `on_stop(cause, at_once)` is called on it for each request.
class stop_watch {
public:
  /// Throws std::system_error where the system has no descriptor or thread left.
  stop_watch(state_dir::handle dir, stop_request& stop, std::function<void(stop_cause, bool)> on_stop);
  ~stop_watch();
  stop_watch(const stop_watch&) = delete;
  stop_watch& operator=(const stop_watch&) = delete;

private:
  void serve();

  stop_request& stop_;
  std::function<void(stop_cause, bool)> on_stop_;
  state_dir::handle dir_;
  unique_fd fifo_; ///< none: the state folder's file system has no FIFOs; then `cancel` cannot reach this run
  unique_fd quit_;
  std::thread thread_;
};

/// Asks the supervisor of a live run to stop it. False if nobody listens.
[[nodiscard]] bool send_cancel(const std::string& state_folder);

} // namespace troupe_internal
