// The world in which assets are made: processes that live on when their supervisor dies, and an executor that does what
// the case says, in virtual time: work that ends well, fails, hangs, ends late, reports twice. Knows no actors; answers
// when the driver lets it.
#pragma once

#include "ports/asset_executor.hpp"
#include "random_case.hpp"
#include "rare_paths.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal::test {

/// What runs, whoever started it. Throws when more runs than may: this is the truth that the journal only tells of.
class process_world {
public:
  explicit process_world(const random_case& on)
      : on_(on), runs_(on.p->assets.size(), 0), contents_(on.p->assets.size(), 0), read_(on.p->assets.size()) {}

  /// Returns its number.
  std::int32_t start(asset_index asset);
  void end(asset_index asset);
  /// All that runs is ended; how many that were.
  std::size_t end_all();
  [[nodiscard]] std::size_t running() const { return running_; }
  [[nodiscard]] bool runs(asset_index asset) const { return runs_[asset.value] != 0; }
  /// What its output holds, as a number: another one while it is written, and afterwards.
  [[nodiscard]] std::uint32_t content(asset_index asset) const { return contents_[asset.value]; }
  /// What the asset's last process read of what it discovers, and what there is of that now.
  [[nodiscard]] const std::vector<std::uint32_t>& read_by(asset_index asset) const { return read_[asset.value]; }
  [[nodiscard]] std::vector<std::uint32_t> discovered_by(asset_index asset) const;
  /// An attempt begins; or has ended well, having discovered something: then it may be held.
  void begins(asset_index asset, std::uint32_t attempt) { ended_well_.erase({asset.value, attempt}); }
  void ends_well(asset_index asset, std::uint32_t attempt) { ended_well_.emplace(asset.value, attempt); }
  [[nodiscard]] bool ended_well(asset_index asset, std::uint32_t attempt) const {
    return ended_well_.contains({asset.value, attempt});
  }

private:
  void write(asset_index asset);

  const random_case& on_;
  std::vector<std::int32_t> runs_;               // by asset_index: number of its process, 0: none
  std::vector<std::uint32_t> contents_;          // by asset_index
  std::vector<std::vector<std::uint32_t>> read_; // by asset_index
  std::set<std::pair<std::uint32_t, std::uint32_t>> ended_well_;
  std::size_t running_ = 0;
  std::map<std::string, std::uint32_t, std::less<>> pools_;
  std::int32_t last_ = 100;
};

/// A report that was made, kept to be made again when nobody wants it any more.
struct old_report {
  asset_index asset;
  std::uint32_t attempt = 0;
  execution how;
  std::function<void(execution)> done;
};

class simulated_executor final : public asset_executor {
public:
  /// `bursts`: some calls throw.
  simulated_executor(const random_case& on, process_world& world, seeded& random, rare_paths& paths,
                     std::function<duration()> now, bool bursts);

  // ---- the port
  void examine(asset_index asset, upstream_view upstreams, std::function<void(examination)> done) override;
  void execute(asset_index asset, std::uint32_t attempt, std::function<void(process_spawned)> spawned,
               std::function<void(execution)> done) override;
  void check_discovered(asset_index asset, std::uint32_t attempt, std::function<void(bool)> done) override;
  void settle(std::function<void()> done) override;
  void end_all(urgency how) override;
  [[nodiscard]] materialized changes_made(asset_index asset, const execution& done) const override;

  // ---- hooks
  std::function<void(asset_index, const upstream_view&)> on_examine;
  std::function<void(asset_index, std::uint32_t)> on_execute;
  std::function<void(asset_index, std::uint32_t)> on_check;

  // ---- for the driver
  /// What answers next, and when; nullopt if nothing will by itself.
  [[nodiscard]] std::optional<duration> next_due() const;
  [[nodiscard]] std::vector<std::size_t> due() const;
  /// Returns which asset answered (of settle: none).
  asset_index answer(std::size_t item);
  /// From now on nobody calls, and calls are not heard.
  void die() { dead_ = true; }

  // ---- for the checker
  [[nodiscard]] std::size_t examining() const { return examining_count_; }
  [[nodiscard]] bool settling() const { return settling_; }
  [[nodiscard]] bool anything_hangs() const;
  [[nodiscard]] const std::vector<urgency>& ends() const { return ends_; }
  /// What was reported first of the asset's attempt in this life; nullptr if nothing was.
  [[nodiscard]] const execution* first_report(asset_index asset, std::uint32_t attempt) const;
  [[nodiscard]] static digest version_of(asset_index asset, std::uint32_t attempt);
  [[nodiscard]] const std::vector<old_report>& reports() const { return reports_; }

private:
  enum class what : std::uint8_t { examined, spawned, ended, again, checked, settled };
  struct item {
    what kind = what::examined;
    std::optional<duration> due; ///< nullopt: only when it is ended
    asset_index asset;
    std::uint32_t attempt = 0;
    examination found;
    execution how;
    bool contradicts = false;
    std::int32_t process = 0;
    std::function<void(examination)> examined;
    std::function<void(process_spawned)> spawned;
    std::function<void(execution)> done;
    std::function<void(bool)> checked;
    std::function<void()> settled;
  };
  [[nodiscard]] duration within(duration longest);
  void maybe_burst();
  execution outcome(asset_index asset, std::uint32_t attempt, outcome_kind kind) const;
  void repeat(const item& ended, bool contradicts);

  const random_case& on_;
  process_world& world_;
  seeded& random_;
  rare_paths& paths_;
  std::function<duration()> now_;
  std::vector<item> items_;
  const bool bursts_;
  std::vector<bool> examining_;
  std::size_t examining_count_ = 0;
  std::vector<std::uint32_t> executions_; // in this life
  std::vector<std::uint32_t> newest_;     // attempt that was asked for
  struct first {
    std::uint32_t attempt = 0;
    execution how;
  };
  std::vector<std::optional<first>> first_; // by asset_index: of its last attempt
  std::vector<urgency> ends_;
  std::vector<old_report> reports_;
  bool settling_ = false;
  bool dead_ = false;
};

} // namespace troupe_internal::test
