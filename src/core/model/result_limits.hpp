// How much a command may say of itself through TROUPE_RESULT. Knows nothing of who reads or prints it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace troupe_internal {

/// The largest result file, in bytes.
inline constexpr std::uint64_t max_result_file = 1U << 20U;
/// The longest standard output that can be a data version, in bytes.
inline constexpr std::uint64_t max_version_output = 16U << 20U;
/// The longest data version that is kept as it is; of a longer one its digest.
inline constexpr std::size_t max_version_text = 4096;
/// How deep it may be nested.
inline constexpr std::size_t max_result_depth = 64;

} // namespace troupe_internal
