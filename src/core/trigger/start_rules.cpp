// Moments compared with now.
#include "core/trigger/start_rules.hpp"

#include "core/model/run_record.hpp"

#include <algorithm>
#include <array>

namespace troupe_internal {

namespace {

/// From the wall clock to the other. What lies back lies back.
duration on_steady(timestamp moment, timestamp wall, duration steady) {
  return steady + (moment - wall);
}

std::string seconds_text(duration span) {
  const auto tenths = (span.count() + 99'999'999) / 100'000'000;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

/// Whether another run of its trigger, or of its pipeline, lives.
bool has_neighbour(const run_queued& what, trigger_overlap rule, std::span<const started_run> live) {
  return std::any_of(live.begin(), live.end(), [&](const started_run& run) {
    return run.pipeline == what.pipeline && (rule == trigger_overlap::pipeline ||
                                             (run.cause == cause_kind::trigger && run.trigger == what.cause.trigger));
  });
}

} // namespace

start_rule start_rule_of(const trigger& of) {
  start_rule rule;
  if (of.overlap == overlap_rule::parallel)
    rule.beside = trigger_overlap::any;
  else if (of.scope == overlap_scope::pipeline)
    rule.beside = trigger_overlap::pipeline;
  rule.throttle = of.throttle;
  return rule;
}

start_moments moments_of(const start_conditions& of, timestamp queued, timestamp wall, duration steady) {
  const auto later = std::max(wall, queued);
  start_moments moments;
  if (of.quiet > duration::zero()) {
    if (of.latest)
      moments.latest = on_steady(*of.latest, later, steady);
    begin_quiet_again(moments, of, steady);
  }
  if (of.not_before)
    moments.not_before = on_steady(*of.not_before, later, steady);
  if (of.expires)
    moments.expires = on_steady(*of.expires, wall, steady);
  return moments;
}

void begin_quiet_again(start_moments& moments, const start_conditions& of, duration steady) {
  moments.quiet_until = std::min(steady + of.quiet, moments.latest);
}

std::string_view to_string(start_hold what) {
  static constexpr std::array<std::string_view, 9> words = {"max_runs", "overlap", "throttle", "debounce", "clock",
                                                            "load",     "turn",    "journal",  "stopping"};
  return words[static_cast<std::size_t>(what)];
}

void start_ledger::recall(const std::string& trigger, const std::vector<timestamp>& starts, timestamp wall,
                          duration steady) {
  auto& known = starts_[trigger];
  known.clear();
  for (const auto start : starts)
    known.push_back(std::min(on_steady(start, wall, steady), steady));
  std::sort(known.begin(), known.end());
}

void start_ledger::note(const std::string& trigger, duration steady) {
  auto& known = starts_[trigger];
  known.push_back(steady);
  if (known.size() > trigger_record::most_starts)
    known.erase(known.begin());
}

void start_ledger::forget(const std::string& trigger, duration steady) {
  const auto found = starts_.find(trigger);
  if (found == starts_.end())
    return;
  const auto at = std::find(found->second.rbegin(), found->second.rend(), steady);
  if (at != found->second.rend())
    found->second.erase(std::next(at).base());
}

duration start_ledger::full_until(const std::string& trigger, const throttle_rule& rule, duration steady) const {
  const auto found = starts_.find(trigger);
  if (found == starts_.end() || found->second.size() < rule.runs)
    return duration::min();
  const auto until = found->second[found->second.size() - rule.runs] + rule.per;
  return until > steady ? until : duration::min();
}

std::optional<held_run> held_back(const run_queued& what, const start_moments& moments, const start_rule_map& rules,
                                  std::span<const started_run> live, const start_ledger& starts, duration steady) {
  if (moments.quiet_until > steady)
    return held_run{start_hold::debounce, moments.quiet_until};
  if (moments.not_before > steady)
    return held_run{start_hold::clock, moments.not_before};
  if (what.cause.kind != cause_kind::trigger)
    return std::nullopt;
  const auto known = rules.find({what.pipeline, what.cause.trigger});
  const auto rule = known == rules.end() ? start_rule() : known->second;
  if (rule.throttle && !what.conditions.unthrottled) {
    const auto until = starts.full_until(trigger_of(what.pipeline, what.cause), *rule.throttle, steady);
    if (until > steady)
      return held_run{start_hold::throttle, until, false, *rule.throttle};
  }
  if (what.conditions.overlaps || rule.beside == trigger_overlap::any || !has_neighbour(what, rule.beside, live))
    return std::nullopt;
  return held_run{start_hold::overlap, duration::max(), rule.beside == trigger_overlap::pipeline};
}

std::string words_of(const held_run& held, const run_queued& what, duration steady) {
  switch (held.what) {
  case start_hold::debounce:
    return "debounce: its trigger waits until no event has come for " + seconds_text(what.conditions.quiet);
  case start_hold::clock:
    return "jitter: it starts in " + seconds_text(held.until - steady);
  case start_hold::throttle:
    return "throttle: " + std::to_string(held.throttle.runs) + (held.throttle.runs == 1 ? " run" : " runs") +
           " of its trigger started in the last " + seconds_text(held.throttle.per);
  case start_hold::overlap:
    return held.by_pipeline ? "overlap: another run of its pipeline is live"
                            : "overlap: another run of its trigger is live";
  default:
    return std::string(to_string(held.what));
  }
}

} // namespace troupe_internal
