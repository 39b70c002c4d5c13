// The real work on assets: examines them, on a few threads where there is much to read, has them made, by command or by
// function, checks what came of it. Knows nothing of order, retries or the journal.
#pragma once

#include "adapters/files/posix_file_system.hpp"
#include "adapters/process/state_logs.hpp"
#include "adapters/state/kept_folder.hpp"
#include "adapters/system/thread_pool.hpp"
#include "core/freshness/plan.hpp"
#include "engine/command_maker.hpp"
#include "engine/examiner.hpp"
#include "engine/known_secrets.hpp"
#include "engine/member_lists.hpp"
#include "engine/run_definitions.hpp"
#include "ports/asset_executor.hpp"
#include "ports/clock.hpp"
#include "ports/process_executor.hpp"
#include "ports/work_loop.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// What is the same for all attempts of a run.
struct worker_setup {
  const pipeline& p;
  const examiner& looks;
  const planner& plan; ///< for freshness policies
  catalog& names;
  file_table& table;
  const member_lists& lists;
  const posix_file_system& files;
  process_executor& processes; ///< others may use it too
  work_loop& loop;             ///< for what can wait
  thread_pool& pool;           ///< for what takes long; others may use it too
  const clock& time;
  std::string state_folder; ///< absolute: for what commands and people are told
  state_logs& logs;
  const kept_folder& results; ///< of the state
  uuid state_id;
  uuid run_id;
  run_number run;
  timestamp since; ///< when the run, or its last resumption, started
  duration grace{};
  path_id pipeline_file;                ///< as the state names it
  std::vector<path_id> own_work;        ///< see planning
  std::vector<std::string> environment; ///< the supervisor's own; taken over
  std::function<void(asset_index, const attempt_warning&)>
      warn;                                     ///< tells whoever watches the run; from the executor's threads
  const run_definitions* definitions = nullptr; ///< those of assets that may run are worked out
  attempt_maker* functions = nullptr;           ///< makes assets by functions; null: the pipeline has none
  std::string events_file{}; ///< what commands are told of the events that the run is for; empty: there are none
};

/// asset_executor by processes and functions.
class asset_worker final : public asset_executor {
public:
  /// `records` by asset_index: of those that may run; null elsewhere.
  asset_worker(worker_setup setup, std::vector<std::unique_ptr<asset_record>> records);
  ~asset_worker() override;
  asset_worker(const asset_worker&) = delete;
  asset_worker& operator=(const asset_worker&) = delete;
  /// Ends what still runs, and waits until all that was handed out has come back. Nothing is handed out any more.
  void end_and_wait();

  void examine(asset_index asset, upstream_view upstreams, std::function<void(examination)> done) override;
  void execute(asset_index asset, std::uint32_t attempt, std::function<void(process_spawned)> spawned,
               std::function<void(execution)> done) override;
  void check_discovered(asset_index asset, std::uint32_t attempt, std::function<void(bool)> done) override;
  void settle(std::function<void()> done) override;
  void end_all(urgency how) override;
  [[nodiscard]] materialized changes_made(asset_index asset, const execution& done) const override;
  /// Has the pool do it; this waits for it when it is destroyed. Any thread.
  void submit(std::function<void()> work);
  /// The record of an asset as it is by now. Not while the asset is examined or made, and before it is.
  void use_record(asset_index asset, asset_record record);
  /// record_restated of those that were examined and found fresh by an old rule, since the last call. Any thread.
  [[nodiscard]] std::vector<event> take_restated();

private:
  /// Before anything of it is written or shown.
  void hide_secrets(execution& out) const;
  /// Around what others call back for, which uses this.
  void hand_out();
  void take_back();
  /// Of an asset that clears its outputs: those that did not exist before its first attempt.
  void note_absent(asset_index asset, examination& out);
  /// Removes what earlier attempts of this asset made; an error if something else is in the way.
  [[nodiscard]] result<void> clear_outputs(asset_index asset) const;
  /// Removes the depfile of an earlier attempt; an error if it is a folder.
  [[nodiscard]] result<void> remove_depfile(asset_index asset) const;
  struct attempt_start {
    timestamp at;       ///< to compare with files' times
    duration monotonic; ///< to tell how long it took
  };
  void make(asset_index asset, std::uint32_t attempt, attempt_start start, std::function<void(process_spawned)> spawned,
            std::function<void(execution)> done);
  [[nodiscard]] attempt_maker& maker_of(asset_index asset) const;
  /// What its maker can do ahead. May block.
  [[nodiscard]] result<void> prepare(asset_index asset, const findings& found) const;
  /// None if looking at files was broken off: the run is stopping, and nobody waits for it.
  [[nodiscard]] std::optional<examination> look_at(asset_index asset, const upstream_view& upstreams,
                                                   const recent_glances& seen);
  // What was seen of the files in question, if there is so little to read that the loop does it sooner than
  // it has woken another.
  [[nodiscard]] std::optional<recent_glances> reads_little(std::span<const path_slot> slots) const;
  [[nodiscard]] std::optional<recent_glances> examines_quickly(asset_index asset) const;
  /// Has a value only where the attempt has said nothing of itself.
  [[nodiscard]] std::optional<recent_glances> finishes_quickly(asset_index asset, std::uint32_t attempt,
                                                               const work_end& end) const;
  /// `quick`: what finishes_quickly() saw; null: it was not asked, or said no.
  [[nodiscard]] execution finish(asset_index asset, std::uint32_t attempt, const attempt_start& start, work_end end,
                                 const recent_glances* quick);
  /// `end`: null for a source.
  void check_products(asset_index asset, std::uint32_t attempt, timestamp started_at, work_end* end,
                      const recent_glances* quick, execution& out);
  /// What the attempt says of itself, into `made` and the asset's findings; or what is wrong with it.
  [[nodiscard]] std::optional<std::string> take_report(asset_index asset, std::uint32_t attempt, timestamp started_at,
                                                       work_end& end, production& made);
  /// Whether the command's exit status says that there was nothing to do.
  [[nodiscard]] bool says_skipped(asset_index asset, const execution& out) const;
  /// It does; but where it has written an output, it has failed.
  void judge_skip(asset_index asset, std::uint32_t attempt, execution& out) const;
  /// The standard output as the data version; or what is wrong with it.
  [[nodiscard]] static std::optional<std::string> take_version(const work_end& end, production& made);
  /// Of outputs that were taken for files when the graph was built, and into which globs reach.
  void warn_of_folders(asset_index asset, execution& out) const;
  [[nodiscard]] std::string take_discovered(asset_index asset, const attempt_report& report, timestamp started_at);
  /// `moved`: the file was written since the attempt started, or perhaps a moment before.
  void note_makers(asset_index asset, std::span<const asset_index> makers, path_slot slot, const digest& content,
                   bool moved);
  /// An output that the command left as it was is told: a clean build would fail.
  void warn_of_unwritten(asset_index asset, timestamp started_at, const recent_glances* quick, execution& out) const;

  worker_setup setup_;
  std::string run_text_;
  std::unique_ptr<known_secrets> secrets_; ///< null: the pipeline declares none
  std::unique_ptr<command_maker> commands_;
  std::vector<std::unique_ptr<asset_record>> records_;
  std::vector<std::unique_ptr<findings>> found_; // by asset_index: of its last examination
  std::vector<duration> examined_at_;            // by asset_index: likewise; monotonic
  /// What an attempt discovered that other assets make.
  struct made_elsewhere {
    struct file {
      path_slot slot;
      digest content;     ///< as the attempt read it
      bool moved = false; ///< written since the attempt started: what it read is not known
    };
    std::vector<file> files;
    std::vector<asset_index> makers;
  };
  std::vector<std::unique_ptr<made_elsewhere>> made_elsewhere_; // by asset_index: of its last attempt
  mutable std::mutex absent_mutex_;
  std::map<std::uint32_t, std::vector<path_id>> absent_;   ///< by asset: see note_absent(); sorted
  std::vector<std::unique_ptr<std::string>> not_prepared_; // by asset_index: why it cannot be made after all
  std::atomic<bool> ending_{false};
  std::atomic<bool> has_restated_{false};
  std::mutex restated_mutex_;
  std::vector<event> restated_;
  std::mutex handed_out_mutex_;
  std::condition_variable all_back_;
  std::size_t handed_out_ = 0; ///< to processes, the loop and the pool, and not yet back
};

} // namespace troupe_internal
