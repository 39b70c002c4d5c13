// poll() over an eventfd of our own, the stop request's, and the FIFO.
#include "app/engine/stop_watch.hpp"

#include "adapters/event_wake.hpp"
#include "adapters/start_thread.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace troupe {

std::string control_fifo(const std::string& state_folder) {
  return state_folder + "/control";
}

stop_watch::stop_watch(const std::string& state_folder, stop_request& stop,
                       std::function<void(stop_cause, bool)> on_stop)
    : stop_(stop), on_stop_(std::move(on_stop)), fifo_path_(control_fifo(state_folder)),
      quit_(eventfd(0, EFD_CLOEXEC)) {
  if (!quit_)
    throw std::system_error(errno, std::generic_category(), "cannot watch for stop requests");
  unlink(fifo_path_.c_str()); // of a supervisor that died; the lock says that none lives
  if (mkfifo(fifo_path_.c_str(), 0600) == 0)
    fifo_ =
        unique_fd(open(fifo_path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)); // its own writer too: never at its end
  thread_ = start_thread([this] { serve(); });
}

stop_watch::~stop_watch() {
  wake(quit_.get());
  thread_.join();
  unlink(fifo_path_.c_str());
}

/// A job in the background may not be allowed to write to its terminal (stty tostop): from now on its words appear all
/// the same, since a run that is stopped for them would not end.
static void let_terminal_be_written() {
  std::signal(SIGTTOU, SIG_IGN);
}

void stop_watch::serve() {
  int requests = 0;
  bool cancelled = false;
  for (;;) {
    pollfd waits[] = {{quit_.get(), POLLIN, 0}, {stop_.descriptor(), POLLIN, 0}, {fifo_.get(), POLLIN, 0}};
    if (poll(waits, 3, -1) < 0)
      continue;
    if (waits[0].revents != 0)
      return;
    if (waits[1].revents != 0) {
      std::uint64_t count = 0;
      if (read(stop_.descriptor(), &count, sizeof count) == sizeof count) {
        requests += static_cast<int>(count);
        let_terminal_be_written();
        on_stop_(stop_.signal() == 0 ? stop_cause::user : stop_cause::signal, requests > 1);
      }
    }
    if (waits[2].revents != 0) {
      char bytes[64];
      if (read(fifo_.get(), bytes, sizeof bytes) > 0) {
        let_terminal_be_written();
        on_stop_(stop_cause::user, cancelled);
        cancelled = true;
      }
    }
  }
}

bool send_cancel(const std::string& state_folder) {
  const int fd = open(control_fifo(state_folder).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return false;
  const bool sent = write(fd, "cancel\n", 7) == 7;
  close(fd);
  return sent;
}

} // namespace troupe
