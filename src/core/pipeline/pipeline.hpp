// What a pipeline file means, once parsed and expanded: plain structs. Knows nothing of JSON, of the disk, or of state.
//
// Sized for 100,000 assets and more: text lives in one arena, paths are interned, what most assets share (settings) is
// stored once. A pipeline is built once and never changed afterwards, so any thread may read it.
#pragma once

#include "base/arena.hpp"
#include "base/interner.hpp"
#include "base/large_pages.hpp"
#include "base/strong_id.hpp"
#include "base/time.hpp"
#include "core/pipeline/diagnostic.hpp"
#include "core/pipeline/link_rule.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace troupe_internal {

enum class error_strategy : std::uint8_t { fail_fast, continue_, abort };
enum class durability : std::uint8_t { strict, pipelined, none };
enum class backoff : std::uint8_t { fixed, linear, exponential };
enum class jitter : std::uint8_t { none, full, equal, decorrelated };
/// What becomes of files that an asset made which no longer exists, or no longer declares them.
enum class orphan_rule : std::uint8_t { refuse, remove, warn };

/// When and how often a failed attempt is made again.
struct retry_policy {
  std::uint32_t attempts = 1; ///< in all, the first included; at least 1
  duration delay = std::chrono::seconds(1);
  troupe_internal::backoff backoff = troupe_internal::backoff::fixed;
  duration max_delay = std::chrono::minutes(10); ///< no wait is longer, except `delay` itself
  troupe_internal::jitter jitter = troupe_internal::jitter::none;
  std::vector<int> on_exit_codes; ///< empty: every failure; else these exit statuses (128 + n: signal n) and timeouts
  bool on_timeout = true;         ///< whether a timeout is retried
};

/// Where the value of an environment variable comes from.
enum class env_source : std::uint8_t { literal, from_env, from_file };

struct env_entry {
  std::string name;
  env_source source = env_source::literal;
  std::string text;    ///< literal: template text of the value; else the variable's name or the file's path
  bool secret = false; ///< its value reaches no fingerprint, journal, plan or JSON
};

/// Everything of an asset that many assets have in common; equal settings are stored once.
/// When an asset is expected to be up to date: within a span since the last time, or at each tick of a cron expression.
struct freshness_expectation {
  std::optional<duration> within;
  std::string cron;     ///< checked when the file was read; empty: `within` counts
  std::string timezone; ///< of `cron`; empty: UTC
  friend bool operator==(const freshness_expectation&, const freshness_expectation&) = default;
};

struct asset_settings {
  std::vector<env_entry> env;             ///< in declared order
  bool inherit_env = true;                ///< the supervisor's whole environment
  std::vector<std::string> inherit_names; ///< with inherit_env false: only these
  std::string cwd = ".";                  ///< relative to the pipeline's folder
  std::string shell = "/bin/sh";
  std::vector<std::string> shell_options; ///< before the text; empty: "-c", of a script "-e" and "-c"
  std::optional<duration> timeout;
  retry_policy retry;
  std::vector<int> skip_exit_codes; ///< exit statuses that say: nothing to do; sorted
  bool allow_failure = false;
  bool clear_outputs = false; ///< outputs of earlier attempts are removed before each attempt
  std::map<std::string, std::uint32_t, std::less<>> pools; ///< slots taken of each pool
  std::int32_t priority = 0;                               ///< higher first
  std::string version;
  bool always = false;
  std::optional<duration> max_age;
  std::optional<troupe_internal::durability> durability;
  std::uint64_t max_log = 100'000'000;  ///< bytes kept of one attempt's output
  link_rule links = link_rule::content; ///< of links in its input and output folders
  std::vector<std::string> tags;
  std::string group;
  std::vector<std::string> owners;
  std::optional<freshness_expectation> expect; ///< changes no fingerprint
  std::vector<std::string> ignore_warnings;    ///< codes (core/model/warning_code.hpp), sorted
  [[nodiscard]] bool ignores(std::string_view code) const {
    return std::binary_search(ignore_warnings.begin(), ignore_warnings.end(), code);
  }
};

enum class command_kind : std::uint8_t {
  none,     ///< a source: made elsewhere, only observed
  argv,     ///< a list: executed directly
  shell,    ///< a string: shell text (executed directly when it uses nothing of the shell)
  function, ///< a function of the program that Troupe is a part of
};
/// Whether the asset is made by a process, which has a working folder and an environment.
[[nodiscard]] constexpr bool runs_command(command_kind kind) {
  return kind == command_kind::argv || kind == command_kind::shell;
}

/// The function that makes an asset, as far as it can be told in words. Its name, the type of its value, its arguments
/// and the params it takes are also the texts of asset_declaration::command.
struct function_declaration {
  std::uint32_t number = 0;                 ///< which of the program's functions it is
  std::string_view value_type;              ///< the name of its value's codec; empty: it hands on no value
  std::uint32_t value_version = 0;          ///< of that codec
  std::uint32_t oldest_readable = 0;        ///< the oldest version that the codec reads
  std::span<const std::uint32_t> arguments; ///< each an index into asset_spec::deps
  std::span<const std::string_view> params; ///< that it may ask for
};

/// A declared input: a path, or a glob over other assets' outputs and the disk.
struct input_ref {
  path_index path; ///< the path, or the glob's text (which ends in "/" if it asks for folders)
  bool glob = false;
  bool optional = false; ///< it may be absent: then it has no value, and that it is absent counts
};

/// What a declaration calls some of its inputs.
struct input_name {
  std::string_view name;
  bool list = false; ///< it stands for any number of paths; else for exactly one
};

/// One input of an asset that has a name.
struct named_input {
  std::uint32_t name = 0;  ///< number in asset_declaration::input_names
  std::uint32_t input = 0; ///< number in asset_spec::inputs
};

/// What few assets declare.
struct rare_keys {
  /// Template text: the depfile that the command writes. Of each asset: pipeline::depfile_of(). Empty: none.
  std::string_view depfile;
  place depfile_where;
  bool stdout_version = false; ///< what the command writes to its standard output is the data version
};

/// An asset as it stands in the file, before its matrix is expanded.
struct asset_declaration {
  std::string_view name;
  place where; ///< of its key in "assets"
  std::string_view description;
  command_kind kind = command_kind::none;
  bool script = false; ///< kind shell: always through the shell, which ends at the first line that fails
  place command_where;
  std::span<const std::string_view> command;      ///< template texts: one for shell, one an element for argv
  const function_declaration* function = nullptr; ///< of kind function
  /// Of the outputs, in declared order; "" for one without a template; empty if none has any.
  std::span<const std::string_view> output_templates;
  /// All inputs as written, "!" in front of an exclusion, if one of them has a template; else empty.
  std::span<const std::string_view> input_templates;
  std::span<const input_name> input_names;        ///< in declared order; empty if the inputs have no names
  std::span<const std::string_view> output_names; ///< parallel to the outputs; empty if they have no names
  /// All deps as written if one of them has a template; else empty.
  std::span<const std::string_view> dep_templates;
  const rare_keys* rare = nullptr;          ///< null: it declares none of them
  const asset_settings* settings = nullptr; ///< never null in a valid pipeline
};

/// One column of a row: one text, or a list of them.
struct matrix_cell {
  std::string_view column;
  std::span<const std::string_view> texts; ///< exactly one unless `list`
  bool list = false;
};

/// What a value of a matrix has beside its text.
struct matrix_item {
  std::string_view id;              ///< names the asset: no "[", "]", ",", control character or invalid UTF-8
  std::span<const matrix_cell> row; ///< empty: it is no row. All rows of one source have the same columns
  bool path = false;                ///< the text is the path of a file that a glob found
};

struct matrix_value {
  std::string_view variable;
  std::string_view value;            ///< as text; numbers and bools as JSON writes them; of a row its id
  const matrix_item* more = nullptr; ///< null: the value is its own id

  [[nodiscard]] std::string_view id() const { return more == nullptr ? value : more->id; }
  [[nodiscard]] bool is_path() const { return more != nullptr && more->path; }
};

/// One asset, expanded: a node of the graph.
struct asset_spec {
  std::string_view name;                  ///< "packages", "by_section[admin]", "x[a,b]"
  std::uint32_t declaration = 0;          ///< index into pipeline::declarations
  std::span<const matrix_value> matrix;   ///< in the order written
  std::span<const input_ref> inputs;      ///< as declared, templates filled in, paths normalised
  std::span<const path_index> outputs;    ///< likewise
  std::span<const asset_index> deps;      ///< by name, expanded, without duplicates, in declared order
  std::span<const path_index> exclusions; ///< "!PATTERN" in inputs: patterns (a plain path is written as one)
  std::span<const named_input> named;     ///< in the order written; one input may have several names
  std::span<const place> input_places;    ///< parallel to inputs
  std::span<const place> output_places;   ///< parallel to outputs
};

/// A parameter's value: string, number, bool or a list of strings. Numbers keep the text they were written with.
struct param_value {
  enum class type : std::uint8_t { string, number, boolean, list };
  type kind = type::string;
  std::string text;    ///< "bookworm", "20", "true", "[\"-O2\",\"-g\"]"
  bool secret = false; ///< its value reaches no fingerprint, journal, plan, message or JSON: a mark stands for it
  std::span<const std::string_view> items; ///< of a list; in the pipeline's arena
};

inline constexpr std::uint32_t max_workers = 10'000;

struct engine_settings {
  std::uint32_t workers = 0; ///< at most max_workers; 0: the CPUs this process may use
  troupe_internal::error_strategy error_strategy = troupe_internal::error_strategy::fail_fast;
  std::string state_dir = ".troupe"; ///< relative to the pipeline's folder
  troupe_internal::durability durability = troupe_internal::durability::pipelined;
  std::map<std::string, std::uint32_t, std::less<>> pools;
  duration grace_period = std::chrono::seconds(10); ///< between SIGTERM and SIGKILL
  std::uint32_t keep_runs = 1000;
  duration keep_logs = std::chrono::hours(24 * 30);
  orphan_rule orphans = orphan_rule::refuse;
};

/// pipeline::file of a pipeline that a program declares, and no file.
inline constexpr std::string_view program_file = "(program)";

/// A whole pipeline. Paths are relative to `folder` (or absolute), lexically normalised: no ".", no "//", no trailing
/// "/",
/// ".." only in front; "" never.
struct pipeline {
  std::string name;
  std::string description;
  std::string folder;                                     ///< absolute path of the file's folder: where commands run
  std::string file;                                       ///< as the user named it
  std::map<std::string, param_value, std::less<>> params; ///< with overrides applied
  bool declares_secrets = false;                          ///< a param or a variable is a secret
  engine_settings engine;
  std::uint64_t values_read = 0; ///< a number for all that was read from files and globs for matrices; 0: nothing was

  large_vector<asset_declaration> declarations;
  large_vector<asset_spec> assets; ///< asset_index is an index into this
  interner paths;                  ///< path_index is a number of this
  interner names;                  ///< number = asset_index (assets are interned in order)

  std::vector<std::pair<asset_index, path_index>> depfiles; ///< sorted by asset

  std::deque<asset_settings> settings;        ///< stable addresses
  std::deque<rare_keys> rare;                 ///< likewise
  std::deque<function_declaration> functions; ///< likewise
  arena text;                                 ///< what the views above point into

  [[nodiscard]] const asset_spec& asset(asset_index i) const { return assets[i.value]; }
  [[nodiscard]] const asset_declaration& declaration(asset_index i) const {
    return declarations[assets[i.value].declaration];
  }
  [[nodiscard]] const asset_settings& settings_of(asset_index i) const { return *declaration(i).settings; }
  [[nodiscard]] bool is_source(asset_index i) const { return declaration(i).kind == command_kind::none; }
  [[nodiscard]] std::string_view path(path_index i) const { return paths.text(i.value); }
  /// The depfile that the asset's command writes.
  [[nodiscard]] std::optional<path_index> depfile_of(asset_index i) const {
    const auto at = std::lower_bound(depfiles.begin(), depfiles.end(), i,
                                     [](const auto& one, asset_index wanted) { return one.first < wanted; });
    return at == depfiles.end() || at->first != i ? std::nullopt : std::optional(at->second);
  }
  [[nodiscard]] bool takes_version_from_stdout(asset_index i) const {
    const auto* const more = declaration(i).rare;
    return more != nullptr && more->stdout_version;
  }
  [[nodiscard]] std::optional<asset_index> find(std::string_view asset_name) const {
    const auto number = names.find(asset_name);
    return number ? std::optional(asset_index(*number)) : std::nullopt;
  }
};

} // namespace troupe_internal
