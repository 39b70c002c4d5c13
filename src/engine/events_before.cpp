// In the order in which readers need them.
#include "engine/events_before.hpp"

#include <iterator>
#include <utility>

namespace troupe_internal {

events_before::events_before(std::shared_ptr<state_names> names, std::function<std::vector<event>()> opening)
    : names_(std::move(names)), opening_(std::move(opening)) {}

std::vector<event> events_before::put_before(std::vector<event> events) {
  auto first = opening_ ? std::exchange(opening_, nullptr)() : std::vector<event>();
  auto names = names_->take_new();
  if (first.empty() && names.empty())
    return events;
  first.insert(first.end(), std::make_move_iterator(names.begin()), std::make_move_iterator(names.end()));
  first.insert(first.end(), std::make_move_iterator(events.begin()), std::make_move_iterator(events.end()));
  return first;
}

} // namespace troupe_internal
