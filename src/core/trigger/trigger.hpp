// What a pipeline's triggers say: when it is to run by itself, and what such a run is. Plain values; knows no JSON, no
// clock and no run. A trigger changes no fingerprint.
#pragma once

#include "base/time.hpp"
#include "core/pipeline/diagnostic.hpp"
#include "core/schedule/tick_schedule.hpp"
#include "core/trigger/event_template.hpp"
#include "core/trigger/value_pattern.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe_internal {

/// A tick at each of these moments.
struct schedule_source {
  std::variant<interval_schedule, cron_schedule> ticks;
  std::shared_ptr<const time_zone> zone; ///< never null
  duration jitter{0};                    ///< a run starts up to this much later than its tick
  std::string not_on; ///< the file of dates without ticks, relative to the pipeline's folder; or empty

  [[nodiscard]] std::optional<timestamp> next(timestamp after) const {
    return std::visit([&](const auto& one) { return one.next(after); }, ticks);
  }
  [[nodiscard]] std::optional<timestamp> previous(timestamp before) const {
    return std::visit([&](const auto& one) { return one.previous(before); }, ticks);
  }
  /// Ticks after the one moment, up to and including the other.
  [[nodiscard]] std::uint64_t count(timestamp after, timestamp until) const {
    return std::visit([&](const auto& one) { return one.count(after, until); }, ticks);
  }
};

/// An event for files that changed.
struct watch_source {
  std::vector<std::string> paths; ///< patterns, relative to the pipeline's folder
  duration settle = std::chrono::seconds(1);
  duration max_settle = std::chrono::minutes(10);
  bool fire_for_existing = false;
  duration poll = std::chrono::seconds(10);
  std::vector<std::string> ignore{".*.swp", "*~", ".#*", "*.part", "*.tmp"}; ///< patterns of file names
};

/// How long the keys of events are remembered; nullopt: forever.
using key_retention = std::optional<duration>;

enum class webhook_scheme : std::uint8_t { github, standard, gitlab, generic, unsigned_ };

/// Where a secret is read from.
struct secret_source {
  enum class kind : std::uint8_t { file, environment, credential };
  kind from = kind::file;
  std::string name;
  friend bool operator==(const secret_source&, const secret_source&) = default;
};

/// How a request of the scheme `generic` is signed.
struct signature_form {
  std::string header;
  std::string prefix;
  bool base64 = false;          ///< else hexadecimal
  bool with_timestamp = false;  ///< the text "timestamp.body" is signed, not the body alone
  std::string timestamp_header; ///< with_timestamp: where the timestamp is
  duration tolerance = std::chrono::minutes(5);
};

/// An event for each request.
struct webhook_source {
  webhook_scheme scheme = webhook_scheme::generic;
  std::vector<secret_source> secrets; ///< each of them is accepted
  signature_form signature;
  std::optional<event_template> key; ///< header.NAME or body.PATH; nullopt: the scheme's own
  key_retention keep_keys = std::chrono::hours(24 * 7);
};

/// Events that a command reports.
struct sensor_source {
  std::vector<std::string> command; ///< one text for the shell, or the words of a command that is executed directly
  bool shell = false;
  duration every = std::chrono::seconds(30);
  duration timeout = std::chrono::seconds(60);
  std::uint32_t runs_per_call = 1000;
  key_retention keep_keys = std::chrono::hours(24 * 90);
};

/// An asset of this pipeline (`pipeline` is empty) or of another one.
struct asset_reference {
  std::string pipeline, asset;
  friend bool operator==(const asset_reference&, const asset_reference&) = default;
};

/// An event when assets change.
struct assets_source {
  bool all = false; ///< when each of them has changed, else when any has
  std::vector<asset_reference> assets;
  std::optional<duration> within; ///< all: changes that are older do not count
  bool self = false;              ///< changes by this trigger's own runs count
};

/// An event on request: `troupe notify`, `troupe triggers fire`.
struct manual_source {
  key_retention keep_keys = std::chrono::hours(24 * 90);
};

/// One event at each start of the supervisor.
struct start_source {};

using trigger_source = std::variant<schedule_source, watch_source, webhook_source, sensor_source, assets_source,
                                    manual_source, start_source>;
/// In the order of trigger_source, as users write them.
inline constexpr std::array<std::string_view, 7> trigger_kinds = {"schedule", "watch",  "webhook", "sensor",
                                                                  "assets",   "manual", "start"};

/// What becomes of an event while a run of the trigger is open.
enum class overlap_rule : std::uint8_t { queue, skip, cancel, parallel };
enum class overlap_scope : std::uint8_t { trigger, pipeline };
/// Which events become one run: those with equal params, or all (the last one's params are taken).
enum class coalesce_rule : std::uint8_t { equal, last };
/// What becomes of ticks that no supervisor was there for.
enum class catch_up_rule : std::uint8_t { latest, none, all };

struct queue_rule {
  std::uint32_t bound = 1; ///< runs of the trigger that may wait
  bool keep_all = false;   ///< each event waits for itself; else what comes while one waits joins it
  friend bool operator==(const queue_rule&, const queue_rule&) = default;
};

struct debounce_rule {
  duration quiet{0};
  duration max{0}; ///< after the first event; at least `quiet`
  std::optional<event_template> key;
};

struct throttle_rule {
  std::uint32_t runs = 1;
  duration per{0};
};

/// An event passes if its value here is one of these.
struct event_filter {
  event_template value; ///< one piece: body.PATH or header.NAME
  std::vector<std::string> accepted;
};

struct trigger {
  std::string name;
  place where; ///< of its key in "triggers"
  std::string description;
  trigger_source source;
  bool enabled = true;

  std::vector<std::string> select, exclude; ///< selections; no select: everything
  place select_where, exclude_where;
  std::map<std::string, event_template, std::less<>> params;
  std::map<std::string, value_pattern, std::less<>> allow; ///< by param: what values from outside may be
  std::vector<event_filter> when;                          ///< all have to pass

  overlap_rule overlap = overlap_rule::queue;
  overlap_scope scope = overlap_scope::trigger;
  queue_rule queue;
  coalesce_rule coalesce = coalesce_rule::equal;
  std::optional<debounce_rule> debounce;
  std::optional<throttle_rule> throttle;
  std::int32_t priority = 0;
  std::optional<duration> start_within, timeout;
  std::optional<std::uint32_t> pause_after_failures;

  catch_up_rule catch_up = catch_up_rule::latest;
  duration catch_up_window = std::chrono::hours(24 * 7);
  std::uint32_t catch_up_max = 100;
  duration late_after = std::chrono::minutes(1);

  [[nodiscard]] std::string_view kind() const { return trigger_kinds[source.index()]; }
  [[nodiscard]] const schedule_source* schedule() const { return std::get_if<schedule_source>(&source); }
};

/// Where a param's value goes in the pipeline's commands and paths.
struct param_use {
  std::vector<std::string> paths; ///< the texts of inputs and outputs that name it
  bool begins_argument = false;   ///< it stands at the beginning of an argument
};

/// All triggers of a pipeline file.
struct trigger_set {
  place begin, end;                                   ///< of "triggers" in the file
  std::vector<trigger> triggers;                      ///< in the order of the file
  std::map<std::string, param_use, std::less<>> uses; ///< of all params

  [[nodiscard]] const trigger* find(std::string_view name) const {
    for (const auto& one : triggers)
      if (one.name == name)
        return &one;
    return nullptr;
  }
};

/// The queue of a trigger that does not say: one run that waits stands for all, unless they differ by params.
[[nodiscard]] constexpr queue_rule default_queue(bool has_params) {
  return has_params ? queue_rule{1000, true} : queue_rule{1, false};
}

} // namespace troupe_internal
