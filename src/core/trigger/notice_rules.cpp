// One case for each event that says something to people.
#include "core/trigger/notice_rules.hpp"

#include <algorithm>

namespace troupe_internal {

namespace {

constexpr std::size_t most_events_known = 10'000;

std::string pipeline_of(std::string_view subject) {
  return std::string(subject.substr(0, subject.find('/')));
}

std::string words_on(const attempt_finished& e) {
  switch (e.outcome) {
  case outcome_kind::exited:
    return "exit status " + std::to_string(e.exit_code);
  case outcome_kind::signalled:
    return "signal " + std::to_string(e.signal) + " ended it";
  case outcome_kind::timed_out:
    return "it took too long";
  default:
    return e.message;
  }
}

} // namespace

result<expected_freshness>
expected_of(const freshness_expectation& words,
            const std::function<result<std::shared_ptr<const time_zone>>(const std::string&)>& zones) {
  expected_freshness made;
  made.within = words.within;
  if (words.cron.empty())
    return made;
  auto zone = zones(words.timezone.empty() ? "UTC" : words.timezone);
  if (!zone)
    return zone.error();
  auto ticks = cron_expression::parse(words.cron);
  if (!ticks)
    return ticks.error();
  std::vector<cron_expression> all;
  all.push_back(std::move(*ticks));
  made.by = std::make_shared<const cron_schedule>(std::move(all), *zone);
  return made;
}

void notice_rules::set_expectations(std::map<std::string, expected_freshness> all, timestamp now) {
  std::map<std::string, expected, std::less<>> next;
  for (auto& [asset, what] : all) {
    const auto old = expected_.find(asset);
    auto& one = next[asset];
    one.since = now;
    if (old != expected_.end())
      one = std::move(old->second);
    one.what = std::move(what);
  }
  expected_ = std::move(next);
}

void notice_rules::note_lasting(const notice_taken& notice) {
  if (notice.closes != 0)
    std::erase_if(lasting_, [&](const auto& one) { return one.second == notice.closes; });
  if (notice.opens)
    lasting_[{notice.kind, notice.subject}] = notice.notice;
}

found_notice notice_rules::make(notice_kind kind, std::string subject, timestamp at, std::string because) const {
  found_notice found;
  auto& what = found.what;
  what.kind = kind;
  what.at = at;
  what.pipeline = pipeline_of(subject);
  what.subject = std::move(subject);
  what.because = std::move(because);
  if (const auto owners = owners_.find(what.subject); owners != owners_.end())
    found.owners = owners->second;
  return found;
}

notice_rules::watched_run& notice_rules::run_of(run_number run, const lookups& known) {
  const auto [at, is_new] = runs_.try_emplace(run);
  if (is_new)
    if (const auto record = known.run(run)) {
      at->second.pipeline = record->pipeline;
      at->second.subject = record->pipeline;
      if (record->cause.kind == cause_kind::trigger)
        at->second.subject += "/" + record->cause.trigger;
    }
  return at->second;
}

void notice_rules::failed(run_number run, asset_id asset, const std::string& why, const lookups& known) {
  auto& of = run_of(run, known);
  const auto name = known.asset(asset);
  if (++of.failures == 1)
    of.because = name.substr(name.find('/') + 1) + (why.empty() ? " failed" : " failed: " + why);
  if (const auto owners = owners_.find(name); owners != owners_.end())
    of.owners.insert(owners->second.begin(), owners->second.end());
}

void notice_rules::ok(std::string_view asset, timestamp at) {
  const auto of = expected_.find(asset);
  if (of != expected_.end() && (!of->second.last_ok || *of->second.last_ok < at))
    of->second.last_ok = at;
}

void notice_rules::end(const run_finished& e, const lookups& known, bool silently, std::vector<found_notice>& into) {
  const auto of = std::move(run_of(e.run, known));
  runs_.erase(e.run);
  if (of.subject.empty() || silently)
    return;
  const auto lasting = lasting_.find({notice_kind::failed, of.subject});
  if (e.status == run_status::failed) {
    auto because = of.because.empty() ? std::string("the run failed") : of.because;
    if (of.failures > 1)
      because += " (and " + std::to_string(of.failures - 1) + " more)";
    auto found = make(notice_kind::failed, of.subject, e.at, std::move(because));
    found.owners.assign(of.owners.begin(), of.owners.end());
    found.what.bound_run = e.run;
    found.what.opens = true;
    found.what.closes = lasting != lasting_.end() ? lasting->second : 0;
    into.push_back(std::move(found));
  } else if (e.status == run_status::succeeded && lasting != lasting_.end()) {
    auto found = make(notice_kind::recovered, of.subject, e.at, "a run succeeded again");
    found.what.bound_run = e.run;
    found.what.closes = lasting->second;
    into.push_back(std::move(found));
  }
}

void notice_rules::read(const event& e, const lookups& known, bool silently, std::vector<found_notice>& into) {
  if (const auto* start = std::get_if<run_started>(&e)) {
    auto& of = runs_[start->run];
    of.pipeline = start->pipeline;
    of.subject = start->pipeline;
    if (start->cause.kind == cause_kind::trigger)
      of.subject += "/" + start->cause.trigger;
    if (!expected_.empty())
      for (const auto& [first, last] : start->fresh)
        for (auto id = first.value; id <= last.value; ++id)
          ok(known.asset(asset_id(id)), start->at);
  } else if (const auto* fresh = std::get_if<asset_found_fresh>(&e)) {
    if (!expected_.empty())
      ok(known.asset(fresh->asset), fresh->at);
  } else if (const auto* done = std::get_if<attempt_finished>(&e)) {
    if (done->outcome == outcome_kind::succeeded) {
      if (!expected_.empty())
        ok(known.asset(done->asset), done->at);
    } else if (is_failure(done->outcome) && !done->retry_at && !done->allowed) {
      failed(done->run, done->asset, words_on(*done), known);
    }
  } else if (const auto* settled = std::get_if<assets_settled>(&e)) {
    if (settled->status == asset_status::failed && !settled->allowed)
      for (const auto& one : settled->assets)
        failed(settled->run, one.asset, settled->message, known);
  } else if (const auto* adopted = std::get_if<asset_adopted>(&e)) {
    if (!expected_.empty())
      ok(known.asset(adopted->asset), adopted->at);
  } else if (const auto* ended = std::get_if<run_finished>(&e)) {
    end(*ended, known, silently, into);
  } else if (const auto* paused = std::get_if<trigger_paused>(&e)) {
    if (!silently)
      into.push_back(make(notice_kind::paused, paused->trigger, paused->at,
                          (paused->reason.empty() ? std::string("no reason is given") : paused->reason) +
                              (paused->by.empty() ? "" : " (by " + paused->by + ")")));
  } else if (const auto* taken = std::get_if<event_taken>(&e)) {
    events_[taken->event] = taken->trigger;
    if (events_.size() > most_events_known)
      events_.erase(events_.begin());
  } else if (const auto* fate = std::get_if<event_settled>(&e)) {
    const auto at = events_.find(fate->event);
    const auto trigger = at != events_.end() ? at->second : known.trigger_of_event(fate->event);
    if (at != events_.end())
      events_.erase(at);
    if (!silently && fate->fate == event_fate::rejected && !trigger.empty())
      into.push_back(make(notice_kind::rejected, trigger, fate->at,
                          "event " + std::to_string(fate->event) + ": " + fate->because));
  }
}

std::optional<timestamp> notice_rules::lapsed_at(const expected& of, timestamp now) const {
  if (of.what.within) {
    const auto until = of.last_ok.value_or(of.since) + *of.what.within;
    return until < now ? std::optional(until) : std::nullopt;
  }
  const auto due = of.what.by->previous(now + duration(1));
  if (!due || *due <= of.since)
    return std::nullopt;
  const auto before = of.what.by->previous(*due);
  const bool in_time = of.last_ok && (!before || *of.last_ok > *before);
  return in_time ? std::nullopt : due;
}

void notice_rules::look(timestamp now, std::vector<found_notice>& into) {
  for (const auto& [asset, of] : expected_) {
    const auto lasting = lasting_.find({notice_kind::overdue, asset});
    const auto lapsed = lapsed_at(of, now);
    if (lapsed.has_value() == (lasting != lasting_.end()))
      continue;
    auto found = lapsed
                     ? make(notice_kind::overdue, asset, now,
                            "it was expected by " + to_rfc3339(*lapsed).substr(0, 19) + "Z, and was last up to date " +
                                (of.last_ok ? "at " + to_rfc3339(*of.last_ok).substr(0, 19) + "Z" : "never"))
                     : make(notice_kind::recovered, asset, now, "it is up to date again");
    found.owners = of.what.owners;
    found.what.opens = lapsed.has_value();
    found.what.closes = lapsed ? 0 : lasting->second;
    into.push_back(std::move(found));
  }
}

std::optional<timestamp> notice_rules::next_look(timestamp now) const {
  std::optional<timestamp> next;
  for (const auto& [asset, of] : expected_) {
    if (lasting_.contains({notice_kind::overdue, asset}))
      continue; // only an event makes it better
    const auto at = of.what.within ? std::optional(of.last_ok.value_or(of.since) + *of.what.within + duration(1))
                                   : of.what.by->next(now);
    if (at && (!next || *at < *next))
      next = at;
  }
  return next;
}

std::size_t notice_rules::overdue() const {
  return static_cast<std::size_t>(std::count_if(
      lasting_.begin(), lasting_.end(), [](const auto& one) { return one.first.first == notice_kind::overdue; }));
}

} // namespace troupe_internal
