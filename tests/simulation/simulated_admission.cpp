// From a wish to a run that has begun, and to one that is gone: as engine/engine_submit and engine/engine do it, in
// steps between which others go on.
#include "require.hpp"
#include "simulated_engine.hpp"

#include "core/freshness/lost.hpp"
#include "core/run/reopening.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace troupe_internal::test {

void simulated_engine::submit(const run_wish& wish) {
  world_.log.add("somebody asks for ", wish.resumes ? "the rest of run #" : "a run of pipeline ",
                 wish.resumes ? wish.resumes->value : wish.pipeline, wish.only ? ", only" : "",
                 wish.force ? ", by force" : "", ", ", wish.selected.size(), " selected, mode ", wish.mode);
  jobs_.push_back({wish, changes_.begin_planning(), world_.journal.appends(), {}, {}, nullptr, false});
  paths_.reached_if(state_path::two_plans, jobs_.size() > 1);
}

/// Runs that have not succeeded, and that nobody else is about to resume.
std::optional<run_number> simulated_engine::to_resume() {
  std::vector<run_number> found;
  for (const auto& one : world_.books.tables().runs) {
    const auto number = one.first;
    const bool lives =
        std::any_of(runs_.begin(), runs_.end(), [&](const auto& run) { return run->number() == number; });
    const bool is_planned =
        std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& job) { return job.wish.resumes == number; });
    const bool begins = admitted_ && admitted_->run == number;
    if (one.second.status != run_status::succeeded && !lives && !is_planned && !begins)
      found.push_back(number);
  }
  if (found.empty())
    return std::nullopt;
  return found[random_.below(static_cast<std::uint32_t>(found.size()))];
}

/// Its snapshot needs the disk, its admission the end of another one's.
bool simulated_engine::can_plan(const plan_job& job) const {
  if (job.plan == nullptr)
    return world_.journal.done() >= job.needs || failed();
  return !job.judged || !admitted_;
}

void simulated_engine::plan_on(std::size_t at) {
  auto& job = jobs_[at];
  if (failed()) { // its snapshot is refused, or its beginning would be
    changes_.end_planning();
    jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(at));
    return;
  }
  if (job.plan == nullptr)
    return begin_planning(job);
  for (auto count = 1 + random_.below(4); count > 0 && !job.judged; --count)
    job.judged = !job.plan->go_on(world_.files);
  if (!job.judged || random_.once_in(4) || admitted_) // it may be admitted in the same turn
    return;
  auto done = std::move(job);
  jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(at));
  admit(std::move(done));
}

void simulated_engine::begin_planning(plan_job& job) {
  auto snapshot = world_.store->snapshot();
  if (!snapshot)
    throw std::runtime_error("a snapshot is refused");
  auto scope = scope_of(world_.on.pipelines[job.wish.pipeline], job.wish);
  if (job.wish.resumes) {
    const auto calm = job.wish.calm;
    const auto number = *job.wish.resumes;
    const auto record = (*snapshot)->read_run(number);
    if (!record || !*record || (*record)->status == run_status::succeeded) {
      world_.log.add("there is nothing to resume"); // its beginning was lost, or it has succeeded since
      changes_.end_planning();
      jobs_.erase(jobs_.begin() + (&job - jobs_.data()));
      return;
    }
    job.record = **record;
    job.wish = world_.books.wishes().at(number);
    job.wish.calm = calm;
    job.wish.resumes = number;
    for (const auto& e : world_.journal.events()) {
      const auto* started = std::get_if<run_started>(&e);
      if (job.state.started() || (started != nullptr && started->run == number))
        job.state.apply(e);
    }
    const auto& on = world_.on.pipelines[job.wish.pipeline];
    scope = scope_of(on, job.wish);
    for (std::uint32_t i = 0; i < scope.in_run.size(); ++i) {
      const auto full = on.p->name + "/" + std::string(on.p->assets[i].name);
      std::optional<std::uint32_t> position;
      for (const auto& [id, name] : world_.books.tables().asset_names)
        if (name == full)
          position = job.state.position(id);
      scope.in_run[i] = position.has_value();
      if (position) {
        const auto status = job.state.at(*position).status;
        if (status == asset_status::succeeded || status == asset_status::fresh)
          scope.forced[i] = false;
      }
    }
  }
  job.plan = std::make_unique<simulated_plan>(world_.on, job.wish, std::move(scope), std::move(*snapshot), names_,
                                              job.wish.resumes.has_value(), world_.time.now());
  world_.log.add("a plan begins");
  paths_.reached_if(state_path::two_plans_new_names,
                    job.plan->has_new_names && std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& other) {
                      return &other != &job && other.plan && other.plan->has_new_names;
                    }));
}

foreign_files simulated_engine::shared_with_living(const simulated_plan& plan) const {
  foreign_files shared;
  const auto& first = world_.on.pipelines.front();
  for (const auto& run : runs_) {
    const auto& other = world_.on.pipelines[run->wish().pipeline];
    if (run->over() || &other == &plan.on)
      continue;
    const bool makes = &other == &first; // what the plan's pipeline may read
    const auto& readers = makes ? plan.on : other;
    for (std::uint32_t i = 0; i < readers.reads_of_first.size(); ++i)
      for (const auto maker : readers.reads_of_first[i]) {
        const asset_index reader(i);
        if (makes)
          shared.reads.emplace(reader, run->names().id_of(maker));
        else
          shared.readers.push_back({run->number(), plan.names->id_of(maker), run->names().id_of(reader)});
      }
  }
  return shared;
}

std::vector<asset_index> simulated_engine::touched_since(std::uint64_t mark, const simulated_plan& plan,
                                                         const foreign_files& shared) const {
  const auto index_of = [&](asset_id id) { return plan.names->index_of(id); };
  auto touched = touched_by_living(others_.all(), shared, index_of);
  const auto changed = changes_.since(mark);
  paths_.reached_if(state_path::plan_lags, !changed.empty());
  const auto by_changes = touched_by_changes(changed, shared, index_of);
  touched.insert(touched.end(), by_changes.begin(), by_changes.end());
  return touched;
}

bool simulated_engine::lives_anyone() const {
  return std::any_of(runs_.begin(), runs_.end(), [](const auto& run) { return !run->over(); });
}

void simulated_engine::admit(plan_job job) {
  job.plan->forget_snapshot();
  paths_.reached_if(state_path::plan_sees_torn, job.plan->saw_torn());
  admitted_run made;
  made.wish = job.wish;
  made.limited = lives_anyone();
  made.may_hang = !quiet_;
  made.appends = world_.journal.appends();
  if (job.wish.resumes)
    resume(std::move(job), std::move(made));
  else
    start(std::move(job), std::move(made));
  changes_.end_planning();
}

void simulated_engine::start(plan_job job, admitted_run made) {
  auto& plan = *job.plan;
  auto fresh = plan.fresh();
  made.foreign = shared_with_living(plan);
  auto parts = divide(*plan.on.graph, plan.scope.in_run, fresh, touched_since(job.mark, plan, made.foreign));
  const auto ids = [&](const std::vector<asset_index>& assets) {
    std::vector<asset_id> found;
    for (const auto asset : assets)
      found.push_back(plan.names->id_of(asset));
    return make_asset_set(std::move(found));
  };
  for (const auto asset : parts.waiting)
    paths_.reached_if(state_path::fresh_becomes_waiting, fresh[asset.value]);
  run_started started;
  last_run_ = run_number(last_run_.value + 1);
  started.run = last_run_;
  started.id.bytes[0] = static_cast<std::uint8_t>(started.run.value);
  started.at = world_.time.now();
  started.pipeline = plan.on.p->name;
  started.request.error_strategy = static_cast<std::uint8_t>(job.wish.error_strategy);
  started.request.workers = job.wish.workers;
  started.fresh = ids(parts.fresh);
  started.waiting = ids(parts.waiting);
  started.cause.kind = job.wish.cause;
  world_.books.admits(started.run, job.wish);
  ++world_.runs;
  world_.log.add("run #", started.run.value, " is admitted: ", parts.fresh.size(), " fresh, ", parts.waiting.size(),
                 " wait");
  if (parts.waiting.empty()) {
    paths_.reached_if(state_path::all_fresh_beside_live, lives_anyone());
    run_finished finished{started.run, world_.time.now(), run_status::succeeded, {}};
    finished.counts[static_cast<std::size_t>(asset_status::fresh)] = static_cast<std::uint32_t>(parts.fresh.size());
    auto events = plan.names->take_new_names();
    events.emplace_back(started);
    events.emplace_back(finished);
    append(std::move(events), true, nullptr);
    return;
  }
  made.run = started.run;
  made.since = started.at;
  made.state.apply(started);
  made.beginning = plan.names->take_new_names();
  made.beginning.emplace_back(std::move(started));
  made.touched = std::move(parts.touched);
  made.plan = std::move(job.plan);
  admitted_ = std::move(made);
}

void simulated_engine::resume(plan_job job, admitted_run made) {
  auto& plan = *job.plan;
  made.foreign = shared_with_living(plan);
  const touched_assets touched(touched_since(job.mark, plan, made.foreign));
  run_resumed resumed{*job.wish.resumes, world_.time.now(), {}};
  resumed.reopened = reopened_by_resume(*plan.on.graph, plan.names->asset_ids(), job.state, [&](asset_index asset) {
    done_asset done;
    done.record = plan.records[asset.value].get();
    done.status = job.state.at(*job.state.position(plan.names->id_of(asset))).status;
    done.fresh = plan.judged.action(asset) == plan_action::fresh;
    done.outputs = [&](std::vector<file_version>& found) {
      found = look_at(plan.on, *plan.names, world_.files, asset, plan.mode, [&](asset_index needed) {
                return plan.versions[needed.value];
              }).outputs;
      return true;
    };
    const bool lost = counts_no_more(done, *job.record, *plan.names);
    paths_.reached_if(state_path::reopened_by_others, touched.contains(asset));
    paths_.reached_if(state_path::found_fresh_reopened, lost && done.status == asset_status::fresh);
    return touched.contains(asset) || lost;
  });
  made.run = resumed.run;
  made.since = resumed.at;
  made.state = std::move(job.state);
  made.state.apply(resumed);
  world_.log.add("run #", resumed.run.value, " is to go on");
  ++world_.runs;
  paths_.reached_if(state_path::resumed_beside_live, lives_anyone());
  made.beginning = plan.names->take_new_names();
  made.beginning.emplace_back(std::move(resumed));
  made.touched = touched;
  made.plan = std::move(job.plan);
  admitted_ = std::move(made);
}

void simulated_engine::begin() {
  auto made = std::move(*admitted_);
  admitted_.reset();
  paths_.reached_if(state_path::appended_before_begin, world_.journal.appends() > made.appends);
  for (const auto& other : runs_) {
    paths_.reached_if(state_path::resumed_as_later, !other->over() && made.run < other->number());
    paths_.reached_if(state_path::two_pipelines, !other->over() && made.wish.pipeline != other->wish().pipeline);
  }
  run_neighbourhood others;
  const auto number = made.run;
  const auto self = [this, number]() -> simulated_live_run& {
    return **std::find_if(runs_.begin(), runs_.end(), [&](const auto& run) { return run->number() == number; });
  };
  others.append = [this](std::vector<event> events, bool urgent, std::function<void(result<std::uint64_t>)> durable) {
    append(std::move(events), urgent, std::move(durable));
  };
  others.noted = [this, number](const std::vector<asset_id>& changed, std::vector<asset_id> settled) {
    changes_.note(changed);
    if (others_.anyone_waits() && !settled.empty())
      posted_.push_back([this, number, settled = std::move(settled)] {
        for (const auto asset : settled)
          others_.settled(number, asset);
      });
  };
  others.held_by = [this, self](asset_id asset, bool before_execution) {
    return held_by(self(), asset, before_execution);
  };
  others.demand_changed = [this] {
    if (!dead_)
      others_.share_out();
  };
  others.read_anew = [this, number](asset_index asset) {
    renewals_.push_back({number, asset, world_.journal.appends()});
  };
  others.check = [this](const std::function<void()>& rule) { check(rule); };
  auto& run = *runs_.emplace_back(std::make_unique<simulated_live_run>(world_, std::move(made), std::move(others)));
  world_.files.has_room_for(run.size());
  for (const auto& shared : run.foreign().readers)
    for (const auto& earlier : runs_)
      if (earlier->number() == shared.run)
        earlier->note_foreign(shared);
  others_.joined(run);
  world_.log.add("run #", number.value, " begins");
  paths_.reached_if(state_path::three_runs, runs_.size() >= 3);
  paths_.reached_if(state_path::engine_with_six, ++begun_ == 6);
  run.begin(scheduler_.system(), [this, &run] { run_is_gone(run); });
}

std::optional<run_number> simulated_engine::held_by(simulated_live_run& run, asset_id asset, bool before_execution) {
  if (dead_)
    return std::nullopt;
  const auto holder = others_.held_by(run, asset, before_execution);
  const auto index = run.logic().index_of(asset);
  const auto rule = world_.books.held(run.number(), index, before_execution);
  paths_.reached_if(state_path::held_by_same, rule == 'a');
  paths_.reached_if(state_path::held_by_read, rule == 'b');
  paths_.reached_if(state_path::held_by_reader, rule == 'c');
  paths_.reached_if(state_path::held_by_foreign_maker, rule == 'B');
  paths_.reached_if(state_path::held_by_foreign_reader, rule == 'C');
  if (rule == 'b')
    for (const auto needed : run.logic().upstream(index))
      paths_.reached_if(state_path::held_by_outside, !run.logic().in_run(needed));
  if (rule != 0)
    run.was_held(index);
  return holder;
}

void simulated_engine::append(std::vector<event> events, bool urgent,
                              std::function<void(result<std::uint64_t>)> durable) {
  if (!dead_)
    world_.journal.append(before_.put_before(std::move(events)), urgent, std::move(durable));
}

/// Where actors run. What broke keeps its place until what it runs has ended.
void simulated_engine::run_is_gone(simulated_live_run& run) {
  if (dead_)
    return;
  const auto& outcome = run.outcome();
  world_.log.add("run #", run.number().value, " is over: ", outcome.durable ? "on disk" : outcome.problem);
  const auto remove = [this, &run] {
    const auto number = run.number();
    std::erase_if(renewals_, [&](const renewal& one) { return one.run == number; });
    std::erase_if(runs_, [&](const auto& one) { return one.get() == &run; });
  };
  if (outcome.durable) {
    check([&] { world_.books.ended(run.number(), run.logic().state(), run.observer()); });
    others_.left(run);
    posted_.push_back(remove);
    return;
  }
  check([&] {
    require(failed() && outcome.problem == world_.journal.failure()->message,
            "a run breaks off without reason: " + outcome.problem);
  });
  posted_.push_back([this, &run, remove] {
    run.work().die();
    world_.files.end_all(run.number(), [] { return false; });
    world_.books.left(run.number());
    others_.left(run);
    remove();
  });
}

} // namespace troupe_internal::test
