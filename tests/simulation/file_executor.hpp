// The work on the assets of one run, in virtual time, with the files of the simulated world: examines as the real
// executor does, by records and contents; makes values of what it reads. Knows no actors; answers when the driver lets
// it.
#pragma once

#include "core/freshness/plan.hpp"
#include "engine/catalog.hpp"
#include "file_world.hpp"
#include "ports/asset_executor.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe_internal::test {

/// What an asset of a pipeline is made from as of now, and what its output holds.
struct asset_look {
  fingerprint now;
  std::vector<file_version> outputs;
};
[[nodiscard]] asset_look look_at(const case_pipeline& on, const catalog& names, const file_world& files,
                                 asset_index asset, std::uint32_t mode,
                                 const std::function<digest(asset_index)>& version_of);

/// What is the same for all attempts of a run.
struct file_executor_setup {
  const state_case& all;
  const run_wish& wish;
  const catalog& names;
  const planner& plan; ///< for freshness policies
  file_world& files;
  seeded& random;
  std::function<duration()> now;
  run_number run;
  timestamp since;
  bool may_hang = false; ///< somebody will end it
  /// Called within actors' turns: what a rule says, in words, is not to be thrown there.
  std::function<void(const std::function<void()>&)> check;
};

class file_executor final : public asset_executor {
public:
  file_executor(file_executor_setup setup, std::vector<std::unique_ptr<asset_record>> records);

  // ---- the port
  void examine(asset_index asset, upstream_view upstreams, std::function<void(examination)> done) override;
  void execute(asset_index asset, std::uint32_t attempt, std::function<void(process_spawned)> spawned,
               std::function<void(execution)> done) override;
  void check_discovered(asset_index asset, std::uint32_t attempt, std::function<void(bool)> done) override;
  void settle(std::function<void()> done) override;
  void end_all(urgency how) override;
  [[nodiscard]] materialized changes_made(asset_index asset, const execution& done) const override;
  void use_record(asset_index asset, asset_record record);

  // ---- hooks
  std::function<void(asset_index)> on_look;
  std::function<void(asset_index, std::uint32_t)> on_execute;
  std::function<bool(asset_index)> is_lost; ///< see state_books::lost()
  /// An attempt has ended well: the whole of what it is made from, and of what it made.
  std::function<void(asset_index, std::uint32_t, const fingerprint&, const production&)> on_made;

  // ---- for the driver
  [[nodiscard]] std::optional<duration> next_due() const;
  [[nodiscard]] std::vector<std::size_t> due() const;
  /// In words.
  std::string answer(std::size_t item);
  [[nodiscard]] std::size_t examining() const { return examining_; }
  /// From now on nobody calls, and calls are not heard.
  void die() { dead_ = true; }

private:
  enum class what : std::uint8_t { examined, spawned, ended, settled };
  struct item {
    what kind = what::examined;
    std::optional<duration> due; ///< nullopt: only when it is ended
    asset_index asset;
    std::uint32_t attempt = 0;
    upstream_view upstreams;
    std::optional<asset_look> seen; ///< when it was asked for; nullopt: it is when the answer comes
    execution how;
    std::int32_t process = 0;
    std::function<void(examination)> examined;
    std::function<void(process_spawned)> spawned;
    std::function<void(execution)> done;
    std::function<void()> settled;
  };
  [[nodiscard]] duration within(duration longest);
  [[nodiscard]] asset_look look(asset_index asset, const upstream_view& upstreams);
  void finish_examination(const item& one);
  void finish_attempt(item one);
  [[nodiscard]] std::string name(asset_index asset) const { return std::string(on_.p->asset(asset).name); }

  file_executor_setup setup_;
  const case_pipeline& on_;
  std::vector<std::unique_ptr<asset_record>> records_; // by asset_index
  std::vector<std::unique_ptr<fingerprint>> found_;    // likewise: of the last examination
  std::vector<bool> busy_;                             // likewise: examined or made
  std::vector<item> items_;
  std::size_t examining_ = 0;
  bool ending_ = false;
  bool dead_ = false;
};

} // namespace troupe_internal::test
