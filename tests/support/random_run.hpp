// A random pipeline and what its assets will do, from a seed: for properties and simulation. The same seed gives the
// same run on every machine.
#pragma once

#include "core/pipeline/asset_graph.hpp"
#include "core/run/run_logic.hpp"
#include "support/pipeline_builder.hpp"

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal::test {

/// SplitMix64 (G. Steele, D. Lea, C. Flood 2014): small, and the same everywhere, which std distributions are not.
class seeded {
public:
  explicit seeded(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() {
    state_ += 0x9E3779B97F4A7C15U;
    auto z = state_;
    z = (z ^ z >> 30U) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27U) * 0x94D049BB133111EBU;
    return z ^ z >> 31U;
  }
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(bits() % n); }
  /// True once in n.
  bool once_in(std::uint32_t n) { return below(n) == 0; }

private:
  std::uint64_t state_;
};

/// What becomes of one asset.
struct fate {
  enum class kind { fresh, impossible, runs } examined = kind::runs;
  std::uint32_t fails = 0; ///< attempts that fail before one succeeds
  outcome_kind how = outcome_kind::exited;
};

struct random_run {
  std::unique_ptr<pipeline> p;
  std::unique_ptr<asset_graph> graph;
  std::vector<asset_id> ids; ///< by asset_index: in no order, with gaps
  run_policy policy;
  run_started started;
  std::vector<fate> fates;
  std::vector<std::pair<asset_index, asset_index>> never_made;

  [[nodiscard]] bool in_run(asset_index asset) const {
    return contains(started.fresh, ids[asset.value]) || contains(started.waiting, ids[asset.value]);
  }
  [[nodiscard]] static bool contains(const asset_set& set, asset_id id) {
    return std::any_of(set.begin(), set.end(), [&](const auto& r) { return r.first <= id && id <= r.second; });
  }
};

[[nodiscard]] inline random_run make_random_run(seeded& random) {
  static constexpr outcome_kind failures[] = {outcome_kind::exited,         outcome_kind::signalled,
                                              outcome_kind::timed_out,      outcome_kind::not_started,
                                              outcome_kind::output_missing, outcome_kind::bad_result};
  random_run run;
  const auto size = 1 + random.below(12);
  const auto density = 1 + random.below(4);
  const auto trouble = 2 + random.below(12); // one asset in so many fails
  pipeline_builder b;
  const auto slots = 1 + random.below(3);
  b.engine([&](engine_settings& e) {
    e.pools["p"] = slots;
    e.pools["q"] = 1;
  });
  for (std::uint32_t i = 0; i < size; ++i) {
    auto& asset = b.asset("a" + std::to_string(i));
    std::vector<std::string> deps;
    for (std::uint32_t u = 0; u < i; ++u)
      if (random.below(density + 2) == 0)
        deps.push_back("a" + std::to_string(u));
    asset.deps(std::move(deps));
    if (random.once_in(3))
      asset.pool("p", 1 + random.below(slots));
    if (random.once_in(5))
      asset.pool("q");
    if (random.once_in(4))
      asset.priority(static_cast<std::int32_t>(random.below(5)) - 2);
    retry_policy retry;
    retry.attempts = random.once_in(2) ? 1 : 1 + random.below(4);
    retry.delay = std::chrono::milliseconds(random.below(5000));
    retry.backoff = static_cast<backoff>(random.below(3));
    retry.jitter = static_cast<jitter>(random.below(4));
    if (random.once_in(6))
      retry.on_exit_codes = {7, 128 + 9};
    retry.on_timeout = !random.once_in(6);
    asset.retry(retry);
    const bool allowed = random.once_in(5);
    const bool strict = random.once_in(8);
    asset.with([&](asset_settings& s) {
      s.allow_failure = allowed;
      if (strict)
        s.durability = durability::strict;
    });
  }
  run.p = b.build();
  diagnostics found;
  run.graph = std::make_unique<asset_graph>(std::move(*asset_graph::build(*run.p, found)));

  std::vector<std::uint32_t> numbers(3 * size);
  std::iota(numbers.begin(), numbers.end(), 0U);
  for (std::uint32_t i = 0; i < size; ++i) {
    std::swap(numbers[i], numbers[i + random.below(static_cast<std::uint32_t>(numbers.size()) - i)]);
    run.ids.emplace_back(numbers[i]);
  }

  run.policy.workers = 1 + random.below(4);
  run.policy.error_strategy = static_cast<error_strategy>(random.below(3));
  for (std::uint32_t i = 0; i < size; ++i)
    run.policy.remaining.emplace_back(std::chrono::seconds(random.below(10)));

  std::vector<asset_id> fresh;
  std::vector<asset_id> waiting;
  std::vector<bool> outside(size, false);
  const bool partial = random.once_in(4);
  for (std::uint32_t i = 0; i < size; ++i) {
    outside[i] = partial && random.once_in(4);
    fate f;
    f.examined = random.once_in(4)         ? fate::kind::fresh
                 : random.once_in(trouble) ? fate::kind::impossible
                                           : fate::kind::runs;
    f.fails = random.once_in(trouble) ? 1 + random.below(5) : 0;
    f.how = failures[random.below(6)];
    run.fates.push_back(f);
    if (outside[i])
      continue;
    const auto upstream = run.graph->upstream(asset_index(i));
    const bool may_be_fresh = std::all_of(upstream.begin(), upstream.end(), [&](asset_index u) {
      return outside[u.value] || random_run::contains(make_asset_set(fresh), run.ids[u.value]);
    });
    if (may_be_fresh && random.once_in(4)) {
      fresh.push_back(run.ids[i]);
      continue;
    }
    waiting.push_back(run.ids[i]);
    for (const auto u : upstream)
      if (outside[u.value] && random.once_in(4)) {
        run.never_made.emplace_back(asset_index(i), u);
        break;
      }
  }
  run.started.run = run_number(1 + random.below(1000));
  run.started.at = from_unix_ns(1'800'000'000'000'000'000);
  run.started.fresh = make_asset_set(fresh);
  run.started.waiting = make_asset_set(waiting);
  return run;
}

/// What an attempt comes to (1-based within its segment), if nobody ends it.
[[nodiscard]] inline outcome_kind outcome_of(const fate& f, std::uint32_t attempt) {
  return attempt <= f.fails ? f.how : outcome_kind::succeeded;
}

} // namespace troupe_internal::test
