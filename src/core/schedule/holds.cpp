// The three rules, and which asset waits for which by them. Knows nothing of what happens to an asset that waits.
#include "core/schedule/holds.hpp"

#include "base/check.hpp"

#include <algorithm>

namespace troupe_internal {

std::vector<hold_table::live>::const_iterator hold_table::find(run_number run) const {
  return std::find_if(runs_.begin(), runs_.end(), [&](const live& one) { return one.run == run; });
}

void hold_table::joined(run_number run, const held_view& view) {
  TROUPE_CHECK(find(run) == runs_.end(), "a run joins the holds twice");
  runs_.push_back({run, &view});
}

std::optional<run_asset> hold_table::blocker(run_number run, asset_id asset, bool before_execution) {
  const auto own = find(run);
  TROUPE_CHECK(own != runs_.end(), "a run that is not live asks for a hold");
  std::optional<run_asset> found;
  for (auto earlier = runs_.cbegin(); earlier != own && !found; ++earlier) {
    const auto waits_for = [&](asset_id other) {
      if (earlier->view->unsettled(other))
        found = run_asset{earlier->run, other};
      return !found;
    };
    if (!waits_for(asset))
      break;
    own->view->visit_reads(asset, waits_for);
    if (before_execution && !found)
      earlier->view->visit_readers(asset, waits_for);
  }
  if (found) {
    auto& waiting = waits_[*found];
    const run_asset self{run, asset};
    if (std::find(waiting.begin(), waiting.end(), self) == waiting.end())
      waiting.push_back(self);
  }
  return found;
}

std::vector<run_asset> hold_table::in_order(std::vector<run_asset> all) const {
  std::stable_sort(all.begin(), all.end(),
                   [&](const run_asset& a, const run_asset& b) { return find(a.run) < find(b.run); });
  return all;
}

std::vector<run_asset> hold_table::settled(run_number run, asset_id asset) {
  if (waits_.empty())
    return {};
  auto found = waits_.extract(run_asset{run, asset});
  return found ? in_order(std::move(found.mapped())) : std::vector<run_asset>();
}

std::vector<run_asset> hold_table::left(run_number run) {
  std::vector<run_asset> released;
  for (auto wait = waits_.begin(); wait != waits_.end();) {
    std::erase_if(wait->second, [&](const run_asset& one) { return one.run == run; });
    if (wait->first.run == run)
      released.insert(released.end(), wait->second.begin(), wait->second.end());
    wait = wait->first.run == run || wait->second.empty() ? waits_.erase(wait) : std::next(wait);
  }
  std::erase_if(runs_, [&](const live& one) { return one.run == run; });
  return in_order(std::move(released));
}

std::size_t hold_table::waiting() const {
  std::size_t count = 0;
  for (const auto& [awaited, waiting] : waits_)
    count += waiting.size();
  return count;
}

} // namespace troupe_internal
