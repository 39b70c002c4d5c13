// The one way in: parse, filter, params, key. What comes after that is decided by the engine.
#include "serve/trigger_desk.hpp"

#include "core/journal/event_codec.hpp"
#include "core/trigger/outside_value.hpp"
#include "serve/event_body.hpp"
#include "serve/safe_file.hpp"

#include <algorithm>
#include <future>
#include <set>
#include <utility>

namespace troupe_internal::serve {

namespace {

/// Of what came with an arrival: the same key with another request is refused.
digest request_of(const arrival& what) {
  std::string all = what.body;
  for (const auto& [name, value] : what.params)
    all += '\n' + name + '=' + value;
  for (const auto& selection : what.select.value_or(std::vector<std::string>()))
    all += "\n\n" + selection;
  return content_digest(all);
}

} // namespace

key_retention kept_keys(const trigger& of) {
  if (const auto* hook = std::get_if<webhook_source>(&of.source))
    return hook->keep_keys;
  if (const auto* sensor = std::get_if<sensor_source>(&of.source))
    return sensor->keep_keys;
  const auto* manual = std::get_if<manual_source>(&of.source);
  return manual != nullptr ? manual->keep_keys : manual_source{}.keep_keys;
}

namespace {

/// What templates of the arrival stand for, but for its number.
event_values values_of(const trigger& of, const arrival& what, const event_body& body, timestamp now) {
  event_values values;
  values.body = [&](const std::vector<std::string>& path) { return body.at(path); };
  values.header = [&](std::string_view name) {
    const auto found = what.headers.find(name);
    return found == what.headers.end() ? std::nullopt : std::optional(found->second);
  };
  values.tick = what.nominal ? what.nominal : what.tick;
  if (what.source == event_source::fire)
    values.tick = std::chrono::floor<std::chrono::seconds>(now);
  values.zone = of.schedule() != nullptr ? of.schedule()->zone.get() : nullptr;
  return values;
}

/// What `when` says against it; empty: it passes.
std::string filtered_by(const trigger& of, const event_values& values) {
  for (const auto& filter : of.when) {
    const auto value = render(filter.value, values);
    if (!value || std::find(filter.accepted.begin(), filter.accepted.end(), *value) == filter.accepted.end())
      return filter.value.written + " has none of the values that count";
  }
  return {};
}

/// Fills in the params of the run; what is wrong with one of them, or nothing.
std::string fill_params(const trigger_desk::target& at, const arrival& what, const event_values& values,
                        std::vector<std::pair<std::string, std::string>>& into) {
  for (const auto& [param, value] : what.params)
    if (auto problem = outside_value_problem(*at.set, *at.what, param, value); !problem.empty())
      return problem;
  into = what.params;
  for (const auto& [param, text] : at.what->params) {
    const bool is_given = std::any_of(what.params.begin(), what.params.end(),
                                      [&, named = &param](const auto& one) { return one.first == *named; });
    if (is_given)
      continue;
    auto value = render(text, values);
    if (!value)
      return "the param \"" + param + "\": " + value.error().message;
    if (text.from_outside())
      if (auto problem = outside_value_problem(*at.set, *at.what, param, *value); !problem.empty())
        return problem;
    into.emplace_back(param, std::move(*value));
  }
  return {};
}

/// What is kept of an arrival beside its body: of its headers those that the trigger, or who replays it, may ask for.
event_details details_of(const trigger& of, arrival& what) {
  std::set<std::string, std::less<>> used = {"idempotency-key", "webhook-id", "x-github-delivery", "x-github-event",
                                             "x-gitlab-event"};
  const auto use = [&](const event_template& text) {
    for (const auto& piece : text.pieces)
      if (piece.name == event_name::header)
        used.insert(piece.text);
  };
  for (const auto& [param, text] : of.params)
    use(text);
  for (const auto& filter : of.when)
    use(filter.value);
  event_details details;
  for (const auto& [name, value] : what.headers)
    if (used.contains(name))
      details.headers.emplace_back(name, value);
  details.params = what.params;
  details.select = what.select;
  details.files = std::move(what.files);
  return details;
}

} // namespace

result<trigger_desk::kept_arrival> trigger_desk::keep(const target& at, arrival& what) {
  const auto name = [&] { return make_uuid_v7(time_.now(), time_.random(), time_.random()); };
  kept_arrival kept;
  auto body = payloads_.keep(what.body, name());
  if (!body)
    return body.error();
  kept.body = std::move(*body);
  if (const auto details = details_of(*at.what, what); !details.empty()) {
    std::string text;
    encode(details, text);
    auto more = payloads_.keep(text, name());
    if (!more) {
      payloads_.drop(kept.body);
      return more.error();
    }
    kept.details = std::move(*more);
  }
  return kept;
}

event_intake trigger_desk::intake_of(const target& at, arrival& what) const {
  event_intake intake;
  intake.pipeline = at.pipeline;
  intake.rules = rules_of(*at.what);
  intake.rules.apart = what.apart;
  if (what.source == event_source::backfill) {
    intake.ask.cause.kind = cause_kind::backfill;
    intake.rules.jitter = duration::zero();
    intake.rules.start_within.reset(); // all of them are late
  }
  if (what.past_rules) {
    intake.rules.quiet = duration::zero();
    intake.rules.unthrottled = true;
  }
  intake.refuses = what.refuses;
  intake.ask.file = at.file;
  intake.ask.selection = what.select.value_or(at.what->select);
  intake.ask.exclude = at.what->exclude;
  intake.ask.priority = at.what->priority;
  intake.ask.cause.trigger = at.what->name;
  intake.ask.cause.by = what.by;
  intake.ask.cause.chain = what.chain;
  intake.what.trigger = at.name();
  intake.what.at = time_.now();
  intake.what.source = what.source;
  intake.what.nominal = what.nominal;
  intake.what.after = what.after;
  intake.what.key = what.key;
  intake.what.by = what.by;
  intake.what.replay_of = what.replay_of;
  if (!what.key.empty() || !what.body.empty() || !what.params.empty())
    intake.what.request = request_of(what);
  intake.with = std::move(what.with);
  return intake;
}

result<void> trigger_desk::find_key(const target& at, event_intake& intake, std::vector<event_intake>& before) {
  if (intake.what.key.empty() || intake.fate)
    return {};
  const auto reject = [&](std::string number) {
    intake.fate = event_fate::rejected;
    intake.because =
        "the key \"" + intake.what.key + "\" was used for another request (event " + std::move(number) + ")";
    intake.key_conflict = true;
    intake.what.key.clear();
  };
  for (std::size_t i = 0; i < before.size(); ++i)
    if (before[i].what.key == intake.what.key && !before[i].same_key_as && before[i].fate != event_fate::duplicate) {
      if (before[i].what.request != intake.what.request)
        reject("of the same report");
      else
        intake.same_key_as = i;
      return {};
    }
  seen_key seen;
  bool is_seen = false;
  {
    const std::lock_guard lock(coming_mutex_);
    if (const auto coming = coming_keys_.find({intake.what.trigger, intake.what.key}); coming != coming_keys_.end()) {
      seen = coming->second;
      is_seen = true;
    }
  }
  if (!is_seen) { // what came is on disk by now
    const auto snapshot = engine_.history();
    if (!snapshot)
      return snapshot.error();
    const auto found = (*snapshot)->read_seen_key(intake.what.trigger, intake.what.key, seen);
    if (!found)
      return found.error();
    const auto kept = kept_keys(*at.what);
    is_seen = *found && (!kept || intake.what.at < seen.at + *kept);
  }
  if (!is_seen)
    return {};
  if (seen.request != intake.what.request) {
    reject(std::to_string(seen.event));
  } else {
    intake.fate = event_fate::duplicate;
    intake.what.duplicate_of = seen.event;
    intake.settled_run = seen.run;
  }
  return {};
}

result<void> trigger_desk::take_soon(const target& at, std::vector<arrival> what, when_taken then) {
  if (const auto safe = require_safe_file(at.file); !safe)
    return safe.error();
  constexpr std::size_t longest_key = 255;
  for (auto& one : what) {
    if (one.key.size() > longest_key)
      return fail(error_code::invalid_input, "a key has at most " + std::to_string(longest_key) + " bytes");
    if (one.parsed != nullptr)
      continue;
    auto body = event_body::parse(one.body);
    if (!body)
      return body.error();
    one.parsed = std::make_shared<const event_body>(std::move(*body));
  }
  if (const auto known = have_known(); !known)
    return known;
  std::vector<kept_arrival> kept;
  result<void> took;
  for (auto& one : what) {
    auto texts = keep(at, one);
    if (!texts) {
      took = texts.error();
      break;
    }
    kept.push_back(std::move(*texts));
  }
  if (took)
    took = take_kept(at, what, kept, std::move(then));
  if (!took) // nothing was taken in
    for (const auto& texts : kept)
      drop(texts);
  return took;
}

result<event_intake> trigger_desk::prepare(const target& at, arrival& what, std::uint64_t number,
                                           std::vector<event_intake>& before) {
  auto intake = intake_of(at, what);
  auto values = values_of(*at.what, what, *what.parsed, intake.what.at);
  values.id = std::to_string(number);
  if (!what.skip_because.empty() || !what.reject_because.empty()) {
    intake.fate = what.reject_because.empty() ? event_fate::skipped : event_fate::rejected;
    intake.because = what.reject_because.empty() ? what.skip_because : what.reject_because;
    intake.what.key.clear();
  }
  if (!intake.fate && !what.past_rules && !what.past_filter)
    if (auto filtered = filtered_by(*at.what, values); !filtered.empty()) {
      intake.fate = event_fate::filtered;
      intake.because = std::move(filtered);
      intake.what.key.clear(); // what does not count uses no key
    }
  if (at.what->debounce && at.what->debounce->key)
    if (auto group = render(*at.what->debounce->key, values))
      intake.rules.group = std::move(*group);
  if (!intake.fate)
    if (auto problem = fill_params(at, what, values, intake.ask.params); !problem.empty()) {
      intake.fate = event_fate::rejected;
      intake.because = std::move(problem);
      intake.what.key.clear();
    }
  if (const auto found = find_key(at, intake, before); !found)
    return found.error();
  return intake;
}

result<void> trigger_desk::take_kept(const target& at, std::vector<arrival>& what,
                                     const std::vector<kept_arrival>& kept, when_taken then) {
  // One after the other: an event's number may be part of its params, and a key counts from here on.
  const std::lock_guard one_at_a_time(taking_);
  std::vector<event_intake> all;
  auto number = engine_.next_event();
  for (std::size_t i = 0; i < what.size(); ++i) {
    auto prepared = prepare(at, what[i], number++, all);
    if (!prepared)
      return prepared.error();
    auto& intake = *prepared;
    if (intake.fate == event_fate::rejected && !what[i].keeps_rejected) {
      drop(kept[i]);
      then(std::vector<taken_event>{{0, event_fate::rejected, {}, 0, intake.because, intake.key_conflict}});
      return {};
    }
    if (intake.fate == event_fate::duplicate || intake.same_key_as) { // the first one has the same
      drop(kept[i]);
    } else {
      intake.what.body = kept[i].body;
      intake.what.details = kept[i].details;
    }
    all.push_back(std::move(intake));
  }
  return take_all(std::move(all), std::move(then));
}

result<void> trigger_desk::take_all(std::vector<event_intake> all, when_taken then) {
  // Keys come to be known before the journal can have them, and are forgotten when it has.
  std::vector<std::pair<std::size_t, key_name>> keys;
  {
    const std::lock_guard lock(coming_mutex_);
    for (std::size_t i = 0; i < all.size(); ++i)
      if (const auto& what = all[i].what; !what.key.empty() && !all[i].fate && !all[i].same_key_as) {
        keys.emplace_back(i, key_name(what.trigger, what.key));
        coming_keys_[keys.back().second] = {what.trigger, what.key, *what.request, 0, {}, what.at};
      }
  }
  const auto forget = [this, keys] {
    const std::lock_guard lock(coming_mutex_);
    for (const auto& [place, name] : keys)
      coming_keys_.erase(name);
  };
  const auto taken = engine_.take_events(std::move(all), [forget, then = std::move(then)](auto outcome) {
    forget();
    then(std::move(outcome));
  });
  if (!taken) {
    forget();
    return taken.error();
  }
  const std::lock_guard lock(coming_mutex_);
  for (const auto& [place, name] : keys)
    if (const auto coming = coming_keys_.find(name); coming != coming_keys_.end()) {
      if ((*taken)[place].fate == event_fate::rejected) // it uses no key
        coming_keys_.erase(coming);
      else
        coming->second = {coming->second.trigger, coming->second.key,  coming->second.request,
                          (*taken)[place].event,  (*taken)[place].run, coming->second.at};
    }
  return {};
}

result<std::vector<taken_event>> trigger_desk::take(const target& at, std::vector<arrival> what) {
  std::promise<result<std::vector<taken_event>>> done;
  const auto took = take_soon(at, std::move(what), [&](auto outcome) { done.set_value(std::move(outcome)); });
  if (!took)
    return took.error();
  return done.get_future().get();
}

} // namespace troupe_internal::serve
