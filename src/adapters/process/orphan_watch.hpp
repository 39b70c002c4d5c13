// The children this process adopted as a subreaper: which attempt each belongs to. Knows nothing of time or logs.
#pragma once

#include "adapters/process/process_table.hpp"
#include "adapters/system/unique_fd.hpp"

#include <unistd.h>

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe_internal {

/// What tells the processes of one attempt from all others.
struct attempt_mark {
  std::uint64_t attempt = 0;
  pid_t leader = 0;                 ///< and process group
  std::uint64_t start_ticks = 0;    ///< of the leader
  std::vector<std::string> entries; ///< environment entries that all its processes inherit; empty: none is known
};

/// An adopted child that an attempt is to answer for.
struct orphan {
  std::uint64_t attempt = 0;
  unique_fd pidfd;           ///< none if the system had none to give: then look() is what finds it dead
  bool in_group = false;     ///< of the attempt's leader: signals to the group reach it
  bool beyond_reach = false; ///< signals to it are refused: nobody waits for it
};

/// Finds orphans among the children that the kernel hands to the main thread, and reaps dead ones. One thread
/// at a time.
class orphan_watch {
public:
  /// `owns_every_orphan`: see process_executor_options. `process_one`: whether this is process 1 of a PID namespace,
  /// which also adopts what others brought into it (docker exec): that is reaped when it ends, and left alone until
  /// then. Becomes a subreaper until destruction.
  /// `adopts` false: becomes one only as adopt() says.
  explicit orphan_watch(bool owns_every_orphan, bool process_one = getpid() == 1, bool adopts = true);
  orphan_watch(const orphan_watch&) = delete;
  orphan_watch& operator=(const orphan_watch&) = delete;
  ~orphan_watch();

  /// Whether this process is handed what its descendants leave: it is a subreaper. What it was before comes back.
  void adopt(bool on);
  /// Looks at all adopted children: reaps dead ones, and returns the pids of those not known before that belong to one
  /// of the attempts; they are then in orphans(). Costs one system call where there is none.
  std::vector<pid_t> look(std::span<const attempt_mark> attempts);
  /// Reaps an orphan whose end was signalled. False if it is not dead yet.
  bool reap(pid_t pid);

  /// When no attempt is left: ends at once whatever it still has adopted, for nobody answers for that any more (several
  /// attempts could have started it and all have ended, or it could not be looked at). Only where it owns every orphan,
  /// and only what an attempt certainly started.
  void end_the_rest();

  [[nodiscard]] std::unordered_map<pid_t, orphan>& orphans() { return orphans_; }
  /// Whether each has a pidfd.
  [[nodiscard]] bool all_watched() const;
  /// How many live ones an attempt is to wait for.
  [[nodiscard]] std::size_t count(std::uint64_t attempt) const;

private:
  [[nodiscard]] std::vector<pid_t> children() const;
  /// Whether an adopted child may descend from something else than a command.
  [[nodiscard]] bool may_be_strange(pid_t pid) const;
  [[nodiscard]] const attempt_mark* owner(const process_facts& facts, std::span<const attempt_mark> attempts) const;

  const bool reaps_all_;
  const bool process_one_;
  bool owns_every_orphan_;
  int was_subreaper_ = 0;
  bool adopts_ = false;
  unique_fd children_; // /proc/self/task/MAIN/children, where adopted children appear
  std::unordered_map<pid_t, orphan> orphans_;
};

} // namespace troupe_internal
