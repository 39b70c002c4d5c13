// A child that shares our memory until it executes its program. Knows nothing of requests or PATH.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace troupe_internal {

/// What the child is to become. All pointers must stay valid during the call.
struct child_program {
  const char* file = nullptr;
  char* const* argv = nullptr;
  char* const* shell_argv = nullptr; ///< for /bin/sh, should the file be a script without #!
  char* const* environment = nullptr;
  const char* cwd = nullptr;
  int input = -1;                     ///< becomes 0; above 2
  int output = -1;                    ///< becomes 1; above 2
  int errors = -1;                    ///< becomes 2; above 2
  const rlimit* core_limit = nullptr; ///< null: ours
};

struct cloned_child {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0; ///< as in /proc/PID/stat, or 0: not known without looking there
};

/// clone with CLONE_VFORK | CLONE_VM, as in posix_spawn, which is not taken for two reasons. It closes the descriptors
/// that are not to be handed on before exec, and the state's lock has to stay until exec (state_lock.hpp). And it
/// resets 64 signals one by one and maps a stack, which together cost about as much as all else in starting a process:
/// clone3 with CLONE_CLEAR_SIGHAND does without, on x86-64 and where the kernel (5.5) and its filters allow it. One
/// thread at a time, with all signals blocked that have a handler.
class child_cloner {
public:
  enum class way { best, plain }; ///< the second never through clone3; for tests
  explicit child_cloner(way how = way::best);
  child_cloner(const child_cloner&) = delete;
  child_cloner& operator=(const child_cloner&) = delete;
  ~child_cloner();

  /// 0 and the child; or an errno value, and none is left (it has been reaped).
  [[nodiscard]] int clone(const child_program& program, cloned_child& child);

private:
  void* stack_ = nullptr;
  bool plainly_;                     // clone3 is not wanted, or has proved to be no way
  std::vector<int> ignored_signals_; // when this was made; exec would hand them on
  std::vector<int> all_signals_;     // but those that nobody can do anything about
};

} // namespace troupe_internal
