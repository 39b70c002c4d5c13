// One history of many runs to simulate, drawn from a seed: one or two pipelines of one state, which may share files,
// what their assets are made from, and which faults may befall it. Knows nothing of how it is played.
#pragma once

#include "core/pipeline/asset_graph.hpp"
#include "core/run/run_logic.hpp"
#include "support/random_run.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe_internal::test {

/// A pipeline of the state. All of its runs use the same graph; they differ in the value of its one param.
struct case_pipeline {
  std::unique_ptr<pipeline> p;
  std::unique_ptr<asset_graph> graph;
  std::vector<bool> uses_param;   ///< by asset_index: its command depends on the param
  std::vector<bool> same_outputs; ///< likewise: what it makes does not depend on what it reads
  std::vector<bool> hangs;        ///< likewise: it ends only when it is ended
  std::vector<bool> stubborn;     ///< likewise: it takes the whole grace period to end
  std::vector<duration> longest;  ///< likewise: an attempt takes up to this
  /// Likewise: assets of the first pipeline of the state, from which this one reads files; there it is empty.
  std::vector<std::vector<asset_index>> reads_of_first;
};

/// Which faults a history knows. Many know none, or one: faults hide each other.
struct state_faults {
  bool failures = false; ///< attempts fail
  bool cancels = false;
  bool crashes = false; ///< of the engine
  bool journal = false; ///< commits that fail, or of which nobody knows
  bool power = false;   ///< crashes may be power cuts
  bool clock = false;   ///< the wall clock is set
  bool edits = false;   ///< sources change
};

/// What somebody asks for.
struct run_wish {
  std::uint32_t pipeline = 0;
  std::vector<asset_index> selected; ///< empty: all
  bool only = false;                 ///< what is selected alone, without what it needs
  bool force = false;
  std::uint32_t mode = 0; ///< the value of the param
  std::uint32_t workers = 1;
  troupe_internal::error_strategy error_strategy = troupe_internal::error_strategy::fail_fast;
  cause_kind cause = cause_kind::user;
  bool calm = false;                 ///< nothing of it fails
  std::optional<run_number> resumes; ///< a run that is to go on; then only `calm` counts
};

struct state_case {
  std::vector<case_pipeline> pipelines;
  std::uint32_t sources = 0; ///< files that nobody makes
  durability durable = durability::pipelined;
  std::uint32_t runs = 1;      ///< submitted at most, resumes included
  std::uint32_t at_a_time = 1; ///< live or planned at most
  std::uint32_t engines = 1;   ///< that may meet a fault
  state_faults faults;
  std::uint32_t trouble = 0; ///< one attempt in so many fails; 0: none
  bool slow_disk = false;    ///< commits lag behind
  std::uint32_t hurry = 1;   ///< time passes once in so many steps though other things could happen
  std::uint64_t checkpoint_every = 1;
};

[[nodiscard]] state_case make_state_case(seeded& random);
[[nodiscard]] run_wish make_wish(const state_case& on, seeded& random);

[[nodiscard]] std::string source_path(std::uint32_t source);
/// The text of the one output of an asset; no two assets of a state have the same.
[[nodiscard]] std::string_view output_of(const case_pipeline& on, asset_index asset);

} // namespace troupe_internal::test
