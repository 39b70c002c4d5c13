// What a state remembers of one run as a whole, and of attempts that are open. Knows nothing of storage.
#pragma once

#include "core/model/event.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace troupe_internal {

/// A run's error_strategy is below this: of another one it is not known what it asks for.
inline constexpr std::uint8_t error_strategies = 3;

/// The projection of a run's events. What happened to each asset in it is in the events first_seq … last_seq.
struct run_record {
  run_number run;
  uuid id;
  std::string pipeline;
  run_request request;
  timestamp started_at;
  std::optional<timestamp> finished_at;
  run_status status = run_status::running; ///< running while open: interrupted is derived by who reads
  status_counts counts{};                  ///< final counts; of an open run: only what was fresh from the start
  std::uint32_t attempts = 0;              ///< executed in it, all segments; 0: it executed nothing
  std::uint64_t first_seq = 0;             ///< of run_started; of a run that never started: of run_dequeued
  std::uint64_t segment_seq = 0;           ///< of the last run_started or run_resumed
  std::uint64_t last_seq = 0;              ///< of its last event
  run_cause cause;
  std::optional<timestamp> queued_at;     ///< absent: it started without a queue
  run_number continues;                   ///< the run whose place it took; 0: none
  std::optional<dequeue_reason> dequeued; ///< present: it left the queue without having started
  run_number continued_by;                ///< it did not come to its end, and this run took its place; 0: none
  bool served = false;                    ///< by an engine that stays up, when it was started or resumed last
  bool timed_out = false;                 ///< it was ended because it took too long
  friend bool operator==(const run_record&, const run_record&) = default;
};

/// Whether there is nothing of it but its place in the queue. Then started_at is the time when it was queued.
[[nodiscard]] inline bool never_started(const run_record& run) {
  return run.status == run_status::queued || run.dequeued.has_value();
}

/// A queued run as lists of runs show it.
[[nodiscard]] inline run_record record_of(const run_queued& queued) {
  run_record run;
  run.run = queued.run;
  run.id = queued.id;
  run.pipeline = queued.pipeline;
  run.request = queued.request;
  run.started_at = queued.at;
  run.status = run_status::queued;
  run.cause = queued.cause;
  run.queued_at = queued.at;
  run.continues = queued.continues;
  return run;
}

/// "PIPELINE/NAME" of the trigger whose events caused the run; empty: none did.
[[nodiscard]] inline std::string trigger_of(const std::string& pipeline, const run_cause& cause) {
  const bool has_one = cause.kind == cause_kind::trigger || cause.kind == cause_kind::backfill;
  return has_one && !cause.trigger.empty() ? pipeline + "/" + cause.trigger : std::string();
}

/// An attempt that was started and has no end yet.
struct open_attempt {
  asset_id asset;
  run_number run;
  std::uint32_t attempt = 0;
  timestamp started_at;
  std::int32_t process_group = 0; ///< 0: not spawned as far as the journal knows
  std::uint64_t start_ticks = 0;
  std::string boot_id;             ///< of the writer that spawned it
  std::uint64_t pid_namespace = 0; ///< likewise; see writer_opened
  bool process_one = false;        ///< likewise
  friend bool operator==(const open_attempt&, const open_attempt&) = default;
};

} // namespace troupe_internal
