// What the journal says of triggers: events that they took in, what became of each, and what is remembered of a
// trigger. Plain values; knows no schedule, no clock and no storage.
#pragma once

#include "base/digest.hpp"
#include "base/strong_id.hpp"
#include "base/time.hpp"
#include "base/uuid.hpp"
#include "core/model/materialization.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal {

/// Where an event came from. Persisted: do not change the values.
enum class event_source : std::uint8_t {
  schedule = 0,
  watch = 1,
  webhook = 2,
  sensor = 3,
  assets = 4,
  manual = 5, ///< `troupe notify`
  start = 6,
  fire = 7,     ///< `troupe triggers fire`, of a trigger of any kind
  backfill = 8, ///< a tick of the past that somebody asked for; without `after` it says nothing of the tick
};

/// What became of an event. Persisted: do not change the values.
enum class event_fate : std::uint8_t {
  pending = 0,   ///< its run is queued
  started = 1,   ///< its run has started
  coalesced = 2, ///< it joined a run that was queued for an earlier event
  duplicate = 3, ///< an earlier event had the same key
  filtered = 4,
  skipped = 5,
  expired = 6,
  rejected = 7,
  missed = 8,
  cancelled = 9, ///< its run left the queue
};
inline constexpr std::size_t event_fate_count = 10;

/// A trigger is known from now on, says something else from now on, or is to forget what it has waited for (after a
/// clock was set back): its next tick is the first one after `at`.
struct trigger_changed {
  std::string trigger; ///< "PIPELINE/NAME"
  timestamp at;
  digest definition; ///< of what decides when it fires; all zero: the pipeline has no such trigger any more
  friend bool operator==(const trigger_changed&, const trigger_changed&) = default;
};

/// It fires no more until it is resumed. Once more for one that is paused: nothing changes.
struct trigger_paused {
  std::string trigger;
  timestamp at;
  std::string reason;
  std::string by; ///< the user or the token that asked; empty: unspecified
  friend bool operator==(const trigger_paused&, const trigger_paused&) = default;
};

/// It fires again: its next tick is the first one after `at`. Of one that is not paused nothing changes.
struct trigger_resumed {
  std::string trigger;
  timestamp at;
  std::string by;
  friend bool operator==(const trigger_resumed&, const trigger_resumed&) = default;
};

/// So many ticks from the first to the last will not become runs.
struct ticks_missed {
  std::string trigger;
  timestamp at;
  timestamp first;
  timestamp last;
  std::uint64_t count = 1;
  friend bool operator==(const ticks_missed&, const ticks_missed&) = default;
};

/// What happened to a file that a trigger watches. Persisted: do not change the values.
enum class file_change : std::uint8_t { created = 0, changed = 1, deleted = 2, moved = 3 };
inline constexpr std::size_t file_change_count = 4;

struct changed_file {
  std::string path; ///< relative to the pipeline's folder
  file_change change = file_change::changed;
  friend bool operator==(const changed_file&, const changed_file&) = default;
};

/// The wall clock was set while a supervisor was there.
struct clock_jumped {
  timestamp from; ///< what it would have shown
  timestamp to;   ///< what it showed
  friend bool operator==(const clock_jumped&, const clock_jumped&) = default;
};

/// An asset that has changed, and waits for the others that a trigger follows.
struct asset_flag {
  asset_id asset;
  std::uint64_t seq = 0; ///< of the event that changed it
  timestamp at;
  friend bool operator==(const asset_flag&, const asset_flag&) = default;
};

/// A trigger that follows assets has seen their changes up to an event. An event that it takes in for them is in the
/// same transaction.
struct changes_seen {
  std::string trigger;
  timestamp at;
  std::uint64_t upto = 0;         ///< below the number of this event
  std::vector<asset_flag> flags;  ///< what stands from now on
  std::vector<asset_flag> lapsed; ///< what had waited too long
  friend bool operator==(const changes_seen&, const changes_seen&) = default;
};

/// A text of an event that is too long for the journal: a file in the state's folder `payloads`.
struct text_file {
  uuid name;
  std::uint64_t bytes = 0;
  digest content;
  friend bool operator==(const text_file&, const text_file&) = default;
};

/// A text that came with an event: here, or in a file. Nobody who reads the history is shown it.
struct kept_text {
  std::string text; ///< at most most_inline_bytes
  std::optional<text_file> file;

  static constexpr std::size_t most_inline_bytes = 1024;
  [[nodiscard]] bool empty() const { return text.empty() && !file; }
  void clear() {
    text.clear();
    file.reset();
  }
  [[nodiscard]] std::uint64_t bytes() const { return file ? file->bytes : text.size(); }
  friend bool operator==(const kept_text&, const kept_text&) = default;
};

/// What came with an event beside its body. It is kept as a text of its own.
struct event_details {
  std::vector<std::pair<std::string, std::string>> headers; ///< by name in lower case: those that its trigger uses
  std::vector<std::pair<std::string, std::string>> params;  ///< as given
  std::optional<std::vector<std::string>> select;           ///< as given
  std::vector<changed_file> files;                          ///< of a watch
  [[nodiscard]] bool empty() const { return headers.empty() && params.empty() && !select && files.empty(); }
  friend bool operator==(const event_details&, const event_details&) = default;
};

/// A trigger took an event in. Its fate follows in the same transaction, or a run is queued for it there.
struct event_taken {
  std::uint64_t event = 0; ///< 1, 2, 3 … in the state
  std::string trigger;
  event_source source = event_source::schedule;
  timestamp at;
  std::optional<timestamp> nominal; ///< of a tick
  std::optional<timestamp> after;   ///< of a tick: no other one lies between this moment and the nominal one
  std::string key;
  std::optional<digest> request;  ///< of what came with it
  run_number bound_run;           ///< that it is for; 0: none
  std::uint64_t duplicate_of = 0; ///< the event that had the key first; 0: none
  std::string by;
  kept_text body;              ///< JSON
  kept_text details;           ///< event_details, encoded
  std::uint64_t replay_of = 0; ///< the event that is taken in again; 0: none
  friend bool operator==(const event_taken&, const event_taken&) = default;
};

/// What became of an event that was pending: final.
struct event_settled {
  std::uint64_t event = 0;
  timestamp at;
  event_fate fate = event_fate::started;
  run_number bound_run; ///< started, coalesced, duplicate, cancelled: which run; 0: none
  std::string because;  ///< for people
  friend bool operator==(const event_settled&, const event_settled&) = default;
};

/// Somebody asked for a run under a key: asked again under it, there is no other run.
struct key_used {
  std::string scope; ///< "PIPELINE/": no trigger has such a name
  std::string key;
  digest request;
  run_number bound_run; ///< it is queued, or starts, in the same transaction
  timestamp at;
  friend bool operator==(const key_used&, const key_used&) = default;
};

/// Keys count no more: they are old, or somebody wants to use them again.
struct keys_forgotten {
  std::string trigger; ///< or the scope of key_used
  timestamp at;
  std::vector<std::string> keys;
  std::string by; ///< who asked; empty: nobody, they were old
  friend bool operator==(const keys_forgotten&, const keys_forgotten&) = default;
};

/// A file as a trigger last took notice of it.
struct watched_file {
  std::string path;   ///< as the trigger's patterns have it: relative to the pipeline's folder, or absolute
  file_record record; ///< of kind absent: it is gone
  friend bool operator==(const watched_file&, const watched_file&) = default;
};

/// A trigger took notice of files: of these, as they were then. An event that they cause is in the same transaction.
struct files_watched {
  std::string trigger;
  timestamp at;
  std::vector<watched_file> files;
  friend bool operator==(const files_watched&, const files_watched&) = default;
};

/// A sensor goes on from here. What it has reported is in the same transaction.
struct cursor_moved {
  std::string trigger;
  timestamp at;
  std::string cursor; ///< empty: it begins anew
  std::string by;     ///< who has set it by hand; empty: the sensor
  friend bool operator==(const cursor_moved&, const cursor_moved&) = default;
};

/// What the files in the table of a watching trigger are good for. Persisted: do not change the values.
enum class watch_base : std::uint8_t {
  none = 0,  ///< it is new, or watches other files than it did
  taken = 1, ///< what differs from them has changed
  stale = 2, ///< it was paused: what changed meanwhile does not count
};

/// Ticks that have fired: these two, and all between them.
struct tick_range {
  timestamp first;
  timestamp last;
  friend bool operator==(const tick_range&, const tick_range&) = default;
};

/// What is remembered of a trigger.
struct trigger_record {
  std::string trigger;
  digest definition;
  timestamp mark; ///< ticks up to here have a fate; moves back when a clock does
  std::optional<timestamp> paused_at;
  std::string pause_reason;
  std::vector<tick_range> fired; ///< in order of time, apart from each other; the newest most_ranges of them
  timestamp floor;               ///< no tick up to here fires any more: what is beneath it is forgotten
  std::uint64_t taken = 0;       ///< events, and ticks that were missed
  std::uint64_t pending = 0;
  std::array<std::uint64_t, event_fate_count> settled{}; ///< by fate
  std::uint64_t last_event = 0;                          ///< 0: none yet
  std::optional<timestamp> last_at, last_nominal;
  watch_base watched = watch_base::none;
  std::string cursor;            ///< of a sensor; empty: none
  std::vector<timestamp> starts; ///< of its runs: the newest most_starts of them, in the order of the journal
  std::uint32_t failures = 0;    ///< of its runs, since one succeeded or the trigger was resumed
  std::uint64_t seen = 0;        ///< changes of assets up to this event; it has no effect on other kinds
  std::vector<asset_flag> flags; ///< changes that wait for others
  friend bool operator==(const trigger_record&, const trigger_record&) = default;

  /// A clock that jumps back and forth makes a new range each time.
  static constexpr std::size_t most_ranges = 64;
  /// A throttle looks no further back.
  static constexpr std::size_t most_starts = 100;
  [[nodiscard]] bool has_fired(timestamp nominal) const {
    if (nominal <= floor)
      return true;
    for (const auto& range : fired)
      if (range.first <= nominal && nominal <= range.last)
        return true;
    return false;
  }
};

/// A key that a trigger has seen.
struct seen_key {
  std::string trigger;
  std::string key;
  digest request;
  std::uint64_t event = 0; ///< that had it first
  run_number run;          ///< that this event was for; 0: none
  timestamp at;
  friend bool operator==(const seen_key&, const seen_key&) = default;
};

/// What readers are told of one event, or of the ticks of one gap (`count`, `nominal` is the last of them; they have no
/// number).
struct trigger_event_info {
  std::uint64_t seq = 0; ///< of the journal's event that says so; 0: it is not kept any more
  event_taken what;
  event_fate fate = event_fate::pending;
  std::string because;
  std::uint64_t count = 1;
};

/// Where records lie: the first 8 bytes of the digest of what they are of.
[[nodiscard]] inline std::uint64_t table_key(const digest& of) {
  std::uint64_t key = 0;
  for (unsigned i = 0; i < 8; ++i)
    key |= std::uint64_t{of.bytes[i]} << 8U * i;
  return key;
}
[[nodiscard]] inline std::uint64_t trigger_key(std::string_view trigger) {
  return table_key(quick_digest(trigger));
}
[[nodiscard]] inline std::uint64_t seen_key_key(std::string_view trigger, std::string_view key) {
  return table_key(quick_digest(std::string(trigger) + '\n' + std::string(key)));
}

[[nodiscard]] inline std::uint64_t watched_key(std::string_view trigger, std::string_view path) {
  return table_key(quick_digest(std::string(trigger) + '\n' + std::string(path)));
}

/// A file of a trigger, as the table has it.
struct watched_record {
  std::string trigger;
  watched_file file;
  friend bool operator==(const watched_record&, const watched_record&) = default;
};

/// Events that a queued run lists as its own; more of them join it all the same.
inline constexpr std::size_t most_events_listed = 1000;

} // namespace troupe_internal
