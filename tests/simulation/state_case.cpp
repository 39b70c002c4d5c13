// Pipelines, wishes, faults.
#include "state_case.hpp"

#include "support/pipeline_builder.hpp"

#include <algorithm>
#include <utility>

namespace troupe_internal::test {

namespace {

retry_policy random_retry(seeded& random) {
  retry_policy retry;
  retry.attempts = random.once_in(2) ? 1 : 1 + random.below(3);
  retry.delay = std::chrono::milliseconds(random.below(3000));
  retry.max_delay = std::chrono::seconds(1 + random.below(10));
  retry.backoff = static_cast<backoff>(random.below(3));
  retry.jitter = static_cast<jitter>(random.below(4));
  retry.on_timeout = !random.once_in(6);
  return retry;
}

std::string asset_name(std::uint32_t pipeline, std::uint32_t asset) {
  return std::string(1, static_cast<char>('a' + pipeline)) + std::to_string(asset);
}

case_pipeline random_pipeline(seeded& random, std::uint32_t number, std::uint32_t sources, durability durable,
                              bool may_hang, const case_pipeline* first) {
  const auto size = random.once_in(8) ? 8 + random.below(12) : 1 + random.below(7);
  const auto density = 1 + random.below(4);
  pipeline_builder b(std::string(1, static_cast<char>('a' + number)));
  b.param("mode", "0");
  const auto slots = 1 + random.below(3);
  b.engine([&](engine_settings& e) {
    e.pools["p"] = slots;
    e.pools["q"] = 1;
    e.durability = durable;
  });
  case_pipeline made;
  for (std::uint32_t i = 0; i < size; ++i) {
    auto& asset = b.asset(asset_name(number, i));
    asset.outputs({"out/" + asset_name(number, i)});
    std::vector<std::string> inputs;
    std::vector<std::string> deps;
    for (std::uint32_t u = 0; u < i; ++u) {
      if (random.below(density + 1) != 0 && !(u + 1 == i && random.once_in(2)))
        continue;
      if (random.once_in(4))
        deps.push_back(asset_name(number, u));
      else
        inputs.push_back("out/" + asset_name(number, u));
    }
    if (inputs.empty() || random.once_in(3))
      inputs.push_back(source_path(random.below(sources)));
    auto& foreign = made.reads_of_first.emplace_back();
    if (first != nullptr && random.once_in(2)) {
      foreign.emplace_back(random.below(static_cast<std::uint32_t>(first->p->assets.size())));
      inputs.emplace_back(output_of(*first, foreign.back()));
    }
    asset.inputs(std::move(inputs)).deps(std::move(deps));
    if (random.once_in(3))
      asset.pool("p", 1 + random.below(slots));
    if (random.once_in(4))
      asset.pool("q");
    if (random.once_in(4))
      asset.priority(static_cast<std::int32_t>(random.below(5)) - 2);
    asset.retry(random_retry(random));
    const bool allowed = random.once_in(6);
    const bool strict = random.once_in(8);
    const bool timed = random.once_in(4);
    const auto timeout = std::chrono::milliseconds(500 + random.below(5000));
    asset.with([&](asset_settings& s) {
      s.allow_failure = allowed;
      if (strict)
        s.durability = durability::strict;
      if (timed)
        s.timeout = timeout;
    });
    made.uses_param.push_back(random.once_in(2));
    made.same_outputs.push_back(random.once_in(5));
    made.hangs.push_back((may_hang || timed) && random.once_in(12));
    made.stubborn.push_back(random.once_in(3));
    made.longest.emplace_back(random.once_in(2) ? std::chrono::milliseconds(random.below(8000)) : duration::zero());
  }
  made.p = b.build();
  diagnostics found;
  made.graph = std::make_unique<asset_graph>(std::move(*asset_graph::build(*made.p, found)));
  return made;
}

state_faults random_faults(seeded& random) {
  state_faults faults;
  faults.failures = random.once_in(3);
  faults.cancels = random.once_in(3);
  faults.crashes = random.once_in(3);
  faults.journal = random.once_in(10);
  faults.power = random.once_in(2);
  faults.clock = random.once_in(6);
  faults.edits = random.once_in(3);
  return faults;
}

} // namespace

std::string source_path(std::uint32_t source) {
  return "src/" + std::to_string(source);
}

std::string_view output_of(const case_pipeline& on, asset_index asset) {
  return on.p->path(on.p->asset(asset).outputs[0]);
}

state_case make_state_case(seeded& random) {
  state_case made;
  made.faults = random_faults(random);
  made.sources = 1 + random.below(3);
  made.durable = random.once_in(6) ? durability::strict : random.once_in(6) ? durability::none : durability::pipelined;
  const std::uint32_t pipelines = random.once_in(3) ? 2 : 1;
  const bool share = random.once_in(2);
  for (std::uint32_t i = 0; i < pipelines; ++i)
    made.pipelines.push_back(random_pipeline(random, i, made.sources, made.durable, made.faults.cancels,
                                             i > 0 && share ? &made.pipelines.front() : nullptr));
  made.runs = 1 + random.below(6);
  made.at_a_time = random.once_in(4) ? 1 + random.below(2) : made.runs;
  made.engines = 1 + random.below(4);
  made.trouble = made.faults.failures ? 2 + random.below(10) : 0;
  made.slow_disk = random.once_in(4);
  made.hurry = 3 + random.below(20);
  made.checkpoint_every = random.once_in(2) ? 1 : 1 + random.below(20);
  return made;
}

run_wish make_wish(const state_case& on, seeded& random) {
  run_wish wish;
  wish.pipeline = random.below(static_cast<std::uint32_t>(on.pipelines.size()));
  const auto size = static_cast<std::uint32_t>(on.pipelines[wish.pipeline].p->assets.size());
  if (random.once_in(2))
    for (auto count = 1 + random.below(3); count > 0; --count) {
      const asset_index asset(random.below(size));
      if (std::find(wish.selected.begin(), wish.selected.end(), asset) == wish.selected.end())
        wish.selected.push_back(asset);
    }
  wish.only = !wish.selected.empty() && random.once_in(2);
  wish.force = random.once_in(6);
  wish.mode = random.once_in(2) ? 0 : random.below(3);
  wish.workers = 1 + random.below(4);
  wish.error_strategy = static_cast<error_strategy>(random.below(3));
  wish.cause = random.once_in(2) ? cause_kind::user : static_cast<cause_kind>(random.below(4));
  return wish;
}

} // namespace troupe_internal::test
