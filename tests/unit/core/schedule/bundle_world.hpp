// Runs as the arbiter sees them: each wants bundles, starts what its budget allows and gives the rest back. Knows
// nothing of assets. The arbiter is a parameter, so that a wrong one can be played too.
#pragma once

#include "core/schedule/budgets.hpp"
#include "worlds.hpp"

#include <algorithm>
#include <deque>
#include <vector>

namespace troupe_internal::test {

struct bundle_run {
  run_number number;
  cause_kind cause = cause_kind::user;
  std::vector<capacity> wants; ///< most urgent first
  std::vector<capacity> open;
  std::uint64_t obeys = 0;
  run_demand demand{};

  void describe() {
    capacity used;
    for (const auto& one : open)
      add(used, one);
    demand = {obeys, used, wants, false};
  }
};

template <class Arbiter>
class bundle_world {
public:
  bundle_world(capacity sizes, share_weights weights) : sizes_(sizes), arbiter_(sizes, weights) {}

  bundle_run& add_run(cause_kind cause) {
    bundle_run one;
    one.number = run_number(++last_);
    one.cause = cause;
    runs_.push_back(std::move(one));
    return runs_.back();
  }
  void remove_run(std::size_t which) { runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(which)); }
  std::deque<bundle_run>& runs() { return runs_; }

  /// Everything that follows at once. `granted(run, bundle)` is called for each bundle that starts.
  template <class Granted>
  void settle(Granted granted) {
    for (int round = 0;; ++round) {
      require(round < 1000, "the arbiter and the runs never come to rest");
      std::vector<budgeted_run> live;
      for (auto& one : runs_) {
        one.describe();
        live.push_back({one.number, one.cause, &one.demand});
      }
      const auto offers = runs_.size() < 2 ? everything() : arbiter_.share(live);
      if (offers.empty())
        break;
      bool started = false;
      for (const auto& offer : offers)
        started = obey(offer, granted) || started;
      check_sizes();
      if (runs_.size() < 2 && !started)
        break;
    }
    check_no_idle_room();
  }

  [[nodiscard]] capacity room() const {
    auto room = sizes_;
    for (const auto& one : runs_)
      for (const auto& bundle : one.open)
        take_away(room, bundle);
    return room;
  }
  [[nodiscard]] Arbiter& arbiter() { return arbiter_; }

private:
  /// These runs never begin with everything; a single one is offered all of it here.
  std::vector<budget_offer> everything() {
    if (runs_.empty())
      return {};
    return {{runs_[0].number, runs_[0].obeys, sizes_}};
  }

  template <class Granted>
  bool obey(const budget_offer& offer, Granted& granted) {
    const auto found =
        std::find_if(runs_.begin(), runs_.end(), [&](const bundle_run& one) { return one.number == offer.run; });
    require(found != runs_.end(), "an offer to a run that is not live");
    require(offer.budget.has_value(), "everything is offered although others are live");
    found->obeys = offer.number;
    bool started = false;
    for (std::size_t i = 0; i < found->wants.size();) {
      found->describe();
      auto with_it = found->demand.used;
      add(with_it, found->wants[i]);
      if (!fits(with_it, *offer.budget)) {
        ++i;
        continue;
      }
      started = true;
      found->open.push_back(found->wants[i]);
      found->wants.erase(found->wants.begin() + static_cast<std::ptrdiff_t>(i));
      granted(*found, found->open.back());
    }
    return started;
  }

  void check_sizes() const {
    capacity all;
    for (const auto& one : runs_)
      for (const auto& bundle : one.open)
        add(all, bundle);
    require(fits(all, sizes_), "more is in use than there is");
  }

  void check_no_idle_room() {
    const auto free = room();
    bool anything_open = false;
    bool anything_wanted = false;
    for (const auto& one : runs_) {
      anything_open = anything_open || !one.open.empty();
      anything_wanted = anything_wanted || !one.wants.empty();
    }
    require(anything_open || !anything_wanted, "the runs are stuck: all is free, and each waits");
    if constexpr (requires { arbiter_.kept(); }) {
      const auto kept = runs_.size() < 2 ? std::nullopt : arbiter_.kept();
      for (const auto& one : runs_)
        for (std::size_t i = 0; i < one.wants.size(); ++i) {
          const bool is_kept_for = kept && kept->run == one.number && i == 0;
          require(!fits_beside(kept && !is_kept_for ? kept->bundle : capacity(), one.wants[i], free),
                  "room idles although a bundle fits");
        }
    }
  }

  capacity sizes_;
  Arbiter arbiter_;
  std::deque<bundle_run> runs_;
  std::uint32_t last_ = 0;
};

} // namespace troupe_internal::test
