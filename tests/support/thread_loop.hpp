// A work loop that is a thread and nothing else, for actors whose work is scripted.
#pragma once

#include "adapters/system/thread_pool.hpp"
#include "ports/work_loop.hpp"

#include <utility>

namespace troupe_internal::test {

class thread_loop final : public work_loop {
public:
  void post(std::function<void()> work) override { thread_.submit(std::move(work)); }
  void post_idle(std::function<void()> work) override { thread_.submit(std::move(work)); }

private:
  thread_pool thread_{1};
};

} // namespace troupe_internal::test
