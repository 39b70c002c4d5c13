// Whether the first events of a run are on disk. Knows nothing of who writes them or who waits.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

namespace troupe_internal {

/// One outcome, from whoever has it to whoever asks for it, whichever comes first. Any thread; each side once.
class opening {
public:
  void tell(const result<std::uint64_t>& outcome) {
    std::function<void(result<std::uint64_t>)> then;
    {
      const std::lock_guard lock(mutex_);
      outcome_ = outcome;
      then = std::move(then_);
    }
    if (then)
      then(outcome);
  }
  void ask(std::function<void(result<std::uint64_t>)> then) {
    {
      const std::lock_guard lock(mutex_);
      if (!outcome_) {
        then_ = std::move(then);
        return;
      }
    }
    then(*outcome_); // told once: nobody changes it any more
  }

private:
  std::mutex mutex_;
  std::optional<result<std::uint64_t>> outcome_;
  std::function<void(result<std::uint64_t>)> then_;
};

} // namespace troupe_internal
