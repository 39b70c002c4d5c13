// A counter and an eventfd, both fit for signal handlers.
#include "app/engine/project.hpp"
#include "base/check.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

namespace troupe {

stop_request::stop_request() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  TROUPE_CHECK(fd_ >= 0, "no descriptor left to listen for stop requests");
}

stop_request::~stop_request() {
  close(fd_);
}

void stop_request::request(int signal) noexcept {
  const int saved = errno;
  if (count_.fetch_add(1) == 0)
    signal_.store(signal);
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(fd_, &one, sizeof one); // full only after 2^64 requests
  errno = saved;
}

} // namespace troupe
