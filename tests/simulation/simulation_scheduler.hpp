// CAF's scheduler for tests, with the order of its jobs decided by a seed and time that moves only when told.
#pragma once

#include "actors/caf.hpp"
#include "base/time.hpp"
#include "support/random_run.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
#include <caf/scheduler/test_coordinator.hpp>
#pragma GCC diagnostic pop

#include <algorithm>
#include <optional>

namespace troupe_internal::test {

/// One thread.
class simulation_scheduler {
public:
  explicit simulation_scheduler(seeded& random)
      : random_(random), system_(config_),
        coordinator_(dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler())),
        start_(coordinator_.clock().now()) {}
  /// A violation leaves actors behind; nobody waits for them.
  ~simulation_scheduler() { system_.await_actors_before_shutdown(false); }
  simulation_scheduler(const simulation_scheduler&) = delete;
  simulation_scheduler& operator=(const simulation_scheduler&) = delete;

  caf::actor_system& system() { return system_; }
  [[nodiscard]] bool has_job() const { return coordinator_.has_job(); }
  /// Some actor takes one message; which, by its place among the jobs.
  std::uint32_t run_one() {
    auto& jobs = coordinator_.jobs;
    const auto chosen = random_.below(static_cast<std::uint32_t>(jobs.size()));
    std::swap(jobs.front(), jobs[chosen]);
    coordinator_.run_once();
    return chosen;
  }
  void run_all() {
    while (coordinator_.try_run_once()) {
    }
  }
  /// How many actors have not ended.
  [[nodiscard]] std::size_t alive() { return system_.registry().running(); }
  [[nodiscard]] std::size_t jobs() const { return coordinator_.jobs.size(); }
  /// When the next timer goes off, as elapsed() counts.
  [[nodiscard]] std::optional<duration> next_timer() const {
    const auto& timers = coordinator_.clock().schedule();
    return timers.empty() ? std::nullopt : std::optional<duration>(timers.begin()->first - start_);
  }
  /// Time passes; timers that are due go off. `to` as elapsed() counts, not in the past.
  void advance(duration to) { coordinator_.advance_time(to - elapsed()); }
  [[nodiscard]] duration elapsed() const { return coordinator_.clock().now() - start_; }

private:
  struct config : caf::actor_system_config {
    config() { set("scheduler.policy", caf::atom("testing")); }
  };

  seeded& random_;
  config config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& coordinator_;
  caf::actor_clock::time_point start_;
};

} // namespace troupe_internal::test
