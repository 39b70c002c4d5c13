// Shapes, policies, fates, faults.
#include "random_case.hpp"

#include "support/pipeline_builder.hpp"

#include <algorithm>
#include <numeric>
#include <string>

namespace troupe_internal::test {

namespace {

using edges = std::vector<std::vector<std::uint32_t>>; // by node, in topological order: the nodes it needs

std::uint32_t random_size(seeded& random) {
  if (random.once_in(150))
    return 100 + random.below(300);
  if (random.once_in(10))
    return 13 + random.below(50);
  return 1 + random.below(12);
}

/// One to three distinct nodes of [first, last).
std::vector<std::uint32_t> some_of(seeded& random, std::uint32_t first, std::uint32_t last) {
  std::vector<std::uint32_t> chosen;
  for (auto count = 1 + random.below(3); count > 0; --count) {
    const auto one = first + random.below(last - first);
    if (std::find(chosen.begin(), chosen.end(), one) == chosen.end())
      chosen.push_back(one);
  }
  return chosen;
}

edges random_edges(seeded& random, graph_shape shape, std::uint32_t size) {
  edges needs(size);
  const auto density = 3 + random.below(std::max(4U, size));
  const auto width = 1 + random.below(size < 20 ? 4 : 30);
  for (std::uint32_t i = 1; i < size; ++i) {
    switch (shape) {
    case graph_shape::unconnected:
      break;
    case graph_shape::chain:
      needs[i].push_back(i - 1);
      if (i > 1 && random.once_in(8))
        needs[i].push_back(i - 2);
      break;
    case graph_shape::fan_out:
      needs[i].push_back(0);
      break;
    case graph_shape::fan_in:
      if (i + 1 == size)
        for (std::uint32_t u = 0; u < i; ++u)
          needs[i].push_back(u);
      break;
    case graph_shape::diamonds: // top, `width` between, bottom, which is the next one's top
      if (const auto place = i % (width + 1); place == 0)
        for (auto u = i - width; u < i; ++u)
          needs[i].push_back(u);
      else
        needs[i].push_back(i - place);
      break;
    case graph_shape::layers:
      if (const auto layer = i / width; layer > 0)
        needs[i] = some_of(random, (layer - 1) * width, layer * width);
      break;
    case graph_shape::random:
      for (std::uint32_t u = 0; u < i; ++u)
        if (random.below(density) == 0)
          needs[i].push_back(u);
      break;
    }
  }
  return needs;
}

retry_policy random_retry(seeded& random) {
  retry_policy retry;
  retry.attempts = random.once_in(2) ? 1 : 1 + random.below(4);
  retry.delay = std::chrono::milliseconds(random.below(5000));
  retry.max_delay = std::chrono::seconds(1 + random.below(20));
  retry.backoff = static_cast<backoff>(random.below(3));
  retry.jitter = static_cast<jitter>(random.below(4));
  if (random.once_in(6))
    retry.on_exit_codes = random.once_in(2) ? std::vector<int>{7} : std::vector<int>{7, 128 + 9};
  retry.on_timeout = !random.once_in(6);
  return retry;
}

std::unique_ptr<pipeline> random_pipeline(seeded& random, const edges& needs, const std::vector<std::uint32_t>& place) {
  const auto size = static_cast<std::uint32_t>(needs.size());
  std::vector<std::uint32_t> node_at(size);
  for (std::uint32_t node = 0; node < size; ++node)
    node_at[place[node]] = node;
  pipeline_builder b;
  const auto slots = 1 + random.below(3);
  b.engine([&](engine_settings& e) {
    e.pools["p"] = slots;
    e.pools["q"] = 1;
    e.durability = random.once_in(4)   ? durability::strict
                   : random.once_in(4) ? durability::none
                                       : durability::pipelined;
  });
  for (std::uint32_t i = 0; i < size; ++i) {
    auto& asset = b.asset("a" + std::to_string(i));
    std::vector<std::string> deps;
    for (const auto u : needs[node_at[i]])
      deps.push_back("a" + std::to_string(place[u]));
    asset.deps(std::move(deps));
    if (random.once_in(3))
      asset.pool("p", 1 + random.below(slots));
    if (random.once_in(5))
      asset.pool("q");
    if (random.once_in(4))
      asset.priority(static_cast<std::int32_t>(random.below(5)) - 2);
    asset.retry(random_retry(random));
    const bool allowed = random.once_in(5);
    const bool strict = random.once_in(8);
    const bool timed = random.once_in(3);
    const auto timeout = std::chrono::milliseconds(500 + random.below(5000));
    asset.with([&](asset_settings& s) {
      s.allow_failure = allowed;
      if (strict)
        s.durability = durability::strict;
      if (timed)
        s.timeout = timeout;
    });
  }
  return b.build();
}

fault_plan random_faults(seeded& random) {
  fault_plan plan;
  plan.stops = random.once_in(4);
  plan.crashes = random.once_in(3);
  plan.journal = random.once_in(6);
  plan.full = random.once_in(12);
  plan.power = random.once_in(2);
  plan.clock_jumps = random.once_in(6);
  plan.stale = random.once_in(3);
  plan.bursts = random.once_in(40);
  return plan;
}

asset_fate random_fate(seeded& random, const asset_settings& settings, bool may_hang, std::uint32_t trouble) {
  static constexpr outcome_kind failures[] = {
      outcome_kind::exited,         outcome_kind::signalled,  outcome_kind::timed_out, outcome_kind::not_started,
      outcome_kind::output_missing, outcome_kind::bad_result, outcome_kind::internal};
  asset_fate fate;
  fate.fresh = random.once_in(5);
  fate.impossible = random.once_in(2 * trouble);
  fate.fails = random.once_in(trouble) ? 1 + random.below(5) : 0;
  fate.how = failures[random.below(7)];
  fate.exit_code = random.once_in(2) ? 7 : 1;
  fate.hangs = (may_hang || settings.timeout) && random.once_in(10);
  fate.stubborn = random.once_in(3);
  if (random.once_in(2))
    fate.longest = std::chrono::milliseconds(random.below(8000));
  fate.repeats = random.once_in(8);
  fate.never_found = random.once_in(8);
  fate.writes_the_same = random.once_in(3);
  return fate;
}

} // namespace

random_case make_random_case(seeded& random) {
  random_case made;
  const auto size = random_size(random);
  made.shape = static_cast<graph_shape>(random.below(7));
  const auto needs = random_edges(random, made.shape, size);
  std::vector<std::uint32_t> place(size); // by node: its asset_index
  std::iota(place.begin(), place.end(), 0U);
  if (random.once_in(2))
    for (std::uint32_t i = size; i > 1; --i)
      std::swap(place[i - 1], place[random.below(i)]);
  made.p = random_pipeline(random, needs, place);
  diagnostics found;
  made.graph = std::make_unique<asset_graph>(std::move(*asset_graph::build(*made.p, found)));

  std::vector<std::uint32_t> numbers(3 * std::size_t{size});
  std::iota(numbers.begin(), numbers.end(), 0U);
  for (std::uint32_t i = 0; i < size; ++i) {
    std::swap(numbers[i], numbers[i + random.below(static_cast<std::uint32_t>(numbers.size()) - i)]);
    made.ids.emplace_back(numbers[i]);
  }

  made.policy.workers = 1 + random.below(size < 20 ? 4 : 16);
  made.policy.error_strategy = static_cast<error_strategy>(random.below(3));
  made.faults = random_faults(random);
  made.lives = 2 + random.below(6);
  made.checkpoint_every = random.once_in(2) ? 1 : 1 + random.below(20);
  made.slow_disk = random.once_in(4);
  made.hurry = 3 + random.below(20);
  const auto trouble = random.once_in(3) ? 1000 : 2 + random.below(12); // one asset in so many fails
  for (std::uint32_t i = 0; i < size; ++i) {
    made.policy.remaining.emplace_back(std::chrono::seconds(random.below(10)));
    made.fates.push_back(random_fate(random, made.p->settings_of(asset_index(i)), made.faults.stops, trouble));
  }

  std::vector<asset_id> fresh;
  std::vector<asset_id> waiting;
  std::vector<bool> outside(size, false);
  std::vector<bool> is_fresh(size, false);
  const bool partial = random.once_in(4);
  for (std::uint32_t node = 0; node < size; ++node) {
    const asset_index asset(place[node]);
    const auto id = made.ids[asset.value];
    outside[asset.value] = partial && random.once_in(4);
    if (outside[asset.value])
      continue;
    const auto upstream = made.graph->upstream(asset);
    const bool may_be_fresh = std::all_of(upstream.begin(), upstream.end(),
                                          [&](asset_index u) { return outside[u.value] || is_fresh[u.value]; });
    if (may_be_fresh && random.once_in(4)) {
      is_fresh[asset.value] = true;
      fresh.push_back(id);
      continue;
    }
    waiting.push_back(id);
    for (const auto u : upstream)
      if (outside[u.value] && random.once_in(4)) {
        made.never_made.emplace_back(asset, u);
        break;
      }
  }
  made.discovered = make_discoveries(random, size);
  made.started.run = run_number(1 + random.below(1000));
  made.started.at = from_unix_ns(1'800'000'000'000'000'000);
  made.started.fresh = make_asset_set(fresh);
  made.started.waiting = make_asset_set(waiting);
  return made;
}

} // namespace troupe_internal::test
