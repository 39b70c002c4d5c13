// CAF's module for scheduling: each job that can go on is a piece of work for a loop.
#include "actors/run_scheduler.hpp"

#include <cstddef>
#include <utility>
#include <vector>

namespace troupe_internal {
namespace {

/// Timers of a run are delayed messages of its supervisor: no actor has timeouts. CAF would have those of each actor
/// that ends cancelled, and wake the timers for it.
class run_clock_of_actors final : public caf::detail::thread_safe_actor_clock {
public:
  void cancel_timeouts(caf::abstract_actor*) override {}
};

class run_coordinator final : public caf::scheduler::abstract_coordinator {
public:
  run_coordinator(caf::actor_system& system, work_loop& loop, timer_thread& timers)
      : abstract_coordinator(system), loop_(loop), timers_(timers), unit_(*this) {}

  void enqueue(caf::resumable* job) override {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) {
        late_.push_back(job);
        return;
      }
      ++pending_;
    }
    post(job);
  }

  caf::actor_clock& clock() noexcept override { return clock_; }

protected:
  void start() override {
    timers_.start([this] { clock_.run_dispatch_loop(); });
  }

  /// Returns once the loop has nothing of this any more.
  void stop() override {
    {
      std::unique_lock lock(mutex_);
      ending_ = true;
      idle_.wait(lock, [this] { return pending_ == 0; });
      closed_ = true;
    }
    clock_.cancel_dispatch_loop();
    timers_.join();
    for (auto* job : std::exchange(late_, {})) // what the last timers have sent
      cleanup_and_release(job);
  }

private:
  /// What actors see of what they run on.
  struct unit final : caf::execution_unit {
    explicit unit(run_coordinator& all) : execution_unit(&all.system()), all_(all) {}
    void exec_later(caf::resumable* job) override { all_.enqueue(job); }

  private:
    run_coordinator& all_;
  };

  void post(caf::resumable* job) {
    loop_.post([this, job] { serve(job); });
  }

  void serve(caf::resumable* job) {
    if (job->resume(&unit_, max_throughput()) == caf::resumable::resume_later) {
      post(job);
      return;
    }
    caf::intrusive_ptr_release(job);
    const std::lock_guard lock(mutex_);
    if (--pending_ == 0 && ending_)
      idle_.notify_all(); // under the lock: who waits for it destroys it
  }

  work_loop& loop_;
  timer_thread& timers_;
  unit unit_;
  run_clock_of_actors clock_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t pending_ = 0; // jobs in the loop, each of which holds a reference
  bool ending_ = false;
  bool closed_ = false;
  std::vector<caf::resumable*> late_;
};

} // namespace

timer_thread::timer_thread() {
  thread_ = std::thread([this] { wait_for_work(); });
}

timer_thread::~timer_thread() {
  join();
}

void timer_thread::start(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    work_ = std::move(work);
    begun_ = true;
  }
  wake_.notify_all();
}

void timer_thread::join() {
  {
    const std::lock_guard lock(mutex_);
    begun_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable())
    thread_.join();
}

void timer_thread::wait_for_work() {
  std::function<void()> work;
  {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return begun_; });
    work = std::move(work_);
  }
  if (work)
    work();
}

void schedule_on(caf::actor_system_config& config, work_loop& loop, timer_thread& timers) {
  config.module_factories.push_back([&loop, &timers](caf::actor_system& system) -> caf::actor_system::module* {
    return new run_coordinator(system, loop, timers); // the system's from here on
  });
}

} // namespace troupe_internal
