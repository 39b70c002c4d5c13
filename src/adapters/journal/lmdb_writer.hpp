// The single writer: append, checkpoint and retention as transactions on an open journal. Knows nothing of how the
// journal was opened.
#pragma once

#include "adapters/journal/lmdb_inspect.hpp"
#include "adapters/journal/lmdb_projection.hpp"
#include "adapters/journal/lmdb_tables.hpp"
#include "adapters/journal/state_lock.hpp"
#include "core/pipeline/pipeline.hpp"
#include "ports/journal_store.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace troupe_internal {

class lmdb_writer final : public journal_store {
public:
  /// `doubts`: what is found wrong with the journal as it was opened (empty: nothing); asked before anything is
  /// written.
  lmdb_writer(std::shared_ptr<const state_lock> lock, std::shared_ptr<lmdb_env> env,
              troupe_internal::durability durability, state_info info, pending_inspection doubts)
      : lock_(std::move(lock)), env_(std::move(env)), durability_(durability), info_(std::move(info)),
        doubts_(std::move(doubts)) {}
  /// With durability none: brings all to disk, which makes the state trustworthy again.
  ~lmdb_writer() override;

  [[nodiscard]] result<std::uint64_t> append(std::span<const event> events) override;
  [[nodiscard]] result<void> write_checkpoint(run_number run, const run_checkpoint& checkpoint) override;
  [[nodiscard]] result<retention_step> retain(const retention_rule& rule, std::uint64_t max_events) override;
  [[nodiscard]] result<std::unique_ptr<journal_snapshot>> snapshot() const override;

private:
  /// Runs `work` in a transaction and commits, again after growing where the map was full. After any other failure the
  /// store accepts nothing more.
  [[nodiscard]] result<void> transact(const std::function<result<void>(lmdb_access&)>& work);
  [[nodiscard]] result<void> put_events(lmdb_access& access, std::uint64_t first_seq, std::span<const event> events);

  std::shared_ptr<const state_lock> lock_; ///< first, so that it is released last
  std::shared_ptr<lmdb_env> env_;
  troupe_internal::durability durability_;
  state_info info_; ///< as committed
  event_encoder record_;
  pending_inspection doubts_; ///< of all but definitions
  definition_guard definitions_;
  bool untouched_ = true; ///< nothing was written yet
  std::uint32_t transactions_ = 0;
  std::optional<error> failed_;
};

/// Folds the oldest events into the base and drops them, as journal_store::retain says. `info` is the state's, and is
/// brought up to date.
[[nodiscard]] result<retention_step> retain_step(lmdb_access& access, state_info& info, const retention_rule& rule,
                                                 std::uint64_t max_events, definition_guard& definitions);

} // namespace troupe_internal
