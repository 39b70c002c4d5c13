// Reads supervisor.json, which says what `troupe serve` serves and how. Knows every key of it; loads no pipeline.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "core/model/restart_rule.hpp"
#include "core/pipeline/diagnostic.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/trigger/trigger.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::config {

/// How much of shared workers a run gets beside others, by what started it.
struct run_weights {
  std::uint32_t user = 8, program = 8, trigger = 4, backfill = 1;
};

/// Where a notification goes: to a command or to a URL.
struct notify_target {
  std::string name;
  std::vector<std::string> on;        ///< of notify_reasons; never empty
  std::vector<std::string> pipelines; ///< empty: all
  std::vector<std::string> command;
  bool shell = false;
  std::string url;
  std::optional<secret_source> secret; ///< signs requests to the URL
};

/// A path or a glob under "pipelines".
struct pipeline_pattern {
  std::string text; ///< relative to the supervisor file's folder
  place where;
};

struct supervisor_settings {
  std::vector<pipeline_pattern> pipelines;
  std::string state_dir = ".troupe"; ///< relative to the file's folder
  std::vector<std::string> listen;   ///< HOST:PORT
  std::uint32_t workers = 0;         ///< 0: the CPUs this process may use
  std::uint32_t max_runs = 16;
  std::map<std::string, std::uint32_t, std::less<>> pools;
  run_weights weights;
  troupe_internal::durability durability = troupe_internal::durability::pipelined; ///< or strict
  duration history_max_age = std::chrono::hours(24 * 30);
  std::uint64_t history_max_bytes = std::uint64_t(2) << 30U;
  duration keep_events = std::chrono::hours(24 * 90);
  restart_rule on_restart = restart_rule::resume_or_rerun;
  bool auto_reload = true;
  duration grace_period = std::chrono::seconds(10);
  std::vector<std::string> hosts; ///< accepted in the header Host, besides those of loopback
  std::uint64_t hook_max_body = std::uint64_t(1) << 20U;
  bool log_json = false;
  std::string log_level = "info";
  std::vector<notify_target> notify;
};

inline constexpr std::array<std::string_view, 5> notify_reasons = {"failed", "recovered", "paused", "overdue",
                                                                   "rejected"};
inline constexpr std::array<std::string_view, 18> supervisor_keys = {
    "$schema", "pipelines",   "state_dir",  "listen",      "workers",      "max_runs", "pools", "weights", "durability",
    "history", "keep_events", "on_restart", "auto_reload", "grace_period", "auth",     "hooks", "log",     "notify"};

struct loaded_supervisor {
  std::optional<supervisor_settings> settings; ///< nullopt if there is any error
  diagnostics findings;                        ///< sorted by place
};

/// The settings from a text. Any thread.
[[nodiscard]] loaded_supervisor parse_supervisor(std::string_view text, const std::string& file);
/// The same for a file.
[[nodiscard]] loaded_supervisor load_supervisor(const std::string& file);

/// Whether the text is a supervisor's: an object that has "pipelines" among its keys. False for broken JSON before it.
[[nodiscard]] bool is_supervisor_text(std::string_view text);

/// A file's text, at most 16 MiB of it.
[[nodiscard]] result<std::string> settings_text(const std::string& file);

/// The pipeline files that the patterns name, in their order, each once; as the supervisor's folder and the path. A
/// path without a wildcard is taken as it is; what a glob does not match is reported.
[[nodiscard]] std::vector<std::string> pipeline_files(const supervisor_settings& settings, const std::string& folder,
                                                      diagnostics& out);

} // namespace troupe_internal::config
