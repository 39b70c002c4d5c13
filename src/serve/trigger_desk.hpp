// What a supervisor's triggers do: ticks that are due become events, and so does what somebody asks for by a trigger's
// name. What has fired is in the journal alone, so a crash or a reload loses nothing and repeats nothing. Knows no
// socket, and no thread of its own.
#pragma once

#include "adapters/system/system_clock.hpp"
#include "base/result.hpp"
#include "engine/payload_store.hpp"
#include "engine/serving_engine.hpp"
#include "serve/arrival.hpp"
#include "serve/clock_watch.hpp"
#include "serve/event_body.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal::serve {

/// The triggers of a pipeline that loads.
struct served_triggers {
  std::string pipeline;
  std::string file; ///< absolute
  std::shared_ptr<const trigger_set> set;
  std::shared_ptr<const troupe_internal::pipeline> p;
};

/// Any thread.
class trigger_desk final : public trigger_port {
public:
  /// All outlive it. `log`: a line, any thread.
  trigger_desk(serving_engine& engine, system_clock& time, state_dir::handle state,
               std::function<void(const std::string&)> log);

  /// From now on these are the triggers. What they have fired stays fired.
  void set_pipelines(std::vector<served_triggers> pipelines);
  [[nodiscard]] std::vector<served_triggers> pipelines();

  /// Called, on any thread, when a look is worth it before the next tick is due; it may not ask the desk.
  void set_waker(std::function<void()> wake);
  /// Is told, on any thread, that the triggers are other ones or that one was paused or resumed; it may not ask the
  /// desk. None: no more.
  void listen(const void* who, std::function<void()> changed);
  /// What the journal says of triggers: of all that are served, and of others.
  [[nodiscard]] result<std::map<std::string, trigger_record>> known_triggers();
  /// Why a trigger, by its full name, does not do what it should at the moment; empty: it does. Any thread.
  void set_trouble(const std::string& name, const std::string& why);
  [[nodiscard]] std::map<std::string, std::string> troubles();
  /// Fires what is due. Returns when the next tick is, if any. An error is of the state, which may be better later;
  /// a tick that could not be taken in is due still, and `again` says so.
  struct turn {
    std::optional<timestamp> next;
    bool again = false; ///< look again soon, whatever the clock says
  };
  [[nodiscard]] result<turn> fire_due();
  /// A clock that is far behind the journal's last event is believed all the same. Before the first turn.
  void trust_clock() { trusts_clock_ = true; }
  /// Why schedules do not fire; empty: they do.
  [[nodiscard]] std::string schedules_held();
  /// How often the wall clock was set.
  [[nodiscard]] std::uint64_t clock_jumps() const { return clock_jumps_; }
  /// Whether assets have changed since it was asked last, as far as any trigger follows them. One thread at a time.
  [[nodiscard]] bool assets_changed();

  [[nodiscard]] result<taken_event> ask(const trigger_ask& asked) override;
  /// Deletes what came with events that are older, or that the history has no more. Once in a while.
  [[nodiscard]] result<void> tidy(duration keep_events);

  /// A trigger as it is when something comes for it: a reload does not change it any more.
  struct target {
    std::string pipeline, file;
    std::shared_ptr<const trigger_set> set;
    const trigger* what = nullptr; ///< of the set
    [[nodiscard]] std::string name() const { return pipeline + "/" + what->name; }
  };
  [[nodiscard]] static target target_of(const served_triggers& of, const trigger& what) {
    return {of.pipeline, of.file, of.set, &what};
  }
  [[nodiscard]] result<bool> is_paused(const target& at);
  /// TRIGGER or PIPELINE/TRIGGER. not_found; invalid_input where several pipelines have it.
  [[nodiscard]] result<target> find(const std::string& name);

  /// The one way in: parse, filter (`when`), params, key, and what the engine decides: overlap, queue. All or none
  /// where several are given. On disk when this returns; what was rejected is among them, too. Errors, and nothing was
  /// taken in: invalid_input (no JSON, a key that is too long, a pipeline file that others can write), busy (a queue is
  /// full), state_unusable and stopped as serving_engine::submit().
  [[nodiscard]] result<std::vector<taken_event>> take(const target& at, std::vector<arrival> what);
  /// The same without waiting for the disk: `then` is called once, on any thread, and may not ask the desk. Not called
  /// after an error.
  [[nodiscard]] result<void> take_soon(const target& at, std::vector<arrival> what, when_taken then);

private:
  using key_name = std::pair<std::string, std::string>; ///< trigger, key
  [[nodiscard]] result<target> find_served(const std::string& name) const;
  /// mutex_ is held.
  void tell_listeners();
  [[nodiscard]] result<std::map<std::string, trigger_record>> read_records();
  [[nodiscard]] result<void> note_changed(std::map<std::string, trigger_record>& records, timestamp now);
  /// Notes a jump, and at the first turn whether the clock can be believed.
  [[nodiscard]] result<void> look_at_clock(const std::map<std::string, trigger_record>& records, timestamp now);
  [[nodiscard]] result<void> look_at_changes(const target& at, const trigger_record& record, timestamp now, turn& out);
  [[nodiscard]] result<void> learn_names(const journal_snapshot& snapshot);
  /// Those whose runs have failed too often in a row.
  [[nodiscard]] result<void> pause_failing(std::map<std::string, trigger_record>& records, timestamp now);
  [[nodiscard]] result<void> look_at(const target& at, const trigger_record& record, timestamp now, turn& out);
  /// The texts of an arrival.
  struct kept_arrival {
    kept_text body, details;
  };
  [[nodiscard]] result<kept_arrival> keep(const target& at, arrival& what);
  void drop(const kept_arrival& texts) {
    payloads_.drop(texts.body);
    payloads_.drop(texts.details);
  }
  [[nodiscard]] result<void> take_kept(const target& at, std::vector<arrival>& what,
                                       const std::vector<kept_arrival>& kept, when_taken then);
  /// The journal knows all triggers by now: an event of one that it does not know would break a rule.
  [[nodiscard]] result<void> have_known();
  [[nodiscard]] event_intake intake_of(const target& at, arrival& what) const;
  /// Whether its key was seen: then it has a fate. `before`: what comes in with it, before it. taking_ is held.
  [[nodiscard]] result<void> find_key(const target& at, event_intake& intake, std::vector<event_intake>& before);
  /// taking_ is held.
  [[nodiscard]] result<void> take_all(std::vector<event_intake> all, when_taken then);
  /// The intake of one arrival up to its key, as take_kept() makes it. taking_ is held.
  [[nodiscard]] result<event_intake> prepare(const target& at, arrival& what, std::uint64_t number,
                                             std::vector<event_intake>& before);
  [[nodiscard]] result<taken_event> replay(const trigger_ask& asked);
  /// Says each step, and what would become of it.
  [[nodiscard]] result<taken_event> test(const target& at, const trigger_ask& asked);
  [[nodiscard]] result<taken_event> forget(const trigger_ask& asked);
  /// Keys count no more; those that are on their way to the journal stay. taking_ is held.
  [[nodiscard]] result<std::size_t> forget_keys(const std::function<bool(const seen_key&)>& which,
                                                const std::string& by);
  [[nodiscard]] result<void> forget_old_keys();
  [[nodiscard]] result<taken_event> set_cursor(const target& at, const trigger_ask& asked);
  [[nodiscard]] result<taken_event> backfill(const target& at, const trigger_record& record, const trigger_ask& asked);
  [[nodiscard]] result<taken_event> pause_or_resume(const target& at, const trigger_record& record,
                                                    const trigger_ask& asked);
  /// Says why, once for each reason of a trigger.
  void complain(const std::string& name, const std::string& why);

  serving_engine& engine_;
  system_clock& time_;
  payload_store payloads_;
  std::function<void(const std::string&)> log_;
  std::mutex taking_; ///< held while events get their numbers; after mutex_
  std::mutex coming_mutex_;
  std::map<key_name, seen_key> coming_keys_; ///< that are not on disk yet; under coming_mutex_
  std::atomic<bool> known_{false};           ///< the journal has all triggers; set with mutex_ held
  std::mutex mutex_; ///< guards what follows, and is held while ticks are looked at, or a trigger is paused
  std::function<void()> wake_;
  std::vector<served_triggers> pipelines_;
  std::set<std::string> started_; ///< `start` triggers that have fired, or came too late to
  bool first_turn_ = true;
  bool trusts_clock_ = false;
  clock_watch watch_;
  std::optional<timestamp> held_until_; ///< schedules are, because the clock is not believed
  std::atomic<std::uint64_t> clock_jumps_{0};
  /// By "PIPELINE/ASSET", and by the name of a declaration that stands for several.
  std::map<std::string, std::vector<std::pair<asset_id, std::string>>> asset_names_;
  std::uint32_t names_known_ = 0;           ///< of asset_names_
  std::atomic<bool> follows_assets_{false}; ///< some trigger does
  std::uint64_t scanned_ = 0;               ///< of assets_changed()
  std::map<std::string, std::string> complaints_;
  std::map<const void*, std::function<void()>> listeners_;
  std::mutex troubles_mutex_; ///< guards what follows
  std::map<std::string, std::string> troubles_;
};

/// How long the keys of a trigger count.
[[nodiscard]] key_retention kept_keys(const trigger& of);

} // namespace troupe_internal::serve
