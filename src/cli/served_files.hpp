// Which pipelines `troupe serve` is about: those that the words name, or a supervisor's file. Loads none of them.
#pragma once

#include "cli/invocation.hpp"
#include "config/supervisor_reader.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe_internal::cli {

struct served_files {
  std::vector<std::string> files;                      ///< of pipelines
  bool is_supervisor = false;                          ///< a supervisor's file names them
  std::string supervisor_file;                         ///< as given
  std::string folder;                                  ///< that the supervisor's file lies in; absolute
  std::optional<config::supervisor_settings> settings; ///< nullopt: there is none, or it has mistakes
  diagnostics findings;                                ///< of the supervisor's file
};

/// `pipelines`: the words of the command line. Without any, and without -f, it is supervisor.json in this folder, else
/// troupe.json. invalid_input for words that contradict each other.
[[nodiscard]] result<served_files> find_served(const invocation& with, const std::vector<std::string>& pipelines);

/// Reports every mistake and the next ticks of schedules; the exit status.
[[nodiscard]] int check_served(invocation& with, const std::vector<std::string>& pipelines);

} // namespace troupe_internal::cli
