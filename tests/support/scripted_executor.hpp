// An asset executor that does what a test says: finds assets fresh or stale, lets attempts end well, fail, hang, report
// twice, or throw. Knows no threads: where its answers come from is handed in.
#pragma once

#include "core/model/materialization.hpp"
#include "ports/asset_executor.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal::test {

/// What becomes of one asset; unless told otherwise it is stale and every attempt succeeds.
struct asset_script {
  bool fresh = false;
  std::optional<std::string> impossible;
  std::vector<outcome_kind> outcomes; ///< by attempt; beyond: succeeded
  bool hangs = false;                 ///< attempts end only by end_all
  bool reports_twice = false;         ///< the second report of an attempt tells the opposite
  bool throws_examined = false;       ///< examine() throws: a bug of the executor
  bool throws_executed = false;
};

/// Any thread.
class scripted_executor final : public asset_executor {
public:
  /// `later` runs a piece of work some time, on whatever thread it likes, never within the call.
  explicit scripted_executor(std::function<void(std::function<void()>)> later) : later_(std::move(later)) {}

  asset_script& script(asset_index asset) { return scripts_[asset.value]; }
  /// Called for each execute(), before it is answered.
  std::function<void(asset_index, std::uint32_t)> on_execute;
  /// Data versions as examine() was given them, by asset: of its last examination.
  [[nodiscard]] std::vector<digest> upstreams_of(asset_index asset) const {
    const std::lock_guard lock(mutex_);
    const auto at = upstreams_.find(asset.value);
    return at == upstreams_.end() ? std::vector<digest>{} : at->second;
  }
  /// How hard it was told to end, each time.
  [[nodiscard]] std::vector<urgency> ends() const {
    const std::lock_guard lock(mutex_);
    return ends_;
  }
  [[nodiscard]] std::uint32_t executions(asset_index asset) const {
    const std::lock_guard lock(mutex_);
    const auto at = executions_.find(asset.value);
    return at == executions_.end() ? 0 : at->second;
  }
  /// The data version that an attempt produces.
  [[nodiscard]] static digest version_of(asset_index asset, std::uint32_t attempt) {
    return quick_digest(std::to_string(asset.value) + "/" + std::to_string(attempt));
  }

  void examine(asset_index asset, upstream_view upstreams, std::function<void(examination)> done) override {
    const auto& s = scripts_[asset.value];
    if (s.throws_examined)
      throw std::runtime_error("the examination burst");
    {
      const std::lock_guard lock(mutex_);
      upstreams_[asset.value] = std::move(upstreams.versions);
    }
    examination found;
    found.impossible = s.impossible;
    if (!s.fresh)
      found.reasons.push_back({reason_kind::input_changed, "x"});
    found.warnings.push_back({"empty_glob", "looked at " + std::to_string(asset.value)});
    later_([found, done] { done(found); });
  }

  void execute(asset_index asset, std::uint32_t attempt, std::function<void(process_spawned)> spawned,
               std::function<void(execution)> done) override {
    const auto& s = scripts_[asset.value];
    if (s.throws_executed)
      throw std::runtime_error("the execution burst");
    if (on_execute)
      on_execute(asset, attempt);
    execution how;
    {
      const std::lock_guard lock(mutex_);
      const auto earlier = executions_[asset.value]++;
      how.outcome = ending_                       ? outcome_kind::cancelled
                    : earlier < s.outcomes.size() ? s.outcomes[earlier]
                                                  : outcome_kind::succeeded;
      if (s.hangs && !ending_) {
        hung_.push_back(done);
        later_([spawned] { spawned({4711, 1}); });
        return;
      }
    }
    if (how.outcome == outcome_kind::succeeded)
      how.made.emplace().data_version = version_of(asset, attempt);
    else
      how.message = "as the test asked";
    std::optional<execution> opposite; // behind the first: another thread might come before it
    if (s.reports_twice) {
      opposite.emplace().outcome = how.made ? outcome_kind::exited : outcome_kind::succeeded;
      if (!how.made)
        opposite->made.emplace().data_version = quick_digest("nonsense");
    }
    later_([spawned, done, how, opposite] {
      spawned({4711, 1});
      done(how);
      if (opposite)
        done(*opposite);
    });
  }

  void check_discovered(asset_index, std::uint32_t, std::function<void(bool)> done) override {
    later_([done] { done(true); });
  }
  void settle(std::function<void()> done) override { later_(std::move(done)); }

  void end_all(urgency how) override {
    std::vector<std::function<void(execution)>> ended;
    {
      const std::lock_guard lock(mutex_);
      ends_.push_back(how);
      ending_ = true;
      ended.swap(hung_);
    }
    execution cancelled;
    cancelled.outcome = outcome_kind::cancelled;
    for (auto& done : ended)
      later_([done, cancelled] { done(cancelled); });
  }

  [[nodiscard]] materialized changes_made(asset_index, const execution& done) const override {
    materialized made;
    made.data_version = done.made->data_version;
    return made;
  }

private:
  std::function<void(std::function<void()>)> later_;
  std::map<std::uint32_t, asset_script> scripts_; // set before the run begins
  mutable std::mutex mutex_;
  std::map<std::uint32_t, std::vector<digest>> upstreams_;
  std::map<std::uint32_t, std::uint32_t> executions_;
  std::vector<std::function<void(execution)>> hung_;
  std::vector<urgency> ends_;
  bool ending_ = false;
};

} // namespace troupe_internal::test
