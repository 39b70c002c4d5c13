// Each rule has a number, which its violation names.
#include "trigger_books.hpp"

#include "../require.hpp"
#include "core/model/run_record.hpp"

#include <algorithm>

namespace troupe_internal::test {

void trigger_books::give(std::uint64_t event, event_fate fate) {
  const auto known = fates_.find(event);
  require(known != fates_.end(), "(1) event " + std::to_string(event) + " has a fate, and never came");
  require(known->second == event_fate::pending, "(1) event " + std::to_string(event) + " has two fates");
  known->second = fate;
}

void trigger_books::committed(const event& e) {
  if (const auto* taken = std::get_if<event_taken>(&e)) {
    require(fates_.emplace(taken->event, event_fate::pending).second, "(1) an event comes twice");
    trigger_of_[taken->event] = taken->trigger;
    bound_[taken->event] = taken->bound_run;
    if (taken->nominal && taken->after)
      require(ticks_[taken->trigger].insert(*taken->nominal).second, "(2) a tick fires twice");
  } else if (const auto* settled = std::get_if<event_settled>(&e)) {
    give(settled->event, settled->fate);
    if (settled->fate == event_fate::coalesced)
      require(waiting_.contains(settled->bound_run), "(3) an event joins a run that does not wait");
  } else if (const auto* gap = std::get_if<ticks_missed>(&e)) {
    missed_[gap->trigger] += gap->count;
  } else if (const auto* queued = std::get_if<run_queued>(&e)) {
    waiting_.try_emplace(queued->run, queued->cause.events);
  } else if (const auto* start = std::get_if<run_started>(&e)) {
    if (const auto waits = waiting_.extract(start->run); !waits.empty())
      for (const auto event : waits.mapped())
        give(event, event_fate::started);
  } else if (const auto* gone = std::get_if<run_dequeued>(&e)) {
    const auto waits = waiting_.extract(gone->run);
    require(!waits.empty(), "(3) a run leaves the queue, and was not in it");
    for (const auto event : waits.mapped())
      give(event, gone->reason == dequeue_reason::expired ? event_fate::expired : event_fate::cancelled);
  }
}

void trigger_books::started(const judged_start& start, bool calm) {
  const auto& conditions = start.what.conditions;
  if (start.of == nullptr)
    return;
  const auto& of = *start.of;
  const bool by_trigger = start.what.cause.kind == cause_kind::trigger;
  if (by_trigger && of.overlap != overlap_rule::parallel && !conditions.overlaps)
    require(!start.other_lives, "(4) a run starts beside another one of its trigger");
  if (conditions.quiet > duration::zero()) {
    const bool at_its_longest = conditions.latest && start.wall >= *conditions.latest;
    require(start.steady >= start.joined_last + conditions.quiet || (calm ? at_its_longest : true),
            "(5) a run starts in its quiet time");
  }
  if (conditions.not_before && calm)
    require(start.wall >= *conditions.not_before, "(6) a run starts before its jitter has passed");
  if (conditions.expires && calm)
    require(start.wall < *conditions.expires, "(7) a run starts after it has expired");
  auto& starts = starts_[trigger_of(start.what.pipeline, start.what.cause)];
  if (by_trigger && of.throttle && !conditions.unthrottled) {
    const auto in_span = std::count_if(starts.begin(), starts.end(),
                                       [&](duration one) { return one > start.steady - of.throttle->per; });
    require(static_cast<std::uint64_t>(in_span) < of.throttle->runs, "(8) more runs start than the throttle lets");
  }
  if (by_trigger)
    starts.push_back(start.steady);
}

void trigger_books::compare(const memory_tables& tables) const {
  std::map<std::string, std::uint64_t> taken;
  std::map<std::string, std::uint64_t> pending;
  for (const auto& [event, fate] : fates_) {
    ++taken[trigger_of_.at(event)];
    if (fate == event_fate::pending)
      ++pending[trigger_of_.at(event)];
  }
  for (const auto& [key, record] : tables.triggers) {
    std::uint64_t settled = 0;
    for (const auto count : record.settled)
      settled += count;
    require(record.taken == settled + record.pending,
            "(1) of what " + record.trigger + " took in, something has no fate or two");
    const auto known = missed_.find(record.trigger);
    require(record.taken == taken[record.trigger] + (known == missed_.end() ? 0 : known->second),
            "(1) " + record.trigger + " counts other events than it took in");
    require(record.pending == pending[record.trigger], "(1) " + record.trigger + " counts other pending events");
  }
  for (const auto event : acknowledged_)
    require(fates_.contains(event), "(9) event " + std::to_string(event) + " was acknowledged, and is gone");
}

void trigger_books::all_settled() const {
  for (const auto& [event, fate] : fates_)
    require(fate != event_fate::pending,
            "(10) event " + std::to_string(event) + " of " + trigger_of_.at(event) + " waits for ever");
}

} // namespace troupe_internal::test
