// poll() over an eventfd of our own, the stop request's, and the FIFO.
#include "engine/stop_watch.hpp"

#include "adapters/system/event_wake.hpp"
#include "adapters/system/start_thread.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace troupe_internal {

namespace {

/// The FIFO through which other processes reach a live run's supervisor.
constexpr const char* control_fifo = "control";

/// The FIFO, opened with these flags; none if it is none of this user's.
unique_fd open_fifo(const state_dir& dir, int flags) {
  unique_fd fifo(openat(dir.descriptor(), control_fifo, flags | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!fifo || fstat(fifo.get(), &info) != 0 || !S_ISFIFO(info.st_mode) || info.st_uid != geteuid())
    return {};
  return fifo;
}

} // namespace

stop_watch::stop_watch(state_dir::handle dir, stop_request& stop, std::function<void(stop_cause, bool)> on_stop)
    : stop_(stop), on_stop_(std::move(on_stop)), dir_(std::move(dir)), quit_(eventfd(0, EFD_CLOEXEC)) {
  if (!quit_)
    throw std::system_error(errno, std::generic_category(), "cannot watch for stop requests");
  static_cast<void>(dir_->remove(control_fifo)); // of a supervisor that died; the lock says that none lives
  if (mkfifoat(dir_->descriptor(), control_fifo, 0600) == 0) {
    fifo_ = open_fifo(*dir_, O_RDWR);                                       // its own writer too: never at its end
    if (!fifo_ && fchmodat(dir_->descriptor(), control_fifo, 0600, 0) == 0) // the umask has taken them
      fifo_ = open_fifo(*dir_, O_RDWR);
  }
  thread_ = start_thread([this] { serve(); });
}

stop_watch::~stop_watch() {
  wake(quit_.get());
  thread_.join();
  static_cast<void>(dir_->remove(control_fifo));
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
  const auto dir = state_dir::open(state_folder);
  const auto fifo = dir ? open_fifo(**dir, O_WRONLY) : unique_fd();
  return fifo && write(fifo.get(), "cancel\n", 7) == 7;
}

} // namespace troupe_internal
