// What is told of runs: the list, and one run whole. Knows how the journal is read and who writes it, not how it is
// shown.
#include "engine/definition_history.hpp"
#include "engine/run_history.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "core/model/run_name.hpp"

#include <map>

namespace troupe_internal {

namespace {

std::string_view without_pipeline(std::string_view name) {
  const auto slash = name.find('/');
  return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

/// Statuses that only hold while a run lives are shown as what they come to.
struct asset_fold {
  asset_run_report report;
  std::optional<digest> made;
  bool full = false;
};

class report_builder {
public:
  report_builder(std::vector<std::string_view> names, report_detail detail)
      : names_(std::move(names)), detail_(detail) {}

  /// An event that can follow those before it.
  void apply(const event& e) {
    std::visit([this](const auto& it) { on(it); }, e);
  }

  [[nodiscard]] std::map<std::uint32_t, asset_fold>& assets() { return assets_; }
  [[nodiscard]] std::string_view name(asset_id id) const {
    return id.value < names_.size() ? without_pipeline(names_[id.value]) : std::string_view("?");
  }

private:
  template <class Event>
  void on(const Event&) {}

  [[nodiscard]] std::vector<told_wait> told(const std::vector<recorded_wait>& waits) const {
    std::vector<told_wait> all;
    for (const auto& one : waits)
      all.push_back({one.what,
                     one.what == wait_kind::asset  ? std::string(name(one.asset))
                     : one.what == wait_kind::hold ? "#" + std::to_string(one.run.value)
                                                   : one.pool,
                     one.ms});
    return all;
  }

  void on(const asset_found_fresh& e) { assets_[e.asset.value].report.waits = told(e.waits); }
  void on(const attempt_started& e) {
    auto& r = assets_[e.asset.value].report;
    r.waits = told(e.waits);
    r.attempts = e.attempt;
    r.started_at = e.at;
    if (!e.reasons.empty())
      r.reasons = e.reasons;
    r.outcome.reset();
    r.resources.reset();
    r.error.clear();
    r.exit_code = 0;
    r.signal = 0;
    r.allowed = false;
    if (detail_ == report_detail::every_attempt) {
      auto& one = r.each_attempt.emplace_back();
      one.attempt = e.attempt;
      one.started_at = e.at;
      one.waits = r.waits;
    }
  }
  void on(const attempt_finished& e) {
    auto& fold = assets_[e.asset.value];
    auto& r = fold.report;
    r.outcome = e.outcome;
    r.resources = e.resources;
    r.error = e.message;
    r.exit_code = e.exit_code;
    r.signal = e.signal;
    r.allowed = e.allowed;
    r.has_log = e.has_log;
    if (e.has_log)
      r.last_log_attempt = e.attempt;
    for (const auto& warning : e.warnings)
      r.warnings.push_back({e.attempt, warning});
    if (r.started_at)
      r.took = e.at - *r.started_at;
    if (e.made) {
      r.took = e.made->took;
      r.changed = e.made->data_version.has_value();
      fold.made = e.made->data_version;
      fold.full = e.made->full;
      r.reported_version = e.made->reported_version.value_or("");
      r.metadata = e.made->metadata.value_or("");
    }
    if (detail_ == report_detail::every_attempt && !r.each_attempt.empty())
      note_end(r.each_attempt.back(), e, r.took);
  }
  static void note_end(attempt_in_run& one, const attempt_finished& e, duration took) {
    one.ended_at = e.at;
    one.took = took;
    one.outcome = e.outcome;
    one.error = e.message;
    one.exit_code = e.exit_code;
    one.signal = e.signal;
    one.has_log = e.has_log;
    one.resources = e.resources;
  }
  void on(const assets_settled& e) {
    for (const auto& one : e.assets) {
      auto& r = assets_[one.asset.value].report;
      if (e.status == asset_status::skipped) {
        r.because = name(one.because);
        r.error = "needs " + r.because + ", which was skipped and never made";
      } else if (e.status == asset_status::blocked) {
        r.because = name(one.because);
        r.error = e.message.empty() ? "needs " + r.because : e.message;
      } else if (!e.message.empty()) {
        r.error = e.message;
        r.allowed = e.allowed;
      } else if (e.status == asset_status::cancelled && r.error.empty()) {
        r.error = "not started: the run was stopped";
      }
    }
  }

  std::vector<std::string_view> names_;
  report_detail detail_;
  std::map<std::uint32_t, asset_fold> assets_;
};

/// Data versions (and what goes with them) of assets as of the end of a run: from their records where nothing newer was
/// made, else by folding what the journal still holds.
result<void> fill_versions(const journal_snapshot& snapshot, const run_record& record,
                           std::map<std::uint32_t, asset_fold>& assets) {
  std::map<std::uint32_t, digest> needed;
  asset_record now;
  for (auto& [id, fold] : assets) {
    auto& r = fold.report;
    if (r.status != asset_status::succeeded && r.status != asset_status::fresh)
      continue;
    r.data_version = fold.made;
    const auto read = snapshot.read_asset(asset_id(id), now);
    if (!read)
      return read.error();
    if (*read && now.last && now.last->run <= record.run) {
      r.data_version = now.last->made.data_version;
      r.reported_version = now.last->made.reported_version;
      if (r.status == asset_status::succeeded)
        r.metadata = now.last->made.metadata;
    } else if (!r.data_version) {
      needed[id] = {};
    }
  }
  if (needed.empty())
    return {};
  return snapshot.visit_events(snapshot.info().first_seq, [&](std::uint64_t seq, const event& e) {
    if (const auto* ended = std::get_if<attempt_finished>(&e);
        ended != nullptr && ended->made && ended->made->data_version)
      if (const auto at = needed.find(ended->asset.value); at != needed.end())
        assets[ended->asset.value].report.data_version = ended->made->data_version;
    return seq < record.last_seq;
  });
}

/// A state at one moment, and whether its writer lived then.
struct sight {
  std::unique_ptr<journal_snapshot> snapshot;
  bool held = false;
};

constexpr int looks_limit = 100; ///< at a state whose writers come and go

/// A writer may record the end of its run and leave between a look at the journal and one at the lock: an open run
/// whose lock is free is interrupted only if nothing was recorded in between.
result<sight> sight_of(const std::string& state_folder) {
  sight seen;
  for (int look = 0; look < looks_limit; ++look) {
    auto snapshot = open_snapshot(state_folder);
    if (!snapshot)
      return snapshot.error();
    const bool again = seen.snapshot && seen.snapshot->info().last_seq == (*snapshot)->info().last_seq;
    seen.snapshot = std::move(*snapshot);
    if (again || seen.snapshot->info().closed_cleanly)
      return seen; // then a lock that is held is that of the next one, which has recorded nothing yet
    seen.held = is_held(state_folder);
    if (seen.held)
      return seen;
  }
  return seen;
}

/// `running` is only true of an open run whose writer lives and has it: else its writer is gone.
void derive_status(run_record& record, const state_info& info, bool held) {
  if (record.status != run_status::queued && !record.finished_at && !(held && record.segment_seq > info.writer_seq))
    record.status = run_status::interrupted;
}

} // namespace

result<std::vector<run_record>> list_runs(const std::string& state_folder, std::size_t limit) {
  const auto seen = sight_of(state_folder);
  std::vector<run_record> runs;
  if (!seen) {
    if (seen.error().code == error_code::not_found)
      return runs;
    return seen.error();
  }
  std::vector<run_record> queued; // the newest is last
  const auto queue = seen->snapshot->visit_queue([&](const run_queued& one) {
    queued.push_back(record_of(one));
    return true;
  });
  if (!queue)
    return queue.error();
  const auto more = [&] { return limit == 0 || runs.size() < limit; };
  const auto take_queued_after = [&](run_number run) {
    for (; more() && !queued.empty() && queued.back().run > run; queued.pop_back())
      runs.push_back(std::move(queued.back()));
  };
  const auto visited = seen->snapshot->visit_runs_newest_first([&](const run_record& record) {
    take_queued_after(record.run);
    if (!more())
      return false;
    runs.push_back(record);
    derive_status(runs.back(), seen->snapshot->info(), seen->held);
    return more();
  });
  if (!visited)
    return visited.error();
  take_queued_after(run_number(0U));
  return runs;
}

result<run_record> find_run(const std::string& state_folder, const std::string& name) {
  auto runs = list_runs(state_folder, name == "latest" ? 1 : 0);
  if (!runs)
    return runs.error();
  if (runs->empty())
    return fail(error_code::not_found, "there are no runs in " + state_folder + " yet: troupe run makes one");
  const auto meant = match_run(*runs, name);
  if (!meant)
    return meant.error();
  return std::move((*runs)[*meant]);
}

result<run_report> read_run_report(const std::string& state_folder, run_number run, report_detail detail) {
  const auto seen = sight_of(state_folder);
  if (!seen)
    return seen.error();
  const auto& snapshot = seen->snapshot;
  auto record = record_in(*snapshot, run);
  if (!record)
    return record.error();
  run_report report;
  report.detail = detail;
  report.run = std::move(*record);
  if (never_started(report.run))
    return report;
  std::vector<std::string_view> names(snapshot->info().asset_count);
  const auto named = snapshot->visit_asset_names([&](asset_id id, std::string_view name) {
    if (id.value < names.size())
      names[id.value] = name;
    return true;
  });
  if (!named)
    return named.error();
  std::map<std::uint32_t, std::string_view> identities;
  const auto identified = snapshot->visit_identities([&](asset_id id, std::string_view identity) {
    identities.emplace(id.value, without_pipeline(identity));
    return true;
  });
  if (!identified)
    return identified.error();
  report_builder builder(std::move(names), detail);
  run_state state;
  const auto folded =
      fold_run(*snapshot, report.run, report.run.first_seq, state, [&](const event& e) { builder.apply(e); });
  if (!folded)
    return folded.error();
  derive_status(report.run, snapshot->info(), seen->held);
  auto& folds = builder.assets();
  for (std::uint32_t position = 0; position < state.size(); ++position) {
    const auto id = state.id_at(position);
    auto& r = folds[id.value].report;
    r.name = builder.name(id);
    if (const auto identity = identities.find(id.value); identity != identities.end())
      r.log_name = identity->second;
    r.status = state.at(position).status;
    if (report.run.status == run_status::interrupted && r.status == asset_status::running) {
      r.error = "the supervisor died while this attempt ran";
    }
    // Format 1 does not say it: a run that succeeds has no failure but those that are allowed.
    r.allowed = r.status == asset_status::failed && (r.allowed || report.run.status == run_status::succeeded);
  }
  if (!report.run.finished_at)
    report.run.counts = state.counts();
  if (const auto filled = fill_versions(*snapshot, report.run, folds); !filled)
    return filled.error();
  report.assets.reserve(folds.size());
  std::vector<asset_id> ids;
  for (auto& [id, fold] : folds) {
    ids.emplace_back(id);
    report.assets.push_back(std::move(fold.report));
  }
  if (const auto told = tell_definitions(*snapshot, ids, report); !told)
    return told.error();
  return report;
}

} // namespace troupe_internal
