// The arguments that `run` and `plan` have in common, and what they share with `resume`. Knows no engine.
#pragma once

#include "cli/invocation.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe_internal::cli {

/// What a run shows of itself, as on the command line.
struct run_manner {
  std::string output; ///< failed (the same as empty), all, none, live: whose output
  bool quiet = false;
  bool verbose = false; ///< each command as it begins
  bool strict = false;  ///< the exit status of a run with warnings is that of a failed one
  /// Of a run that is one of many, of the same command: nothing is said where all is fresh.
  bool silent_if_fresh = false;
};

/// What is to be brought up to date, as on the command line.
struct run_arguments {
  run_options options;
  run_manner manner;
  std::string strategy;
  bool dry_run = false;
  bool detach = false;
  bool keep_going = false;
  bool watch = false;
  bool failed = false; ///< what failed in the last run, and what it kept from running
};

/// Declares SELECTION, --only, --exclude and --force.
void declare_selection(command_spec& verb, run_options& to);
/// Declares --strict and --assume-dead.
void declare_strict(command_spec& verb, bool& to);
void declare_assume_dead(command_spec& verb, bool& to);
/// Declares --output and -q.
void declare_manner(command_spec& verb, run_manner& to);
/// Declares -j, --error-strategy and -k.
void declare_strategy(command_spec& verb, std::optional<std::uint32_t>& workers, std::string& strategy,
                      bool& keep_going);
/// What they ask for; nothing: as the pipeline says.
[[nodiscard]] std::optional<error_strategy> asked_strategy(const std::string& strategy, bool keep_going);

/// How `plan` shows a plan.
struct plan_manner {
  bool commands = false;                 ///< those that would be executed
  bool fresh = false;                    ///< list what is fresh, too
  bool exit_code = false;                ///< the exit status says whether anything would run
  std::vector<std::string> if_changed{}; ///< not what is stale, but what a change of these files would make so
};
/// `plan`, and `run --dry-run`.
[[nodiscard]] int show_plan(invocation& with, const run_options& options, const plan_manner& manner);

/// Runs `go` under the signals with live progress, prints how the run ended, returns the exit status.
using run_function = std::function<result<run_result>(run_observer&, stop_request&)>;
[[nodiscard]] int watch_run(invocation& with, const project& on, const run_manner& manner, const run_function& go);

} // namespace troupe_internal::cli
