// What the control socket asks of the engine behind it: which runs are live or queued, to end one, to hear when one has
// ended, to take on another. Knows no socket and no engine.
#pragma once

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "base/time.hpp"
#include "core/model/event.hpp"
#include "engine/run_ask.hpp"
#include "engine/supervisor_ask.hpp"
#include "engine/trigger_intake.hpp"
#include "ports/journal_store.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal {

/// A run that has begun and has not ended.
struct live_run_info {
  run_number run;
  std::string pipeline;
  timestamp since; ///< when it, or its last resumption, started
  status_counts counts{};
  friend bool operator==(const live_run_info&, const live_run_info&) = default;
};

/// Called by the socket's thread alone; no call may block for longer than a turn of the actors' loop.
struct control_port {
  virtual ~control_port() = default;
  [[nodiscard]] virtual std::vector<live_run_info> list() = 0;
  /// Asks a run to end: this one, or the only one that is live. `at_once`: its commands are killed. Returns which run
  /// was asked. not_found, with what is live instead, if there is no such run; invalid_input if it has to be named.
  [[nodiscard]] virtual result<run_number> cancel(std::optional<run_number> run, bool at_once) = 0;
  /// Calls back once when the run has ended, on any thread, perhaps before it returns. Asked at most once for each run
  /// that is live. not_found if no such run is live.
  [[nodiscard]] virtual result<void> when_ended(run_number run, std::function<void(run_status)> then) = 0;

  /// What is on disk, for those who follow the history.
  [[nodiscard]] virtual result<std::unique_ptr<journal_snapshot>> history();
  /// From now on `wake` is called, on any thread, after events got on disk. Called once, before any other call.
  virtual void when_committed(std::function<void()> /*wake*/) {}

  // What only an engine with a queue does; others refuse it (invalid_input).
  /// In the order in which they are to start.
  [[nodiscard]] virtual std::vector<queued_run_info> queue() { return {}; }
  /// Takes a run on: `then` is called once, on any thread, perhaps before this returns: when its number is on disk, or
  /// there is no run.
  virtual void submit_later(run_ask ask, std::function<void(result<submitted_run>)> then);
  /// Gives a queued run another priority: `then` likewise, unless this returns an error.
  [[nodiscard]] virtual result<void> prioritize(run_number run, std::int32_t priority,
                                                std::function<void(result<void>)> then);
  /// Asks a trigger for something: `then` likewise.
  virtual void ask_trigger(trigger_ask asked, std::function<void(result<taken_event>)> then);
  [[nodiscard]] static error no_triggers();
  /// Goes on with an interrupted run: `then` likewise.
  virtual void resume_later(run_number run, std::vector<std::pair<std::string, std::string>> secrets,
                            std::function<void(result<submitted_run>)> then);
  /// Asks whoever has the engine for something: `then` likewise.
  virtual void ask_supervisor(supervisor_ask asked, std::function<void(result<supervisor_answer>)> then);
  [[nodiscard]] static error no_supervisor();
};

} // namespace troupe_internal
