// The arguments that `run` and `plan` have in common, and what they share with `resume`. Knows no engine.
#pragma once

#include "cli/invocation.hpp"

#include <string>

namespace troupe_internal::cli {

/// What is to be brought up to date, as on the command line.
struct run_arguments {
  run_options options;
  std::string strategy;
  bool dry_run = false;
  bool detach = false;
  bool keep_going = false;
  bool verbose = false;
};

/// Declares SELECTION, --only, --exclude and --force.
void declare_selection(command_spec& verb, run_options& to);
/// Declares --strict and --assume-dead.
void declare_strict(command_spec& verb, bool& to);
void declare_assume_dead(command_spec& verb, bool& to);
/// `plan`, and `run --dry-run`.
[[nodiscard]] int show_plan(invocation& with, const run_options& options, bool with_commands);

/// Runs `go` under the signals with live progress, prints how the run ended, returns the exit status. `strict`: that of
/// a run with warnings is that of a failed one.
using run_function = std::function<result<run_result>(run_observer&, stop_request&)>;
[[nodiscard]] int watch_run(invocation& with, const project& on, bool strict, const run_function& go);

} // namespace troupe_internal::cli
