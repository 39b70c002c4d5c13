// Engines and the host's own actors (C++ Actor Framework 0.17): an engine as an actor that is asked by messages, and
// assets that are made by actors. All of it is compiled in the host: no object of CAF enters the library, and the
// engine's own actors stay on threads of their own.
#pragma once

#include "troupe/engine.hpp"

#include <caf/actor_system.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#if CAF_VERSION < 1700 || CAF_VERSION >= 1800
#error "troupe/caf.hpp is for the C++ Actor Framework 0.17: build with libcaf-dev 0.17"
#endif

namespace troupe {
inline namespace v1 {
namespace actors {

/// Answered with its number when it is on disk.
struct start_run {
  std::string pipeline{};
  run_options how{};
};
/// Answered when it was asked to stop.
struct cancel_run {
  std::uint64_t number = 0;
  bool at_once = false;
};
/// Answered now.
struct ask_run {
  std::uint64_t number = 0;
};
/// Answered when the run has ended, however it did. The same as ask_run where it has.
struct await_run {
  std::uint64_t number = 0;
};
/// Answered with the event's receipt when it is on disk.
struct take_notice {
  notice what{};
};
/// Sends events to an actor, as messages of type `events`, one after the other: the next one when it has answered the
/// last, so that a slow or silent actor holds up nobody and loses nothing. Ends with that actor, or with `unsubscribe`.
struct subscribe {
  caf::actor who{};
  event_options which{};
};
struct unsubscribe {
  caf::actor who{};
};
/// Events, in order, at most 256. `gone`: what comes after them: history_dropped, a gap; else none follow, and why.
struct events {
  std::vector<event> all{};
  std::optional<errc> gone{};
};
/// Of take_notice.
struct notice_taken {
  std::uint64_t event = 0;
  std::optional<std::uint64_t> duplicate_of{};
  std::uint64_t run = 0; ///< 0: it is no longer in the history
};
/// For the facade alone: something can be read.
struct look_again {
  std::uint64_t subscription = 0; ///< 0: at the runs whose end is waited for
};

} // namespace actors
} // namespace v1
} // namespace troupe

// They never leave the process.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::start_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::cancel_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::ask_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::await_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::take_notice)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::subscribe)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::unsubscribe)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::events)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::notice_taken)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::look_again)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::report)

namespace troupe {
inline namespace v1 {

/// An engine, for actors. Errors are caf::error of the category "troupe" with the number of an errc and the message:
/// error_of() makes them into one of ours.
using engine_actor =
    caf::typed_actor<caf::replies_to<actors::start_run>::with<std::uint64_t>,
                     caf::replies_to<actors::cancel_run>::with<void>, caf::replies_to<actors::ask_run>::with<report>,
                     caf::replies_to<actors::await_run>::with<report>,
                     caf::replies_to<actors::take_notice>::with<actors::notice_taken>,
                     caf::replies_to<actors::subscribe>::with<void>, caf::replies_to<actors::unsubscribe>::with<void>>;

namespace actors {

[[nodiscard]] inline caf::error error_for_caf(const error& why) {
  return caf::error(static_cast<std::uint8_t>(why.code), caf::atom("troupe"), caf::make_message(why.text()));
}
/// What an engine_actor answered; internal for an error that is not an engine's.
[[nodiscard]] inline error error_of(const caf::error& why) {
  if (why.category() != caf::atom("troupe"))
    return {errc::internal, caf::to_string(why), {}};
  error to{static_cast<errc>(why.code()), {}, {}};
  if (why.context().template match_elements<std::string>())
    to.message = why.context().template get_as<std::string>(0);
  return to;
}

namespace detail {

using facade = engine_actor::extend<caf::reacts_to<look_again>>;

/// What a thread and its owner share.
struct watched {
  int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::mutex mutex{};                   ///< guards what follows
  std::map<std::uint64_t, int> armed{}; ///< descriptors by number
  caf::weak_actor_ptr whom{};
  bool ticks = false; ///< the owner also gets number 0 once a second
  bool ending = false;

  watched() = default;
  watched(const watched&) = delete;
  watched& operator=(const watched&) = delete;
  ~watched() {
    if (wake >= 0)
      ::close(wake);
  }
  void ring() const {
    const std::uint64_t one = 1;
    if (::write(wake, &one, sizeof one) < 0)
      return; // it is full: the thread is awake
  }
};

/// Waits for descriptors on a thread of its own, and tells an actor of each that can be read, once until it is armed
/// again. For the actor.
class watch_thread {
public:
  watch_thread() = default;
  ~watch_thread() {
    {
      const std::lock_guard lock(all_->mutex);
      all_->ending = true;
    }
    all_->ring();
    if (!thread_.joinable())
      return;
    if (thread_.get_id() == std::this_thread::get_id()) // it had the actor's last reference
      thread_.detach();
    else
      thread_.join();
  }
  watch_thread(const watch_thread&) = delete;
  watch_thread& operator=(const watch_thread&) = delete;

  void arm(std::uint64_t number, int descriptor, caf::weak_actor_ptr whom) {
    {
      const std::lock_guard lock(all_->mutex);
      all_->armed[number] = descriptor;
      all_->whom = std::move(whom);
    }
    if (!thread_.joinable())
      thread_ = std::thread([all = all_] { serve(*all); });
    all_->ring();
  }
  void disarm(std::uint64_t number) {
    const std::lock_guard lock(all_->mutex);
    all_->armed.erase(number);
  }
  void tick(bool on) {
    {
      const std::lock_guard lock(all_->mutex);
      all_->ticks = on;
    }
    all_->ring();
  }

private:
  static void serve(watched& all) {
    sigset_t every;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, nullptr); // signals are the host's
    constexpr int second = 1'000;
    for (;;) {
      std::vector<pollfd> on{{all.wake, POLLIN, 0}};
      std::vector<std::uint64_t> numbers{0};
      bool ticks = false;
      {
        const std::lock_guard lock(all.mutex);
        if (all.ending)
          return;
        ticks = all.ticks;
        for (const auto& [number, descriptor] : all.armed) {
          on.push_back({descriptor, POLLIN, 0});
          numbers.push_back(number);
        }
      }
      const int ready = ::poll(on.data(), static_cast<nfds_t>(on.size()), ticks ? second : -1);
      std::uint64_t rung = 0;
      if (on[0].revents != 0 && ::read(all.wake, &rung, sizeof rung) < 0)
        rung = 0; // somebody else has emptied it
      for (std::size_t i = 1; i < on.size(); ++i)
        if (on[i].revents != 0)
          tell(all, numbers[i], true);
      if (ready == 0)
        tell(all, 0, false);
    }
  }
  static void tell(watched& all, std::uint64_t number, bool once) {
    caf::strong_actor_ptr whom;
    {
      const std::lock_guard lock(all.mutex);
      if (all.ending || (once && all.armed.erase(number) == 0))
        return;
      whom = caf::actor_cast<caf::strong_actor_ptr>(all.whom);
    }
    if (whom)
      caf::anon_send(caf::actor_cast<caf::actor>(whom), look_again{number});
  }

  const std::shared_ptr<watched> all_ = std::make_shared<watched>();
  std::thread thread_;
};

/// What stands between the host's actors and the engine: it asks the engine through the C interface alone.
class facade_state {
public:
  facade_state(facade::pointer self, engine of) : self_(self), of_(std::move(of)) {
    self_->set_down_handler([this](const caf::down_msg& gone) {
      for (auto at = subscribers_.begin(); at != subscribers_.end();)
        at = at->second.who.address() == gone.source ? drop(at) : std::next(at);
    });
  }
  facade_state(const facade_state&) = delete;
  facade_state& operator=(const facade_state&) = delete;

  caf::result<std::uint64_t> on(const start_run& asked) {
    auto run = of_.start(asked.pipeline, asked.how);
    if (!run)
      return error_for_caf(run.error());
    return run->number();
  }
  caf::result<void> on(const cancel_run& asked) {
    auto run = of_.find(asked.number);
    if (!run)
      return error_for_caf(run.error());
    if (const auto done = run->cancel(asked.at_once); !done)
      return error_for_caf(done.error());
    return caf::unit;
  }
  caf::result<report> on(const ask_run& asked) {
    auto run = of_.find(asked.number);
    if (!run)
      return error_for_caf(run.error());
    if (is_open(*run)) {
      report now;
      now.number = asked.number;
      now.status = run->status();
      return now;
    }
    return outcome(*run);
  }
  caf::result<report> on(const await_run& asked) {
    auto run = of_.find(asked.number);
    if (!run)
      return error_for_caf(run.error());
    if (!is_open(*run))
      return outcome(*run);
    auto promise = self_->make_response_promise<report>();
    waiting_.push_back({*std::move(run), promise});
    if (!ends_) {
      auto ends = of_.events({.from = TROUPE_EVENTS_NEW, .run = 0, .progress = false});
      if (!ends) {
        waiting_.pop_back();
        return error_for_caf(ends.error());
      }
      ends_ = *std::move(ends);
    }
    watch_.tick(true);
    look_at_ends(); // it may have ended before the events began
    return promise;
  }
  caf::result<notice_taken> on(const take_notice& asked) {
    auto taken = of_.notify(asked.what);
    if (!taken)
      return error_for_caf(taken.error());
    return notice_taken{taken->event, taken->duplicate_of, taken->run ? taken->run->number() : 0};
  }
  caf::result<void> on(const subscribe& asked) {
    auto from = of_.events(asked.which);
    if (!from)
      return error_for_caf(from.error());
    const auto number = ++last_;
    self_->monitor(asked.who);
    subscribers_.emplace(number, subscriber{asked.who, *std::move(from), false});
    deliver(number);
    return caf::unit;
  }
  caf::result<void> on(const unsubscribe& asked) {
    for (auto at = subscribers_.begin(); at != subscribers_.end();)
      at = at->second.who == asked.who ? drop(at) : std::next(at);
    return caf::unit;
  }
  void on(const look_again& what) {
    if (what.subscription == 0)
      look_at_ends();
    else
      deliver(what.subscription);
  }

private:
  struct subscriber {
    caf::actor who;
    subscription from;
    bool busy; ///< it has not answered yet
  };
  using subscriber_map = std::map<std::uint64_t, subscriber>;
  struct waiter {
    troupe::run run;
    caf::typed_response_promise<report> promise;
  };

  static bool is_open(const troupe::run& run) {
    return run.status() == run_status::running || run.status() == run_status::queued;
  }
  static caf::result<report> outcome(const troupe::run& run) {
    auto how = run.outcome();
    if (!how)
      return error_for_caf(how.error());
    return *std::move(how);
  }
  [[nodiscard]] caf::weak_actor_ptr me() const { return caf::actor_cast<caf::weak_actor_ptr>(self_->ctrl()); }

  subscriber_map::iterator drop(subscriber_map::iterator at) {
    watch_.disarm(at->first);
    return subscribers_.erase(at);
  }

  void deliver(std::uint64_t number) {
    constexpr std::size_t most = 256;
    const auto at = subscribers_.find(number);
    if (at == subscribers_.end() || at->second.busy)
      return;
    events batch;
    while (batch.all.size() < most && !batch.gone) {
      auto one = at->second.from.next(duration::zero());
      if (!one)
        batch.gone = one.error().code;
      else if (!*one)
        break;
      else
        batch.all.push_back(**std::move(one));
    }
    if (batch.all.empty() && !batch.gone) {
      watch_.arm(number, at->second.from.descriptor(), me());
      return;
    }
    at->second.busy = true;
    const bool last = batch.gone && *batch.gone != errc::history_dropped;
    self_->request(at->second.who, caf::infinite, std::move(batch))
        .then(
            [this, number, last] {
              const auto again = subscribers_.find(number);
              if (again == subscribers_.end())
                return;
              again->second.busy = false;
              if (last)
                drop(again);
              else
                deliver(number);
            },
            [this, number](const caf::error&) { // it takes no events
              if (const auto again = subscribers_.find(number); again != subscribers_.end())
                drop(again);
            });
  }

  /// Answers whoever waits for a run that has ended.
  void look_at_ends() {
    if (!ends_)
      return;
    for (;;) {
      const auto one = ends_->next(duration::zero());
      if (!one && one.error().code == errc::history_dropped)
        continue;
      if (!one) { // the engine has gone: no run of it is live
        for (auto& each : waiting_)
          answer(each);
        waiting_.clear();
        ends_.reset();
        watch_.tick(false);
        return;
      }
      if (!*one)
        break;
      if ((*one)->kind == "run_finished") // its handle knows it in a moment
        for (auto& each : waiting_)
          if (each.run.number() == (*one)->run)
            answer(each);
    }
    for (auto& each : waiting_) // also those that broke
      if (!is_open(each.run))
        answer(each);
    waiting_.erase(
        std::remove_if(waiting_.begin(), waiting_.end(), [](const waiter& each) { return !each.promise.pending(); }),
        waiting_.end());
    if (waiting_.empty()) {
      watch_.disarm(0);
      watch_.tick(false);
      ends_.reset();
    } else {
      watch_.arm(0, ends_->descriptor(), me());
    }
  }
  static void answer(waiter& whom) {
    if (!whom.promise.pending())
      return;
    auto how = whom.run.outcome();
    if (how)
      whom.promise.deliver(*std::move(how));
    else
      whom.promise.deliver(error_for_caf(how.error()));
  }

  const facade::pointer self_;
  engine of_;
  std::uint64_t last_ = 0;
  subscriber_map subscribers_;
  std::vector<waiter> waiting_;
  std::optional<subscription> ends_; ///< while somebody waits
  watch_thread watch_;               ///< last: it knows descriptors of the others
};

inline facade::behavior_type facade_behavior(facade::pointer self, const std::shared_ptr<engine>& of) {
  const auto state = std::make_shared<facade_state>(self, std::move(*of));
  return {[state](const start_run& what) { return state->on(what); },
          [state](const cancel_run& what) { return state->on(what); },
          [state](const ask_run& what) { return state->on(what); },
          [state](const await_run& what) { return state->on(what); },
          [state](const take_notice& what) { return state->on(what); },
          [state](const subscribe& what) { return state->on(what); },
          [state](const unsubscribe& what) { return state->on(what); },
          [state](const look_again& what) { state->on(what); }};
}

/// One answer, which the first who gives it has given.
template <class T>
class answer_box {
public:
  void give(result<T> what) {
    const std::lock_guard lock(mutex_);
    if (!what_)
      what_.emplace(std::move(what));
    given_.notify_all();
  }
  [[nodiscard]] result<T> take() {
    std::unique_lock lock(mutex_);
    given_.wait(lock, [this] { return what_.has_value(); });
    return *std::move(what_);
  }

private:
  std::mutex mutex_;
  std::condition_variable given_;
  std::optional<result<T>> what_;
};

/// Asks an actor of the host, on a thread of the engine.
template <class T, class Who, class... In>
result<T> ask(caf::actor_system& system, const Who& who, const context& told, const In&... values) {
  const auto box = std::make_shared<answer_box<T>>();
  using box_pointer = std::shared_ptr<answer_box<T>>;
  const auto asks = [who, values...](caf::event_based_actor* self, const box_pointer& to) {
    self->attach_functor([to] { to->give(error{errc::cancelled, "the actor system of the program has ended", {}}); });
    self->request(who, caf::infinite, values...)
        .then([to](T& made) { to->give(std::move(made)); }, [to](const caf::error& why) { to->give(error_of(why)); });
  };
  const auto asker = system.spawn(asks, box); // with no argument CAF 0.17 would make a reference of a null pointer
  const stop_callback on_stop(told.stop_token(), [&box] {
    box->give(error{errc::cancelled, "it was asked to stop, and the actor had not answered", {}});
  });
  auto got = box->take();
  caf::anon_send_exit(asker, caf::exit_reason::kill); // of an actor that does not answer nothing is left
  return got;
}

} // namespace detail

/// The engine as an actor of the host's system. It does not keep the engine: once that is destroyed, the actor answers
/// errors (shutting_down). The actor ends as others do, when nobody refers to it any more; before the host's actor
/// system ends, let go of it.
[[nodiscard]] inline engine_actor attach(caf::actor_system& system, const engine& of) {
  return system.spawn(detail::facade_behavior, std::make_shared<engine>(of.share()));
}

/// An asset that an actor of the host makes: it is sent what the assets hand on, and answers with what this one hands
/// on. One thread of the engine waits for the answer. An error as the answer is a failure; error_for_caf() makes one
/// with errc::permanent, which is not tried again. When the run is to stop, the answer is waited for no longer.
/// `system` outlives the engine. An actor has no build-id: options::version is needed.
template <class... In, class Out, class... D>
asset<Out> make(pipeline& in, declared name, const options& how, caf::actor_system& system,
                caf::typed_actor<caf::typed_mpi<caf::detail::type_list<In...>, caf::output_tuple<Out>>> who,
                asset<D>... needs) {
  constexpr bool fits = std::is_same_v<troupe::detail::types<In...>, troupe::detail::types<D...>>;
  static_assert(fits, "troupe: the actor does not take what these assets hand on, in this order");
  if constexpr (fits)
    return in.make(
        name, how,
        [&system, who](context& told, const In&... values) -> result<Out> {
          return detail::ask<Out>(system, who, told, values...);
        },
        needs...);
  else
    return {};
}

} // namespace actors
} // namespace v1
} // namespace troupe
