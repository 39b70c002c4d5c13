// Reads compiled time zone files (TZif, RFC 8536) and the POSIX TZ strings in them. Takes bytes; knows no files.
#pragma once

#include "base/result.hpp"
#include "core/schedule/time_zone.hpp"

#include <string>
#include <string_view>

namespace troupe_internal {

/// The largest file that is read; real ones have up to 4 KiB.
inline constexpr std::size_t max_tzif_bytes = 256 * 1024;

/// A zone from the bytes of its file. Takes the block of version 2 or later (64-bit times) and its footer; the block of
/// version 1 is skipped. invalid_input for a file of version 1 alone, for one with leap seconds ("right/…"), and for
/// anything that breaks the format; the message says what, without the zone's name.
[[nodiscard]] result<time_zone> read_tzif(std::string name, std::string_view bytes);

/// A rule from a TZ string such as `CET-1CEST,M3.5.0,M10.5.0/3`: hours from -167 to 167 in the times of changes, as the
/// files of version 3 may have. invalid_input for anything else.
[[nodiscard]] result<zone_rule> read_tz_string(std::string_view text);

} // namespace troupe_internal
