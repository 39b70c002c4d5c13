// What a serving engine is told of a trigger's event, and what it says became of it. Knows no trigger's definition and
// no clock.
#pragma once

#include "base/result.hpp"
#include "core/model/trigger_event.hpp"
#include "core/trigger/event_rules.hpp"
#include "engine/run_ask.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal {

/// An event that a trigger is to take in.
struct event_intake {
  event_taken what;     ///< its number and its run are filled in
  std::string pipeline; ///< whose trigger it is
  run_ask ask;          ///< the run that it is to cause; its cause is filled in
  event_rules rules;
  bool refuses = false;           ///< a full queue refuses it; else it is skipped
  std::optional<event_fate> fate; ///< known already: no run is asked for. Of a duplicate, `what` names the first one
  run_number settled_run;         ///< of a duplicate: the first one's run
  std::string because;            ///< with `fate`
  /// Its key is that of an earlier event of the same batch, by its place there: it is a duplicate of that one.
  std::optional<std::size_t> same_key_as;
  bool key_conflict = false; ///< rejected, since its key was used for another request
  std::vector<event> with;   ///< appended before it, in the same transaction
};

/// An event that was taken in, durably.
struct taken_event {
  std::uint64_t event = 0;
  event_fate fate = event_fate::pending; ///< pending: a run is queued for it
  run_number run;                        ///< 0: none
  std::uint64_t duplicate_of = 0;        ///< 0: it is none
  std::string because;
  bool key_conflict = false;  ///< rejected, since its key was used for another request
  std::uint64_t count = 1;    ///< of a backfill: events, of which this is the first
  std::uint64_t left_out = 0; ///< of a backfill: ticks that had fired
  friend bool operator==(const taken_event&, const taken_event&) = default;
};

/// Hears of events that were taken in together, or why they were not.
using when_taken = std::function<void(result<std::vector<taken_event>>)>;

/// What somebody asks of a trigger by its name.
struct trigger_ask {
  enum class verb : std::uint8_t { notify, fire, pause, resume, forget, replay, test, set_cursor, backfill };
  verb what = verb::notify;
  std::string name;                                         ///< TRIGGER or PIPELINE/TRIGGER; replay: empty
  std::string key;                                          ///< forget: empty stands for all
  std::string body;                                         ///< notify: JSON, or empty
  std::vector<std::pair<std::string, std::string>> params;  ///< fire
  std::string reason;                                       ///< pause; set_cursor: the cursor
  std::string first, last;                                  ///< backfill: moments, both included
  bool again = false;                                       ///< backfill: ticks that have fired, too
  bool dry = false;                                         ///< backfill: only say what it would be for
  bool apart = false;                                       ///< fire: beside other runs of the trigger
  std::string by;                                           ///< who asks; empty: unspecified
  std::uint64_t event = 0;                                  ///< replay: which
  std::vector<std::pair<std::string, std::string>> headers; ///< test: by name in lower case
  friend bool operator==(const trigger_ask&, const trigger_ask&) = default;
};

/// Who has the triggers. Any thread.
struct trigger_port {
  virtual ~trigger_port() = default;
  /// Blocks until what was asked is on disk. not_found if there is no such trigger; invalid_input for what it cannot
  /// take; busy where its queue is full; state_unusable and stopped as serving_engine::submit(). What may not be done
  /// as it was asked is taken in too, as rejected. For pause, resume and forget only `because` is filled in: the
  /// trigger's name, and what was done. What a test says is in `because`, a line a step.
  [[nodiscard]] virtual result<taken_event> ask(const trigger_ask& asked) = 0;
};

} // namespace troupe_internal
