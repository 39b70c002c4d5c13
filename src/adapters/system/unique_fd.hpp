// A file descriptor that closes itself. Knows nothing of what it refers to.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace troupe_internal {

/// Owns one descriptor, or none (-1). Closing ignores errors: whoever must know that data reached the disk syncs first.
class unique_fd {
public:
  unique_fd() = default;
  explicit unique_fd(int fd) : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  unique_fd& operator=(unique_fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  unique_fd(const unique_fd&) = delete;
  unique_fd& operator=(const unique_fd&) = delete;
  ~unique_fd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void reset() {
    if (fd_ >= 0)
      close(std::exchange(fd_, -1));
  }
  /// Moves the descriptor to 3 or above, so that it never is taken for a standard one in a process that was started
  /// with some of 0 to 2 closed. False (errno set) if that fails.
  [[nodiscard]] bool lift_above_standard() {
    if (fd_ < 0 || fd_ > 2)
      return true;
    const int lifted = fcntl(fd_, F_DUPFD_CLOEXEC, 3);
    if (lifted < 0)
      return false;
    reset();
    fd_ = lifted;
    return true;
  }

private:
  int fd_ = -1;
};

} // namespace troupe_internal
