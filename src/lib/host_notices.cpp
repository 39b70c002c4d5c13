// Events that a program takes in for its pipelines: each is recorded with its key and with the run that it causes, in
// one transaction, and the run begins. What a process that died has left queued begins when the next one recovers.
#include "config/json_reader.hpp"
#include "core/pipeline/nearest_name.hpp"
#include "engine/event_file.hpp"
#include "engine/planning.hpp"
#include "lib/host_engine.hpp"

#include <algorithm>
#include <future>

namespace troupe_internal::lib {

namespace {

/// How long a key is known.
constexpr duration keys_are_kept = std::chrono::hours(24 * 90);
/// Keys that one event of the journal lists.
constexpr std::size_t most_keys_at_once = 1'000;

/// What is wrong with it; empty: it is JSON.
std::string json_problem(std::string_view text) {
  if (text.empty())
    return {};
  diagnostics list;
  config::findings out(list);
  config::json_reader json(config::chunks_of(text), out, config::json_dialect::plain);
  json.skip(json.value());
  json.finish();
  return list.items.empty()
             ? std::string()
             : "line " + std::to_string(list.items.front().where.line) + ": " + list.items.front().message;
}

digest request_of(const host_notice& what) {
  std::string all = what.json;
  for (const auto& [name, value] : what.params)
    all += '\n' + name + '=' + value;
  return content_digest(all);
}

} // namespace

result<std::optional<seen_key>> host_engine::key_seen(const std::string& scope, const std::string& key) {
  const auto snapshot = engine_->snapshot_of_now();
  if (!snapshot)
    return snapshot.error();
  seen_key seen;
  const auto found = (*snapshot)->read_seen_key(scope, key, seen);
  if (!found)
    return found.error();
  if (!*found || time_.now() >= seen.at + keys_are_kept)
    return std::optional<seen_key>();
  return std::optional(std::move(seen));
}

result<void> host_engine::forget_old_keys() {
  const auto now = time_.now();
  std::map<std::string, std::vector<std::string>> old;
  {
    const auto snapshot = engine_->snapshot_of_now();
    if (!snapshot)
      return snapshot.error();
    const auto visited = (*snapshot)->visit_seen_keys([&](const seen_key& one) {
      const std::lock_guard lock(mutex_);
      if (now >= one.at + keys_are_kept && pipelines_.contains(one.trigger.substr(0, one.trigger.find('/'))))
        old[one.trigger].push_back(one.key);
      return true;
    });
    if (!visited)
      return visited;
  }
  {
    const auto snapshot = engine_->snapshot_of_now();
    if (!snapshot)
      return snapshot.error();
    if (const auto tidied = payload_store(engine_->dir()).tidy(**snapshot, timestamp::min()); !tidied)
      return tidied.error();
  }
  if (old.empty())
    return {};
  if (const auto ready = engine_->get_ready(workers_); !ready)
    return ready;
  for (auto& [scope, keys] : old)
    for (std::size_t first = 0; first < keys.size(); first += most_keys_at_once) {
      const auto last = std::min(keys.size(), first + most_keys_at_once);
      keys_forgotten event{scope, now, {}, {}};
      event.keys.assign(keys.begin() + static_cast<std::ptrdiff_t>(first),
                        keys.begin() + static_cast<std::ptrdiff_t>(last));
      engine_->append({std::move(event)}, [](const result<std::uint64_t>&) {}); // flush() tells of a disk that is full
    }
  return engine_->flush();
}

troupe_error* host_engine::find_notice(const std::string& name, std::string& pipeline, std::string& event,
                                       std::vector<std::string>& selection) {
  const auto slash = name.find('/');
  std::vector<std::string> known;
  std::size_t found = 0;
  const std::lock_guard lock(mutex_);
  for (const auto& [in, declared] : pipelines_)
    for (const auto& [one, wanted] : declared->events()) {
      known.push_back(in + "/" + one);
      if (slash == std::string::npos ? one != name : known.back() != name)
        continue;
      ++found;
      pipeline = in;
      event = one;
      selection = wanted.select;
    }
  if (found == 1)
    return nullptr;
  std::string all;
  nearest_name nearest(name);
  for (const auto& one : known) {
    all += (all.empty() ? "" : ", ") + one;
    nearest.consider(one);
  }
  if (found > 1)
    return make_error(TROUPE_ERROR_INVALID_ARGUMENT,
                      "several pipelines have the event \"" + name + "\": name one of " + all);
  return make_error(TROUPE_ERROR_NOT_FOUND,
                    "no pipeline that was added has the event \"" + name + "\"" +
                        (all.empty() ? std::string(": declare it with pipeline::on()") : "; there are: " + all));
}

result<void> host_engine::dequeue(run_number run) {
  std::promise<result<std::uint64_t>> done;
  engine_->append({run_dequeued{run, time_.now(), dequeue_reason::cancelled, {}}},
                  [&](result<std::uint64_t> outcome) { done.set_value(std::move(outcome)); });
  const auto outcome = done.get_future().get();
  return outcome ? result<void>() : result<void>(outcome.error());
}

troupe_error* host_engine::start_queued(const project& on, const run_queued& what, std::vector<event_taken> events,
                                        std::shared_ptr<host_run>& run) {
  auto made = new_run();
  run_admission how;
  how.queued = &what;
  how.events = std::move(events);
  bool numbered = false;
  how.numbered = [&](run_number number) {
    numbered = true;
    const std::lock_guard lock(mutex_);
    runs_.emplace(number, made);
    changed_.notify_all();
  };
  const auto began = engine_->submit(on, options_of(what), *made, how);
  if (!began && numbered)
    forget(what.run);
  const auto durable = began ? engine_->flush() : result<void>(began.error());
  if (!durable)
    return make_error(durable.error());
  run = std::move(made);
  return nullptr;
}

troupe_error* host_engine::notify(const host_notice& what, host_receipt& receipt) {
  if (auto* const why = not_ready())
    return why;
  std::string pipeline;
  run_queued queued;
  run_options options;
  if (auto* const why = find_notice(what.name, pipeline, queued.cause.trigger, options.selection))
    return why;
  if (const auto problem = json_problem(what.json); !problem.empty())
    return make_error(TROUPE_ERROR_INVALID_ARGUMENT, "what comes with the event is no JSON: " + problem);
  auto built = project_of(pipeline, what.params);
  if (built.wrong)
    return built.wrong.release();
  if (const auto ready = engine_->get_ready(workers_); !ready)
    return make_error(ready.error());
  const std::lock_guard one_at_a_time(keys_mutex_);
  event_taken taken;
  taken.trigger = pipeline + "/" + queued.cause.trigger;
  taken.source = event_source::manual;
  taken.at = time_.now();
  taken.key = what.key;
  if (!what.key.empty() || !what.json.empty() || !what.params.empty())
    taken.request = request_of(what);
  if (!what.key.empty()) {
    const auto known = key_seen(taken.trigger, what.key);
    if (!known)
      return make_error(known.error());
    if (*known && (*known)->request != *taken.request)
      return make_error(TROUPE_ERROR_KEY_CONFLICT, "the key \"" + what.key + "\" is that of event " +
                                                       std::to_string((*known)->event) + ", which said something else");
    if (*known) {
      receipt.event = receipt.duplicate_of = (*known)->event;
      if (std::unique_ptr<troupe_error> gone(find((*known)->run, receipt.run)); gone)
        return gone->code == TROUPE_ERROR_NOT_FOUND ? nullptr : gone.release(); // its run is history no more
      return nullptr;
    }
  }
  const auto snapshot = engine_->snapshot_of_now();
  if (!snapshot)
    return make_error(snapshot.error());
  trigger_record record;
  const auto known = (*snapshot)->read_trigger(taken.trigger, record);
  if (!known)
    return make_error(known.error());
  taken.event = (*snapshot)->info().last_event + 1;
  payload_store payloads(engine_->dir());
  auto kept = payloads.keep(what.json, make_uuid_v7(taken.at, time_.random(), time_.random()));
  if (!kept)
    return make_error(kept.error());
  taken.body = std::move(*kept);
  options.params = what.params;
  options.workers = workers_;
  queued.at = taken.at;
  queued.pipeline = pipeline;
  queued.request = troupe_internal::request_of(built.on, options);
  queued.cause.kind = cause_kind::trigger;
  queued.cause.events = {taken.event};
  const auto defined = content_digest("event of a program");
  const auto run = engine_->enqueue(queued, [&](const run_queued& one) {
    std::vector<event> before;
    if (!*known || record.definition != defined)
      before.emplace_back(trigger_changed{taken.trigger, taken.at, defined});
    taken.bound_run = one.run;
    before.emplace_back(taken);
    return before;
  });
  if (!run) {
    payloads.drop(taken.body);
    return make_error(run.error());
  }
  receipt.event = taken.event;
  if (std::unique_ptr<troupe_error> why(start_queued(built.on, *run, {taken}, receipt.run)); why) {
    if (const auto left = dequeue(run->run); !left)
      why->message += "; and it stays queued: " + left.error().message;
    return why.release();
  }
  ring_feeds();
  return nullptr;
}

troupe_error* host_engine::recover_queue(std::uint32_t policy, const each_recovered& each) {
  std::vector<run_queued> queued;
  {
    const auto snapshot = engine_->snapshot_of_now();
    if (!snapshot)
      return make_error(snapshot.error());
    const auto visited = (*snapshot)->visit_queue([&](const run_queued& one) {
      queued.push_back(one);
      return true;
    });
    if (!visited)
      return make_error(visited.error());
  }
  for (const auto& one : queued) {
    std::shared_ptr<host_run> run;
    std::uint32_t what = TROUPE_LEFT;
    std::string reason;
    auto built = project_of(one.pipeline, one.request.params);
    if (const auto ready = engine_->get_ready(workers_); !ready)
      return make_error(ready.error());
    if (policy == TROUPE_ABANDON) {
      const auto left = dequeue(one.run);
      what = left ? TROUPE_ABANDONED : TROUPE_LEFT;
      if (!left)
        reason = left.error().message;
    } else if (built.wrong) {
      reason = built.wrong->message;
    } else {
      std::vector<event_taken> events;
      const auto snapshot = engine_->snapshot_of_now();
      const auto found = snapshot ? complete_events(**snapshot, one.cause, events) : result<void>(snapshot.error());
      std::unique_ptr<troupe_error> why(found ? start_queued(built.on, one, std::move(events), run)
                                              : make_error(found.error()));
      if (why)
        reason = why->message;
      else
        what = TROUPE_RESUMED;
    }
    each(one.run, what, run, reason);
  }
  return nullptr;
}

} // namespace troupe_internal::lib
