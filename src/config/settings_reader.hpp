// Reads the keys that an asset and "defaults" have in common. Knows how each is written, not which asset it is for.
#pragma once

#include "config/declared_pipeline.hpp"
#include "config/value_reader.hpp"

#include <array>
#include <string>

namespace troupe_internal::config {

/// Every key of an asset: first those of its own, then those that "defaults" may set too.
inline constexpr std::array<std::string_view, 31> asset_keys = {
    "command",       "inputs", "outputs",     "deps",    "matrix", "description",     "script",     "depfile",
    "data_version",  "env",    "inherit_env", "cwd",     "shell",  "timeout",         "retry",      "skip_exit_codes",
    "allow_failure", "pools",  "priority",    "version", "always", "max_age",         "durability", "max_log",
    "clear_outputs", "links",  "tags",        "group",   "owners", "ignore_warnings", "expect"};
inline constexpr std::size_t description_key = 5;
inline constexpr std::size_t script_key = 6;
/// From here on those that few assets have (rare_keys_reader).
inline constexpr std::size_t first_rare_key = 7;
inline constexpr std::size_t first_settings_key = 9;
/// Settings from here on are of use for a source as well.
inline constexpr std::size_t first_source_key = 25;

inline constexpr std::array<std::string_view, 9> engine_keys = {"workers",    "error_strategy", "state_dir",
                                                                "durability", "pools",          "grace_period",
                                                                "keep_runs",  "keep_logs",      "orphans"};

/// Reads settings one key at a time into a patch, and notes what was written in a signature: equal signatures, equal
/// patches.
class settings_reader {
public:
  settings_reader(value_reader& values, std::vector<pool_request>& pool_requests)
      : values_(values), pool_requests_(pool_requests) {}

  /// Reads the value of asset_keys[key].
  void read(std::size_t key);
  /// What was read since the last call of start().
  [[nodiscard]] const settings_patch& patch() const { return patch_; }
  [[nodiscard]] const std::string& signature() const { return signature_; }
  void start();

private:
  void env();
  void env_object(env_entry& entry);
  void inherit_env();
  void shell();
  void retry();
  void skip_exit_codes();
  void expect();
  void pools();
  void note(std::string_view text) {
    // With its length: what stands in a text never looks like what stands behind one.
    signature_.append(std::to_string(text.size())).append(":").append(text);
  }
  void note(std::int64_t number) { note(std::to_string(number)); }
  template <class T>
  void note(const std::optional<T>& number) {
    if (number)
      note(static_cast<std::int64_t>(*number));
  }
  [[nodiscard]] std::optional<std::vector<std::string>> warning_codes_to_ignore();
  [[nodiscard]] std::optional<std::vector<std::string>> strings(std::string_view what, std::string_view expected,
                                                                bool names);
  [[nodiscard]] std::optional<std::optional<duration>> span_or_null(std::string_view what);

  value_reader& values_;
  std::vector<pool_request>& pool_requests_;
  settings_patch patch_;
  std::string signature_;
};

/// Reads an object from pool name to a number of slots.
void read_pools(value_reader& values, std::string_view what,
                const std::function<void(std::string_view name, std::uint32_t slots, place where)>& take);
/// Reads "durability".
[[nodiscard]] std::optional<durability> read_durability(value_reader& values);
/// How many entries the lists in the settings have together.
[[nodiscard]] std::uint64_t listed_entries(const asset_settings& s);
/// What the settings are where the asset writes `patch` over `base`: env, retry and pools key by key, all else whole.
[[nodiscard]] asset_settings applied(const settings_patch& patch, asset_settings base);

} // namespace troupe_internal::config
