// A fold over the events that are kept, and one request.
#include "engine/trigger_history.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/journal/state_lock.hpp"
#include "adapters/system/system_clock.hpp"
#include "engine/control_client.hpp"
#include "engine/project.hpp"
#include "engine/state_writer.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <utility>

namespace troupe_internal {

namespace {

/// Follows each event from its coming to its fate.
class event_fold {
public:
  void add(std::uint64_t seq, const event& e) {
    std::visit([&](const auto& it) { on(seq, it); }, e);
  }
  [[nodiscard]] std::vector<trigger_event_info>& all() { return all_; }

private:
  template <class T>
  void on(std::uint64_t, const T&) {}
  void on(std::uint64_t seq, const event_taken& e) { take(seq, e); }
  void on(std::uint64_t, const event_settled& e) {
    if (auto* const one = find(e.event)) {
      one->fate = e.fate;
      one->because = e.because;
      if (e.bound_run.value != 0)
        one->what.bound_run = e.bound_run;
    }
  }
  void on(std::uint64_t seq, const ticks_missed& e) {
    trigger_event_info gap;
    gap.seq = seq;
    gap.what.trigger = e.trigger;
    gap.what.at = e.at;
    gap.what.nominal = e.last;
    gap.fate = event_fate::missed;
    gap.count = e.count;
    all_.push_back(std::move(gap));
  }
  void on(std::uint64_t, const run_queued& e) { events_of_[e.run] = e.cause.events; }
  void on(std::uint64_t, const run_started& e) { settle(e.run, e.cause.events, event_fate::started); }
  void on(std::uint64_t, const run_dequeued& e) {
    if (e.reason == dequeue_reason::continued)
      return;
    const auto events = events_of_[e.run];
    settle(e.run, events,
           e.reason == dequeue_reason::expired   ? event_fate::expired
           : e.reason == dequeue_reason::removed ? event_fate::rejected
                                                 : event_fate::cancelled);
  }

  void take(std::uint64_t seq, const event_taken& what) {
    places_[what.event] = all_.size();
    trigger_event_info one;
    one.seq = seq;
    one.what = what;
    all_.push_back(std::move(one));
  }
  void settle(run_number run, const std::vector<std::uint64_t>& events, event_fate fate) {
    for (const auto number : events)
      if (auto* const one = find(number); one != nullptr && one->fate == event_fate::pending) {
        one->fate = fate;
        one->what.bound_run = run;
      }
    events_of_.erase(run);
  }
  trigger_event_info* find(std::uint64_t number) {
    const auto at = places_.find(number);
    return at == places_.end() ? nullptr : &all_[at->second];
  }

  std::vector<trigger_event_info> all_;
  std::map<std::uint64_t, std::size_t> places_;
  std::map<run_number, std::vector<std::uint64_t>> events_of_;
};

bool is_of(const std::string& trigger, const std::string& name) {
  return trigger == name || (trigger.size() > name.size() && trigger.ends_with("/" + name));
}

} // namespace

result<std::vector<trigger_event_info>> events_in(const journal_snapshot& snapshot, const events_wanted& wanted) {
  event_fold fold;
  // What is queued still may have been queued before the oldest event that is kept.
  auto read = snapshot.visit_queue([&](const run_queued& one) {
    fold.add(0, one);
    return true;
  });
  // Events come in the order of their numbers, so those that are pending and not kept come before all others.
  std::uint64_t first_kept = std::numeric_limits<std::uint64_t>::max();
  if (read)
    read = snapshot.visit_events(snapshot.info().first_seq, [&](std::uint64_t, const event& e) {
      const auto* const taken = std::get_if<event_taken>(&e);
      if (taken != nullptr)
        first_kept = taken->event;
      return taken == nullptr;
    });
  if (read)
    read = snapshot.visit_pending([&](const event_taken& one) {
      if (one.event < first_kept)
        fold.add(0, one);
      return one.event < first_kept;
    });
  if (read)
    read = snapshot.visit_events(snapshot.info().first_seq, [&](std::uint64_t seq, const event& e) {
      fold.add(seq, e);
      return true;
    });
  if (!read)
    return read.error();
  auto& all = fold.all();
  std::erase_if(all, [&](const trigger_event_info& one) {
    return (wanted.fate && one.fate != *wanted.fate) || (wanted.before != 0 && one.seq >= wanted.before) ||
           (!wanted.trigger.empty() && !is_of(one.what.trigger, wanted.trigger));
  });
  std::reverse(all.begin(), all.end());
  if (wanted.limit != 0 && all.size() > wanted.limit)
    all.resize(wanted.limit);
  return std::move(all);
}

result<std::vector<trigger_event_info>> list_events(const std::string& state_folder, const events_wanted& wanted) {
  const auto snapshot = open_snapshot(state_folder);
  if (!snapshot)
    return snapshot.error().code == error_code::not_found ? std::vector<trigger_event_info>()
                                                          : result<std::vector<trigger_event_info>>(snapshot.error());
  return events_in(**snapshot, wanted);
}

result<std::vector<notice_taken>> list_waiting_notices(const std::string& state_folder) {
  std::vector<notice_taken> waiting;
  const auto snapshot = open_snapshot(state_folder);
  if (!snapshot)
    return snapshot.error().code == error_code::not_found ? waiting
                                                          : result<std::vector<notice_taken>>(snapshot.error());
  const auto visited = (*snapshot)->visit_notices([&](const notice_taken& one) {
    if (!one.targets.empty())
      waiting.push_back(one);
    return true;
  });
  return visited ? result<std::vector<notice_taken>>(std::move(waiting)) : visited.error();
}

result<std::vector<trigger_record>> list_trigger_records(const std::string& state_folder) {
  const auto snapshot = open_snapshot(state_folder);
  std::vector<trigger_record> records;
  if (!snapshot)
    return snapshot.error().code == error_code::not_found ? records
                                                          : result<std::vector<trigger_record>>(snapshot.error());
  const auto visited = (*snapshot)->visit_triggers([&](const trigger_record& one) {
    records.push_back(one);
    return true;
  });
  if (!visited)
    return visited.error();
  return records;
}

result<taken_event> forget_keys_as_writer(const std::string& state_folder, const std::string& name,
                                          const std::string& key, const std::string& by) {
  system_clock time;
  const stop_request stop;
  state_opening how;
  how.grace = std::chrono::seconds(10); // of what a dead writer left running
  auto writer = state_writer::open(state_folder, how, time, stop);
  if (!writer)
    return writer.error();
  const auto snapshot = (*writer)->store().snapshot();
  if (!snapshot)
    return snapshot.error();
  std::map<std::string, std::vector<std::string>> found;
  auto read = (*snapshot)->visit_triggers([&](const trigger_record& one) {
    if (is_of(one.trigger, name))
      found[one.trigger];
    return true;
  });
  if (read && found.size() == 1)
    read = (*snapshot)->visit_seen_keys([&](const seen_key& one) {
      if (found.contains(one.trigger) && (key.empty() || one.key == key))
        found[one.trigger].push_back(one.key);
      return true;
    });
  if (!read)
    return read.error();
  if (found.empty())
    return fail(error_code::not_found, "the state knows no trigger \"" + name + "\"");
  if (found.size() > 1)
    return fail(error_code::invalid_input, "several pipelines have a trigger \"" + name + "\": name PIPELINE/TRIGGER");
  auto& [trigger, keys] = *found.begin();
  if (keys.empty() && !key.empty())
    return fail(error_code::not_found, "the trigger " + trigger + " knows no key \"" + key + "\"");
  const auto count = keys.size();
  auto events = (*writer)->take_opening();
  events.emplace_back(keys_forgotten{trigger, time.now(), std::move(keys), by});
  for (auto& last : (*writer)->closing())
    events.push_back(std::move(last));
  if (const auto appended = (*writer)->store().append(events); !appended)
    return appended.error();
  taken_event answer;
  answer.because = trigger + ": " + std::to_string(count) + (count == 1 ? " key is" : " keys are") + " forgotten";
  return answer;
}

result<taken_event> ask_supervisor(const std::string& state_folder, const trigger_ask& asked) {
  constexpr auto longest_wait = std::chrono::seconds(60);
  const auto nobody = [&] {
    return fail(error_code::state_unusable, "no supervisor has the state " + state_folder +
                                                ": `troupe serve` starts one, and only it takes events in");
  };
  const auto dir = state_dir::open(state_folder);
  if (!dir)
    return dir.error().code == error_code::not_found ? nobody() : dir.error();
  auto client = control_client::connect(**dir);
  if (!client)
    return client.error().code == error_code::not_found ? nobody() : client.error();
  if (const auto sent = client->send(trigger_request{asked}); !sent)
    return sent.error();
  const auto said = client->receive(longest_wait);
  if (!said)
    return said.error();
  if (*said)
    if (const auto* answer = std::get_if<trigger_answer>(&**said))
      return answer->what;
  return fail(error_code::state_unusable, "the supervisor has not answered within 60 seconds: `troupe events` says "
                                          "whether it has taken the event in");
}

} // namespace troupe_internal
