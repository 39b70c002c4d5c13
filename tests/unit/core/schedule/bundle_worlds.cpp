// Worlds of bundles: what is fair, what may not idle, and who may not starve.
#include "bundle_world.hpp"

#include "support/random_run.hpp"

#include <cmath>
#include <map>

namespace troupe_internal::test {
namespace {

/// Wrong on purpose: each dimension is shared alone, and a run keeps what it got of each until it can use it.
class each_dimension_alone {
public:
  each_dimension_alone(capacity sizes, share_weights) : sizes_(std::move(sizes)) {}

  std::vector<budget_offer> share(std::span<const budgeted_run> runs) {
    std::vector<budget_offer> offers;
    std::map<run_number, books> known;
    for (const auto& live : runs)
      if (const auto found = books_.find(live.run); found != books_.end())
        known.insert(*found);
    books_ = std::move(known);
    auto room = sizes_;
    for (const auto& live : runs) {
      auto& mine = books_[live.run];
      auto ended = mine.used;
      take_away(ended, live.demand->used);
      take_away(mine.budget, ended);
      mine.budget = larger_of(mine.budget, live.demand->used);
      mine.used = live.demand->used;
      take_away(room, mine.budget);
    }
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const auto& live = runs[(i + turn_) % runs.size()];
      auto& mine = books_[live.run];
      if (live.demand->wants.empty())
        continue;
      auto wanted = live.demand->used;
      add(wanted, live.demand->wants.front());
      take_away(wanted, mine.budget);
      capacity more;
      more.workers = std::min(wanted.workers, room.workers);
      for (const auto& [pool, slots] : wanted.pools)
        more.pools[pool] = std::min(slots, room.of(pool));
      take_away(room, more);
      auto raised = mine.budget;
      add(raised, more);
      if (raised != mine.budget)
        offers.push_back({live.run, ++mine.number, mine.budget = raised});
    }
    ++turn_;
    return offers;
  }

private:
  struct books {
    capacity budget;
    capacity used;
    std::uint64_t number = 0;
  };
  capacity sizes_;
  std::map<run_number, books> books_;
  std::size_t turn_ = 0;
};

capacity random_bundle(seeded& random, const capacity& sizes) {
  capacity bundle{1, {}};
  for (const auto& [pool, slots] : sizes.pools)
    if (random.once_in(2))
      bundle.pools[pool] = 1 + random.below(slots);
  return bundle;
}

template <class Arbiter>
void play_bundles(std::uint64_t seed) {
  seeded random(seed);
  capacity sizes{1 + random.below(5), {{"db", 1 + random.below(2)}, {"net", 1 + random.below(3)}}};
  bundle_world<Arbiter> world(sizes, {});
  const auto nothing = [](const bundle_run&, const capacity&) {};
  for (int step = 0; step < 300; ++step) {
    auto& runs = world.runs();
    if (runs.size() < 2 || (runs.size() < 6 && random.once_in(15)))
      world.add_run(static_cast<cause_kind>(random.below(4)));
    auto& run = runs[random.below(static_cast<std::uint32_t>(runs.size()))];
    if (random.once_in(3)) {
      const auto at = random.below(static_cast<std::uint32_t>(run.wants.size()) + 1);
      run.wants.insert(run.wants.begin() + at, random_bundle(random, sizes));
    } else if (!run.open.empty()) {
      run.open.erase(run.open.begin() + random.below(static_cast<std::uint32_t>(run.open.size())));
    } else if (!run.wants.empty() && random.once_in(6)) { // blocked in its run, or stopped
      run.wants.erase(run.wants.begin() + random.below(static_cast<std::uint32_t>(run.wants.size())));
    } else if (run.wants.empty() && runs.size() > 2 && random.once_in(3)) {
      for (std::size_t i = 0; i < runs.size(); ++i)
        if (runs[i].number == run.number) {
          world.remove_run(i);
          break;
        }
    }
    world.settle(nothing);
  }
  // Nothing more is wanted: everybody gets what is wanted already.
  for (int step = 0;; ++step) {
    bool open = false;
    for (auto& run : world.runs())
      if (!run.open.empty()) {
        run.open.erase(run.open.begin());
        open = true;
        break;
      }
    world.settle(nothing);
    if (!open)
      break;
    require(step < 5000, "the runs never end");
  }
}

} // namespace

void play_random_bundles(std::uint64_t seed) {
  play_bundles<arbiter>(seed);
}

void play_random_bundles_each_dimension_alone(std::uint64_t seed) {
  play_bundles<each_dimension_alone>(seed);
}

void play_saturated_runs(std::uint64_t seed) {
  seeded random(seed);
  const bool equal = random.once_in(2);
  share_weights weights;
  if (random.once_in(2))
    weights = {1 + random.below(20), 1 + random.below(20), 1 + random.below(20), 1 + random.below(20)};
  const capacity sizes{1 + random.below(6), {}};
  bundle_world<arbiter> world(sizes, weights);
  const auto count = 2 + random.below(6);
  double total = 0;
  for (std::uint32_t i = 0; i < count; ++i)
    total += weights.of(world.add_run(equal ? cause_kind::trigger : static_cast<cause_kind>(random.below(4))).cause);
  std::map<run_number, std::uint64_t> got;
  std::map<run_number, std::uint64_t> last; // when it was granted a bundle: grants then
  std::uint64_t grants = 0;
  const auto granted = [&](const bundle_run& run, const capacity&) {
    ++grants;
    ++got[run.number];
    last[run.number] = 0;
  };
  const bool one_by_one = random.once_in(2);
  while (grants < 1000) {
    for (auto& run : world.runs())
      run.wants.resize(sizes.workers + 1, capacity{1, {}});
    world.settle(granted);
    for (auto& [run, when] : last)
      when = when == 0 ? grants : when; // granted together, in an order that cannot be seen
    for (const auto& run : world.runs()) {
      const double share = static_cast<double>(grants) * weights.of(run.cause) / total;
      require(std::abs(static_cast<double>(got[run.number]) - share) <= 1 + 1e-6,
              "a share is not within one grant of the run's weight");
      // Within one grant of its share before and after: so less than two shares lie between two grants of a run.
      const auto at_most = equal ? count : 2 * total / weights.of(run.cause);
      require(static_cast<double>(grants - last[run.number]) <= at_most, "a bundle waits for too many grants");
    }
    for (std::uint32_t ends = one_by_one ? 1 : 1 + random.below(sizes.workers); ends > 0; --ends) {
      auto& run = world.runs()[random.below(count)];
      if (!run.open.empty())
        run.open.erase(run.open.begin());
    }
  }
}

void play_whole_pool(std::uint64_t seed) {
  seeded random(seed);
  const auto slots = 2 + random.below(3);
  const capacity sizes{slots + random.below(3), {{"net", slots}}};
  bundle_world<arbiter> world(sizes, {});
  const capacity one{1, {{"net", 1}}};
  const capacity whole{1, {{"net", slots}}};
  auto& patient = world.add_run(static_cast<cause_kind>(random.below(4)));
  for (auto others = 1 + random.below(3); others > 0; --others)
    world.add_run(static_cast<cause_kind>(random.below(4)));
  std::uint64_t waits = 0; // ends of attempts since the whole pool was granted last
  const auto granted = [&](const bundle_run&, const capacity& bundle) { waits = bundle == whole ? 0 : waits; };
  const bool has_lesser = random.once_in(2);
  for (int step = 0; step < 2000; ++step) {
    for (auto& run : world.runs())
      run.wants.resize(sizes.workers + 1, one);
    patient.wants.assign(1, whole);
    if (has_lesser)
      patient.wants.resize(2, capacity{1, {}});
    world.settle(granted);
    std::vector<bundle_run*> busy;
    for (auto& run : world.runs())
      if (!run.open.empty())
        busy.push_back(&run);
    auto& ends = *busy[random.below(static_cast<std::uint32_t>(busy.size()))];
    ends.open.erase(ends.open.begin() + random.below(static_cast<std::uint32_t>(ends.open.size())));
    ++waits;
    require(waits < 200, "a bundle that needs a whole pool starves");
  }
}

} // namespace troupe_internal::test
