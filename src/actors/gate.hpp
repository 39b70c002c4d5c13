// How threads that are no actors (of the executor, the log, signals) send to the actors of a run that may be over by
// then. Knows no behaviour.
#pragma once

#include "actors/handover.hpp"
#include "actors/protocol.hpp"

#include <mutex>
#include <utility>
#include <vector>

namespace troupe_internal {

/// Holds the handles so that callbacks need not: once closed, what comes late is dropped, and no handle outlives the
/// actor system. Any thread.
class gate {
public:
  void open(std::vector<asset_handle> assets, journal_handle journal, supervisor_handle supervisor) {
    const std::lock_guard lock(mutex_);
    assets_ = std::move(assets);
    journal_ = std::move(journal);
    supervisor_ = std::move(supervisor);
  }
  /// Lets the run begin; stops and offers that came earlier follow.
  void begin(begin_run order) {
    const std::lock_guard lock(mutex_);
    send(supervisor_, std::move(order));
    begun_ = true;
    for (const auto& early : std::exchange(early_stops_, {}))
      send(supervisor_, early);
    for (auto& early : std::exchange(early_offers_, {}))
      send(supervisor_, std::move(early));
  }
  /// A stop that comes before the run has begun is kept for it.
  void stop(const stop_order& order) {
    const std::lock_guard lock(mutex_);
    if (!begun_)
      early_stops_.push_back(order);
    else
      send(supervisor_, order);
  }
  /// Likewise kept: nobody makes an offer twice.
  void offer(budget_offered offered) {
    const std::lock_guard lock(mutex_);
    if (!begun_)
      early_offers_.push_back(std::move(offered));
    else
      send(supervisor_, std::move(offered));
  }
  /// To be called once the actors have ended; the handles are returned, to be released by the caller.
  std::vector<asset_handle> close() {
    const std::lock_guard lock(mutex_);
    journal_ = nullptr;
    supervisor_ = nullptr;
    return std::exchange(assets_, {});
  }
  template <class Message>
  void to_asset(asset_index asset, Message message) {
    const std::lock_guard lock(mutex_);
    if (asset.value < assets_.size())
      send(assets_[asset.value], std::move(message));
  }
  template <class Message>
  void to_journal(Message message) {
    const std::lock_guard lock(mutex_);
    send(journal_, std::move(message));
  }
  template <class Message>
  void to_supervisor(Message message) {
    const std::lock_guard lock(mutex_);
    send(supervisor_, std::move(message));
  }

private:
  template <class Handle, class Message>
  static void send(const Handle& to, Message message) {
    static_assert(caf::response_type_unbox<caf::signatures_of_t<Handle>, caf::detail::type_list<Message>>::valid,
                  "the actor does not take this message");
    if (!to)
      return;
    auto made = make(std::move(message));
    hand_over(); // the making too
    caf::actor_cast<caf::abstract_actor*>(to)->enqueue(std::move(made), nullptr);
  }
  template <class Message>
  TROUPE_IN_STACKS static caf::mailbox_element_ptr make(Message message) {
    return caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, std::move(message));
  }

  std::mutex mutex_;
  std::vector<asset_handle> assets_; ///< by asset_index
  journal_handle journal_;
  supervisor_handle supervisor_;
  bool begun_ = false;
  std::vector<stop_order> early_stops_;
  std::vector<budget_offered> early_offers_;
};

} // namespace troupe_internal
