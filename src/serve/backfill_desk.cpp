// Ticks of the past that somebody asks for: each is an event and a run, and the same tick as the schedule's own.
#include "serve/trigger_desk.hpp"

#include "core/trigger/trigger_logic.hpp"

#include <algorithm>
#include <utility>

namespace troupe_internal::serve {

namespace {

std::string instant_text(timestamp nominal) {
  return to_rfc3339(nominal).substr(0, 19) + "Z";
}

} // namespace

result<taken_event> trigger_desk::backfill(const target& at, const trigger_record& record, const trigger_ask& asked) {
  if (at.what->schedule() == nullptr)
    return fail(error_code::invalid_input,
                "\"" + at.name() + "\" is no schedule: only schedules have ticks to make up for");
  const auto from = parse_moment(asked.first);
  const auto until = parse_moment(asked.last);
  if (!from || !until)
    return fail(error_code::invalid_input,
                "a backfill goes from one moment to another, such as 2026-03-29T02:00Z or 2026-03-29, not from \"" +
                    asked.first + "\" to \"" + asked.last + "\"");
  const auto now = time_.now();
  const auto plan = plan_backfill(*at.what, record, *from, std::min(*until, now), asked.again);
  if (plan.too_many)
    return fail(error_code::invalid_input, "from " + asked.first + " to " + asked.last + " there are more than " +
                                               std::to_string(most_ticks_a_backfill) +
                                               " ticks: ask for fewer at a time");
  taken_event answer;
  answer.because = at.name();
  answer.count = plan.ticks.size();
  answer.left_out = plan.had_fired;
  if (asked.dry || plan.ticks.empty()) {
    if (!plan.ticks.empty())
      answer.because = instant_text(plan.ticks.front().nominal) + " to " + instant_text(plan.ticks.back().nominal);
    return answer;
  }
  std::vector<arrival> all;
  for (const auto& tick : plan.ticks) {
    arrival one;
    one.source = event_source::backfill;
    one.nominal = tick.nominal;
    if (!asked.again)
      one.after = tick.after;
    one.by = asked.by;
    one.past_rules = true;
    one.apart = true;
    all.push_back(std::move(one));
  }
  const auto taken = take(at, std::move(all));
  if (!taken)
    return taken.error();
  const auto rejected =
      std::find_if(taken->begin(), taken->end(), [](const auto& one) { return one.fate == event_fate::rejected; });
  if (rejected != taken->end())
    return fail(error_code::invalid_input, rejected->because);
  answer.event = taken->front().event;
  answer.run = taken->front().run;
  log_("trigger " + at.name() + ": a backfill of " + std::to_string(answer.count) +
       (answer.count == 1 ? " tick" : " ticks"));
  return answer;
}

} // namespace troupe_internal::serve
