// Holds and budgets, asked and handed on.
#include "core/schedule/run_table.hpp"

#include <algorithm>
#include <utility>

namespace troupe_internal {

void run_table::bound_by(shared_room room) {
  arbiter_.weigh(room.weights);
  if (room.bounds())
    arbiter_.always_bounds();
  room_ = std::move(room);
}

void run_table::joined(neighbour& run) {
  runs_.push_back(&run);
  holds_.joined(run.number(), run);
  share_out();
}

void run_table::left(const neighbour& run) {
  std::erase(runs_, &run);
  ask_again(holds_.left(run.number()));
  share_out();
}

std::optional<run_number> run_table::held_by(neighbour& run, asset_id asset, bool before_execution) {
  if (runs_.size() == 1 && !run.is_touched(asset))
    return std::nullopt;
  if (const auto blocker = holds_.blocker(run.number(), asset, before_execution))
    return blocker->run;
  if (before_execution || !run.is_touched(asset))
    return std::nullopt;
  run.let_go_on(asset); // when its record has been read anew
  return run_number(0U);
}

void run_table::settled(run_number run, asset_id asset) {
  ask_again(holds_.settled(run, asset));
}

void run_table::ask_again(const std::vector<run_asset>& held) {
  for (const auto& one : held) {
    const auto run =
        std::find_if(runs_.begin(), runs_.end(), [&](const neighbour* live) { return live->number() == one.run; });
    if (run != runs_.end() && !holds_.blocker(one.run, one.asset, false))
      (*run)->let_go_on(one.asset);
  }
}

void run_table::share_out() {
  capacity sizes;
  std::vector<budgeted_run> runs;
  for (const auto* run : runs_) {
    if (run->finished())
      continue; // what it had is free, and it answers no offer
    sizes = larger_of(std::move(sizes), run->size());
    runs.push_back({run->number(), run->cause(), run->demand()});
  }
  if (room_ && room_->sizes.workers > 0)
    sizes.workers = room_->sizes.workers;
  if (room_)
    for (const auto& [pool, slots] : room_->sizes.pools)
      sizes.pools[pool] = slots;
  arbiter_.resize(std::move(sizes));
  for (auto& offer : arbiter_.share(runs)) {
    const auto run =
        std::find_if(runs_.begin(), runs_.end(), [&](const neighbour* live) { return live->number() == offer.run; });
    if (run != runs_.end())
      (*run)->offer(std::move(offer));
  }
}

} // namespace troupe_internal
