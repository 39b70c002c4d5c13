// A materialization as its difference from the one before it, and back: what keeps a re-run's record small. Knows
// nothing of bytes.
#pragma once

#include "core/model/event.hpp"
#include "core/model/materialization.hpp"

#include <functional>
#include <span>

namespace troupe_internal {

/// What differs from `previous` (null: full, complete lists). Lists of both sides are sorted by their first member.
/// Equal lists cost nothing. `since`, `adopted` and `definition` are for the caller to fill in.
[[nodiscard]] materialized make_delta(const materialization* previous, const fingerprint& made_from,
                                      const production& made, duration took);

/// The record of a fresh asset as it is said by a newer rule: made from `now`, of outputs that are as they were
/// (`outputs`, as found now, tell what was not known of them). `declare` fills in what the declaration says of them.
[[nodiscard]] materialized restate(const materialization& last, const fingerprint& now,
                                   std::span<const file_version> outputs,
                                   const std::function<void(production&)>& declare);

/// The inverse: apply_delta(p, make_delta(p, f, m, t), …) holds exactly f, m and t. Total: with a delta made against
/// another base the result is some materialization, never a crash.
[[nodiscard]] materialization apply_delta(const materialization* previous, const materialized& delta, run_number run,
                                          std::uint32_t attempt, timestamp finished_at);

} // namespace troupe_internal
