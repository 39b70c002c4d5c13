// Later waits for earlier.
#include "engine/run_holds.hpp"

#include "engine/live_run.hpp"

#include <algorithm>

namespace troupe_internal {

void run_holds::joins(live_run& run) {
  runs_.push_back(&run);
}

void run_holds::leaves(const live_run& run) {
  std::erase(runs_, &run);
  std::erase_if(waiting_, [&](const auto& one) { return one.second.run == &run; });
  std::vector<held> free;
  const auto first = waiting_.lower_bound({run.number(), asset_id(0U)});
  auto last = first;
  for (; last != waiting_.end() && last->first.first == run.number(); ++last)
    free.push_back(last->second);
  waiting_.erase(first, last);
  for (const auto& one : free)
    if (may_go_on(*one.run, one.asset))
      one.run->let_go_on(one.asset);
}

bool run_holds::may_go_on(live_run& run, asset_index asset) {
  const auto by = blocker(run, asset);
  if (by)
    waiting_.emplace(*by, held{&run, asset});
  return !by;
}

void run_holds::look_again(run_number run, asset_id asset) {
  std::vector<held> free;
  const auto [first, last] = waiting_.equal_range({run, asset});
  for (auto at = first; at != last; ++at)
    free.push_back(at->second);
  waiting_.erase(first, last);
  for (const auto& one : free)
    if (may_go_on(*one.run, one.asset))
      one.run->let_go_on(one.asset);
}

std::optional<run_holds::place> run_holds::blocker(const live_run& run, asset_index asset) const {
  const auto& plan = run.plan();
  const auto& graph = *plan.on.graph;
  for (const auto* earlier : runs_) {
    if (earlier == &run)
      return std::nullopt; // the rest comes later
    std::optional<place> found;
    const auto look = [&](asset_index one) {
      const auto id = plan.names->id_of(one);
      if (!found && earlier->has_unsettled(id))
        found = place{earlier->number(), id};
    };
    look(asset);
    for (const auto upstream : graph.upstream(asset))
      look(upstream);
    for (const auto downstream : graph.downstream(asset))
      look(downstream);
    if (found)
      return found;
  }
  return std::nullopt;
}

} // namespace troupe_internal
