// What `troupe serve` asks of the room behind it. Knows no option.
#pragma once

#include "cli/invocation.hpp"
#include "config/supervisor_reader.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe_internal::cli {

struct serve_request {
  std::vector<std::string> pipelines; ///< files
  std::string state;                  ///< as given; empty: the supervisor's, or that of the only pipeline
  std::optional<config::supervisor_settings> settings; ///< of a supervisor's file, if there is one
  std::string folder;                                  ///< that it lies in; absolute
  std::string supervisor_file;                         ///< as given; empty: there is none
  std::vector<std::string> listen;
  std::vector<std::string> hosts;
  std::optional<std::uint32_t> max_runs;
  bool assume_dead = false;
  bool trust_clock = false;
  std::optional<duration> drain;            ///< a stop lets live runs come to their end, at most so long
  duration wait = std::chrono::minutes(10); ///< for a state that another process writes
};

/// Serves until a signal asks for the end, and returns the exit status.
[[nodiscard]] int serve_here(invocation& with, const serve_request& request);

} // namespace troupe_internal::cli
