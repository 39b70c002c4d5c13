// What was taken in once: taken in again, tried without being taken in, and keys that count no more.
#include "serve/trigger_desk.hpp"

#include "core/journal/event_codec.hpp"
#include "core/journal/event_json.hpp"
#include "engine/event_file.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace troupe_internal::serve {

namespace {

std::string in_words(const taken_event& would) {
  const auto run = would.run.value == 0 ? std::string() : " #" + std::to_string(would.run.value);
  const auto because = would.because.empty() ? std::string() : ": " + would.because;
  switch (would.fate) {
  case event_fate::pending:
    return "a run would be queued";
  case event_fate::coalesced:
    return "it would join the run" + run + ", which waits";
  case event_fate::duplicate:
    return "it would be a duplicate of event " + std::to_string(would.duplicate_of);
  default:
    return "it would be " + std::string(to_string(would.fate)) + because;
  }
}

} // namespace

result<taken_event> trigger_desk::replay(const trigger_ask& asked) {
  const auto snapshot = engine_.history();
  if (!snapshot)
    return snapshot.error();
  run_cause cause;
  cause.events = {asked.event};
  std::vector<event_taken> found;
  if (const auto read = complete_events(**snapshot, cause, found); !read)
    return read.error();
  if (found.empty())
    return fail(error_code::not_found,
                "the history has no event " + std::to_string(asked.event) + ": `troupe events` lists those it has");
  const auto& old = found.front();
  const auto at = find(old.trigger);
  if (!at)
    return at.error();
  arrival what;
  what.source = old.source;
  what.replay_of = old.event;
  what.by = asked.by;
  what.past_filter = true;
  what.tick = old.nominal;
  auto body = payloads_.read(old.body);
  auto text = payloads_.read(old.details);
  event_details details;
  if (body && text && !text->empty())
    if (const auto* const problem = decode(*text, details))
      text = fail(error_code::state_unusable, std::string("what came with it cannot be read: ") + problem);
  if (!body || !text)
    return fail(error_code::not_found, "event " + std::to_string(old.event) + " cannot be taken in again: " +
                                           (body ? text.error() : body.error()).message);
  what.body = std::move(*body);
  for (auto& [name, value] : details.headers)
    what.headers.emplace(std::move(name), std::move(value));
  what.params = std::move(details.params);
  what.select = std::move(details.select);
  what.files = std::move(details.files);
  std::vector<arrival> all;
  all.push_back(std::move(what));
  auto taken = take(*at, std::move(all));
  return taken ? result<taken_event>(std::move(taken->front())) : taken.error();
}

result<taken_event> trigger_desk::test(const target& at, const trigger_ask& asked) {
  arrival what;
  what.source = static_cast<event_source>(at.what->source.index()); // the order of both is the same, but for `fire`
  what.body = asked.body;
  what.key = asked.key;
  for (const auto& [name, value] : asked.headers)
    what.headers.emplace(name, value);
  if (at.what->schedule() != nullptr)
    what.tick = std::chrono::floor<std::chrono::seconds>(time_.now());
  taken_event answer;
  const auto say = [&](const std::string& line) { answer.because += (answer.because.empty() ? "" : "\n") + line; };
  auto body = event_body::parse(what.body);
  if (!body)
    return body.error();
  say(what.body.empty() ? "body: none" : "body: it is JSON");
  what.parsed = std::make_shared<const event_body>(std::move(*body));
  if (const auto known = have_known(); !known)
    return known.error();
  if (!at.what->enabled)
    say("the trigger is not enabled");
  if (const auto paused = is_paused(at); !paused)
    return paused.error();
  else if (*paused)
    say("the trigger is paused");
  const std::lock_guard one_at_a_time(taking_);
  std::vector<event_intake> none;
  auto intake = prepare(at, what, engine_.next_event(), none);
  if (!intake)
    return intake.error();
  answer.fate = intake->fate.value_or(event_fate::pending);
  if (!at.what->when.empty())
    say(answer.fate == event_fate::filtered ? "when: " + intake->because : "when: it passes");
  if (answer.fate == event_fate::rejected)
    say("rejected: " + intake->because);
  if (answer.fate == event_fate::filtered || answer.fate == event_fate::rejected)
    return answer;
  for (const auto& [name, value] : intake->ask.params)
    say("param " + name + ": " + value);
  if (!asked.key.empty())
    say(intake->fate ? "key: event " + std::to_string(intake->what.duplicate_of) + " had it" : "key: it is new");
  std::vector<event_intake> all;
  all.push_back(std::move(*intake));
  const auto would = engine_.would_take(std::move(all));
  if (!would && would.error().code != error_code::busy)
    return would.error();
  if (would) {
    answer.fate = would->front().fate;
    answer.duplicate_of = would->front().duplicate_of;
    if (answer.fate != event_fate::pending)
      answer.run = would->front().run;
  }
  say(would ? in_words(would->front()) : "it would be refused: " + would.error().message);
  return answer;
}

result<std::size_t> trigger_desk::forget_keys(const std::function<bool(const seen_key&)>& which,
                                              const std::string& by) {
  constexpr std::size_t most_at_once = 1000;
  const auto snapshot = engine_.history();
  if (!snapshot)
    return snapshot.error();
  std::map<std::string, std::vector<std::string>> found;
  std::size_t count = 0;
  const auto read = (*snapshot)->visit_seen_keys([&](const seen_key& one) {
    if (which(one)) {
      found[one.trigger].push_back(one.key);
      ++count;
    }
    return true;
  });
  if (!read)
    return read.error();
  {
    const std::lock_guard lock(coming_mutex_);
    for (auto& [trigger, keys] : found)
      count -= std::erase_if(keys, [&, of = &trigger](const auto& key) { return coming_keys_.contains({*of, key}); });
  }
  for (auto& [trigger, keys] : found)
    for (std::size_t i = 0; i < keys.size(); i += most_at_once) {
      keys_forgotten event{trigger, time_.now(), {}, by};
      event.keys.assign(keys.begin() + static_cast<std::ptrdiff_t>(i),
                        keys.begin() + static_cast<std::ptrdiff_t>(std::min(keys.size(), i + most_at_once)));
      if (const auto done = engine_.record({std::move(event)}); !done)
        return done.error();
    }
  return count;
}

result<taken_event> trigger_desk::forget(const trigger_ask& asked) {
  const auto at = find(asked.name);
  if (!at)
    return at.error();
  const std::lock_guard one_at_a_time(taking_);
  const auto gone = forget_keys(
      [&](const seen_key& one) { return one.trigger == at->name() && (asked.key.empty() || one.key == asked.key); },
      asked.by);
  if (!gone)
    return gone.error();
  if (*gone == 0 && !asked.key.empty())
    return fail(error_code::not_found, "the trigger " + at->name() + " knows no key \"" + asked.key + "\"");
  taken_event answer;
  answer.because = at->name() + ": " + std::to_string(*gone) + (*gone == 1 ? " key is" : " keys are") + " forgotten";
  return answer;
}

result<void> trigger_desk::forget_old_keys() {
  const auto now = time_.now();
  std::map<std::string, key_retention> kept;
  for (const auto& of : pipelines())
    for (const auto& what : of.set->triggers)
      kept.emplace(of.pipeline + "/" + what.name, kept_keys(what));
  const std::lock_guard one_at_a_time(taking_);
  const auto gone = forget_keys(
      [&](const seen_key& one) {
        const auto known = kept.find(one.trigger);
        const auto span = known == kept.end() ? manual_source{}.keep_keys : known->second;
        return span && one.at + *span <= now;
      },
      {});
  return gone ? result<void>() : gone.error();
}

} // namespace troupe_internal::serve
