// Small worlds in which core/schedule has to keep its promises, each played from a seed. Knows what must hold; a world
// throws std::runtime_error at the first violation. The same worlds must find the planted bugs (planted_bugs.txt).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace troupe_internal::test {

/// Runs that always want more: shares follow the weights, and no bundle waits for long.
void play_saturated_runs(std::uint64_t seed);
/// Runs with random bundles, who come, change and go; each answers an offer before the next thing happens.
void play_random_bundles(std::uint64_t seed);
/// The same against a wrong arbiter, which shares each dimension alone: it must be found out.
void play_random_bundles_each_dimension_alone(std::uint64_t seed);
/// A bundle that needs a whole pool, among many that need one slot of it.
void play_whole_pool(std::uint64_t seed);
/// Real run_logics and the arbiter; messages between them come in any order.
void play_live_runs(std::uint64_t seed);
/// Runs over shared files, held by the hold table.
void play_shared_files(std::uint64_t seed);
/// Runs that are queued, start and end.
void play_queue(std::uint64_t seed);

inline void require(bool holds, const std::string& what) {
  if (!holds)
    throw std::runtime_error(what);
}

} // namespace troupe_internal::test
