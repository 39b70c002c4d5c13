// Shares workers and pools between the live runs of a state: from what each run uses and wants, which budget each may
// have. Pure. Knows nothing of assets or graphs, and keeps no count of what is in use: each run says it, as a fold over
// its own open attempts, so nothing can leak.
//
// How it is used: whenever a run comes, goes, or changes its demand, call share() with all live runs and their newest
// demands, and hand each offer to its run_logic as budget_changed. The run starts what fits, gives the rest back, and
// answers with demand_changed, which names the number of the offer. Until then the arbiter counts the whole offer as in
// use, so the order in which messages arrive does not matter.
//
// A budget grows by whole bundles only (1 worker and all slots of all pools of one asset). If each dimension were
// shared alone, run A could hold pool `net` and run B pool `db` forever, where both need both.
#pragma once

#include "base/strong_id.hpp"
#include "core/model/capacity.hpp"
#include "core/model/event.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace troupe_internal {

/// How many bundles runs get for each bundle of a run with weight 1, where all want more than there is. 0 counts as 1.
struct share_weights {
  std::uint32_t user = 8;
  std::uint32_t program = 8;
  std::uint32_t trigger = 4;
  std::uint32_t backfill = 1;

  [[nodiscard]] std::uint32_t of(cause_kind cause) const;
};

struct budgeted_run {
  run_number run;
  cause_kind cause = cause_kind::user;
  /// Its newest demand; null: it has reported none, because it began with everything.
  const run_demand* demand = nullptr;
};

struct budget_offer {
  run_number run;
  std::uint64_t number = 0;       ///< of this run's offers: 1, 2, 3 …
  std::optional<capacity> budget; ///< none: everything, and no reports
};

/// One thread at a time.
class arbiter {
public:
  explicit arbiter(capacity sizes, share_weights weights = {});

  /// Other sizes or weights, from the next share() on. Nothing is taken from open attempts.
  void resize(capacity sizes) { sizes_ = std::move(sizes); }
  void weigh(share_weights weights) { weights_ = weights; }
  /// From now on a run that is alone gets no more than the sizes either. Before any run.
  void always_bounds() { always_bounds_ = true; }

  /// The offers that follow from what the live runs use and want. A bundle larger than the sizes is never granted. At
  /// most one offer to a run, and none while its last one is unanswered, except the first limit of a run that had
  /// everything, and everything for the only run. A run that is not in `runs` any more is forgotten. Cost: runs ×
  /// bundles, for each bundle granted.
  [[nodiscard]] std::vector<budget_offer> share(std::span<const budgeted_run> runs);

  /// What is free in the pools of this bundle is kept for this run: its turn came, and the bundle did not fit.
  struct kept_bundle {
    run_number run;
    capacity bundle;
  };
  [[nodiscard]] std::optional<kept_bundle> kept() const;

private:
  /// What is remembered of a run: its last offer and its place in the fair order; not what it uses.
  struct standing {
    std::uint64_t number = 0;        ///< of its last offer
    bool everything = false;         ///< that was everything
    std::optional<capacity> offered; ///< the last offer is unanswered: so much may be in use
    bool active = false;             ///< it wants something
    double eligible = 0;             ///< the moment of its next bundle, see budgets.cpp
    /// It was its turn, and its most urgent bundle, `blocked`, did not fit: in which order this happened to runs.
    std::optional<std::uint64_t> blocked_since;
    capacity blocked;
  };
  /// A run that may get something in this call.
  struct claimant {
    const budgeted_run* run;
    standing* place;
    std::vector<const capacity*> wants; ///< not yet granted, most urgent first; none that can never fit
    capacity budget;
    bool raised = false;
  };

  [[nodiscard]] capacity room_beside(std::span<const budgeted_run> runs);
  [[nodiscard]] bool grant_one(std::vector<claimant>& claimants, capacity& room, double total_weight);
  [[nodiscard]] const standing* longest_blocked() const;
  [[nodiscard]] double weight(const claimant& c) const { return weights_.of(c.run->cause); }

  capacity sizes_;
  share_weights weights_;
  bool always_bounds_ = false;
  std::map<run_number, standing> standings_;
  double moment_ = 0;         ///< of the fair order: 1 / total weight for each bundle granted
  std::uint64_t blocked_ = 0; ///< so often has a run been blocked
};

} // namespace troupe_internal
