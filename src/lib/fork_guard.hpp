// Descriptors that a process which is forked off must not keep: it would hold the lock of a state beyond the end of its
// parent. Knows nothing of what they are.
#pragma once

#include <array>

namespace troupe_internal::lib {

/// While it lives, a fork() closes these in the child. Nothing else of the child may use them. Any thread.
class closed_in_forks {
public:
  explicit closed_in_forks(std::array<int, 2> descriptors);
  ~closed_in_forks();
  closed_in_forks(const closed_in_forks&) = delete;
  closed_in_forks& operator=(const closed_in_forks&) = delete;

private:
  const std::array<int, 2> descriptors_;
};

} // namespace troupe_internal::lib
