// What stands in a pipeline file, as read: before defaults are applied, names are looked up and matrices are expanded.
// Knows no JSON. It lives only while a file is loaded.
#pragma once

#include "config/declared_triggers.hpp"
#include "config/declared_values.hpp"
#include "core/pipeline/pipeline.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe_internal::config {

struct retry_patch {
  std::optional<std::uint32_t> attempts;
  std::optional<duration> delay;
  std::optional<troupe_internal::backoff> backoff;
  std::optional<duration> max_delay;
  std::optional<troupe_internal::jitter> jitter;
  std::optional<std::vector<int>> on_exit_codes;
  std::optional<bool> on_timeout;
};

/// The settings that an asset (or "defaults") writes; what it leaves out is absent. null writes "none".
struct settings_patch {
  std::vector<env_entry> env;
  std::optional<bool> inherit_env;
  std::vector<std::string> inherit_names;
  std::optional<std::string> cwd, shell;
  std::vector<std::string> shell_options;
  std::optional<std::optional<duration>> timeout;
  retry_patch retry;
  std::optional<std::vector<int>> skip_exit_codes;
  std::optional<bool> allow_failure;
  std::optional<bool> clear_outputs;
  std::map<std::string, std::uint32_t, std::less<>> pools;
  std::optional<std::int32_t> priority;
  std::optional<std::string> version;
  std::optional<bool> always;
  std::optional<std::optional<duration>> max_age;
  std::optional<troupe_internal::durability> durability;
  std::optional<std::uint64_t> max_log;
  std::optional<link_rule> links;
  std::optional<std::vector<std::string>> tags, owners, ignore_warnings;
  std::optional<freshness_expectation> expect;
  std::optional<std::string> group;
};

/// How large a pipeline may be. Those that stand here are the user's own.
struct size_limits {
  std::uint64_t text_bytes = std::uint64_t(1) << 30U;
  std::uint64_t assets = 2'000'000;
  /// What a small file may grow to: memory for the names and paths of expanded assets, entries of lists in "defaults"
  /// that assets with settings of their own take over.
  std::uint64_t expanded_bytes = std::uint64_t(4) << 30U;
  std::uint64_t setting_entries = 10'000'000;
  std::uint64_t named_dependencies = 50'000'000;
};
/// For who only asks by the way, with the file of whoever wrote it (a Tab key): what is larger is not read.
inline constexpr size_limits limits_by_the_way{std::uint64_t(1) << 20U, 10'000, std::uint64_t(32) << 20U, 100'000,
                                               100'000};

/// An input or output as written.
struct path_item {
  std::uint32_t text = 0; ///< number in pipeline::paths, or (a template) in declared_pipeline::templates
  bool is_template = false;
  bool glob = false;
  bool exclusion = false; ///< written with a "!", which the text is without
  place where;
  bool optional = false;
  std::uint32_t name = no_name;       ///< number among the names of the asset's inputs
  std::uint32_t outputs_of = no_name; ///< number in declared_pipeline::outputs_of; then there is no text

  static constexpr std::uint32_t no_name = 0xFFFFFFFFU;
};

/// {"outputs_of": ASSET or [ASSET…], "named": NAME}
struct outputs_item {
  std::vector<std::string_view> assets; ///< may be templates
  std::string_view named;               ///< empty: all outputs
  std::string_view written;             ///< as JSON, for the record of the definition
};

/// A path with a ".." that took away the folder before it, as written.
struct raised_path {
  std::string written, taken; ///< taken: as it was understood
  place where;
};

struct dependency_item {
  std::uint32_t name = 0; ///< number in declared_pipeline::dependency_names
  place where;
  bool is_template = false;
};

struct pool_request {
  std::string name;
  std::uint32_t slots = 0;
  place where;
};

struct item_range {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

struct declared_asset {
  static constexpr std::uint32_t none = 0xFFFFFFFFU;

  std::string_view name;
  place where;
  place command_where;
  std::string_view description;
  std::span<const std::string_view> command;
  const function_declaration* function = nullptr; ///< of kind function
  const rare_keys* rare = nullptr;
  item_range inputs, outputs, deps;
  std::span<const input_name> input_names;
  std::span<const std::string_view> output_names;
  std::uint32_t patch = none;
  std::uint32_t matrix = none;
  command_kind kind = command_kind::none;
  bool broken = false;         ///< something in it was reported: what follows from it is not reported as well
  bool command_broken = false; ///< its command has no meaning
  bool script = false;         ///< its command is a script: the shell ends at the first line that fails
  bool takes_outputs = false;  ///< its inputs are known only when all assets are made
};

/// The "deps" of one declaration.
struct dependency_list {
  std::uint32_t declaration = 0;
  item_range items;
};

/// The pipeline as far as it is built, and the rest as written. Assets go straight into the pipeline up to the first
/// that has to wait for the end of the file (a matrix, a template in a path, a mistake); that one and all behind it are
/// kept.
struct declared_pipeline {
  size_limits limits;
  std::shared_ptr<pipeline> p =
      std::make_shared<pipeline>(); ///< settings[0] are the defaults, settings[i + 1] patches[i]
  std::deque<declared_asset> waiting;
  interner waiting_names;                 ///< number = index into waiting
  interner dependency_names;              ///< as written in "deps"
  arena text;                             ///< what is not needed once the file is loaded
  std::vector<path_item> inputs, outputs; ///< of waiting assets
  std::vector<outputs_item> outputs_of;
  std::vector<dependency_item> deps;
  std::vector<dependency_list> dependency_lists;
  std::vector<std::string_view> templates;
  declared_values values;
  settings_patch defaults;
  place defaults_where;
  std::string default_description;
  std::deque<settings_patch> patches;
  std::unordered_map<std::string, std::uint32_t> patch_numbers; ///< by what was written, so that equals are stored once
  std::vector<pool_request> pool_requests;
  std::vector<raised_path> raised;
  std::map<std::string, place, std::less<>> param_places;
  declared_triggers triggers;
  std::function<void(const std::shared_ptr<const pipeline>&, std::span<const std::string_view>)> paths_read;
};

} // namespace troupe_internal::config
