// Small numbers, so that rules meet each other.
#include "trigger_case.hpp"

#include <utility>

namespace troupe_internal::test {

using namespace std::chrono_literals;

duration dice::span() {
  switch (below(10)) {
  case 0:
    return std::chrono::minutes(1 + below(20));
  case 1:
  case 2:
    return std::chrono::seconds(5 + below(60));
  default:
    return std::chrono::milliseconds(below(4000));
  }
}

namespace {

void make_rules(dice& with, trigger& of) {
  const bool has_params = with.one_in(2);
  of.params.clear();
  if (has_params)
    of.params["day"] = {};
  of.queue = default_queue(has_params);
  if (with.one_in(3))
    of.queue = {static_cast<std::uint32_t>(1 + with.below(3)), with.one_in(2)};
  of.overlap = static_cast<overlap_rule>(with.below(4));
  of.scope = with.one_in(4) ? overlap_scope::pipeline : overlap_scope::trigger;
  of.coalesce = with.one_in(2) ? coalesce_rule::last : coalesce_rule::equal;
  of.priority = static_cast<std::int32_t>(with.below(3));
  of.debounce.reset();
  if (with.one_in(3))
    of.debounce = debounce_rule{std::chrono::seconds(1 + with.below(5)), std::chrono::seconds(5 + with.below(20)), {}};
  of.throttle.reset();
  if (with.one_in(3))
    of.throttle =
        throttle_rule{static_cast<std::uint32_t>(1 + with.below(3)), std::chrono::seconds(5 + with.below(30))};
  of.start_within.reset();
  if (with.one_in(4))
    of.start_within = std::chrono::seconds(2 + with.below(40));
  of.pause_after_failures.reset();
  if (with.one_in(4))
    of.pause_after_failures = static_cast<std::uint32_t>(1 + with.below(3));
}

schedule_source make_schedule(dice& with) {
  schedule_source schedule;
  schedule.ticks = interval_schedule{std::chrono::seconds(1 + with.below(30)), 0s};
  schedule.zone = time_zone::utc();
  if (with.one_in(3))
    schedule.jitter = std::chrono::milliseconds(with.below(3000));
  return schedule;
}

assets_source make_assets(dice& with) {
  assets_source source;
  source.all = with.one_in(2);
  source.self = with.one_in(4);
  for (std::uint32_t i = 0; i < assets_in_case; ++i)
    if (with.one_in(2) || (i + 1 == assets_in_case && source.assets.empty()))
      source.assets.push_back({{}, std::string(1, static_cast<char>('a' + i))});
  if (source.all && with.one_in(3))
    source.within = std::chrono::seconds(10 + with.below(60));
  return source;
}

} // namespace

trigger make_trigger(dice& with, std::string name) {
  trigger of;
  of.name = std::move(name);
  switch (with.below(3)) {
  case 0:
    of.source = make_schedule(with);
    break;
  case 1:
    of.source = make_assets(with);
    break;
  default:
    of.source = manual_source{};
  }
  of.catch_up = static_cast<catch_up_rule>(with.below(3));
  of.catch_up_max = static_cast<std::uint32_t>(1 + with.below(50));
  of.late_after = std::chrono::seconds(1 + with.below(60));
  make_rules(with, of);
  return of;
}

trigger changed_trigger(dice& with, const trigger& of) {
  auto changed = of;
  make_rules(with, changed);
  if (with.one_in(3) && of.schedule() != nullptr)
    changed.source = make_schedule(with);
  else if (with.one_in(3) && std::holds_alternative<assets_source>(of.source))
    changed.source = make_assets(with);
  changed.enabled = !with.one_in(6);
  return changed;
}

trigger_case make_case(dice& with) {
  trigger_case made;
  const auto count = 1 + with.below(3);
  for (std::uint64_t i = 0; i < count; ++i)
    made.triggers.push_back(make_trigger(with, "t" + std::to_string(i)));
  made.steps = static_cast<std::uint32_t>(60 + with.below(240));
  made.calm = with.one_in(3);
  made.kills = !with.one_in(4);
  return made;
}

} // namespace troupe_internal::test
