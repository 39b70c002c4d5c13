// Which assets run, may run, or are fresh: one step an asset, in topological order. Knows nothing of where records and
// observations come from.
#pragma once

#include "core/freshness/freshness.hpp"
#include "core/model/report.hpp"
#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/pipeline.hpp"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe_internal {

/// Plans one selection. One thread at a time.
class planner {
public:
  /// `in_run` and `forced` by asset_index; what is not in the run is taken as last materialized.
  planner(const pipeline& p, const asset_graph& graph, std::vector<bool> in_run, std::vector<bool> forced,
          timestamp now, const name_source& names);

  /// Judges one asset of the run; every upstream in the run must have been judged before. `declared`: see
  /// judge_freshness(). `value`: why the value that it handed on is of no use any more, if that is so.
  void judge(asset_index asset, const asset_record& record, const fingerprint& now,
             std::span<const file_version> outputs, const fingerprint* declared = nullptr,
             const std::optional<reason>& value = std::nullopt);

  /// Before it is judged: it is stale whatever its files say, because the asset that makes this file needs it.
  void keep_stale(asset_index asset, std::string file) { in_cycle_.emplace(asset.value, std::move(file)); }

  [[nodiscard]] bool in_run(asset_index asset) const { return in_run_[asset.value]; }
  [[nodiscard]] plan_action action(asset_index asset) const { return action_[asset.value]; }
  /// How many are not fresh.
  [[nodiscard]] std::size_t to_do() const { return to_do_.size(); }
  /// Those, in topological order, with their reasons.
  struct item {
    asset_index asset;
    std::vector<reason> reasons;
  };
  [[nodiscard]] const std::vector<item>& items() const { return to_do_; }
  /// The reasons of the asset that was judged last, which is not fresh; for adding to what they say.
  [[nodiscard]] std::vector<reason>& last_reasons() { return to_do_.back().reasons; }
  /// What is known beside the judgement of an output that was modified: said `instead` of that, here and whenever the
  /// asset is judged again.
  void say_instead(std::string output, reason instead) {
    instead_.insert_or_assign(std::move(output), std::move(instead));
  }
  /// Puts what is known in the place of the reasons that say less.
  void restate(std::vector<reason>& reasons) const;
  /// The freshness policy of an asset (also used when it is judged again during the run).
  [[nodiscard]] freshness_policy policy_of(asset_index asset) const;

private:
  /// Whether all that scratch_ says of an asset can be gone once the upstreams that run have run: an output of theirs
  /// that somebody changed or removed is made again, and may come out as it was.
  [[nodiscard]] bool may_be_undone(asset_index asset, const asset_record& record, const fingerprint& now,
                                   std::span<const asset_index> running) const;

  const pipeline& p_;
  const asset_graph& graph_;
  std::vector<bool> in_run_;
  std::vector<bool> forced_;
  timestamp now_;
  const name_source& names_;
  std::unordered_map<std::uint32_t, std::string> in_cycle_; ///< by asset: a file that it reads
  std::vector<plan_action> action_;
  std::vector<item> to_do_;
  std::map<std::string, reason, std::less<>> instead_; ///< by output
  std::vector<reason> scratch_;
  std::vector<asset_index> running_; ///< upstreams of the asset being judged that are not fresh
};

} // namespace troupe_internal
