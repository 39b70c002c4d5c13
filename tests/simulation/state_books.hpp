// What must hold over the whole state, whatever its runs do: books of its own over the journal as it is appended, and
// over the files. Throws at the first violation. Numbers in brackets are those of the invariants in
// docs/architecture.md; (10) is: what is read is what was made. Knows nothing of how runs are driven.
#pragma once

#include "core/journal/memory_tables.hpp"
#include "core/run/run_order.hpp"
#include "core/schedule/budgets.hpp"
#include "file_world.hpp"
#include "invariants.hpp"
#include "state_case.hpp"
#include "state_paths.hpp"
#include "support/run_checker.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace troupe_internal::test {

class state_books {
public:
  state_books(const state_case& on, state_paths& paths, const file_world& files);

  // ---- what the driver knows
  /// Before the run's first event: what it was asked for.
  void admits(run_number run, const run_wish& wish) { wishes_[run] = wish; }
  /// A segment has begun. `ahead`: of its timestamps over the steady time. `blocked`: from outside the run, at once.
  void begins(run_number run, duration ahead, const std::vector<blocked_outside>& blocked);
  void stop_ordered(run_number run) { live_[run].stop_ordered = true; }
  /// An attempt has ended well: what it is made from and what it made, whole.
  void made(run_number run, asset_id asset, std::uint32_t attempt, const fingerprint& from, const production& what);
  /// What is appended from now on will never be on disk; runs hear that one after the other.
  void journal_fails() { journal_failed_ = true; }
  /// A run that broke is gone.
  void left(run_number run) { std::erase(order_, run); }

  // ---- the journal
  /// As the next writer finds it.
  void reset(const std::vector<event>& events);
  void observe(const event& e);
  /// The live state of a run after all that was appended, as bytes.
  void live_state_is(const std::string& bytes) const;

  // ---- what runs do
  void looking(run_number run, asset_index asset) const;
  void executing(run_number run, asset_index asset, std::uint32_t attempt);
  /// The journal has lost the attempt that wrote the asset's output last: what it holds is not what is recorded.
  [[nodiscard]] bool lost(run_number run, asset_index asset) const {
    return lost_.contains(id_of(wishes_.at(run).pipeline, asset));
  }
  /// No message is on its way, nothing is examined, all is on disk. `now`: steady time. `ending`: the last events of
  /// these wait for files to settle.
  void quiet(duration now, const std::vector<run_number>& ending,
             const std::optional<arbiter::kept_bundle>& kept) const;
  /// The run's end was told, and told to be on disk.
  void ended(run_number run, const run_state& live, const counting_observer& told) const;
  /// No run lives: what the state says of each file is so.
  void records_are_true() const;
  /// And all is as if it had been made once, in order, with this value of the param.
  void is_as_clean(std::uint32_t pipeline, std::uint32_t mode) const;

  [[nodiscard]] const memory_tables& tables() const { return tables_; }
  [[nodiscard]] const std::map<run_number, run_wish>& wishes() const { return wishes_; }
  [[nodiscard]] const std::vector<run_number>& order() const { return order_; } ///< of live runs
  [[nodiscard]] const run_checker& of(run_number run) const { return *runs_.at(run); }
  [[nodiscard]] bool knows(run_number run) const { return runs_.contains(run); }
  /// Which rule holds an asset that has all it needs in its run: 'a', 'b' or 'c'; 'B' and 'C': for an asset of another
  /// pipeline; 0: none.
  [[nodiscard]] char held(run_number run, asset_index asset, bool before_execution) const;
  [[nodiscard]] std::string name(run_number run, asset_index asset) const;
  [[nodiscard]] std::string_view name(asset_id asset) const;

private:
  [[nodiscard]] char held_across(run_number run, asset_index asset, run_number earlier, bool before_execution) const;
  /// What of a run is of its present segment.
  struct live_book {
    duration ahead{};
    bool stop_ordered = false;
    std::map<asset_index, duration> retry_due; ///< in steady time
    std::vector<bool> was_final;               ///< by asset_index, when the segment began
    std::map<asset_index, std::uint32_t> started, finished;
    std::vector<bool> blocked; ///< by asset_index: from outside, at once; nobody waits until that is appended
    std::vector<std::pair<asset_index, asset_index>> lacks; ///< what is blocked from outside, and by what
  };
  [[nodiscard]] const case_pipeline& pipeline_of(run_number run) const {
    return on_.pipelines[wishes_.at(run).pipeline];
  }
  [[nodiscard]] asset_id id_of(std::uint32_t pipeline, asset_index asset) const;
  [[nodiscard]] std::pair<std::uint32_t, asset_index> asset_of(asset_id asset) const;
  [[nodiscard]] const asset_record* record_of(asset_id asset) const;
  void begin_run(const run_started& e);
  void begin_segment(run_number run);
  void note(const attempt_started& e);
  void note(const attempt_finished& e);
  void note(const run_stopping& e);
  void note(const assets_settled& e);
  void is_of_no_use(run_number run, asset_index asset, asset_index because) const;
  [[nodiscard]] bool starts_in_vain(run_number run, asset_index asset, const capacity& free,
                                    const std::optional<arbiter::kept_bundle>& kept) const;

  const state_case& on_;
  state_paths& paths_;
  const file_world& files_;
  memory_tables tables_;
  std::unique_ptr<run_order> replay_;
  std::map<std::string, asset_id, std::less<>> ids_;
  std::map<run_number, run_wish> wishes_;
  std::map<run_number, std::unique_ptr<run_checker>> runs_;
  std::map<run_number, live_book> live_;
  std::vector<run_number> order_;
  std::map<asset_id, run_number> open_;
  std::map<std::tuple<run_number, asset_id, std::uint32_t>, std::pair<fingerprint, production>> made_;
  /// Made from what a lost attempt left of an asset that it needs by name, outside its run: of that one the last
  /// recorded version counts, as of files that people change. Known, see docs/reliability.md.
  std::set<asset_id> doubtful_;
  std::set<asset_id> lost_; ///< an attempt of which the journal has lost the beginning may have written the output
  bool journal_failed_ = false;
  bool appending_ = false; ///< not: reading what is there
};

} // namespace troupe_internal::test
