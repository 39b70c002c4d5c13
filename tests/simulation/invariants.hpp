// What must hold, whatever happens: the journal's own rules (run_checker) and those between the journal, the live
// state, the processes that run and what people are told. Throws at the first violation. Numbers in brackets are those
// of the invariants in docs/architecture.md. Knows nothing of how the run is driven.
#pragma once

#include "random_case.hpp"
#include "rare_paths.hpp"
#include "simulated_executor.hpp"
#include "simulated_journal.hpp"
#include "support/run_checker.hpp"

#include "ports/run_observer.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe_internal::test {

/// Counts what people are told.
class counting_observer final : public run_observer {
public:
  explicit counting_observer(std::size_t assets) : began(assets, 0), ended(assets, 0), settled(assets) {}
  void run_began(const run_outline&) override {}
  void attempt_began(asset_index asset, std::uint32_t, const std::vector<reason>&, duration) override {
    ++began[asset.value];
  }
  void attempt_ended(asset_index asset, const attempt_end&) override { ++ended[asset.value]; }
  void asset_settled(asset_index asset, asset_status status, asset_index, std::string_view) override {
    twice = twice || settled[asset.value].has_value();
    settled[asset.value] = status;
  }
  void run_stopping(stop_cause) override { ++stops; }
  void warned(asset_index, const attempt_warning&) override {}

  std::vector<std::uint32_t> began;
  std::vector<std::uint32_t> ended;
  std::vector<std::optional<asset_status>> settled;
  std::uint32_t stops = 0;
  bool twice = false; ///< an asset was settled twice
};

/// The books of one supervisor.
class invariants {
public:
  invariants(const random_case& on, rare_paths& paths, const simulated_journal& journal, const process_world& world);

  // ---- while it lives
  /// The supervisor begins; `ahead`: of its timestamps over the steady time.
  void begins(duration ahead) { ahead_ = ahead; }
  /// `work` is nullptr before the run begins.
  void appended(const event& e, const simulated_executor* work);
  /// The live state after all that was appended, as bytes.
  void live_state_is(const std::string& bytes);
  void examining(asset_index asset, const upstream_view& upstreams) const;
  void executing(asset_index asset, std::uint32_t attempt) const;
  void checking(asset_index asset, std::uint32_t attempt) const;
  void stop_ordered(bool at_once) {
    ordered_ = true;
    at_once_ = at_once_ || at_once;
  }
  /// No message is on its way. `now`: steady time.
  void quiet(const run_state& live, const simulated_executor& work, duration now) const;

  // ---- at its end
  /// The end was told, and told to be on disk.
  void ended(const run_state& live, const counting_observer& told) const;

  /// The data version that the journal knows of each asset.
  [[nodiscard]] const std::vector<digest>& versions() const { return versions_; }
  [[nodiscard]] const run_checker& books() const { return books_; }
  [[nodiscard]] std::size_t retrying() const;
  [[nodiscard]] std::size_t held() const { return books_.open_attempts() - books_.working(); }

private:
  void note(const event& e);
  [[nodiscard]] bool is_strict(asset_index asset) const;
  [[nodiscard]] bool is_member(asset_index asset) const { return members_[asset.value]; }
  void nobody_waits_in_vain(const simulated_executor& work, duration now) const;
  void needs_are_on_disk(asset_index asset) const;
  void was_made_from_what_there_is(asset_index asset) const;

  const random_case& on_;
  rare_paths& paths_;
  const simulated_journal& journal_;
  const process_world& world_;
  run_checker books_;
  std::vector<bool> members_;
  std::vector<digest> versions_;
  std::vector<bool> was_final_;         ///< when this supervisor began
  std::vector<std::uint32_t> started_;  ///< attempts, by this supervisor
  std::vector<std::uint32_t> finished_; ///< likewise
  std::vector<bool> succeeded_;         ///< likewise
  std::vector<duration> retry_due_;     ///< status retrying: when its wait is over, in steady time
  duration ahead_{};
  bool ordered_ = false; ///< a stop
  bool at_once_ = false;
  std::optional<stop_cause> cause_;
};

/// A journal as a reader finds it: every rule, at every prefix; any prefix kept as a checkpoint gives the same end.
void check_history(const random_case& on, const process_world& world, const std::vector<event>& events, seeded& random);

} // namespace troupe_internal::test
