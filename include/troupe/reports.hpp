// What an engine reports: why an asset is stale, what made it, what runs now, and what happens, event by event. Knows
// no engine.
#pragma once

#include "troupe/pipeline.hpp"

#include <array>

namespace troupe {
inline namespace v1 {

/// A moment; nanoseconds since 1970.
using time_point = std::chrono::sys_time<std::chrono::nanoseconds>;

/// Why an asset is stale. Numbers are never given a second meaning; a newer library may report a number that is not
/// here.
enum class reason_kind : std::uint32_t {
  never_materialized = TROUPE_REASON_NEVER_MATERIALIZED,
  command_changed = TROUPE_REASON_COMMAND_CHANGED,
  version_changed = TROUPE_REASON_VERSION_CHANGED,
  env_changed = TROUPE_REASON_ENV_CHANGED,
  param_changed = TROUPE_REASON_PARAM_CHANGED,
  input_changed = TROUPE_REASON_INPUT_CHANGED,
  input_added = TROUPE_REASON_INPUT_ADDED,
  input_removed = TROUPE_REASON_INPUT_REMOVED,
  upstream_changed = TROUPE_REASON_UPSTREAM_CHANGED,
  output_missing = TROUPE_REASON_OUTPUT_MISSING,
  output_modified = TROUPE_REASON_OUTPUT_MODIFIED,
  last_attempt_failed = TROUPE_REASON_LAST_ATTEMPT_FAILED,
  expired = TROUPE_REASON_EXPIRED,
  always = TROUPE_REASON_ALWAYS,
  forced = TROUPE_REASON_FORCED,
  cycle = TROUPE_REASON_CYCLE,
  output_target_changed = TROUPE_REASON_OUTPUT_TARGET_CHANGED,
  output_renamed = TROUPE_REASON_OUTPUT_RENAMED,
  output_made_by_other = TROUPE_REASON_OUTPUT_MADE_BY_OTHER,
  executable_changed = TROUPE_REASON_EXECUTABLE_CHANGED,
  value_missing = TROUPE_REASON_VALUE_MISSING,
  value_unreadable = TROUPE_REASON_VALUE_UNREADABLE
};
[[nodiscard]] constexpr const char* to_string(reason_kind kind) noexcept {
  constexpr std::array words = {"never_materialized",
                                "command_changed",
                                "version_changed",
                                "env_changed",
                                "param_changed",
                                "input_changed",
                                "input_added",
                                "input_removed",
                                "upstream_changed",
                                "output_missing",
                                "output_modified",
                                "last_attempt_failed",
                                "expired",
                                "always",
                                "forced",
                                "cycle",
                                "output_target_changed",
                                "output_renamed",
                                "output_made_by_other",
                                "executable_changed",
                                "value_missing",
                                "value_unreadable"};
  const auto number = static_cast<std::size_t>(kind);
  return number < words.size() ? words[number] : "unknown";
}

struct reason {
  reason_kind kind = reason_kind::never_materialized;
  std::string subject{};    ///< the file, asset, param or variable that it is about
  std::string from{}, to{}; ///< what it was and what it is, where that is known
  std::string sentence{};   ///< for people
};

/// What a run that starts now would do with an asset.
enum class action : std::uint32_t {
  fresh = TROUPE_ACTION_FRESH,
  run = TROUPE_ACTION_RUN,
  maybe = TROUPE_ACTION_MAYBE ///< that is known when what it needs has run
};
[[nodiscard]] constexpr const char* to_string(action what) noexcept {
  return what == action::fresh ? "fresh" : what == action::run ? "run" : "maybe";
}

enum class attempt_state : std::uint32_t {
  none = TROUPE_ATTEMPT_NONE,
  running = TROUPE_ATTEMPT_RUNNING,
  succeeded = TROUPE_ATTEMPT_SUCCEEDED,
  failed = TROUPE_ATTEMPT_FAILED,
  cancelled = TROUPE_ATTEMPT_CANCELLED,
  interrupted = TROUPE_ATTEMPT_INTERRUPTED
};
[[nodiscard]] constexpr const char* to_string(attempt_state state) noexcept {
  constexpr std::array words = {"none", "running", "succeeded", "failed", "cancelled", "interrupted"};
  const auto number = static_cast<std::size_t>(state);
  return number < words.size() ? words[number] : "unknown";
}

/// One asset, now.
struct explanation {
  troupe::action action = troupe::action::fresh;
  std::string standing{};        ///< "fresh", "stale", "maybe", "running", "failed"
  std::vector<reason> reasons{}; ///< why it is stale, or may become so
  struct materialization {
    std::uint64_t run = 0;
    time_point at{};
    duration took{};
    std::string data_version{}, metadata{}; ///< metadata: a JSON object, or empty
  };
  std::optional<materialization> made{}; ///< the last time
  struct attempt {
    attempt_state state = attempt_state::none;
    std::uint64_t run = 0;
    std::uint32_t number = 0; ///< in that run
    time_point started_at{};
    std::vector<reason> reasons{};
  };
  std::optional<attempt> last_attempt{};
  std::vector<std::string> needs{}, needed_by{}; ///< assets
};

/// What a run did with an asset.
struct execution {
  std::uint64_t run = 0;
  std::string status{}, error{};
  std::uint32_t attempts = 0;
  time_point started_at{}; ///< of the last attempt
  duration took{};
  std::string data_version{}, metadata{};
  bool changed = false; ///< it came to another data version than before
  std::vector<reason> reasons{};
};

/// Which part of a history.
struct page {
  std::uint64_t before = 0;  ///< only runs with a lower number; 0: all. That of the last one leads to the next page
  std::uint32_t limit = 100; ///< at most so many
};

/// A function that is being called.
struct call_report {
  std::uint64_t run = 0;
  std::string asset{}; ///< "PIPELINE/ASSET"
  std::uint32_t attempt = 0;
  duration running{};           ///< so far
  std::optional<double> done{}; ///< a share of 1, as it last said
  std::string words{};
  bool stopping = false; ///< it was asked to stop, and has not returned
};

/// Something that was recorded; or how far a function is (kind "progress"), which is not.
struct event {
  std::uint64_t seq = 0; ///< 1, 2, 3 …; 0: it is not recorded
  std::string kind{};    ///< as `troupe journal dump` names it: "run_started", "attempt_finished", …
  std::optional<time_point> at{};
  std::uint64_t run = 0; ///< 0: it is of none
  std::string asset{};   ///< "PIPELINE/ASSET"; empty: it is of none
  std::string json{};    ///< all of it; empty for progress
  double done = 0;       ///< of progress: a share of 1
  std::string words{};   ///< likewise
};

namespace detail {

[[nodiscard]] inline time_point moment(std::int64_t ns) {
  return time_point(std::chrono::nanoseconds(ns));
}
[[nodiscard]] inline std::vector<reason> reasons(const troupe_reason* const* from, std::size_t count) {
  std::vector<reason> all;
  for (std::size_t i = 0; i < count; ++i)
    all.push_back({static_cast<reason_kind>(from[i]->kind), string(from[i]->subject), string(from[i]->from),
                   string(from[i]->to), string(from[i]->sentence)});
  return all;
}
[[nodiscard]] inline std::vector<std::string> strings(const troupe_text* from, std::size_t count) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i)
    all.push_back(string(from[i]));
  return all;
}
inline void explained(void* into, const troupe_explanation* from) {
  auto& to = *static_cast<explanation*>(into);
  to.action = static_cast<action>(from->action);
  to.standing = string(from->standing);
  to.reasons = reasons(from->reasons, from->reason_count);
  if (from->made_in != 0)
    to.made = {from->made_in, moment(from->made_at), duration(from->made_took), string(from->data_version),
               string(from->metadata)};
  if (from->last_attempt != TROUPE_ATTEMPT_NONE)
    to.last_attempt = {static_cast<attempt_state>(from->last_attempt), from->attempt_in, from->attempt,
                       moment(from->attempt_at), reasons(from->attempt_reasons, from->attempt_reason_count)};
  to.needs = strings(from->needs, from->need_count);
  to.needed_by = strings(from->needed_by, from->needed_by_count);
}
inline std::int32_t executed(void* into, const troupe_execution* from) {
  static_cast<std::vector<execution>*>(into)->push_back(
      {from->run, string(from->status), string(from->error), from->attempts, moment(from->started_at),
       duration(from->took), string(from->data_version), string(from->metadata), from->changed != 0,
       reasons(from->reasons, from->reason_count)});
  return 0;
}
inline void called(void* into, const troupe_call_report* from) {
  static_cast<std::vector<call_report>*>(into)->push_back(
      {from->run, string(from->asset), from->attempt, duration(from->running),
       from->done < 0 ? std::nullopt : std::optional(from->done), string(from->words), from->stopping != 0});
}

} // namespace detail

/// Which events.
struct event_options {
  std::uint64_t from = TROUPE_EVENTS_NEW; ///< the number of the first; the default: those that are recorded from now on
  std::uint64_t run = 0;                  ///< of this run alone; 0: of all, and of none
  bool progress = true; ///< also how far functions are, perhaps before the event that says the attempt has started
};

/// Events, pulled. A recorded event is never lost: it is read from the journal when next() comes to it, and the history
/// keeps what a subscription has not read, up to 100,000 events more than it would. May outlive its engine. next(): one
/// thread at a time; the rest: any.
class subscription {
public:
  subscription(subscription&& from) noexcept : in_(std::exchange(from.in_, nullptr)) {}
  subscription& operator=(subscription&& from) noexcept {
    std::swap(in_, from.in_);
    return *this;
  }
  subscription(const subscription&) = delete;
  subscription& operator=(const subscription&) = delete;
  ~subscription() { troupe_events_release(in_); }

  /// The next event; nothing where `at_most` is over. history_dropped: events were dropped from the history before
  /// they were read here, and the next call continues after the gap. shutting_down: the engine has gone, and this comes
  /// after its last event.
  [[nodiscard]] result<std::optional<event>> next(duration at_most) {
    troupe_event from{};
    from.size = sizeof from;
    std::int32_t found = 0;
    if (auto* const why = troupe_events_next(in_, at_most.count() < 0 ? 0 : at_most.count(), &from, &found))
      return detail::take_error(why);
    if (found == 0)
      return std::optional<event>();
    event to;
    to.seq = from.seq;
    to.kind = detail::string(from.kind);
    if (from.at != 0)
      to.at = detail::moment(from.at);
    to.run = from.run;
    to.asset = detail::string(from.asset);
    to.json = detail::string(from.json);
    to.done = from.done;
    to.words = detail::string(from.words);
    return std::optional<event>(std::move(to));
  }
  /// For poll() or epoll: readable when next(0s) has an event or an error, and now and then when it has not. Do not
  /// read or close it.
  [[nodiscard]] int descriptor() const noexcept { return troupe_events_descriptor(in_); }
  /// event_options::from of a subscription that continues this one, even after a restart.
  [[nodiscard]] std::uint64_t position() const noexcept { return troupe_events_position(in_); }
  /// How many words about progress were dropped because nobody took them.
  [[nodiscard]] std::uint64_t lost() const noexcept { return troupe_events_lost(in_); }

private:
  friend class engine;
  explicit subscription(troupe_events* in) noexcept : in_(in) {}
  troupe_events* in_;
};

} // namespace v1
} // namespace troupe
