// A count, and what has no final status yet.
#include "core/run/left_open.hpp"

#include "base/check.hpp"

#include <utility>

namespace troupe_internal {

void vain_resumptions::add(const event& e) {
  if (std::holds_alternative<run_resumed>(e)) {
    ++count_;
  } else if (std::holds_alternative<asset_found_fresh>(e)) {
    count_ = 0;
  } else if (const auto* ended = std::get_if<attempt_finished>(&e)) {
    if (ended->outcome != outcome_kind::interrupted && ended->outcome != outcome_kind::cancelled)
      count_ = 0;
  } else if (const auto* stopping = std::get_if<run_stopping>(&e)) {
    if (stopping->cause == stop_cause::shutdown)
      count_ = 0;
  }
}

std::vector<event> end_of_left_open(const run_state& state, timestamp now, const std::string& trigger,
                                    run_number continued_by) {
  TROUPE_CHECK(state.open_attempts() == 0 && !state.finished(), "the end of a run that is not left open");
  assets_settled cancelled{state.run(), now, asset_status::cancelled, {}, {}};
  for (std::uint32_t position = 0; position < state.size(); ++position)
    if (!is_final(state.at(position).status))
      cancelled.assets.push_back({state.id_at(position), state.id_at(position)});
  std::vector<event> events;
  auto ended = state;
  if (!cancelled.assets.empty()) {
    events.emplace_back(std::move(cancelled));
    ended.apply(events.back());
  }
  events.emplace_back(run_finished{state.run(), now, run_status::cancelled, ended.counts(), trigger, continued_by});
  return events;
}

} // namespace troupe_internal
