// Inputs to the logic, its events to the journal, its effects to the actors.
#include "actors/supervisor_actor.hpp"

#include "actors/guard.hpp"
#include "actors/handover.hpp"
#include "core/freshness/freshness.hpp"

namespace troupe_internal {

namespace {

using self_pointer = supervisor_handle::stateful_pointer<supervisor_state>;

/// The run's own time: the wall clock as it was when the run began, and steady from there. People and NTP may set the
/// wall clock meanwhile: waits end when they should all the same, and no span is negative.
timestamp run_time(const supervisor_state& state) {
  return timestamp(state.setup.ahead + state.setup.time->monotonic());
}

void finish(self_pointer self) {
  auto& state = self->state;
  if (state.setup.on_end)
    std::exchange(state.setup.on_end, nullptr)(state.end);
}

/// Something is wrong that no record can hold: the run ends here, and who waits for it ends the children.
void break_off(self_pointer self, std::string problem, bool internal) {
  auto& state = self->state;
  if (state.broken)
    return;
  state.broken = true;
  state.end = {false, std::move(problem), internal};
  finish(self);
}

void tell_observer(supervisor_state& state, const event& e) {
  auto& observer = *state.setup.observer;
  const auto index_of = [&](asset_id id) { return state.setup.logic->index_of(id); };
  if (const auto* began = std::get_if<attempt_started>(&e)) {
    const auto asset = index_of(began->asset);
    observer.attempt_began(asset, began->attempt, began->reasons, state.setup.expected[asset.value]);
  } else if (const auto* ended = std::get_if<attempt_finished>(&e)) {
    const auto asset = index_of(ended->asset);
    attempt_end end;
    end.attempt = ended->attempt;
    end.outcome = ended->outcome;
    end.message = ended->message;
    end.changed = ended->made && ended->made->data_version.has_value();
    end.allowed_to_fail = state.setup.p->settings_of(asset).allow_failure;
    const auto log = ended->has_log ? state.setup.log_of(asset, ended->attempt) : std::string();
    end.log_file = log;
    end.took = ended->made ? ended->made->took : state.took;
    if (ended->retry_at)
      end.retry_in = *ended->retry_at - ended->at;
    observer.attempt_ended(asset, end);
  } else if (const auto* stopping = std::get_if<run_stopping>(&e)) {
    observer.run_stopping(stopping->cause);
  }
}

upstream_view view_of_upstreams(const supervisor_state& state, asset_index asset) {
  upstream_view view;
  for (const auto dep : state.setup.p->asset(asset).deps)
    view.versions.push_back(state.setup.versions[dep.value]);
  for (const auto upstream : state.setup.logic->upstream(asset))
    if (state.setup.p->settings_of(upstream).allow_failure &&
        state.setup.versions[upstream.value] == version_of_allowed_failure())
      view.failed.push_back(upstream);
  return view;
}

void carry_out(self_pointer self, const decision& d, std::vector<release>& releases) {
  auto& state = self->state;
  for (const auto& effect : d.effects) {
    if (const auto* examine = std::get_if<examine_asset>(&effect)) {
      self->send(state.assets[examine->asset.value], examine_order{view_of_upstreams(state, examine->asset)});
    } else if (const auto* granted = std::get_if<grant_attempt>(&effect)) {
      releases.push_back({state.assets[granted->asset.value], grant{granted->attempt}});
    } else if (const auto* final_status = std::get_if<announce_settled>(&effect)) {
      const auto asset = final_status->asset;
      state.setup.observer->asset_settled(asset, final_status->status, final_status->because, final_status->message);
      if (state.assets[asset.value])
        releases.push_back(
            {state.assets[asset.value], settled{final_status->status, state.setup.logic->satisfied(asset)}});
    } else if (const auto* end = std::get_if<end_attempts>(&effect)) {
      self->send(state.executor, end_all_request{end->at_once ? urgency::at_once : urgency::graceful});
    } else if (const auto* check = std::get_if<check_discovered>(&effect)) {
      self->send(state.executor, check_request{check->asset, check->attempt});
    } else if (const auto* warning = std::get_if<tell_warning>(&effect)) {
      state.setup.observer->warned(warning->asset, warning->what);
    } else if (const auto* wake = std::get_if<wake_at>(&effect)) {
      const auto wait = wake->when - run_time(state);
      self->delayed_send(self, wait > duration::zero() ? wait : duration::zero(), tick{wake->number});
    } else if (const auto* demand = std::get_if<demand_changed>(&effect)) {
      if (state.setup.demand_changed)
        state.setup.demand_changed(demand->demand);
    } else if (std::get_if<run_is_over>(&effect) != nullptr) {
      state.ending = true;
      if (state.setup.demand_changed)
        state.setup.demand_changed({}); // though its end is not on disk, and whatever offer is on its way
    } else if (const auto* bug = std::get_if<internal_error>(&effect)) {
      break_off(self, bug->message, true);
    }
  }
}

void perform(self_pointer self, decision d) {
  auto& state = self->state;
  for (const auto& e : d.events)
    tell_observer(state, e);
  std::vector<release> releases;
  carry_out(self, d, releases);
  auto events = state.setup.names_and_files();
  if (state.ending) {
    state.last_events = std::move(d.events);
    if (!events.empty())
      self->send(state.journal, append_request{std::move(events), {}, false, false, {}});
    // Releases of a run that is over only end actors: nothing follows from them.
    for (auto& one : releases)
      if (auto* last_word = std::get_if<settled>(&one.what))
        self->send(one.to, std::move(*last_word));
    self->send(state.executor, settle_request{});
    return;
  }
  events.insert(events.end(), std::make_move_iterator(d.events.begin()), std::make_move_iterator(d.events.end()));
  if (events.empty() && releases.empty())
    return;
  state.since_checkpoint += events.size();
  append_request request{std::move(events), std::move(releases), d.strict, false, {}};
  if (state.since_checkpoint >= state.setup.checkpoint_every) {
    state.since_checkpoint = 0;
    request.checkpoint = state.setup.logic->state().encode();
  }
  self->send(state.journal, std::move(request));
}

void feed(self_pointer self, const run_input& input) {
  if (self->state.ending || self->state.broken)
    return;
  perform(self, self->state.setup.logic->decide(input, run_time(self->state)));
}

/// The run that the asset waits for, as supervisor_setup::held_by says.
std::optional<run_number> holder_of(const supervisor_state& state, asset_index asset, bool before_execution) {
  const auto& held_by = state.setup.held_by;
  return held_by && !state.ending && !state.broken ? held_by(asset, before_execution) : std::nullopt;
}

run_input judge_examination(const supervisor_state& state, asset_index asset, examination& found) {
  if (found.impossible)
    return examined_impossible{asset, std::move(*found.impossible)};
  if (found.reasons.empty())
    return examined_fresh{asset};
  const auto holder = holder_of(state, asset, true);
  return examined_stale{asset, std::move(found.reasons), std::move(found.absent_outputs), holder.has_value(),
                        holder.value_or(run_number(0U))};
}

void take_outcome(self_pointer self, outcome_report& report) {
  auto& state = self->state;
  auto& how = report.outcome.how;
  if (state.ending || state.broken || !state.setup.logic->runs(report.asset, report.outcome.attempt))
    return; // late or repeated: what it says of the asset is no longer so
  for (const auto& warning : how.warnings)
    state.setup.observer->warned(report.asset, warning);
  state.took = how.took;
  attempt_ended input;
  input.asset = report.asset;
  input.attempt = report.outcome.attempt;
  input.outcome = how.outcome;
  input.exit_code = how.exit_code;
  input.signal = how.signal;
  input.message = std::move(how.message);
  input.has_log = how.has_log;
  input.resources = how.resources;
  input.random_bits = state.setup.time->random();
  input.makers = std::move(how.makers);
  input.made_before = how.made_before;
  input.warnings = std::move(how.warnings);
  if (how.made) {
    input.made = state.setup.work->changes_made(report.asset, how);
    state.setup.versions[report.asset.value] = how.made->data_version;
  } else if (state.setup.p->settings_of(report.asset).allow_failure) {
    state.setup.versions[report.asset.value] = version_of_allowed_failure();
  }
  feed(self, input);
}

} // namespace

supervisor_handle::behavior_type supervisor_actor(self_pointer self, std::shared_ptr<void> presence,
                                                  supervisor_setup setup) {
  self->state.presence = std::move(presence);
  self->state.setup = std::move(setup);
  // Not by a message to itself: a broken supervisor reads none, and a handle to itself would keep it for ever.
  guard_actor_with(self, [self](const std::string& what) {
    self->state.broken = true;
    self->state.end = {false, "supervisor actor: " + what, true};
    finish(self);
  });
  // It is gone after an exception, so it cannot be told of its own.
  self->set_exception_handler([self](std::exception_ptr& thrown) -> caf::error {
    self->state.end = {false, "supervisor actor: " + words_of(thrown), true};
    finish(self);
    return caf::sec::runtime_error;
  });
  return {
      [self](begin_run& begin) {
        take_over();
        self->state.assets = std::move(begin.assets);
        self->state.executor = begin.executor;
        self->state.journal = begin.journal;
        perform(self, std::move(self->state.setup.first));
        if (self->state.ending)
          return;
        for (std::uint32_t i = 0; i < self->state.assets.size(); ++i)
          if (self->state.assets[i] && self->state.setup.logic->needs(asset_index(i)) == 0)
            self->send(self->state.assets[i], run_begun{});
      },
      [self](const claim& ready) {
        const auto holder = holder_of(self->state, ready.asset, false);
        feed(self, asset_claimed{ready.asset, holder.has_value(), holder.value_or(run_number(0U))});
      },
      [self](const hold_over& hold) {
        take_over();
        auto& state = self->state;
        for (const auto& [asset, version] : hold.versions)
          state.setup.versions[asset.value] = version;
        feed(self, asset_released{hold.asset, hold.blocked});
      },
      [self](budget_offered& offer) {
        take_over();
        feed(self, budget_changed{offer.number, std::move(offer.budget)});
      },
      [self](examined_report& report) {
        for (const auto& warning : report.found.warnings)
          self->state.setup.observer->warned(report.asset, warning);
        // What fails without an attempt counts for dependents like any allowed failure.
        if (report.found.impossible && self->state.setup.p->settings_of(report.asset).allow_failure)
          self->state.setup.versions[report.asset.value] = version_of_allowed_failure();
        feed(self, judge_examination(self->state, report.asset, report.found));
      },
      [self](const spawned_report& report) {
        feed(self, process_appeared{report.asset, report.process.attempt, report.process.process.process_group,
                                    report.process.process.start_ticks});
      },
      [self](outcome_report& report) { take_outcome(self, report); },
      [self](const discovered_report& report) {
        take_over();
        if (const auto* held = self->state.setup.logic->held(report.asset))
          self->state.took = held->made->took;
        feed(self, discovered_checked{report.asset, report.attempt, report.as_before});
      },
      [self](const tick& timer) { feed(self, time_passed{timer.number}); },
      [self](const stop_order& stop) {
        take_over();
        feed(self, stop_requested{stop.cause, stop.at_once});
      },
      [self](const files_settled&) {
        take_over();
        auto events = self->state.setup.names_and_files();
        auto& last = self->state.last_events;
        events.insert(events.end(), std::make_move_iterator(last.begin()), std::make_move_iterator(last.end()));
        last.clear();
        for (auto& e : self->state.setup.closing())
          events.push_back(std::move(e));
        self->send(self->state.journal, append_request{std::move(events), {}, true, true, {}});
      },
      [self](const run_durable&) {
        self->state.end = {true, {}, false};
        finish(self);
      },
      [self](const journal_failed& failure) {
        if (self->state.ending) {
          self->state.end = {false, failure.message, false};
          finish(self);
        } else {
          break_off(self, failure.message, false);
        }
      },
      [self](const actor_broken& broken) {
        if (self->state.ending) {
          self->state.end = {false, broken.message, true};
          finish(self);
        } else {
          break_off(self, broken.message, true);
        }
      },
  };
}

} // namespace troupe_internal
