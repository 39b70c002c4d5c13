// From a project to a run that has begun: plan, see what others have done meanwhile, append its beginning.
#include "engine/engine.hpp"

#include "adapters/state/state_key.hpp"
#include "base/shown_text.hpp"
#include "core/command/secret_mask.hpp"
#include "core/command/secret_sources.hpp"
#include "core/freshness/definition.hpp"
#include "core/pipeline/selection.hpp"
#include "core/run/reopening.hpp"
#include "engine/early_look.hpp"
#include "engine/event_file.hpp"
#include "engine/lost_outputs.hpp"
#include "engine/only_resumption.hpp"
#include "engine/run_history.hpp"

#include <algorithm>
#include <utility>

namespace troupe_internal {

run_request request_of(const project& on, const run_options& options) {
  run_request request;
  request.selection = options.selection;
  request.exclude = options.exclude;
  request.only = options.only;
  request.force = options.force;
  request.params = options.params;
  for (auto& [name, value] : request.params)
    if (const auto param = on.p->params.find(name); param != on.p->params.end() && param->second.secret)
      value = secret_mark;
  request.error_strategy = static_cast<std::uint8_t>(options.error_strategy.value_or(on.p->engine.error_strategy));
  request.durability = static_cast<std::uint8_t>(on.p->engine.durability);
  request.workers = options.workers.value_or(on.p->engine.workers);
  request.pipeline_file = recorded_file(on);
  request.timeout = options.timeout;
  return request;
}

namespace {

result<run_scope> restating(result<run_scope> scope) {
  if (scope)
    scope->restates = true;
  return scope;
}

error refused_for(const pipeline& p, const std::vector<asset_warning>& warnings) {
  std::string text = "nothing was run, since warnings count as errors (--strict):";
  for (const auto& warning : warnings)
    text += "\n  asset " + visible(p.asset(warning.asset).name) + ": " + visible(warning.what.text) + " [" +
            warning.what.code + "]";
  return fail_in_lines(error_code::invalid_input, std::move(text));
}

/// The plan, and what others have done since.
division divided(const planning& plan, std::vector<asset_index> touched) {
  std::vector<bool> fresh(plan.scope.in_run.size());
  for (std::uint32_t i = 0; i < fresh.size(); ++i)
    fresh[i] = plan.scope.in_run[i] && plan.plan->action(asset_index(i)) == plan_action::fresh;
  for (const auto& one : plan.blocked_from_outside)
    fresh[one.asset.value] = false;
  return divide(*plan.on.graph, plan.scope.in_run, fresh, std::move(touched));
}

/// By id, in order.
std::vector<std::pair<asset_id, asset_index>> by_id(const catalog& names, const std::vector<asset_index>& assets) {
  std::vector<std::pair<asset_id, asset_index>> found;
  for (const auto asset : assets)
    found.emplace_back(names.id_of(asset), asset);
  std::sort(found.begin(), found.end());
  return found;
}

} // namespace

/// While it lives, changes of records are noted for whoever plans.
class engine::planner_here {
public:
  explicit planner_here(engine& all) : all_(all) {
    const std::lock_guard lock(all_.changes_mutex_);
    mark = all_.changes_.begin_planning();
  }
  ~planner_here() {
    const std::lock_guard lock(all_.changes_mutex_);
    all_.changes_.end_planning();
  }
  planner_here(const planner_here&) = delete;
  planner_here& operator=(const planner_here&) = delete;

  std::uint64_t mark = 0; ///< of changes_

private:
  engine& all_;
};

result<std::unique_ptr<journal_snapshot>> engine::snapshot_of_now() {
  if (const auto flushed = log_->flush(); !flushed)
    return flushed.error();
  return writer_->store().snapshot();
}

result<std::unique_ptr<planning>> engine::plan_a_run(const project& on, const scope_maker& scope_for,
                                                     const journal_snapshot& snapshot, bool keep_all,
                                                     const reading_limit& limit) {
  planning_view view;
  view.enough = [&limit] { return limit.over(); };
  view.state = writer_->dir();
  view.ids = names_;
  if (!one_run_)
    return planning::make(on, scope_for, &snapshot, time_, keep_all, view);
  const second_request_ends meanwhile(stop_);
  return planning::make(on, scope_for, &snapshot, time_, keep_all, view);
}

/// What others have recorded since the plan counts: they do it under admission_ too.
result<void> engine::define_for_run(prepared_run& made, std::vector<asset_index> waiting) {
  auto& plan = *made.plan;
  if (!made.touched.all().empty()) {
    const auto snapshot = snapshot_of_now();
    if (!snapshot)
      return snapshot.error();
    if (const auto read = read_recorded(**snapshot, *plan.names, made.touched.all(), plan.recorded); !read)
      return read;
  }
  made.beginning = names_and_files(plan);
  append_to(made.beginning, definitions_to_record(plan, std::move(waiting), plan.restated));
  return {};
}

error engine::stopped_before_it_began(planning& plan) {
  auto events = names_and_files(plan);
  if (one_run_)
    append_to(events, closing());
  if (const auto appended = log_->append_now(std::move(events)); !appended)
    return appended.error();
  return fail(error_code::stopped, "stopped before the run began: nothing was run");
}

result<run_number> engine::record_fresh(prepared_run made, const run_started& started) {
  auto& plan = *made.plan;
  plan.table->settle();
  const auto size = static_cast<std::uint32_t>(count_of(started.fresh));
  made.observer.run_began({started.run, started.id, size, size, workers_of(made.request),
                           static_cast<error_strategy>(made.request.error_strategy), duration::zero()});
  tell_findings(plan, made.observer);
  run_finished finished{started.run, made.history->now(), run_status::succeeded, {}};
  finished.counts[static_cast<std::size_t>(asset_status::fresh)] = size;
  finished.trigger = trigger_of(started.pipeline, started.cause);
  auto events = names_and_files(plan);
  for (auto& defined : in_chunks(definitions_to_record(plan, {}, plan.restated))) {
    append_to(events, std::move(defined));
    if (const auto appended = log_->append_now(std::exchange(events, {})); !appended)
      return appended.error();
  }
  for (auto& restated : in_chunks(std::move(plan.restated))) {
    append_to(events, std::move(restated));
    if (const auto appended = log_->append_now(std::move(events)); !appended)
      return appended.error();
    events.clear();
  }
  append_to(events, std::move(made.beginning));
  events.emplace_back(started);
  events.emplace_back(finished);
  if (one_run_)
    append_to(events, closing());
  if (const auto appended = log_->append_now(std::move(events)); !appended)
    return appended.error();
  if (!log_->started())
    tidy_after_fresh_run(writer_->store(), writer_->dir(), *plan.on.p, started.run);
  else if (logs_)
    tidy_after_fresh_run(log_->commits(), logs_, rule_of(*plan.on.p, time_, history_), started.run);
  run_result done{started.run, started.id, finished.status, finished.counts, {}, started.at, finished.at};
  {
    const std::lock_guard lock(mutex_);
    runs_.emplace(started.run, kept_run{nullptr, std::move(done), false, false, false, {}});
  }
  if (ended_)
    ended_(started.run);
  return started.run;
}

result<run_number> engine::submit(const project& on, const run_options& options, run_observer& observer,
                                  const run_admission& how) {
  auto history = std::make_unique<run_clock>(time_);
  // The run's duration is the user's: loading the pipeline and planning are part of it.
  const auto asked = options.command_started ? time_.monotonic() - *options.command_started : duration::zero();
  const auto began = history->now() - std::max(asked, duration::zero());
  if (recovered_.exchange(false) && on.seen)
    static_cast<void>(on.seen->take([] { return true; })); // what a dead run left behind may have written since
  if (!secret_sources_of(*on.p).files.empty())
    if (const auto made = make_state_key(on.state_folder); !made)
      return made.error();
  const planner_here planner(*this);
  auto snapshot = snapshot_of_now();
  if (!snapshot)
    return snapshot.error();
  auto limit = std::make_unique<reading_limit>(stop_);
  auto plan = plan_a_run(
      on, [&](const project& now) { return restating(scope_of(now, options)); }, **snapshot, false, *limit);
  if (!plan)
    return plan.error();
  if ((*plan)->broken_off)
    return stopped_before_it_began(**plan);
  if (options.strict && !(*plan)->warnings.empty())
    return refused_for(*on.p, (*plan)->warnings);
  snapshot->reset(); // a long-lived view would keep old pages alive

  const std::lock_guard admission(admission_);
  auto foreign = fits_beside_living(**plan);
  if (!foreign)
    return foreign.error();
  run_started started;
  started.run = how.queued != nullptr ? how.queued->run : run_number(last_run_ + 1);
  started.at = began;
  started.id = how.queued != nullptr ? how.queued->id : make_uuid_v7(started.at, time_.random(), time_.random());
  started.pipeline = on.p->name;
  started.request = request_of(on, options);
  started.cause = options.cause;
  started.served = serves_;
  auto parts = divided(**plan, touched_since(planner.mark, **plan, *foreign));
  fingerprint defined;
  std::vector<asset_id> fresh_ids;
  std::vector<asset_id> waiting_ids;
  for (const auto& [id, asset] : by_id(*(*plan)->names, parts.fresh))
    fresh_ids.push_back(id);
  for (const auto& [id, asset] : by_id(*(*plan)->names, parts.waiting)) {
    define_as_declared(*on.p, asset, make_lookup(*(*plan)->files), defined);
    started.definitions.push_back(definition_number(*on.p, asset, defined));
    waiting_ids.push_back(id);
  }
  started.fresh = make_asset_set(std::move(fresh_ids));
  started.waiting = make_asset_set(std::move(waiting_ids));
  last_run_ = std::max(last_run_, started.run.value);
  if (how.numbered)
    how.numbered(started.run);
  prepared_run made{std::move(*plan),
                    started.request,
                    {},
                    {},
                    began,
                    started.at,
                    observer,
                    std::move(limit),
                    std::move(history),
                    cause_kind::user,
                    lives_anyone() || (room_for_all_ && room_for_all_->bounds()),
                    std::move(parts.touched),
                    std::move(*foreign)};
  std::vector<event> keys;
  if (!options.key.empty())
    keys.emplace_back(key_used{started.pipeline + "/", options.key, options.key_request, started.run, started.at});
  if (parts.waiting.empty()) {
    made.beginning = std::move(keys);
    return record_fresh(std::move(made), started);
  }
  if (const auto ready = define_for_run(made, std::move(parts.waiting)); !ready)
    return ready.error();
  made.state.apply(started);
  made.cause = options.cause.kind;
  made.events = how.events;
  append_to(made.beginning, std::move(keys));
  made.trigger = trigger_of(started.pipeline, options.cause);
  made.beginning.emplace_back(std::move(started));
  return begin(std::move(made));
}

result<run_number> engine::resume(const project& on, run_number number, run_observer& observer, bool* has_changed,
                                  const resume_options& options) {
  const only_resumption alone(*this, number); // before anything is read of it
  const planner_here planner(*this);
  auto snapshot = snapshot_of_now();
  if (!snapshot)
    return snapshot.error();
  const auto past = replay_run(**snapshot, number);
  if (!past)
    return past.error();
  const auto name = "run #" + std::to_string(number.value);
  if (past->record.pipeline != on.p->name)
    return fail(error_code::invalid_input, name + " is of the pipeline \"" + past->record.pipeline + "\", but " +
                                               on.p->file + " is \"" + on.p->name + "\": name the right file with -f");
  if (past->record.finished_at && past->record.status == run_status::succeeded)
    return fail(error_code::invalid_input,
                name + " has succeeded: there is nothing to resume (troupe run brings the pipeline up to date)");
  if (!alone.may())
    return fail(error_code::invalid_input, name + " lives: there is nothing to resume");

  auto state = past->state;
  auto history = std::make_unique<run_clock>(time_, past->record.started_at);
  run_scope scope{std::vector<bool>(on.p->assets.size(), false), std::vector<bool>(on.p->assets.size(), false)};
  auto names = catalog::load(*on.p, *on.graph, snapshot->get(), names_);
  if (!names)
    return names.error();
  const auto done = [&](asset_index asset) {
    const auto status = state.at(*state.position((*names)->id_of(asset))).status;
    return status == asset_status::succeeded || status == asset_status::fresh;
  };
  for (std::uint32_t i = 0; i < on.p->assets.size(); ++i)
    scope.in_run[i] = state.position((*names)->id_of(asset_index(i))).has_value();
  const auto selected = select_assets(*on.p, *on.graph, past->record.request.selection);
  if (past->record.request.force && selected)
    for (const auto asset : *selected)
      scope.forced[asset.value] = scope.in_run[asset.value] && !done(asset);

  auto limit = std::make_unique<reading_limit>(stop_);
  auto plan = plan_a_run(
      on, [&](const project&) { return restating(scope); }, **snapshot, true, *limit);
  if (!plan)
    return plan.error();
  if ((*plan)->broken_off)
    return stopped_before_it_began(**plan);

  const std::lock_guard admission(admission_);
  auto foreign = fits_beside_living(**plan);
  if (!foreign)
    return foreign.error();
  const touched_assets touched(touched_since(planner.mark, **plan, *foreign));
  run_resumed resumed{number, history->now(), {}, serves_};
  resumed.reopened = reopened_by_resume(*(*plan)->on.graph, (*names)->asset_ids(), state, [&](asset_index asset) {
    return touched.contains(asset) || is_lost(on, **plan, past->record, state, asset);
  });
  if (const char* problem = state.try_apply(resumed, (*snapshot)->info().asset_count))
    return (*snapshot)->damaged_run(number, problem);
  if (const auto changed = changed_definitions(on, **names, *past, state); !changed) {
    if (has_changed != nullptr)
      *has_changed = changed.error().code == error_code::invalid_input;
    return changed.error();
  }
  std::vector<event_taken> events;
  if (const auto found = complete_events(**snapshot, past->record.cause, events); !found)
    return found.error();
  names->reset();
  snapshot->reset();
  const auto at = resumed.at;
  prepared_run made{std::move(*plan),
                    past->record.request,
                    std::move(state),
                    {},
                    at,
                    at,
                    observer,
                    std::move(limit),
                    std::move(history),
                    cause_kind::user,
                    lives_anyone() || (room_for_all_ && room_for_all_->bounds()),
                    touched,
                    std::move(*foreign)};
  made.request.workers = options.workers.value_or(made.request.workers);
  if (options.error_strategy)
    made.request.error_strategy = static_cast<std::uint8_t>(*options.error_strategy);
  made.cause = past->record.cause.kind;
  made.events = std::move(events);
  made.trigger = trigger_of(past->record.pipeline, past->record.cause);
  std::vector<asset_index> waiting;
  for (std::uint32_t i = 0; i < on.p->assets.size(); ++i)
    if (scope.in_run[i] &&
        !is_final(made.state.at(*made.state.position(made.plan->names->id_of(asset_index(i)))).status))
      waiting.emplace_back(i);
  if (const auto ready = define_for_run(made, std::move(waiting)); !ready)
    return ready.error();
  made.beginning.emplace_back(std::move(resumed));
  return begin(std::move(made));
}

} // namespace troupe_internal
