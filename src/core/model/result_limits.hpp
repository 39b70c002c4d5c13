// How much a command may say of itself through TROUPE_RESULT. Knows nothing of who reads or prints it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace troupe_internal {

/// The largest result file, in bytes.
inline constexpr std::uint64_t max_result_file = 1U << 20U;
/// How deep it may be nested.
inline constexpr std::size_t max_result_depth = 64;

} // namespace troupe_internal
