// A run on its way.
#include "engine/live_run.hpp"

#include "base/check.hpp"
#include "core/pipeline/matrix_identity.hpp"
#include "core/run/critical_path.hpp"
#include "engine/event_file.hpp"
#include "engine/records_anew.hpp"
#include "engine/state_layout.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe_internal {

namespace {

/// A checkpoint of an open run is due after this many events, or as many as it has assets.
constexpr std::uint64_t checkpoint_events = 10'000;

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

} // namespace

std::uint32_t workers_of(const run_request& request) {
  return request.workers != 0 ? request.workers : usable_cpus();
}

void tell_findings(const planning& plan, run_observer& observer) {
  for (const auto& text : plan.removed)
    observer.noted(text);
  for (const auto& warning : plan.warnings)
    observer.warned(warning.asset, warning.what);
}

void append_to(std::vector<event>& to, std::vector<event> more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

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

live_run::live_run(prepared_run made, const run_surroundings& around, history_watcher watcher)
    : made_(std::move(made)), around_(around), p_(*made_.plan->on.p), workers_(workers_of(made_.request)),
      number_(made_.state.run()), watcher_(std::move(watcher)) {
  auto& plan = *made_.plan;
  const auto id = made_.state.id();
  if (around_.shared && around_.shared->sizes.workers > 0)
    workers_ =
        made_.request.workers == 0 ? around_.shared->sizes.workers : std::min(workers_, around_.shared->sizes.workers);
  size_ = as_shared({workers_, p_.engine.pools});
  if (made_.limited)
    demand_ = run_demand{0, {}, {}, true};
  const auto remaining = longest_remaining_path(*plan.on.graph, plan.expected);
  logic_.emplace(
      p_, *plan.on.graph,
      run_policy{workers_, static_cast<error_strategy>(made_.request.error_strategy), remaining, made_.limited},
      plan.names->asset_ids(), std::move(made_.state));
  const auto events_file =
      made_.events.empty() ? std::string() : run_log_folder(plan.on.state_folder, number_) + "/" + event_file_name;
  if (plan.on.functions) {
    TROUPE_CHECK(around_.functions != nullptr, "a pipeline with functions in an engine that has none");
    functions_ = std::make_unique<function_maker>(function_surroundings{p_, *plan.names, around_.store,
                                                                        *plan.on.functions, *around_.functions,
                                                                        *around_.logs, id, number_, events_file});
  }
  work_ = std::make_unique<asset_worker>(
      worker_setup{p_,
                   *plan.looks,
                   *plan.plan,
                   *plan.names,
                   *plan.table,
                   *plan.lists,
                   *plan.files,
                   around_.processes,
                   around_.loop,
                   around_.readers,
                   around_.time,
                   plan.on.state_folder,
                   *around_.logs,
                   around_.results,
                   around_.state_id,
                   id,
                   number_,
                   made_.since,
                   p_.engine.grace_period,
                   plan.pipeline_file,
                   plan.own_work,
                   own_environment(),
                   [this](asset_index asset, const attempt_warning& what) { made_.observer.warned(asset, what); },
                   &*plan.definitions,
                   functions_.get(),
                   events_file},
      std::move(plan.records));
  tell_that_it_began(remaining);

  run_setup setup;
  setup.logic = &*logic_;
  setup.first = logic_->begin(blocked_at_once(plan.blocked_from_outside, made_.touched), made_.history->now());
  setup.p = &p_;
  setup.graph = plan.on.graph.get();
  setup.work = work_.get();
  settled_.emplace(logic_->state());
  setup.log = this;
  // Not by asking the log again, which does its housekeeping first.
  setup.when_on_disk = [opened = opened_](std::function<void(result<std::uint64_t>)> then) {
    opened->ask(std::move(then));
  };
  setup.time = made_.history.get();
  setup.observer = &made_.observer;
  setup.strict = p_.engine.durability == durability::strict;
  setup.names_and_files = [this] {
    auto events = names_and_files(*made_.plan);
    append_to(events, work_->take_restated());
    return events;
  };
  setup.closing = [this] { return closing_ ? closing_() : std::vector<event>(); };
  setup.held_by = [this](asset_index asset, bool before_execution) { return others_.held_by(asset, before_execution); };
  setup.demand_changed = [this](const run_demand& demand) {
    demand_ = demand;
    demand_->used = as_shared(demand.used);
    for (auto& want : demand_->wants)
      want = as_shared(want);
    others_.demand_changed();
  };
  setup.log_of = [this](asset_index asset, std::uint32_t attempt) {
    return log_path(made_.plan->on.state_folder, number_, log_name(p_, asset), attempt);
  };
  setup.versions = plan.versions;
  setup.expected = plan.expected;
  setup.checkpoint_every = std::max<std::uint64_t>(checkpoint_events, logic_->state().size());
  actors_ = std::make_unique<actor_run>(std::move(setup));
}

live_run::~live_run() {
  end_work(); // before the actors that it speaks to
}

void live_run::end_work() {
  if (!work_)
    return;
  work_->end_and_wait(); // what was handed out uses it still
  work_.reset();
}

void live_run::append(std::vector<event> events, bool urgent, std::function<void(result<std::uint64_t>)> durable) {
  auto settled = settled_->take(*logic_, events);
  auto changed = records_changed_by(events);
  for (auto& one : events)
    if (auto* const finished = std::get_if<run_finished>(&one))
      finished->trigger = made_.trigger;
  around_.log.append(std::move(events), urgent, std::move(durable));
  if (!changed.empty() || !settled.empty())
    watcher_(std::move(changed), std::move(settled));
}

void live_run::checkpoint(run_number run, std::string state) {
  around_.log.checkpoint(run, std::move(state));
}

std::string live_run::shared_name(const std::string& pool) const {
  const bool shared = !around_.shared || around_.shared->sizes.pools.contains(pool);
  return shared ? pool : p_.name + "/" + pool; // no name of a pool holds a "/"
}

capacity live_run::as_shared(const capacity& own) const {
  capacity found{own.workers, {}};
  for (const auto& [pool, slots] : own.pools)
    found.pools.emplace(shared_name(pool), slots);
  return found;
}

void live_run::offer(budget_offer what) {
  if (what.budget && around_.shared) {
    capacity own{what.budget->workers, {}};
    for (const auto& [pool, size] : p_.engine.pools)
      if (const auto slots = what.budget->of(shared_name(pool)); slots > 0)
        own.pools.emplace(pool, slots);
    what.budget = std::move(own);
  }
  actors_->offer(what.number, std::move(what.budget));
}

bool live_run::finished() const {
  return logic_->state().finished().has_value();
}

void live_run::visit_unsettled(const visitor& visit) const {
  const auto& state = logic_->state();
  for (std::uint32_t position = 0; position < state.size(); ++position)
    if (!settled_->at(position) && !visit(state.id_at(position)))
      return;
}

bool live_run::unsettled(asset_id asset) const {
  const auto position = logic_->state().position(asset);
  return position && !settled_->at(*position);
}

void live_run::visit_reads(asset_id asset, const visitor& visit) const {
  const auto& names = *made_.plan->names;
  const auto index = names.index_of(asset);
  if (!index)
    return;
  for (const auto upstream : made_.plan->on.graph->upstream(*index))
    if (!visit(names.id_of(upstream)))
      return;
  made_.foreign.visit_makers(*index, visit);
}

const made_files& live_run::made() {
  if (!made_files_)
    made_files_.emplace(made_.plan->on);
  return *made_files_;
}

void live_run::visit_readers(asset_id asset, const visitor& visit) const {
  if (!foreign_readers_.visit(asset, visit))
    return;
  const auto& names = *made_.plan->names;
  if (const auto index = names.index_of(asset))
    for (const auto downstream : made_.plan->on.graph->downstream(*index))
      if (!visit(names.id_of(downstream)))
        return;
}

void live_run::tell_that_it_began(const std::vector<duration>& remaining) {
  const auto& counts = logic_->state().counts();
  const auto strategy = static_cast<error_strategy>(made_.request.error_strategy);
  made_.observer.run_began({number_, logic_->state().id(), static_cast<std::uint32_t>(logic_->state().size()),
                            counts[static_cast<std::size_t>(asset_status::fresh)] +
                                counts[static_cast<std::size_t>(asset_status::succeeded)],
                            workers_, strategy, estimate(p_, *logic_, made_.plan->expected, remaining, workers_)});
  tell_findings(*made_.plan, made_.observer);
}

void live_run::begin(std::function<std::vector<event>()> closing, neighbours others, bool keeps_house,
                     std::function<void()> gone) {
  auto beginning = in_chunks(std::move(made_.beginning));
  for (std::size_t i = 0; i + 1 < beginning.size(); ++i) // the start itself is in the last
    append(std::move(beginning[i]), false, nullptr);
  append(std::move(beginning.back()), true,
         [opened = opened_](const result<std::uint64_t>& outcome) { opened->tell(outcome); });
  for (auto& events : in_chunks(std::move(made_.plan->restated)))
    append(std::move(events), false, nullptr);
  if (keeps_house)
    keeper_ = std::make_unique<housekeeping>(around_.log.commits(), around_.logs, around_.dir, p_, number_,
                                             around_.time, made_.plan->table->recorded_folders(), around_.history);
  made_.limit->run_begins();
  closing_ = std::move(closing);
  others_ = std::move(others);
  actors_->begin(around_.room, [this, gone = std::move(gone)](run_outcome outcome) {
    outcome_ = std::move(outcome);
    finished_at_ = made_.history->now();
    over_ = true;
    auto told = std::move(gone_);
    gone();
    told.set_value(); // last: who waits for it destroys this
  });
}

void live_run::stop(stop_cause cause, bool at_once) {
  actors_->stop(cause, at_once);
  made_.limit->run_stops(); // after the run was told, so that it knows why looks fail
}

void live_run::let_go_on(asset_id asset) {
  const auto index = made_.plan->names->index_of(asset);
  if (over_ || !index)
    return;
  work_->submit([this, asset = *index] { renew(asset); });
}

bool live_run::is_touched(asset_id asset) const {
  const auto index = made_.plan->names->index_of(asset);
  return index && !made_.touched.to_read(*made_.plan->on.graph, *index).empty();
}

void live_run::renew(asset_index asset) {
  const auto& on = made_.plan->on;
  if (made_.touched.to_read(*on.graph, asset).empty())
    return actors_->let_go_on(asset, {});
  // What others have appended is to be in the snapshot. Where the journal fails, the run hears it from its own appends.
  static_cast<void>(around_.log.flush());
  const auto snapshot = around_.store.snapshot();
  if (!snapshot)
    return actors_->fail(snapshot.error().message);
  auto anew = read_anew(
      p_, *on.graph, made_.touched, asset, [this](asset_index one) { return logic_->in_run(one); },
      [&](asset_index one, asset_record& record) -> result<void> {
        const auto read = (*snapshot)->read_asset(made_.plan->names->id_of(one), record);
        return read ? result<void>() : read.error();
      });
  if (!anew)
    return actors_->fail(anew.error().message);
  if (anew->own)
    work_->use_record(asset, std::move(*anew->own));
  actors_->let_go_on(asset, std::move(anew->versions), std::move(anew->blocked));
}

result<run_result> live_run::wait() {
  is_gone_.wait();
  if (!outcome_.durable)
    return fail(outcome_.internal ? error_code::internal : error_code::state_unusable, outcome_.problem);
  return result_now();
}

run_result live_run::result_now() const {
  const auto& state = logic_->state();
  run_result out;
  out.run = state.run();
  out.id = state.id();
  out.status = state.finished().value_or(run_status::interrupted); // left open, where its engine stops
  out.counts = state.counts();
  out.started_at = made_.started_at;
  out.finished_at = finished_at_;
  for (std::uint32_t position = 0; position < state.size(); ++position)
    if (state.at(position).status == asset_status::failed)
      out.failed.push_back(logic_->index_of(state.id_at(position)));
  return out;
}

} // namespace troupe_internal
