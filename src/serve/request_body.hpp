// The JSON bodies of requests, as plain values. Knows their keys; nothing of what is done with them.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal::serve {

/// What any of the bodies may say; each request has its own keys of these.
struct request_body {
  std::vector<std::string> select;
  std::vector<std::string> exclude;
  bool only = false;
  bool force = false;
  bool at_once = false;
  bool again = false, dry_run = false; ///< of a backfill
  bool parallel = false;
  std::vector<std::pair<std::string, std::string>> params; ///< numbers and booleans as they are written
  std::optional<std::int32_t> priority;
  std::optional<std::string> key, reason, body;
  std::optional<std::string> from, to; ///< moments
  std::vector<std::pair<std::string, std::string>> headers;
};

/// Reads a body; an empty one says nothing. `keys` are those that this request may have. invalid_input with the place
/// for what is no JSON object, has other keys, or values of another kind.
[[nodiscard]] result<request_body> read_body(std::string_view text, const std::vector<std::string_view>& keys);

} // namespace troupe_internal::serve
