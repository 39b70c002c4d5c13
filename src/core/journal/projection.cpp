// What each event changes.
#include "core/journal/projection.hpp"

#include "core/model/delta.hpp"
#include "core/run/run_state.hpp"

#include <algorithm>
#include <limits>
#include <variant>

namespace troupe_internal {
namespace {

attempt_state state_after(outcome_kind outcome) {
  switch (outcome) {
  case outcome_kind::succeeded:
    return attempt_state::succeeded;
  case outcome_kind::cancelled:
    return attempt_state::cancelled;
  case outcome_kind::interrupted:
    return attempt_state::interrupted;
  default:
    return attempt_state::failed;
  }
}

/// A skipped attempt changes nothing: an earlier failure stays one.
attempt_state state_before(const asset_record& record, std::uint32_t attempt) {
  const auto& reasons = record.attempt_reasons;
  const bool failed = attempt > 1 || std::any_of(reasons.begin(), reasons.end(), [](const reason& why) {
                        return why.kind == reason_kind::last_attempt_failed;
                      });
  return failed ? attempt_state::failed : record.last ? attempt_state::succeeded : attempt_state::none;
}

} // namespace

error broken_rule(std::uint64_t seq, const std::string& what) {
  return fail(error_code::internal, "event " + std::to_string(seq) + " breaks a rule of the journal: " + what);
}

result<void> projector::apply(std::uint64_t seq, const event& e) {
  auto& info = tables_.info();
  if (seq != info.last_seq + 1)
    return broken_rule(seq, "it follows event " + std::to_string(info.last_seq));
  auto done = std::visit([&](const auto& body) { return fold(seq, body); }, e);
  if (done)
    info.last_seq = seq;
  return done;
}

result<void> projector::check_asset(asset_id asset) const {
  const auto& info = tables_.info();
  if (asset.value >= info.asset_count)
    return broken_rule(info.last_seq + 1, "asset id " + std::to_string(asset.value) + " was never given out");
  return {};
}

result<void> projector::check_path(path_id path) const {
  const auto& info = tables_.info();
  if (path.value >= info.path_count)
    return broken_rule(info.last_seq + 1, "path id " + std::to_string(path.value) + " was never given out");
  return {};
}

result<void> projector::check_ids(const materialized& made) const {
  for (const auto* files : {&made.inputs, &made.discovered, &made.outputs})
    for (const auto& file : *files)
      if (auto known = check_path(file.path); !known)
        return known;
  for (const auto* paths : {&made.inputs_gone, &made.discovered_gone, &made.outputs_gone})
    for (const auto path : *paths)
      if (auto known = check_path(path); !known)
        return known;
  for (const auto& upstream : made.upstreams)
    if (auto known = check_asset(upstream.asset); !known)
      return known;
  for (const auto asset : made.upstreams_gone)
    if (auto known = check_asset(asset); !known)
      return known;
  return made.pipeline_file ? check_path(*made.pipeline_file) : result<void>();
}

result<void> projector::check_waits(std::uint64_t seq, const std::vector<recorded_wait>& waits) const {
  for (const auto& one : waits) {
    if (auto known = check_asset(one.asset); !known)
      return known;
    if (one.ms == 0)
      return broken_rule(seq, "a wait in it took no time");
  }
  return {};
}

template <class Change>
result<void> projector::change_run(run_number run, std::uint64_t seq, Change change) {
  const auto found = tables_.get_run(run, run_);
  if (!found)
    return found.error();
  if (!*found || run_.dequeued)
    return {}; // its beginning is no longer kept, or it never started
  run_.last_seq = seq;
  change(run_);
  return tables_.put_run(run_);
}

template <class Change>
result<void> projector::change_trigger(const std::string& name, Change change) {
  if (name.empty())
    return {};
  const auto found = tables_.get_trigger(name, trigger_);
  if (!found)
    return found.error();
  if (!*found)
    return {};
  change(trigger_);
  return tables_.put_trigger(trigger_);
}

result<void> projector::fold(std::uint64_t seq, const names_interned& e) {
  auto& info = tables_.info();
  if (e.first.value != info.asset_count)
    return broken_rule(seq, "asset ids begin at " + std::to_string(e.first.value) + ", not at " +
                                std::to_string(info.asset_count));
  for (std::size_t i = 0; i < e.names.size(); ++i) {
    const asset_id asset(info.asset_count++);
    if (auto done = tables_.put_asset_name(asset, e.names[i]); !done)
      return done;
    if (i < e.identities.size() && !e.identities[i].empty())
      if (auto done = tables_.put_identity(asset, e.identities[i]); !done)
        return done;
  }
  return {};
}

result<void> projector::fold(std::uint64_t seq, const paths_interned& e) {
  auto& info = tables_.info();
  if (e.first.value != info.path_count)
    return broken_rule(seq, "path ids begin at " + std::to_string(e.first.value) + ", not at " +
                                std::to_string(info.path_count));
  for (const auto& path : e.paths)
    if (auto done = tables_.put_path(path_id(info.path_count++), path); !done)
      return done;
  return {};
}

result<void> projector::fold(std::uint64_t, const files_observed& e) {
  for (const auto& file : e.files)
    if (auto known = check_path(file.path); !known)
      return known;
  for (const auto& file : e.files)
    if (auto done = tables_.put_file(file.path, file.record); !done)
      return done;
  return {};
}

result<void> projector::check_new_run(std::uint64_t seq, run_number run, const run_request& request) const {
  if (run <= tables_.info().last_run)
    return broken_rule(seq, "run number " + std::to_string(run.value) + " was given out before");
  if (run.value == std::numeric_limits<std::uint32_t>::max())
    return broken_rule(seq, "no run number can follow " + std::to_string(run.value));
  if (request.error_strategy >= error_strategies)
    return broken_rule(seq, "its error strategy is of a kind that is not known");
  return {};
}

result<void> projector::fold(std::uint64_t seq, const run_queued& e) {
  const auto queued = tables_.get_queued(e.run, queued_);
  if (!queued)
    return queued.error();
  if (*queued) { // once more: what may change has changed
    queued_.priority = e.priority;
    queued_.request.params = e.request.params;
    queued_.conditions.expires = e.conditions.expires;
    auto same = e; // events join by themselves
    same.cause.events = queued_.cause.events;
    return queued_ == same ? tables_.put_queued(same)
                           : broken_rule(seq, "it is not the run that is queued under its number");
  }
  if (auto may = check_new_run(seq, e.run, e.request); !may)
    return may;
  tables_.info().last_run = e.run;
  return tables_.put_queued(e);
}

result<void> projector::fold(std::uint64_t seq, const run_dequeued& e) {
  const auto queued = tables_.get_queued(e.run, queued_);
  if (!queued)
    return queued.error();
  if (!*queued)
    return broken_rule(seq, "run " + std::to_string(e.run.value) + " leaves the queue, and it is not in it");
  if (auto done = tables_.erase_queued(e.run); !done)
    return done;
  if (e.reason != dequeue_reason::continued) // else its events are those of the run that takes its place
    if (auto done = settle_events_of(seq, queued_,
                                     e.reason == dequeue_reason::expired   ? event_fate::expired
                                     : e.reason == dequeue_reason::removed ? event_fate::rejected
                                                                           : event_fate::cancelled);
        !done)
      return done;
  run_ = record_of(queued_);
  run_.status = run_status::cancelled;
  run_.finished_at = e.at;
  run_.first_seq = run_.segment_seq = run_.last_seq = seq;
  run_.dequeued = e.reason;
  run_.continued_by = e.continued_by;
  return tables_.put_run(run_);
}

result<void> projector::fold(std::uint64_t seq, const run_started& e) {
  auto& info = tables_.info();
  const auto queued = tables_.get_queued(e.run, queued_);
  if (!queued)
    return queued.error();
  if (!*queued) {
    if (auto may = check_new_run(seq, e.run, e.request); !may)
      return may;
  } else if (queued_.id != e.id || e.request.error_strategy >= error_strategies) {
    return broken_rule(seq, "it is not the run that is queued under its number");
  }
  for (const auto* set : {&e.fresh, &e.waiting})
    if (!is_asset_set(*set, info.asset_count))
      return broken_rule(seq, "its ranges of assets are not in order, or ids in them were never given out");
  if (*queued) {
    if (auto done = tables_.erase_queued(e.run); !done)
      return done;
    if (auto done = settle_events_of(seq, queued_, event_fate::started); !done)
      return done;
  }
  info.last_run = std::max(info.last_run, e.run);
  run_ = {};
  if (*queued) {
    run_.queued_at = queued_.at;
    run_.continues = queued_.continues;
  }
  run_.cause = e.cause;
  run_.served = e.served;
  run_.run = e.run;
  run_.id = e.id;
  run_.pipeline = e.pipeline;
  run_.request = e.request;
  run_.started_at = e.at;
  for (const auto& [first, last] : e.fresh)
    run_.counts[static_cast<std::size_t>(asset_status::fresh)] += last.value - first.value + 1;
  run_.first_seq = run_.segment_seq = run_.last_seq = seq;
  if (auto done = tables_.put_run(run_); !done)
    return done;
  return change_trigger(trigger_of(e.pipeline, e.cause), [&](trigger_record& trigger) {
    if (e.cause.kind != cause_kind::trigger) // backfills are not throttled
      return;
    trigger.starts.push_back(e.at);
    if (trigger.starts.size() > trigger_record::most_starts)
      trigger.starts.erase(trigger.starts.begin());
  });
}

result<void> projector::fold(std::uint64_t seq, const run_resumed& e) {
  if (!is_asset_set(e.reopened, tables_.info().asset_count))
    return broken_rule(seq, "its ranges of assets are not in order, or ids in them were never given out");
  return change_run(e.run, seq, [&](run_record& run) {
    const auto fresh = run.counts[static_cast<std::size_t>(asset_status::fresh)];
    run.counts = {};
    run.counts[static_cast<std::size_t>(asset_status::fresh)] = fresh; // what was found fresh stays so
    run.status = run_status::running;
    run.finished_at.reset();
    run.timed_out = false;
    run.segment_seq = seq;
    run.served = e.served;
    run.continued_by = {};
  });
}

result<void> projector::fold(std::uint64_t seq, const asset_found_fresh& e) {
  if (auto known = check_asset(e.asset); !known)
    return known;
  if (auto sound = check_waits(seq, e.waits); !sound)
    return sound;
  return change_run(e.run, seq, [](run_record&) {});
}

result<void> projector::fold(std::uint64_t seq, const attempt_started& e) {
  if (auto known = check_asset(e.asset); !known)
    return known;
  for (const auto path : e.absent_outputs)
    if (auto known = check_path(path); !known)
      return known;
  if (auto sound = check_waits(seq, e.waits); !sound)
    return sound;
  if (const auto found = tables_.get_asset(e.asset, asset_); !found)
    return found.error();
  if (!e.reasons.empty() || asset_.attempt_run != e.run)
    asset_.attempt_reasons = e.reasons; // a retry is made for the reasons of the attempt before it
  asset_.attempt = attempt_state::running;
  asset_.attempt_run = e.run;
  asset_.attempt_number = e.attempt;
  asset_.attempt_started_at = e.at;
  if (!e.absent_outputs.empty())
    asset_.absent_outputs = e.absent_outputs;
  if (auto done = tables_.put_asset(e.asset, asset_); !done)
    return done;
  open_ = {};
  open_.asset = e.asset;
  open_.run = e.run;
  open_.attempt = e.attempt;
  open_.started_at = e.at;
  if (auto done = tables_.put_open_attempt(open_); !done)
    return done;
  return change_run(e.run, seq, [](run_record& run) { ++run.attempts; });
}

result<void> projector::fold(std::uint64_t seq, const attempt_spawned& e) {
  if (auto known = check_asset(e.asset); !known)
    return known;
  const auto found = tables_.get_open_attempt(e.run, e.asset, open_);
  if (!found)
    return found.error();
  if (*found && open_.attempt == e.attempt) {
    open_.process_group = e.process_group;
    open_.start_ticks = e.start_ticks;
    open_.boot_id = tables_.info().writer_boot_id;
    open_.pid_namespace = tables_.info().writer_pid_namespace;
    open_.process_one = tables_.info().writer_process_one;
    if (auto done = tables_.put_open_attempt(open_); !done)
      return done;
  }
  return change_run(e.run, seq, [](run_record&) {});
}

result<void> projector::fold(std::uint64_t seq, const attempt_finished& e) {
  if (auto known = check_asset(e.asset); !known)
    return known;
  if ((e.outcome == outcome_kind::succeeded) != e.made.has_value())
    return broken_rule(seq, "an attempt makes something exactly when it succeeds");
  if (e.resources)
    if (const char* problem = impossible_use(*e.resources))
      return broken_rule(seq, problem);
  if (e.made)
    if (auto known = check_ids(*e.made); !known)
      return known;
  const auto open = tables_.get_open_attempt(e.run, e.asset, open_);
  if (!open)
    return open.error();
  if (*open && open_.attempt == e.attempt)
    if (auto done = tables_.erase_open_attempt(e.run, e.asset); !done)
      return done;
  if (const auto found = tables_.get_asset(e.asset, asset_); !found)
    return found.error();
  if (asset_.attempt_run == e.run && asset_.attempt_number == e.attempt)
    asset_.attempt = e.outcome == outcome_kind::skipped ? state_before(asset_, e.attempt) : state_after(e.outcome);
  if (e.made) {
    const auto before = definition_of_last();
    asset_.last = apply_delta(asset_.last ? &*asset_.last : nullptr, *e.made, e.run, e.attempt, e.at);
    if (e.made->data_version)
      note_changed(seq, e.run, e.at);
    asset_.absent_outputs.clear();
    if (auto done = name_definition(before, asset_.last->definition); !done)
      return done;
    if (auto done = note_made(e.asset); !done)
      return done;
  }
  if (auto done = tables_.put_asset(e.asset, asset_); !done)
    return done;
  return change_run(e.run, seq, [](run_record&) {});
}

result<void> projector::name_definition(const digest& before, const digest& after, std::uint32_t times) {
  constexpr digest unknown{};
  if (before == after || times == 0)
    return {};
  if (before != unknown) {
    const auto found = tables_.get_definition(before, definition_);
    if (!found)
      return found.error();
    if (*found && definition_.named_by <= times) {
      if (auto done = tables_.erase_definition(before); !done)
        return done;
    } else if (*found) {
      definition_.named_by -= times;
      if (auto done = tables_.put_definition(definition_); !done)
        return done;
    }
  }
  if (after == unknown)
    return {};
  const auto found = tables_.get_definition(after, definition_);
  if (!found)
    return found.error();
  if (!*found) {
    definition_ = {};
    definition_.of = after;
  }
  definition_.named_by += times;
  return tables_.put_definition(definition_);
}

const char* impossible_definition(const definition_recorded& e, std::uint32_t asset_count) {
  if (!is_asset_set(e.assets, asset_count))
    return "its ranges of assets are not in order, or ids in them were never given out";
  if (e.of == digest{} || digest_of(e.definition) != e.of)
    return "its digest is not that of its definition";
  return nullptr;
}

result<void> projector::fold(std::uint64_t seq, const definition_recorded& e) {
  if (const char* problem = impossible_definition(e, tables_.info().asset_count))
    return broken_rule(seq, problem);
  std::uint32_t more = 0;
  for (const auto& [first, last] : e.assets)
    for (auto id = first.value; id <= last.value; ++id) {
      if (const auto found = tables_.get_asset(asset_id(id), asset_); !found)
        return found.error();
      if (asset_.definition != e.of) {
        ++more;
        if (auto done = name_definition(asset_.definition, digest{}); !done)
          return done;
      }
      asset_.definition = e.of;
      asset_.definition_seq = seq;
      if (auto done = tables_.put_asset(asset_id(id), asset_); !done)
        return done;
    }
  if (auto done = name_definition(digest{}, e.of, more); !done)
    return done;
  const auto found = tables_.get_definition(e.of, definition_);
  if (!found)
    return found.error();
  if (!*found || definition_.has_text)
    return {};
  definition_.has_text = true;
  definition_.text = e.definition;
  return tables_.put_definition(definition_);
}

void projector::note_changed(std::uint64_t seq, run_number run, timestamp at) {
  asset_.changed_seq = seq;
  asset_.changed_run = run;
  asset_.changed_at = at;
}

result<void> projector::note_made(asset_id asset) {
  const auto& last = *asset_.last;
  if (!last.made.pipeline_file)
    return {};
  const auto& templates = last.made.templates;
  for (std::size_t i = 0; i < last.made.outputs.size(); ++i) {
    made_ = {asset, last.run, *last.made.pipeline_file, i < templates.size() ? templates[i] : std::string(),
             last.made.outputs[i].content};
    if (auto done = tables_.put_made(last.made.outputs[i].path, made_); !done)
      return done;
  }
  return {};
}

result<void> projector::fold(std::uint64_t seq, const assets_settled& e) {
  for (const auto& settled : e.assets)
    for (const auto asset : {settled.asset, settled.because})
      if (auto known = check_asset(asset); !known)
        return known;
  return change_run(e.run, seq, [](run_record&) {});
}

result<void> projector::fold(std::uint64_t seq, const run_stopping& e) {
  return change_run(e.run, seq, [&](run_record& run) { run.timed_out = e.cause == stop_cause::timed_out; });
}

result<void> projector::fold(std::uint64_t seq, const run_finished& e) {
  if (e.status != run_status::succeeded && e.status != run_status::failed && e.status != run_status::cancelled)
    return broken_rule(seq, "a run ends as " + std::string(to_string(e.status)));
  if (auto done = tables_.erase_checkpoint(e.run); !done)
    return done;
  if (auto done = change_trigger(e.trigger,
                                 [&](trigger_record& trigger) {
                                   if (e.status == run_status::failed)
                                     ++trigger.failures;
                                   else if (e.status == run_status::succeeded)
                                     trigger.failures = 0;
                                 });
      !done)
    return done;
  return change_run(e.run, seq, [&](run_record& run) {
    run.status = e.status;
    run.counts = e.counts;
    run.finished_at = e.at;
    run.continued_by = e.continued_by;
  });
}

result<void> projector::fold(std::uint64_t seq, const writer_opened& e) {
  auto& info = tables_.info();
  info.writer_seq = seq;
  info.writer_boot_id = e.boot_id;
  info.writer_pid_namespace = e.pid_namespace;
  info.writer_process_one = e.process_one;
  info.closed_cleanly = false;
  return {};
}

result<void> projector::fold(std::uint64_t, const writer_closed&) {
  tables_.info().closed_cleanly = true;
  return {};
}

result<void> projector::fold(std::uint64_t, const asset_renamed& e) {
  if (auto known = check_asset(e.asset); !known)
    return known;
  if (auto done = tables_.rename_asset(e.asset, e.name); !done)
    return done;
  return e.identity.empty() ? result<void>() : tables_.put_identity(e.asset, e.identity);
}

result<void> projector::fold(std::uint64_t, const record_restated& e) {
  if (auto known = check_asset(e.asset); !known)
    return known;
  if (auto known = check_ids(e.made); !known)
    return known;
  if (const auto found = tables_.get_asset(e.asset, asset_); !found)
    return found.error();
  if (!asset_.last)
    return {}; // nothing to say better: a late report
  const auto before = std::move(*asset_.last);
  asset_.last = apply_delta(&before, e.made, before.run, before.attempt, before.finished_at);
  if (!asset_.last->since)
    asset_.last->since = before.since;
  asset_.last->adopted = before.adopted;
  if (auto done = name_definition(before.definition, asset_.last->definition); !done)
    return done;
  if (auto done = note_made(e.asset); !done)
    return done;
  return tables_.put_asset(e.asset, asset_);
}

result<void> projector::fold(std::uint64_t, const leftovers_ended&) {
  return {}; // of use to people alone
}

result<void> projector::fold(std::uint64_t seq, const asset_adopted& e) {
  if (auto known = check_asset(e.asset); !known)
    return known;
  if (auto known = check_ids(e.made); !known)
    return known;
  if (const auto found = tables_.get_asset(e.asset, asset_); !found)
    return found.error();
  const auto before = definition_of_last();
  asset_.last = apply_delta(asset_.last ? &*asset_.last : nullptr, e.made, run_number(0U), 0, e.at);
  if (e.made.data_version)
    note_changed(seq, run_number(0U), e.at);
  if (auto done = name_definition(before, asset_.last->definition); !done)
    return done;
  asset_.last->adopted = true;
  asset_.absent_outputs.clear();
  if (asset_.attempt != attempt_state::none)
    asset_.attempt = attempt_state::succeeded; // what an earlier attempt left is what the user says it is
  if (auto done = note_made(e.asset); !done)
    return done;
  return tables_.put_asset(e.asset, asset_);
}

} // namespace troupe_internal
