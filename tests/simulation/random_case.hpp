// One history to simulate, drawn from a seed: a graph of some shape, its policies, what its assets will do, and which
// faults may befall it. Knows nothing of how it is played.
#pragma once

#include "core/pipeline/asset_graph.hpp"
#include "core/run/run_logic.hpp"
#include "support/discoveries.hpp"
#include "support/random_run.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal::test {

enum class graph_shape : std::uint8_t { unconnected, chain, fan_out, fan_in, diamonds, layers, random };
inline constexpr std::array<std::string_view, 7> graph_shape_names{"unconnected", "chain",  "fan out", "fan in",
                                                                   "diamonds",    "layers", "random"};

/// What one asset does, in every life of the run.
struct asset_fate {
  bool fresh = false;      ///< whoever examines it finds it so
  bool impossible = false; ///< cannot be made
  std::uint32_t fails = 0; ///< attempts of one life that fail before one succeeds
  outcome_kind how = outcome_kind::exited;
  std::int32_t exit_code = 1;
  bool hangs = false;           ///< ends only when it is ended
  bool stubborn = false;        ///< takes the whole grace period to end
  duration longest{};           ///< an attempt takes up to this
  bool repeats = false;         ///< reports its end twice
  bool never_found = false;     ///< no process is ever reported
  bool writes_the_same = false; ///< its output is as before
};

/// Which faults a history knows. Many know none, or one: faults hide each other.
struct fault_plan {
  bool stops = false;
  bool crashes = false;
  bool journal = false;     ///< appends that fail, or of which nobody knows
  bool full = false;        ///< the disk fills up
  bool power = false;       ///< crashes may be power cuts
  bool clock_jumps = false; ///<
  bool stale = false;       ///< reports from earlier lives come in
  bool bursts = false;      ///< the executor throws
};

struct random_case {
  graph_shape shape = graph_shape::random;
  std::unique_ptr<pipeline> p;
  std::unique_ptr<asset_graph> graph;
  std::vector<asset_id> ids; ///< by asset_index: in no order, with gaps
  run_policy policy;
  run_started started;
  std::vector<asset_fate> fates; ///< by asset_index
  discoveries discovered;        ///< by asset_index: whose outputs each discovers
  /// Assets of the run, each with one it needs that is outside and was never made.
  std::vector<std::pair<asset_index, asset_index>> never_made;
  fault_plan faults;
  std::uint32_t lives = 1;            ///< supervisors at most
  std::uint64_t checkpoint_every = 1; ///< events
  bool slow_disk = false;             ///< commits lag behind
  std::uint32_t hurry = 1;            ///< time passes once in so many steps though other things could happen
};

[[nodiscard]] random_case make_random_case(seeded& random);

} // namespace troupe_internal::test
