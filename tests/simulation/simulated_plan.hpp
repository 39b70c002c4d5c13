// A plan in the simulation: what the real planning does with a snapshot and the files, one asset at a time, so that
// others go on meanwhile. Knows nothing of what becomes of the plan.
#pragma once

#include "core/freshness/plan.hpp"
#include "core/run/run_logic.hpp"
#include "engine/catalog.hpp"
#include "file_executor.hpp"
#include "file_world.hpp"
#include "ports/journal_store.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace troupe_internal::test {

struct plan_scope {
  std::vector<bool> in_run; ///< by asset_index
  std::vector<bool> forced; ///< likewise
};
[[nodiscard]] plan_scope scope_of(const case_pipeline& on, const run_wish& wish);

class simulated_plan {
public:
  /// `keep_all`: records of fresh assets too.
  simulated_plan(const state_case& all, const run_wish& wish, plan_scope scope,
                 std::unique_ptr<journal_snapshot> snapshot, std::shared_ptr<state_names> ids, bool keep_all,
                 timestamp now);
  /// Judges one more asset; false when there is none left.
  bool go_on(const file_world& files);
  /// By asset_index: nothing to do.
  [[nodiscard]] std::vector<bool> fresh() const;
  void forget_snapshot() { snapshot_.reset(); }
  /// It has looked at a file that somebody was writing.
  [[nodiscard]] bool saw_torn() const { return saw_torn_; }

  const case_pipeline& on;
  const std::uint32_t mode;
  plan_scope scope;
  std::unique_ptr<catalog> names;
  bool has_new_names = false;
  run_number last_run; ///< in its snapshot
  planner judged;
  std::vector<digest> versions;
  std::vector<std::unique_ptr<asset_record>> records; ///< by asset_index
  std::vector<blocked_outside> blocked_from_outside;

private:
  [[nodiscard]] asset_record read(asset_index asset) const;
  void note_blocked(asset_index asset);

  std::unique_ptr<journal_snapshot> snapshot_;
  const bool keep_all_;
  std::size_t next_ = 0;
  bool saw_torn_ = false;
  std::vector<bool> has_version_;
  std::vector<attempt_state> attempts_;
};

} // namespace troupe_internal::test
