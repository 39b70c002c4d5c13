// A counter and an eventfd, both fit for signal handlers.
#include "adapters/system/event_wake.hpp"
#include "engine/project.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace troupe_internal {

stop_request::stop_request() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0)
    throw std::system_error(errno, std::generic_category(), "cannot listen for stop requests");
}

stop_request::~stop_request() {
  close(fd_);
}

void stop_request::request(int signal) noexcept {
  const int saved = errno;
  if (count_.fetch_add(1) == 0)
    signal_.store(signal);
  wake(fd_);
  errno = saved;
}

} // namespace troupe_internal
