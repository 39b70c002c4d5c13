// Which run gets the next bundle. Knows nothing of messages: an offer is answered when a demand names its number.
//
// The fair order is that of EEVDF (earliest eligible virtual deadline first; I. Stoica, H. Abdel-Wahab 1995) for
// bundles of equal length: a run with weight w may have its next bundle from the moment `eligible` on, and is to have
// it by eligible + 1/w; the moment advances by 1 / (sum of weights) with each bundle. Among the eligible runs the
// earliest deadline is served. This keeps each run that always wants more within one bundle of its share.
//
// If it is a run's turn and its most urgent bundle does not fit, the run is blocked. What is free in the pools of the
// bundle that is blocked for longest is kept for it, and it is served as soon as it fits. Other
// runs, and lesser bundles of the same run, use what is left, so room idles for one bundle at a time only.
#include "core/schedule/budgets.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace troupe_internal {

std::uint32_t share_weights::of(cause_kind cause) const {
  switch (cause) {
  case cause_kind::user:
    return std::max(1U, user);
  case cause_kind::program:
    return std::max(1U, program);
  case cause_kind::trigger:
    return std::max(1U, trigger);
  case cause_kind::backfill:
    break;
  }
  return std::max(1U, backfill);
}

arbiter::arbiter(capacity sizes, share_weights weights) : sizes_(std::move(sizes)), weights_(weights) {}

/// Forgets runs that have left, takes note of answers, and returns the room that no run uses or may use.
capacity arbiter::room_beside(std::span<const budgeted_run> runs) {
  std::map<run_number, standing> known;
  auto room = sizes_;
  for (const auto& live : runs) {
    auto found = standings_.extract(live.run);
    auto& place = known[live.run];
    if (found)
      place = std::move(found.mapped());
    else
      place.everything = live.demand == nullptr;
    if (place.offered && live.demand != nullptr && live.demand->obeys >= place.number)
      place.offered.reset();
    TROUPE_CHECK(live.demand != nullptr || place.everything || place.offered, "a run takes its demand back");
    if (place.everything)
      room = {};
    else if (place.offered)
      take_away(room, live.demand == nullptr ? *place.offered : larger_of(*place.offered, live.demand->used));
    else
      take_away(room, live.demand->used);
  }
  TROUPE_CHECK(known.size() == runs.size(), "a run is live twice");
  standings_ = std::move(known);
  return room;
}

const arbiter::standing* arbiter::longest_blocked() const {
  const standing* longest = nullptr;
  for (const auto& [run, place] : standings_)
    if (place.blocked_since && (longest == nullptr || *place.blocked_since < *longest->blocked_since))
      longest = &place;
  return longest;
}

std::optional<arbiter::kept_bundle> arbiter::kept() const {
  const auto* longest = longest_blocked();
  for (const auto& [run, place] : standings_)
    if (&place == longest)
      return kept_bundle{run, place.blocked};
  return std::nullopt;
}

std::vector<budget_offer> arbiter::share(std::span<const budgeted_run> runs) {
  std::vector<budget_offer> offers;
  auto room = room_beside(runs);
  if (runs.size() == 1 && !always_bounds_) {
    auto& only = standings_.begin()->second;
    if (!std::exchange(only.everything, true))
      offers.push_back({runs[0].run, ++only.number, std::nullopt});
    only.active = false;
    only.blocked_since.reset();
    return offers;
  }
  std::vector<claimant> claimants;
  double total_weight = 0;
  for (const auto& live : runs) {
    auto& place = standings_.at(live.run);
    if (std::exchange(place.everything, false)) { // may use all of it until it says that it obeys
      place.offered = sizes_;
      offers.push_back({live.run, ++place.number, capacity()});
    }
    claimant one{&live, &place, {}, {}, false};
    if (live.demand != nullptr)
      for (const auto& want : live.demand->wants)
        if (fits(want, sizes_))
          one.wants.push_back(&want);
    if (!place.offered && one.wants.empty()) {
      place.active = false;
      place.blocked_since.reset();
    } else if (!std::exchange(place.active, true)) {
      place.eligible = std::max(place.eligible, moment_);
    }
    if (place.active)
      total_weight += weight(one);
    if (!place.offered && !one.wants.empty()) {
      one.budget = live.demand->used;
      if (place.blocked_since)
        place.blocked = *one.wants.front();
      if (!live.demand->expects_claims)
        claimants.push_back(std::move(one));
    }
  }
  while (room.workers > 0 && grant_one(claimants, room, total_weight)) {
  }
  for (auto& one : claimants) {
    // What did not fit is made up for with one bundle at most, and what only this run could use is charged as one.
    const auto step = 1 / weight(one);
    one.place->eligible = std::clamp(one.place->eligible, moment_ - step, moment_ + step);
    if (!one.raised)
      continue;
    one.place->offered = one.budget;
    offers.push_back({one.run->run, ++one.place->number, std::move(one.budget)});
  }
  return offers;
}

/// Grants the next bundle; false if none fits.
bool arbiter::grant_one(std::vector<claimant>& claimants, capacity& room, double total_weight) {
  const auto grant = [&](claimant& to, std::size_t which) {
    const auto& bundle = *to.wants[which];
    take_away(room, bundle);
    add(to.budget, bundle);
    to.raised = true;
    to.wants.erase(to.wants.begin() + static_cast<std::ptrdiff_t>(which));
    if (which == 0)
      to.place->blocked_since.reset();
    to.place->eligible += 1 / weight(to);
    moment_ += 1 / total_weight;
    return true;
  };
  const auto* kept_for = longest_blocked();
  std::vector<claimant*> order;
  for (auto& one : claimants) {
    if (one.wants.empty())
      continue;
    if (one.place == kept_for && fits(*one.wants.front(), room))
      return grant(one, 0);
    order.push_back(&one);
  }
  constexpr double rounding = 1e-9;
  const auto key = [&](const claimant* one) {
    return std::tuple(one->place->eligible > moment_ + rounding, one->place->eligible + 1 / weight(*one));
  };
  std::stable_sort(order.begin(), order.end(), [&](const auto* a, const auto* b) { return key(a) < key(b); });
  const capacity nothing;
  for (auto* one : order)
    for (std::size_t i = 0; i < one->wants.size(); ++i) {
      const bool kept_for_others = kept_for != nullptr && (kept_for != one->place || i > 0);
      if (fits_beside(kept_for_others ? kept_for->blocked : nothing, *one->wants[i], room))
        return grant(*one, i);
      if (i > 0 || one->place->blocked_since)
        continue;
      one->place->blocked_since = ++blocked_;
      one->place->blocked = *one->wants[0];
      kept_for = longest_blocked();
    }
  return false;
}

} // namespace troupe_internal
