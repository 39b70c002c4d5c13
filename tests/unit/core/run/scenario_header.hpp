// The header of a scenario (see scenario.hpp), line by line, and the small words that all of it is made of.
// Knows nothing of steps.
#pragma once

#include "base/time.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/run/run_logic.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal::test {

using word_list = std::vector<std::string>;

[[noreturn]] void misread(const std::string& what);
[[nodiscard]] word_list split(std::string_view line);
[[nodiscard]] long number(std::string_view text);
/// 250ms, 5s, 2m, 1h.
[[nodiscard]] duration span_of(std::string_view text);
/// "p" is one slot of pool p, "p*2" are two.
[[nodiscard]] std::pair<std::string, std::uint32_t> slots_of(std::string_view text);
/// "everything", or a number of workers and then slots.
[[nodiscard]] std::optional<capacity> capacity_of(const word_list& words);
[[nodiscard]] std::string text_of(const run_demand& demand);

/// What the lines before "begin" declare.
class scenario_header {
public:
  struct asset_options {
    word_list needs;
    duration takes{};
    asset_settings settings;
  };

  /// One line, split.
  void declare(const word_list& parts);

  std::vector<std::pair<std::string, asset_options>> assets;
  std::map<std::string, std::uint32_t, std::less<>> pools;
  word_list fresh, outside;
  std::vector<std::pair<std::string, std::string>> never_made;
  run_policy policy;

private:
  [[nodiscard]] asset_options& option(const std::string& name);
  void declare_asset(const word_list& parts);
  void declare_retry(const word_list& parts);
};

} // namespace troupe_internal::test
