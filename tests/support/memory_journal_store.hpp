// A journal store in memory, for tests and simulation: what is not yet durable is lost in a crash, and appends fail on
// demand. Folds with the same projector as the real one.
#pragma once

#include "base/check.hpp"
#include "core/journal/memory_tables.hpp"
#include "core/model/retention.hpp"
#include "ports/journal_store.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace troupe_internal::test {

/// Any thread.
class memory_journal_store final : public journal_store {
public:
  explicit memory_journal_store(uuid id = {}) {
    world_->live.state.id = id;
    world_->base.state.id = id;
    world_->base.keeps_runs = false;
  }

  /// With false, appends stay volatile until make_durable(). Default: true, as with strict and pipelined.
  void set_sync(bool every_append) {
    const std::lock_guard guard(mutex_);
    sync_ = every_append;
  }
  void make_durable() {
    const std::lock_guard guard(mutex_);
    durable_seq_ = world_->live.state.last_seq;
  }
  [[nodiscard]] std::uint64_t durable_seq() const {
    const std::lock_guard guard(mutex_);
    return durable_seq_;
  }
  /// The process dies and a new one opens the state: what was not durable is gone, failures are over.
  void crash() {
    const std::lock_guard guard(mutex_);
    rebuild(durable_seq_);
    failed_.reset();
    fail_after_.reset();
  }
  /// The append after `appends` more fails, as a full disk would make it, and all after it.
  void fail_after(std::uint64_t appends) {
    const std::lock_guard guard(mutex_);
    fail_after_ = appends;
  }

  result<std::uint64_t> append(std::span<const event> events) override {
    const std::lock_guard guard(mutex_);
    if (auto may = before_write(); !may)
      return may.error();
    auto& w = own();
    const auto before = w.live.state.last_seq;
    projector fold(w.live);
    for (const auto& e : events) {
      if (auto done = fold.apply(w.live.state.last_seq + 1, e); !done) {
        rebuild(before);
        failed_ = done.error();
        return done.error();
      }
      w.events.push_back(e);
    }
    for (const auto run : std::exchange(w.live.ended, {}))
      w.checkpoints.erase(run);
    if (sync_)
      durable_seq_ = w.live.state.last_seq;
    return w.live.state.last_seq;
  }

  result<void> write_checkpoint(run_number run, const run_checkpoint& checkpoint) override {
    const std::lock_guard guard(mutex_);
    if (auto may = before_write(); !may)
      return may.error();
    own().checkpoints[run] = checkpoint;
    return {};
  }

  /// Without regard to the rule's max_bytes: nothing is stored as bytes here.
  result<retention_step> retain(const retention_rule& rule, std::uint64_t max_events) override {
    const std::lock_guard guard(mutex_);
    if (auto may = before_write(); !may)
      return may.error();
    auto& w = own();
    auto& live = w.live;
    retention_bound bound(rule, live.state.writer_seq);
    for (auto run = live.runs.rbegin(); run != live.runs.rend(); ++run)
      bound.add(run->second);
    const bool has_runs = !live.runs.empty();
    bool at_cause = false; // of a run that is kept
    const auto may_go = [&] {
      return !at_cause && live.state.first_seq < bound.first_kept() && live.state.first_seq <= live.state.last_seq;
    };
    retention_step step;
    projector fold(w.base);
    for (; step.events_dropped < max_events && may_go(); ++step.events_dropped, ++live.state.first_seq) {
      const auto& e = w.events[step.events_dropped];
      if (const auto* const taken = std::get_if<event_taken>(&e); taken != nullptr && taken->bound_run.value != 0)
        at_cause = bound.oldest_kept() ? taken->bound_run >= *bound.oldest_kept() : !has_runs;
      if (at_cause)
        break;
      if (auto done = fold.apply(live.state.first_seq, e); !done)
        return done.error();
      if (const auto run = run_shown_from(e)) {
        live.runs.erase(*run);
        w.checkpoints.erase(*run);
        step.runs_dropped.push_back(*run);
      }
    }
    w.events.erase(w.events.begin(), w.events.begin() + static_cast<std::ptrdiff_t>(step.events_dropped));
    step.more = may_go();
    durable_seq_ = live.state.last_seq; // its commit brings all before it to disk
    return step;
  }

  result<std::unique_ptr<journal_snapshot>> snapshot() const override {
    const std::lock_guard guard(mutex_);
    return std::unique_ptr<journal_snapshot>(std::make_unique<view>(world_));
  }

  /// All events kept, in order: for assertions.
  [[nodiscard]] std::vector<event> events() const {
    const std::lock_guard guard(mutex_);
    return world_->events;
  }

private:
  struct world {
    memory_tables base;
    memory_tables live;
    std::vector<event> events; ///< live.state.first_seq …
    std::map<run_number, run_checkpoint> checkpoints;
  };

  class view final : public journal_snapshot {
  public:
    explicit view(std::shared_ptr<const world> w) : world_(std::move(w)) {}
    const state_info& info() const override { return world_->live.state; }
    std::unique_ptr<const journal_snapshot> twin() const override { return std::make_unique<view>(world_); }
    result<void> visit_events(std::uint64_t first_seq,
                              const std::function<bool(std::uint64_t, const event&)>& visit) const override {
      auto seq = world_->live.state.first_seq;
      for (const auto& e : world_->events) {
        if (seq >= first_seq && !visit(seq, e))
          break;
        ++seq;
      }
      return {};
    }
    result<void> visit_asset_names(const std::function<bool(asset_id, std::string_view)>& visit) const override {
      return each(world_->live.asset_names, visit);
    }
    result<void> visit_identities(const std::function<bool(asset_id, std::string_view)>& visit) const override {
      return each(world_->live.identities, visit);
    }
    result<bool> read_made(path_id path, made_record& out) const override {
      const auto found = world_->live.made.find(path);
      out = found != world_->live.made.end() ? found->second : made_record{};
      return found != world_->live.made.end();
    }
    result<void> visit_made(const std::function<bool(path_id)>& wanted,
                            const std::function<bool(path_id, const made_record&)>& visit) const override {
      return each(world_->live.made,
                  [&](path_id path, const made_record& record) { return !wanted(path) || visit(path, record); });
    }
    result<void> visit_paths(const std::function<bool(path_id, std::string_view)>& visit) const override {
      return each(world_->live.paths, visit);
    }
    result<bool> read_asset(asset_id asset, asset_record& out) const override {
      const auto found = world_->live.assets.find(asset);
      out = found != world_->live.assets.end() ? found->second : asset_record{};
      return found != world_->live.assets.end();
    }
    result<bool> read_base_asset(asset_id asset, asset_record& out) const override {
      const auto found = world_->base.assets.find(asset);
      out = found != world_->base.assets.end() ? found->second : asset_record{};
      return found != world_->base.assets.end();
    }
    result<bool> read_definition(const digest& of, asset_definition& out) const override {
      for (const auto* tables : {&world_->live, &world_->base})
        if (const auto found = tables->definitions.find(definition_key(of));
            found != tables->definitions.end() && found->second.of == of && found->second.has_text) {
          out = found->second.text;
          return true;
        }
      out = {};
      return false;
    }
    result<void> visit_assets(const std::function<bool(asset_id, const asset_record&)>& visit) const override {
      return each(world_->live.assets, visit);
    }
    result<void> visit_files(const std::function<bool(path_id, const file_record&)>& visit) const override {
      return each(world_->live.files, visit);
    }
    result<std::optional<run_record>> read_run(run_number run) const override {
      const auto found = world_->live.runs.find(run);
      return found != world_->live.runs.end() ? std::optional(found->second) : std::nullopt;
    }
    result<void> visit_runs_newest_first(const std::function<bool(const run_record&)>& visit) const override {
      for (auto run = world_->live.runs.rbegin(); run != world_->live.runs.rend(); ++run)
        if (!visit(run->second))
          break;
      return {};
    }
    result<void> visit_queue(const std::function<bool(const run_queued&)>& visit) const override {
      return each(world_->live.queue, [&](run_number, const run_queued& queued) { return visit(queued); });
    }
    result<void> visit_triggers(const std::function<bool(const trigger_record&)>& visit) const override {
      return each(world_->live.triggers, [&](std::uint64_t, const trigger_record& record) { return visit(record); });
    }
    result<void> visit_pending(const std::function<bool(const event_taken&)>& visit) const override {
      return each(world_->live.pending, [&](std::uint64_t, const event_taken& what) { return visit(what); });
    }
    result<bool> read_trigger(const std::string& name, trigger_record& out) const override {
      const auto found = world_->live.triggers.find(trigger_key(name));
      out = found != world_->live.triggers.end() ? found->second : trigger_record{};
      return found != world_->live.triggers.end();
    }
    result<bool> read_seen_key(const std::string& trigger, const std::string& key, seen_key& out) const override {
      const auto found = world_->live.keys.find(seen_key_key(trigger, key));
      out = found != world_->live.keys.end() ? found->second : seen_key{};
      return found != world_->live.keys.end();
    }
    result<std::vector<open_attempt>> open_attempts() const override {
      std::vector<open_attempt> open;
      for (const auto& [key, attempt] : world_->live.open_attempts)
        open.push_back(attempt);
      return open;
    }
    error damaged_event(std::uint64_t seq, const std::string& finding) const override {
      return fail(error_code::state_unusable, "event " + std::to_string(seq) + ": " + finding);
    }
    error damaged_run(run_number run, const std::string& finding) const override {
      return fail(error_code::state_unusable, "run record " + std::to_string(run.value) + ": " + finding);
    }
    result<std::optional<run_checkpoint>> read_checkpoint(run_number run) const override {
      const auto found = world_->checkpoints.find(run);
      return found != world_->checkpoints.end() ? std::optional(found->second) : std::nullopt;
    }

  private:
    template <class Map, class Visit>
    static result<void> each(const Map& map, const Visit& visit) {
      for (const auto& [key, value] : map)
        if (!visit(key, value))
          break;
      return {};
    }
    std::shared_ptr<const world> world_;
  };

  /// The world to change: a copy, if a snapshot looks at it.
  world& own() {
    if (world_.use_count() > 1)
      world_ = std::make_shared<world>(*world_);
    return *world_;
  }
  /// Base and events up to `last_seq`, folded anew.
  void rebuild(std::uint64_t last_seq) {
    auto& w = own();
    const auto first_seq = w.live.state.first_seq;
    w.events.resize(last_seq + 1 - first_seq);
    w.live = w.base;
    w.live.keeps_runs = true;
    w.live.state.first_seq = first_seq;
    projector fold(w.live);
    for (std::size_t i = 0; i < w.events.size(); ++i)
      TROUPE_CHECK(fold.apply(first_seq + i, w.events[i]).has_value(), "what was folded once folds again");
    w.live.ended.clear();
    std::erase_if(w.checkpoints, [&](const auto& c) { return c.second.seq > last_seq; });
  }
  result<void> before_write() {
    if (!failed_ && fail_after_ && (*fail_after_)-- == 0)
      failed_ = error{error_code::state_unusable, "the disk is full (as the test asked)"};
    if (failed_)
      return *failed_;
    return {};
  }

  mutable std::mutex mutex_;
  std::shared_ptr<world> world_ = std::make_shared<world>();
  std::uint64_t durable_seq_ = 0;
  std::optional<error> failed_;
  std::optional<std::uint64_t> fail_after_;
  bool sync_ = true;
};

} // namespace troupe_internal::test
