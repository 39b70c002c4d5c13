// Folding and reporting.
#include "engine/run_history.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "base/shown_text.hpp"
#include "core/freshness/definition.hpp"
#include "core/model/run_name.hpp"

#include "engine/planning.hpp"

#include <algorithm>
#include <map>

namespace troupe_internal {

namespace {

std::string name_of(run_number run) {
  return "run #" + std::to_string(run.value);
}

/// Folds the events of one run, from `first` on, into its state, and calls `visit` with each of them. What cannot
/// follow what was before it is damage.
template <class Visit>
result<void> fold_run(const journal_snapshot& snapshot, const run_record& record, std::uint64_t first, run_state& state,
                      Visit visit) {
  std::optional<error> damage;
  const auto folded = snapshot.visit_events(first, [&](std::uint64_t seq, const event& e) {
    if (seq > record.last_seq)
      return false;
    const bool own = std::visit(
        [&](const auto& it) {
          if constexpr (requires { it.run; })
            return it.run == record.run;
          else
            return false;
        },
        e);
    if (!own)
      return seq < record.last_seq;
    if (const char* problem = state.try_apply(e, snapshot.info().asset_count)) {
      damage = snapshot.damaged_event(seq, problem);
      return false;
    }
    visit(e);
    return seq < record.last_seq;
  });
  if (damage)
    return std::move(*damage);
  if (!folded)
    return folded;
  if (!state.started() || state.id() != record.id)
    return snapshot.damaged_run(record.run, "its events do not begin with its start");
  return {};
}

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

  void on(const attempt_started& e) {
    auto& r = assets_[e.asset.value].report;
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
      if (e.status == asset_status::blocked) {
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

/// Of a run that started, is queued, or left the queue.
result<run_record> record_in(const journal_snapshot& snapshot, run_number run) {
  auto record = snapshot.read_run(run);
  if (!record)
    return record.error();
  if (!*record) {
    const auto visited = snapshot.visit_queue([&](const run_queued& queued) {
      if (queued.run == run)
        *record = record_of(queued);
      return queued.run < run;
    });
    if (!visited)
      return visited.error();
  }
  if (!*record)
    return fail(error_code::not_found, "there is no " + name_of(run) + " in this state");
  return std::move(**record);
}

} // namespace

result<run_history> replay_run(const journal_snapshot& snapshot, run_number run) {
  auto record = record_in(snapshot, run);
  if (!record)
    return record.error();
  if (never_started(*record))
    return fail(error_code::invalid_input,
                name_of(run) + (record->dequeued ? " was taken off the queue and never started" : " is queued") +
                    ": there is nothing to resume");
  run_history history;
  history.record = std::move(*record);
  std::uint64_t first = history.record.first_seq;
  const auto checkpoint = snapshot.read_checkpoint(run);
  if (!checkpoint)
    return checkpoint.error();
  if (*checkpoint) {
    auto state = run_state::decode((*checkpoint)->bytes);
    if (!state || state->id() != history.record.id || (*checkpoint)->seq < first ||
        (*checkpoint)->seq > history.record.last_seq)
      return fail(error_code::state_unusable,
                  "the checkpoint of " + name_of(run) + " is damaged: see troupe journal verify");
    history.state = std::move(*state);
    first = (*checkpoint)->seq + 1;
  }
  // Definitions are in the first event, which a checkpoint replaces for the state only.
  run_state at_first;
  const char* problem = nullptr;
  const auto began = snapshot.visit_events(history.record.first_seq, [&](std::uint64_t, const event& e) {
    if (const auto* started = std::get_if<run_started>(&e); started != nullptr && started->run == run) {
      problem = at_first.try_apply(e, snapshot.info().asset_count);
      std::size_t i = 0;
      for (const auto& [from, to] : started->waiting)
        for (auto id = from.value; id <= to.value && i < started->definitions.size(); ++id)
          history.definitions[id] = started->definitions[i++];
    }
    return false;
  });
  if (!began)
    return began.error();
  if (problem != nullptr)
    return snapshot.damaged_event(history.record.first_seq, problem);
  if (!at_first.started())
    return snapshot.damaged_run(run, "its events do not begin with its start");
  if (*checkpoint && !history.state.has_assets_of(at_first))
    return fail(error_code::state_unusable, "the checkpoint of " + name_of(run) + " is of other assets than the run");
  if (const auto folded = fold_run(snapshot, history.record, first, history.state, [](const event&) {}); !folded)
    return folded.error();
  return history;
}

result<void> changed_definitions(const project& on, const catalog& names, const run_history& history,
                                 const run_state& reopened) {
  std::vector<std::string> changed;
  const auto files = posix_file_system::open(on.p->folder);
  if (!files)
    return files.error();
  const auto lookup = make_lookup(**files);
  fingerprint defined;
  std::size_t found = 0;
  std::size_t waiting = 0;
  for (std::uint32_t position = 0; position < reopened.size(); ++position)
    waiting += reopened.at(position).status == asset_status::waiting ? 1 : 0;
  for (std::uint32_t i = 0; i < on.p->assets.size(); ++i) {
    const asset_index asset(i);
    const auto position = reopened.position(names.id_of(asset));
    if (!position || reopened.at(*position).status != asset_status::waiting)
      continue;
    ++found;
    const auto before = history.definitions.find(names.id_of(asset).value);
    define_as_declared(*on.p, asset, lookup, defined);
    if (before != history.definitions.end() && before->second != definition_number(*on.p, asset, defined))
      changed.emplace_back(on.p->asset(asset).name);
  }
  // By id: another asset of the state may have the name of one that the pipeline has.
  const auto is_in_pipeline = [&names](asset_id id) {
    const auto asset = names.index_of(id);
    return asset && names.id_of(*asset) == id;
  };
  std::vector<std::string> gone;
  for (std::uint32_t position = 0; found != waiting && position < reopened.size(); ++position) {
    const auto id = reopened.id_at(position);
    if (reopened.at(position).status == asset_status::waiting && !is_in_pipeline(id))
      gone.emplace_back(names.asset_name(id));
  }
  // Also those that are done must still exist: the run's graph is the pipeline's.
  for (std::uint32_t position = 0; position < reopened.size(); ++position) {
    const auto id = reopened.id_at(position);
    if (reopened.at(position).status != asset_status::waiting && !is_in_pipeline(id))
      gone.emplace_back(names.asset_name(id));
  }
  if (changed.empty() && gone.empty())
    return {};
  std::string message =
      name_of(history.record.run) + " cannot be resumed, because the pipeline has changed since it started:";
  for (const auto& name : changed)
    message += "\n  " + visible(name) + ": its definition has changed";
  for (const auto& name : gone)
    message += "\n  " + visible(name) + ": is no longer in the pipeline";
  message += "\ntroupe run does what is left to do, incrementally";
  return fail_in_lines(error_code::invalid_input, message);
}

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
  for (auto& [id, fold] : folds)
    report.assets.push_back(std::move(fold.report));
  return report;
}

} // namespace troupe_internal
