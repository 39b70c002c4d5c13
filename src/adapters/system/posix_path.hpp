// Paths as the kernel takes them: bytes ended by a zero, without a heap allocation for any path it accepts. Knows no
// disk.
#pragma once

#include <cerrno>
#include <climits>
#include <cstring>
#include <string_view>

namespace troupe_internal {

/// A zero-terminated copy on the stack. Empty paths mean the folder they are relative to.
class c_path {
public:
  explicit c_path(std::string_view path) {
    if (path.empty())
      path = ".";
    if (path.size() >= sizeof text_) {
      error_ = ENAMETOOLONG;
      return;
    }
    if (std::memchr(path.data(), 0, path.size()) != nullptr) {
      error_ = EINVAL;
      return;
    }
    std::memcpy(text_, path.data(), path.size());
    text_[path.size()] = 0;
  }
  /// 0, or the errno value the path itself deserves: ENAMETOOLONG, or EINVAL for one with a zero byte in it.
  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] const char* get() const { return text_; }

private:
  int error_ = 0;
  char text_[PATH_MAX]; // left unset: 4 KB of zeroes for each stat would show
};

} // namespace troupe_internal
