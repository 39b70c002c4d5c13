// What a supervisor's triggers do: ticks that are due become events, and so does what somebody asks for by a trigger's
// name. What has fired is in the journal alone, so a crash or a reload loses nothing and repeats nothing. Knows no
// socket, and no thread of its own.
#pragma once

#include "adapters/system/system_clock.hpp"
#include "base/result.hpp"
#include "engine/serving_engine.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe_internal::serve {

/// The triggers of a pipeline that loads.
struct served_triggers {
  std::string pipeline;
  std::string file; ///< absolute
  std::shared_ptr<const trigger_set> set;
};

/// Any thread. One thing is done at a time: a tick, or what somebody asks.
class trigger_desk final : public trigger_port {
public:
  /// All outlive it. `log`: a line, any thread.
  trigger_desk(serving_engine& engine, system_clock& time, std::function<void(const std::string&)> log);

  /// From now on these are the triggers. What they have fired stays fired.
  void set_pipelines(std::vector<served_triggers> pipelines);
  [[nodiscard]] std::vector<served_triggers> pipelines();

  /// Called, on any thread, when a look is worth it before the next tick is due; it may not ask the desk.
  void set_waker(std::function<void()> wake);
  /// Fires what is due. Returns when the next tick is, if any. An error is of the state, which may be better later;
  /// a tick that could not be taken in is due still, and `again` says so.
  struct turn {
    std::optional<timestamp> next;
    bool again = false; ///< look again soon, whatever the clock says
  };
  [[nodiscard]] result<turn> fire_due();

  [[nodiscard]] result<taken_event> ask(const trigger_ask& asked) override;

private:
  struct target {
    const served_triggers* of = nullptr;
    const trigger* what = nullptr;
    [[nodiscard]] std::string name() const { return of->pipeline + "/" + what->name; }
  };
  [[nodiscard]] result<target> find(const std::string& name) const;
  [[nodiscard]] result<std::map<std::string, trigger_record>> read_records();
  [[nodiscard]] result<void> note_changed(std::map<std::string, trigger_record>& records, timestamp now);
  [[nodiscard]] result<void> look_at(const target& at, const trigger_record& record, timestamp now, turn& out);
  [[nodiscard]] result<taken_event> fire(const target& at, const event_values& values, event_taken what, bool refuses,
                                         const std::vector<std::pair<std::string, std::string>>& given = {});
  [[nodiscard]] result<taken_event> take_request(const target& at, const trigger_ask& asked);
  [[nodiscard]] result<taken_event> pause_or_resume(const target& at, const trigger_ask& asked);
  /// Says why, once for each reason of a trigger.
  void complain(const std::string& name, const std::string& why);

  serving_engine& engine_;
  system_clock& time_;
  std::function<void(const std::string&)> log_;
  std::mutex mutex_; ///< guards what follows, and is held while something is done
  std::function<void()> wake_;
  std::vector<served_triggers> pipelines_;
  std::set<std::string> started_; ///< `start` triggers that have fired, or came too late to
  bool first_turn_ = true;
  std::map<std::string, std::string> complaints_;
};

/// What a trigger's definition asks for that this version does not do; empty: it does all.
[[nodiscard]] std::string not_done_yet(const trigger& of);

} // namespace troupe_internal::serve
