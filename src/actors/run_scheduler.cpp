// CAF's module for scheduling, as one queue with one thread behind it.
#include "actors/run_scheduler.hpp"

#include <deque>
#include <utility>

namespace troupe {
namespace {

class run_coordinator final : public caf::scheduler::abstract_coordinator {
public:
  run_coordinator(caf::actor_system& system, run_threads& threads)
      : abstract_coordinator(system), threads_(threads), unit_(*this) {}

  void enqueue(caf::resumable* job) override {
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(job);
    }
    wake_.notify_one();
  }

  caf::actor_clock& clock() noexcept override { return clock_; }

protected:
  void start() override {
    threads_.start([this] { serve(); }, [this] { clock_.run_dispatch_loop(); });
  }

  void stop() override {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_one();
    clock_.cancel_dispatch_loop();
    threads_.join();
    for (auto* job : std::exchange(jobs_, {})) // what the last timers have sent
      cleanup_and_release(job);
  }

private:
  /// What actors see of the thread that they run on.
  struct unit final : caf::execution_unit {
    explicit unit(run_coordinator& all) : execution_unit(&all.system()), all_(all) {}
    void exec_later(caf::resumable* job) override { all_.enqueue(job); }

  private:
    run_coordinator& all_;
  };

  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
      if (jobs_.empty())
        return;
      auto* job = jobs_.front();
      jobs_.pop_front();
      lock.unlock();
      const bool more = job->resume(&unit_, max_throughput()) == caf::resumable::resume_later;
      if (!more)
        caf::intrusive_ptr_release(job);
      lock.lock();
      if (more)
        jobs_.push_back(job);
    }
  }

  run_threads& threads_;
  unit unit_;
  caf::detail::thread_safe_actor_clock clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<caf::resumable*> jobs_; // each holds a reference
  bool ending_ = false;
};

} // namespace

run_threads::run_threads() {
  constexpr std::size_t count = 2;
  threads_.reserve(count);
  try {
    for (std::size_t i = 0; i < count; ++i)
      threads_.emplace_back([this, i] { wait_for_work(i); });
  } catch (...) {
    join();
    throw;
  }
}

run_threads::~run_threads() {
  join();
}

void run_threads::start(std::function<void()> first, std::function<void()> second) {
  {
    const std::lock_guard lock(mutex_);
    work_ = {std::move(first), std::move(second)};
    begun_ = true;
  }
  wake_.notify_all();
}

void run_threads::join() {
  {
    const std::lock_guard lock(mutex_);
    begun_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_)
    thread.join();
  threads_.clear();
}

void run_threads::wait_for_work(std::size_t mine) {
  std::function<void()> work;
  {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return begun_; });
    if (mine < work_.size())
      work = std::move(work_[mine]);
  }
  if (work)
    work();
}

void schedule_on(caf::actor_system_config& config, run_threads& threads) {
  config.module_factories.push_back([&threads](caf::actor_system& system) -> caf::actor_system::module* {
    return new run_coordinator(system, threads); // the system's from here on
  });
}

} // namespace troupe
