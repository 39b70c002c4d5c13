// Who may resume a run, or end one that was left open. Knows nothing of what is done then.
#pragma once

#include "engine/engine.hpp"

namespace troupe_internal {

/// While it lives, nobody else resumes or ends the run: what two of them read of it would both become its next segment.
class engine::only_resumption {
public:
  only_resumption(engine& all, run_number run) : all_(all), run_(run) {
    const std::lock_guard lock(all_.mutex_);
    may_ = !all_.runs_.contains(run) && all_.resuming_.insert(run).second;
  }
  ~only_resumption() {
    const std::lock_guard lock(all_.mutex_);
    if (may_)
      all_.resuming_.erase(run_);
  }
  only_resumption(const only_resumption&) = delete;
  only_resumption& operator=(const only_resumption&) = delete;

  [[nodiscard]] bool may() const { return may_; }

private:
  engine& all_;
  const run_number run_;
  bool may_ = false;
};

} // namespace troupe_internal
