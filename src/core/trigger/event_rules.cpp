// The rules in their order: debounce, overlap, queue.
#include "core/trigger/event_rules.hpp"

#include "core/model/trigger_event.hpp"

#include <algorithm>

namespace troupe_internal {

namespace {

/// So that no moment is beyond what a moment can be.
constexpr duration longest_span = std::chrono::hours(24 * 36'500);

} // namespace

event_rules rules_of(const trigger& of) {
  event_rules rules;
  rules.overlap = of.overlap;
  rules.scope = of.scope;
  rules.queue = of.queue;
  rules.coalesce = of.coalesce;
  if (of.debounce) {
    rules.quiet = of.debounce->quiet;
    rules.longest_quiet = of.debounce->max;
  }
  if (const auto* schedule = of.schedule())
    rules.jitter = schedule->jitter;
  rules.start_within = of.start_within;
  rules.timeout = of.timeout;
  return rules;
}

event_decision decide_event(const event_rules& rules, std::span<const open_trigger_run> open,
                            const std::vector<std::pair<std::string, std::string>>& params) {
  event_decision decision;
  if (rules.apart)
    return decision;
  const auto takes = [&](const open_trigger_run& one) {
    return one.waits && (rules.coalesce == coalesce_rule::last || one.params == params);
  };
  if (rules.quiet > duration::zero())
    for (const auto& one : open)
      if (one.quiet && one.group == rules.group && takes(one)) {
        decision.becomes = event_decision::what::join;
        decision.joins = one.run;
        return decision;
      }
  const auto counts = [](const open_trigger_run& one) { return !one.quiet; };
  if (rules.overlap == overlap_rule::skip)
    if (const auto first = std::find_if(open.begin(), open.end(), counts); first != open.end()) {
      decision.becomes = event_decision::what::skip;
      decision.because = "run #" + std::to_string(first->run.value) + " is open, and the trigger skips what comes";
      return decision;
    }
  std::size_t waiting = 0;
  bool lives = false;
  for (const auto& one : open) {
    lives = lives || !one.waits;
    if (!one.waits || one.quiet)
      continue;
    ++waiting;
    if (!rules.queue.keep_all && takes(one))
      decision.joins = one.run; // the last of them
  }
  decision.cancels_live = rules.overlap == overlap_rule::cancel && lives;
  if (decision.joins.value != 0) {
    decision.becomes = event_decision::what::join;
  } else if (waiting >= rules.queue.bound) {
    decision.becomes = event_decision::what::refuse;
    decision.because = "the trigger's queue is full: " + std::to_string(waiting) + (waiting == 1 ? " run" : " runs") +
                       (waiting == 1 ? " waits" : " wait");
    decision.cancels_live = false;
  }
  return decision;
}

start_conditions conditions_for(const event_rules& rules, const std::string& trigger, timestamp at,
                                std::optional<timestamp> nominal) {
  start_conditions conditions;
  conditions.quiet = rules.quiet;
  if (rules.quiet > duration::zero()) {
    conditions.latest = at + std::min(rules.longest_quiet, longest_span);
    conditions.group = rules.group;
  }
  if (rules.jitter > duration::zero() && nominal) {
    // Not drawn: a tick that is taken in again after a crash waits as long as it would have.
    const auto drawn = table_key(quick_digest(trigger + "@" + std::to_string(to_unix_ns(*nominal))));
    conditions.not_before =
        *nominal + duration(static_cast<duration::rep>(drawn % (static_cast<std::uint64_t>(rules.jitter.count()) + 1)));
  }
  conditions.expires = expiry_of(rules, at, nominal);
  conditions.overlaps = rules.apart;
  conditions.unthrottled = rules.unthrottled;
  return conditions;
}

std::optional<timestamp> expiry_of(const event_rules& rules, timestamp at, std::optional<timestamp> nominal) {
  if (!rules.start_within)
    return std::nullopt;
  return nominal.value_or(at) + std::min(*rules.start_within, longest_span);
}

} // namespace troupe_internal
