// From a project to a run that has ended: plan, spawn only if something is stale, wait, record.
#include "actors/engine_host.hpp"
#include "adapters/journal/group_commit.hpp"
#include "adapters/process/process_executor.hpp"
#include "adapters/system/system_clock.hpp"
#include "base/check.hpp"
#include "base/shown_text.hpp"
#include "core/command/secret_mask.hpp"
#include "core/command/secret_sources.hpp"
#include "core/freshness/definition.hpp"
#include "core/pipeline/matrix_identity.hpp"
#include "core/pipeline/selection.hpp"
#include "core/run/critical_path.hpp"
#include "core/run/reopening.hpp"
#include "engine/asset_worker.hpp"
#include "engine/early_look.hpp"
#include "engine/housekeeping.hpp"
#include "engine/lost_outputs.hpp"
#include "engine/opening.hpp"
#include "engine/planning.hpp"
#include "engine/project.hpp"
#include "engine/reading_limit.hpp"
#include "engine/run_history.hpp"
#include "engine/state_layout.hpp"
#include "engine/state_writer.hpp"
#include "engine/stop_watch.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <system_error>

namespace troupe_internal {

namespace {

/// How long events that nobody waits for are gathered for one commit.
constexpr duration gather_time = std::chrono::milliseconds(50);
/// A checkpoint of an open run is due after this many events, or as many as it has assets.
constexpr std::uint64_t checkpoint_events = 10'000;

/// What both a new and a resumed run need.
struct prepared_run {
  const project& on;
  system_clock& time; ///< for what is compared with files' times
  run_clock& history; ///< for what is recorded
  state_writer& writer;
  planning& plan;
  run_request request;
  run_observer& observer;
  stop_request& stop;
  reading_limit& limit;
  uuid state_id;
  timestamp since; ///< when the run, or its last resumption, started
};

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
  return request;
}

/// What planning found and did.
void tell_findings(const prepared_run& run) {
  for (const auto& text : run.plan.removed)
    run.observer.noted(text);
  for (const auto& warning : run.plan.warnings)
    run.observer.warned(warning.asset, warning.what);
}

std::uint32_t workers_of(const run_request& request) {
  return request.workers != 0 ? request.workers : usable_cpus();
}

/// All work that may run, spread over the workers, but no shorter than its longest chain.
duration estimate(const pipeline& p, const run_logic& logic, const std::vector<duration>& expected,
                  const std::vector<duration>& remaining, std::uint32_t workers) {
  duration sum{};
  duration longest{};
  for (std::uint32_t i = 0; i < p.assets.size(); ++i) {
    if (!logic.in_run(asset_index(i)) || is_final(logic.status(asset_index(i))))
      continue;
    sum += std::min(std::max(expected[i], duration::zero()), duration::max() - sum);
    longest = std::max(longest, remaining[i]);
  }
  return std::max(longest, sum / workers);
}

run_result result_of(const run_logic& logic, timestamp started_at, timestamp finished_at) {
  const auto& state = logic.state();
  run_result out;
  out.run = state.run();
  out.id = state.id();
  out.status = state.finished().value_or(run_status::running);
  out.counts = state.counts();
  out.started_at = started_at;
  out.finished_at = finished_at;
  for (std::uint32_t position = 0; position < state.size(); ++position)
    if (state.at(position).status == asset_status::failed)
      out.failed.push_back(logic.index_of(state.id_at(position)));
  return out;
}

void append_to(std::vector<event>& to, std::vector<event> more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

/// No transaction is to hold the records of a whole large pipeline.
std::vector<std::vector<event>> in_chunks(std::vector<event> events) {
  constexpr std::size_t most = 4096;
  std::vector<std::vector<event>> chunks;
  for (auto& e : events) {
    if (chunks.empty() || chunks.back().size() == most)
      chunks.emplace_back();
    chunks.back().push_back(std::move(e));
  }
  return chunks;
}

result<run_scope> restating(result<run_scope> scope) {
  if (scope)
    scope->restates = true;
  return scope;
}

/// What the system refuses a run that has not begun: threads, descriptors.
error cannot_begin(const std::string& why) {
  return fail(error_code::state_unusable, "the system refuses what a run needs, and nothing was started: " + why);
}

/// Runs what is waiting in `state`; `first_events` (names first, then those that `state` already holds) are appended
/// before all others.
result<run_result> carry_out_what_waits(prepared_run& run, run_state state, std::vector<event> first_events,
                                        timestamp started_at) {
  const auto& p = *run.on.p;
  const auto workers = workers_of(run.request);
  const auto strategy = static_cast<error_strategy>(run.request.error_strategy);
  auto remaining = longest_remaining_path(*run.on.graph, run.plan.expected);
  const auto number = state.run();
  const auto id = state.id();
  run_logic logic(p, *run.on.graph, {workers, strategy, remaining}, run.plan.names->asset_ids(), std::move(state));

  auto processes = posix_process_executor::open();
  if (!processes)
    return cannot_begin(processes.error().message);
  const auto& dir = run.writer.dir();
  const auto results = dir->part(results_folder);
  if (!results)
    return results.error();
  const auto logs = std::make_shared<state_logs>(dir);
  if (const auto claimed = claim_logs(*logs, run.writer.store()); !claimed)
    return claimed.error();

  group_commit log(run.writer.store(), gather_time);
  const auto opened = std::make_shared<opening>();
  log.append(std::move(first_events), true, [opened](const result<std::uint64_t>& outcome) { opened->tell(outcome); });
  for (auto& events : in_chunks(std::move(run.plan.restated)))
    log.append(std::move(events), false, nullptr);
  housekeeping keeper(log, logs, dir, p, number, run.time, run.plan.table->recorded_folders());

  worker_setup setup{p,
                     *run.plan.looks,
                     *run.plan.plan,
                     *run.plan.names,
                     *run.plan.table,
                     *run.plan.lists,
                     *run.plan.files,
                     **processes,
                     **processes,
                     run.time,
                     run.on.state_folder,
                     *logs,
                     **results,
                     run.state_id,
                     id,
                     number,
                     run.since,
                     p.engine.grace_period,
                     run.plan.pipeline_file,
                     run.plan.own_work,
                     own_environment(),
                     std::clamp(workers, 2U, 4U),
                     [&run](asset_index asset, const attempt_warning& what) { run.observer.warned(asset, what); }};
  asset_worker work(std::move(setup), std::move(run.plan.records));

  run.observer.run_began({number, id, static_cast<std::uint32_t>(logic.state().size()),
                          logic.state().counts()[static_cast<std::size_t>(asset_status::fresh)] +
                              logic.state().counts()[static_cast<std::size_t>(asset_status::succeeded)],
                          workers, strategy, estimate(p, logic, run.plan.expected, remaining, workers)});
  tell_findings(run);

  host_setup host;
  host.logic = &logic;
  host.first = logic.begin(run.plan.blocked_from_outside, run.history.now());
  host.p = &p;
  host.graph = run.on.graph.get();
  // Where commands end: from there to the start of the next, no thread waits for another.
  host.loop = processes->get();
  host.work = &work;
  host.log = &log;
  // Not by asking the log again, which does its housekeeping first.
  host.when_on_disk = [opened](std::function<void(result<std::uint64_t>)> then) { opened->ask(std::move(then)); };
  host.time = &run.history;
  host.observer = &run.observer;
  host.strict = p.engine.durability == durability::strict;
  host.names_and_files = [&run, &work] {
    auto events = names_and_files(run.plan);
    append_to(events, work.take_restated());
    return events;
  };
  host.closing = [&run] { return run.writer.closing(); };
  host.log_of = [&](asset_index asset, std::uint32_t attempt) {
    return log_path(run.on.state_folder, number, log_name(p, asset), attempt);
  };
  host.versions = run.plan.versions;
  host.expected = run.plan.expected;
  host.checkpoint_every = std::max<std::uint64_t>(checkpoint_events, logic.state().size());
  engine_host engine(std::move(host));
  run.limit.run_begins();
  host_result ended;
  {
    const stop_watch watch(dir, run.stop, [&](stop_cause cause, bool at_once) {
      engine.stop(cause, at_once);
      run.limit.run_stops(); // after the run was told, so that it knows why looks fail
    });
    ended = engine.run();
  }
  if (!ended.durable)
    return fail(ended.internal ? error_code::internal : error_code::state_unusable, ended.problem);
  return result_of(logic, started_at, run.history.now());
}

result<run_result> carry_out(prepared_run& run, run_state state, std::vector<event> first_events,
                             timestamp started_at) {
  try {
    return carry_out_what_waits(run, std::move(state), std::move(first_events), started_at);
  } catch (const std::system_error& refused) { // of making threads
    return cannot_begin(refused.what());
  }
}

result<std::unique_ptr<planning>> plan_a_run(const project& on, const scope_maker& scope_for,
                                             const journal_snapshot& snapshot, const state_writer& writer,
                                             const clock& time, bool keep_all, stop_request& stop,
                                             const reading_limit& limit) {
  const second_request_ends meanwhile(stop);
  planning_view view;
  view.enough = [&limit] { return limit.over(); };
  view.state = writer.dir();
  return planning::make(on, scope_for, &snapshot, time, keep_all, view);
}

/// Planning was broken off: what was read is kept, and there is no run.
error stopped_before_it_began(state_writer& writer, planning& plan) {
  auto events = writer.take_opening();
  append_to(events, names_and_files(plan));
  append_to(events, writer.closing());
  if (const auto appended = writer.store().append(events); !appended)
    return appended.error();
  return fail(error_code::stopped, "stopped before the run began: nothing was run");
}

/// A run in which everything is fresh: recorded in one transaction, without actors.
result<run_result> record_fresh(prepared_run& run, const run_started& started) {
  run.plan.table->settle();
  const auto size = static_cast<std::uint32_t>(count_of(started.fresh));
  run.observer.run_began({started.run, started.id, size, size, workers_of(run.request),
                          static_cast<error_strategy>(run.request.error_strategy), duration::zero()});
  tell_findings(run);
  run_finished finished{started.run, run.history.now(), run_status::succeeded, {}};
  finished.counts[static_cast<std::size_t>(asset_status::fresh)] = size;
  auto events = run.writer.take_opening();
  append_to(events, names_and_files(run.plan));
  for (auto& restated : in_chunks(std::move(run.plan.restated))) {
    append_to(events, std::move(restated));
    if (const auto appended = run.writer.store().append(events); !appended)
      return appended.error();
    events.clear();
  }
  events.emplace_back(started);
  events.emplace_back(finished);
  append_to(events, run.writer.closing());
  if (const auto appended = run.writer.store().append(events); !appended)
    return appended.error();
  tidy_after_fresh_run(run.writer.store(), run.writer.dir(), *run.on.p, started.run);
  return run_result{started.run, started.id, finished.status, finished.counts, {}, started.at, finished.at};
}

/// A command for people, as the pipeline has it.
std::string command_of(const pipeline& p, std::string_view state_name) {
  constexpr std::size_t most = 200;
  const auto slash = state_name.find('/');
  const auto asset = slash != std::string_view::npos && state_name.substr(0, slash) == p.name
                         ? p.find(state_name.substr(slash + 1))
                         : std::nullopt;
  std::string text;
  if (asset)
    for (const auto word : p.declaration(*asset).command)
      text += (text.empty() ? "" : " ") + std::string(word);
  if (text.size() > most)
    text = text.substr(0, most) + "…";
  return text;
}

state_opening opening_of(const project& on, bool assume_dead, run_observer& observer) {
  return {on.p->engine.durability,
          on.p->engine.grace_period,
          assume_dead,
          [&on](std::string_view name) { return command_of(*on.p, name); },
          [&observer](const std::vector<ended_process>& processes) { observer.leftovers_ended(processes); },
          [&observer](const std::string& text) { observer.noted(text); },
          !secret_sources_of(*on.p).files.empty()};
}

error refused_for(const pipeline& p, const std::vector<asset_warning>& warnings) {
  std::string text = "nothing was run, since warnings count as errors (--strict):";
  for (const auto& warning : warnings)
    text += "\n  asset " + visible(p.asset(warning.asset).name) + ": " + visible(warning.what.text) + " [" +
            warning.what.code + "]";
  return fail_in_lines(error_code::invalid_input, std::move(text));
}

} // namespace

result<run_result> run_pipeline(const project& on, const run_options& options, run_observer& observer,
                                stop_request& stop) {
  if (const auto scope = scope_of(on, options); !scope) // before a state is made
    return scope.error();
  system_clock time;
  run_clock history(time);
  // The run's duration is the user's: loading the pipeline and planning are part of it.
  const auto asked = options.command_started ? time.monotonic() - *options.command_started : duration::zero();
  const auto began = history.now() - std::max(asked, duration::zero());
  auto writer = state_writer::open(on.state_folder, opening_of(on, options.assume_dead, observer), time, stop);
  if (!writer)
    return writer.error();
  if (on.seen && (*writer)->recovered())
    static_cast<void>(on.seen->take([] { return true; })); // what a dead run left behind may have written since
  auto snapshot = (*writer)->store().snapshot();
  if (!snapshot)
    return snapshot.error();
  reading_limit limit(stop);
  auto plan = plan_a_run(
      on, [&](const project& now) { return restating(scope_of(now, options)); }, **snapshot, **writer, time, false,
      stop, limit);
  if (!plan)
    return plan.error();
  if ((*plan)->broken_off)
    return stopped_before_it_began(**writer, **plan);
  if (options.strict && !(*plan)->warnings.empty())
    return refused_for(*on.p, (*plan)->warnings);
  const auto info = (*snapshot)->info();
  snapshot->reset(); // a long-lived view would keep old pages alive

  prepared_run run{(*plan)->on, time, history, **writer, **plan, request_of(on, options),
                   observer,    stop, limit,   info.id,  began};
  run_started started;
  started.run = run_number(info.last_run.value + 1);
  started.at = began;
  started.id = make_uuid_v7(started.at, time.random(), time.random());
  started.pipeline = on.p->name;
  started.request = run.request;
  std::vector<bool> blocked(on.p->assets.size(), false);
  for (const auto& one : (*plan)->blocked_from_outside)
    blocked[one.asset.value] = true;
  std::vector<asset_id> fresh;
  std::vector<std::pair<asset_id, asset_index>> waiting;
  for (std::uint32_t i = 0; i < on.p->assets.size(); ++i) {
    const asset_index asset(i);
    if (!(*plan)->scope.in_run[i])
      continue;
    if ((*plan)->plan->action(asset) == plan_action::fresh && !blocked[i])
      fresh.push_back((*plan)->names->id_of(asset));
    else
      waiting.emplace_back((*plan)->names->id_of(asset), asset);
  }
  std::sort(waiting.begin(), waiting.end());
  fingerprint defined;
  std::vector<asset_id> waiting_ids;
  for (const auto& [id, asset] : waiting) {
    define_as_declared(*on.p, asset, make_lookup(*(*plan)->files), defined);
    started.definitions.push_back(definition_number(*on.p, asset, defined));
    waiting_ids.push_back(id);
  }
  started.fresh = make_asset_set(std::move(fresh));
  started.waiting = make_asset_set(std::move(waiting_ids));
  if (waiting.empty())
    return record_fresh(run, started);

  run_state state;
  state.apply(started);
  auto events = run.writer.take_opening();
  append_to(events, names_and_files(**plan));
  const auto at = started.at;
  events.emplace_back(std::move(started));
  return carry_out(run, std::move(state), std::move(events), at);
}

result<run_result> resume_run(const project& on, run_number number, bool assume_dead, run_observer& observer,
                              stop_request& stop) {
  system_clock time;
  auto writer = state_writer::open(on.state_folder, opening_of(on, assume_dead, observer), time, stop);
  if (!writer)
    return writer.error();
  auto snapshot = (*writer)->store().snapshot();
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

  auto state = past->state;
  run_clock history(time, past->record.started_at);
  run_scope scope{std::vector<bool>(on.p->assets.size(), false), std::vector<bool>(on.p->assets.size(), false)};
  auto names = catalog::load(*on.p, *on.graph, snapshot->get());
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

  reading_limit limit(stop);
  auto plan = plan_a_run(
      on, [&](const project&) { return restating(scope); }, **snapshot, **writer, time, true, stop, limit);
  if (!plan)
    return plan.error();
  if ((*plan)->broken_off)
    return stopped_before_it_began(**writer, **plan);
  run_resumed resumed{number, history.now(), {}};
  resumed.reopened = reopened_by_resume(*(*plan)->on.graph, (*names)->asset_ids(), state, [&](asset_index asset) {
    return is_lost(on, **plan, past->record, state, asset);
  });
  if (const char* problem = state.try_apply(resumed, (*snapshot)->info().asset_count))
    return (*snapshot)->damaged_run(number, problem);
  if (const auto changed = changed_definitions(on, **names, *past, state); !changed)
    return changed.error();
  names->reset();
  const auto info = (*snapshot)->info();
  snapshot->reset();
  prepared_run run{(*plan)->on, time, history, **writer, **plan,    past->record.request,
                   observer,    stop, limit,   info.id,  resumed.at};
  auto events = run.writer.take_opening();
  append_to(events, names_and_files(**plan));
  events.emplace_back(resumed);
  return carry_out(run, std::move(state), std::move(events), resumed.at);
}

} // namespace troupe_internal
