// One queue. What a function may have left behind in its thread is put back before anything else runs there.
#include "engine/function_threads.hpp"

#include "adapters/system/start_thread.hpp"
#include "base/check.hpp"

#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace troupe_internal {

namespace {

thread_local const void* function_owner = nullptr;

/// The state of a thread that code of others may change: floating point, locale, signals, cancellation.
class thread_state {
public:
  thread_state() {
    fegetenv(&floating_point_);
    pthread_sigmask(SIG_SETMASK, nullptr, &signals_);
  }
  void put_back() const {
    fesetenv(&floating_point_);
    uselocale(LC_GLOBAL_LOCALE);
    pthread_sigmask(SIG_SETMASK, &signals_, nullptr);
    int before = 0;
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &before);
  }

private:
  fenv_t floating_point_{};
  sigset_t signals_{};
};

} // namespace

function_threads::~function_threads() {
  TROUPE_CHECK(!is_here(owner_), "an engine cannot be destroyed by one of its functions");
  std::unique_lock lock(mutex_);
  ending_ = true;
  wake_.notify_all();
  while (!threads_.empty() || !gone_.empty()) {
    auto& from = gone_.empty() ? threads_ : gone_;
    auto thread = std::move(from.back());
    from.pop_back();
    lock.unlock();
    thread.join();
    lock.lock();
  }
}

bool function_threads::is_here(const void* owner) {
  return function_owner == owner;
}

void function_threads::submit(std::function<void()> work) {
  std::vector<std::thread> ended;
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
    ended = std::exchange(gone_, {});
    if (idle_ >= queue_.size() || threads_.size() >= most_) {
      wake_.notify_one();
    } else {
      try {
        threads_.push_back(start_thread([this] { serve(); }));
        pthread_setname_np(threads_.back().native_handle(), "troupe-function");
      } catch (const std::system_error&) {
        if (threads_.empty()) {
          queue_.pop_back();
          throw;
        }
      }
    }
  }
  for (auto& thread : ended)
    thread.join();
}

void function_threads::leave(std::thread::id who) {
  const std::lock_guard lock(mutex_);
  const auto at = std::find_if(threads_.begin(), threads_.end(), [&](const auto& one) { return one.get_id() == who; });
  if (at != threads_.end()) { // else it is being joined
    gone_.push_back(std::move(*at));
    threads_.erase(at);
  }
  // What it was to do next is another's.
  if (!queue_.empty()) {
    try {
      threads_.push_back(start_thread([this] { serve(); }));
    } catch (const std::system_error&) {
      return; // the next submit() tries again
    }
  }
}

void function_threads::serve() {
  /// Says so when this thread ends before its time: the work has ended it.
  struct departure {
    function_threads& all;
    const thread_state own{};
    bool regular = false;
    ~departure() {
      if (regular)
        return;
      own.put_back(); // a thread that is started inherits it
      all.leave(std::this_thread::get_id());
    }
  };
  fesetenv(FE_DFL_ENV);
  departure departs{*this};
  const auto& own = departs.own;
  function_owner = owner_;
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wake_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty())
      break;
    auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    work = nullptr;
    own.put_back();
    lock.lock();
  }
  departs.regular = true;
}

} // namespace troupe_internal
