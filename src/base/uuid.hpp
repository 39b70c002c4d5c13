// UUIDs as values; version 7 from a moment and random bits handed in. Knows no clock and no generator.
#pragma once

#include "base/time.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe_internal {

struct uuid {
  std::array<std::uint8_t, 16> bytes{};
  friend constexpr auto operator<=>(const uuid&, const uuid&) = default;
};

/// RFC 9562 version 7: 48 bits of Unix milliseconds, then random bits.
[[nodiscard]] uuid make_uuid_v7(timestamp now, std::uint64_t random_high, std::uint64_t random_low);
/// 8-4-4-4-12 lower-case hexadecimal digits.
[[nodiscard]] std::string to_string(const uuid& id);
/// The inverse; nullopt if malformed.
[[nodiscard]] std::optional<uuid> uuid_from_string(std::string_view text);

} // namespace troupe_internal
