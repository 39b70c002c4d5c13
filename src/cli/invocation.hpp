// One invocation of the program: global options, the two streams, and what every verb does alike: opening the project,
// reporting errors, exit statuses. Knows no verb.
#pragma once

#include "cli/command_line.hpp"
#include "engine/project.hpp"
#include "views/console.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe_internal::cli {

enum exit_status : int { exit_ok = 0, exit_failed = 1, exit_usage = 2, exit_state = 3 };

struct global_options {
  std::string file; ///< empty: not given
  std::string directory;
  std::string state;
  std::string pipeline; ///< of a supervisor's file; empty: not given
  std::vector<std::string> params;
  bool json = false;
  std::string format; ///< empty: not given
  bool lines = false; ///< json, one object a line
  std::string log_level = "warn";
  std::string log_format; ///< empty: not given
  std::string colour = "auto";
};

/// One thread.
class invocation {
public:
  explicit invocation(console& streams) : io(streams) {}

  console& io;
  global_options options;
  diagnostics findings;             ///< of the last open()
  std::vector<ended_process> ended; ///< what an earlier run had left running, and this command has ended
  int signalled = 0;                ///< the signal that came while the last run was watched; 0: none
  /// report() keeps an error to itself that to wait may mend, in `held_back`: what was to be done is done again.
  bool holds_back = false;
  std::optional<error> held_back;

  /// invalid_input for a malformed --param.
  [[nodiscard]] result<project_options> project_request() const;
  struct opening {
    bool all_files = false; ///< see project_options
    bool journal = false;   ///< likewise
    bool strict = false;    ///< warnings are errors
  };
  /// Opens the project and prints what was found wrong with it to standard error.
  [[nodiscard]] result<project> open(const opening& how);
  [[nodiscard]] result<project> open() { return open(opening()); }
  /// `pipeline`, if not null, gets the name of the pipeline whose file can be read.
  [[nodiscard]] result<std::string> state_folder(std::string* pipeline = nullptr) const;

  /// Prints the error (with --json also as a document) and returns the exit status that stands for it.
  [[nodiscard]] int report(const error& e);
  /// A line on standard error.
  void warn(std::string_view message);
};

/// The exit status an error stands for before anything was run.
[[nodiscard]] int exit_status_of(error_code code);

/// The findings as text: place, message, code, and the line of the file with a mark under the place.
[[nodiscard]] std::string findings_text(const diagnostics& findings, const palette& colours);

} // namespace troupe_internal::cli
