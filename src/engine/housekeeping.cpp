// Retention steps and deleted folders.
#include "engine/housekeeping.hpp"

#include "adapters/system/start_thread.hpp"
#include "engine/member_lists.hpp"

#include <atomic>
#include <system_error>

namespace troupe_internal {

namespace {

constexpr std::uint64_t events_per_step = 5'000;
constexpr std::uint32_t fresh_runs_between_steps = 64;

} // namespace

retention_rule rule_of(const pipeline& p, const clock& time, const std::optional<history_bounds>& bounds) {
  retention_rule rule(p.name, p.engine.keep_runs);
  if (bounds && bounds->limited)
    rule.limits = history_limits{time.now() - bounds->max_age, bounds->max_bytes};
  if (bounds)
    rule.first_wanted = bounds->first_wanted;
  return rule;
}

result<void> claim_logs(state_logs& logs, const journal_store& store) {
  return logs.claim([&]() -> result<std::set<std::uint32_t>> {
    const auto snapshot = store.snapshot();
    if (!snapshot)
      return snapshot.error();
    std::set<std::uint32_t> runs;
    const auto visited = (*snapshot)->visit_runs_newest_first([&](const run_record& run) {
      runs.insert(run.run.value);
      return true;
    });
    if (!visited)
      return visited.error();
    return runs;
  });
}

struct housekeeping::shared {
  std::shared_ptr<state_logs> logs;
  retention_rule rule;
  std::atomic<bool> ending{false};

  /// One step, then, if there is more, another behind whatever was appended meanwhile.
  static void step(const std::shared_ptr<shared>& self, group_commit* log, journal_store& store) {
    if (self->ending)
      return;
    const auto done = store.retain(self->rule, events_per_step);
    if (!done)
      return; // a journal that cannot be written says so at the next append
    for (const auto run : done->runs_dropped)
      self->logs->remove(run);
    if (done->more)
      log->submit([self, log](journal_store& again) { step(self, log, again); });
  }
};

housekeeping::housekeeping(group_commit& log, std::shared_ptr<state_logs> logs, state_dir::handle dir,
                           const pipeline& p, run_number current, const clock& time, const std::set<digest>& folders,
                           const std::optional<history_bounds>& history)
    : shared_(std::make_shared<shared>()) {
  shared_->logs = std::move(logs);
  shared_->rule = rule_of(p, time, history);
  log.submit([self = shared_, log = &log](journal_store& store) { shared::step(self, log, store); });
  const auto oldest = time.now() - p.engine.keep_logs;
  const auto clean = [self = shared_, dir = std::move(dir), oldest, current, folders] {
    const auto enough = [&] { return self->ending.load(); };
    self->logs->remove_old(oldest, current, enough);
    delete_old_listings(*dir, folders, oldest, enough);
  };
  try {
    cleaner_ = start_thread(clean);
  } catch (const std::system_error&) { // old logs stay for a later run
  }
}

housekeeping::~housekeeping() {
  shared_->ending = true;
  if (cleaner_.joinable())
    cleaner_.join();
}

void tidy_after_fresh_run(journal_store& store, const state_dir::handle& dir, const pipeline& p, run_number current) {
  if (current.value % fresh_runs_between_steps != 0)
    return;
  state_logs logs(dir);
  if (!claim_logs(logs, store))
    return; // a run that writes logs says why
  const auto done = store.retain({p.name, p.engine.keep_runs}, events_per_step);
  if (!done)
    return;
  for (const auto run : done->runs_dropped)
    logs.remove(run);
}

void tidy_after_fresh_run(group_commit& log, std::shared_ptr<state_logs> logs, retention_rule rule,
                          run_number current) {
  if (current.value % fresh_runs_between_steps != 0)
    return;
  log.submit([logs = std::move(logs), rule = std::move(rule)](journal_store& store) {
    const auto done = store.retain(rule, events_per_step);
    if (!done)
      return; // a journal that cannot be written says so at the next append
    for (const auto run : done->runs_dropped)
      logs->remove(run);
  });
}

} // namespace troupe_internal
