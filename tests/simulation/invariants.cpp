// Books over one supervisor's life.
#include "invariants.hpp"
#include "require.hpp"

#include "core/freshness/freshness.hpp"

#include <algorithm>
#include <stdexcept>

namespace troupe_internal::test {

invariants::invariants(const random_case& on, rare_paths& paths, const simulated_journal& journal,
                       const process_world& world)
    : on_(on), paths_(paths), journal_(journal), world_(world),
      books_(*on.p, *on.graph, on.ids, on.policy.workers, on.never_made), members_(on.p->assets.size(), false),
      versions_(on.p->assets.size()), was_final_(on.p->assets.size(), false), started_(on.p->assets.size(), 0),
      finished_(on.p->assets.size(), 0), succeeded_(on.p->assets.size(), false), retry_due_(on.p->assets.size()) {
  books_.expect(on.policy.error_strategy);
  books_.expect_steady_clock();
  books_.expect_order(on.policy.remaining);
  books_.expect_discoveries(
      on.discovered, [&world](asset_index asset, std::uint32_t attempt) { return world.ended_well(asset, attempt); });
  for (std::uint32_t i = 0; i < members_.size(); ++i)
    members_[i] =
        random_run::contains(on.started.fresh, on.ids[i]) || random_run::contains(on.started.waiting, on.ids[i]);
  for (const auto& e : journal.events()) {
    books_.observe(e);
    note(e);
  }
}

void invariants::note(const event& e) {
  if (const auto* finished = std::get_if<attempt_finished>(&e)) {
    if (finished->made) {
      const auto at = std::find(on_.ids.begin(), on_.ids.end(), finished->asset);
      versions_[static_cast<std::size_t>(at - on_.ids.begin())] = *finished->made->data_version;
    }
  } else if (const auto* stopping = std::get_if<run_stopping>(&e)) {
    cause_ = stopping->cause;
  } else if (std::get_if<run_resumed>(&e) != nullptr) {
    cause_.reset();
  }
}

bool invariants::is_strict(asset_index asset) const {
  return on_.p->engine.durability == durability::strict || on_.p->settings_of(asset).durability == durability::strict;
}

std::size_t invariants::retrying() const {
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < members_.size(); ++i)
    count += books_.status_of(asset_index(i)) == asset_status::retrying ? 1 : 0;
  return count;
}

void invariants::appended(const event& e, const simulated_executor* work) {
  books_.observe(e);
  note(e);
  const auto index_of = [&](asset_id id) {
    const auto at = std::find(on_.ids.begin(), on_.ids.end(), id);
    return asset_index(static_cast<std::size_t>(at - on_.ids.begin()));
  };
  if (work == nullptr) {
    if (std::get_if<run_resumed>(&e) != nullptr || std::get_if<run_started>(&e) != nullptr)
      for (std::uint32_t i = 0; i < members_.size(); ++i)
        was_final_[i] = is_final(books_.status_of(asset_index(i)));
    return;
  }
  if (const auto* started = std::get_if<attempt_started>(&e)) {
    ++started_[index_of(started->asset).value];
  } else if (const auto* finished = std::get_if<attempt_finished>(&e)) {
    const auto asset = index_of(finished->asset);
    ++finished_[asset.value];
    succeeded_[asset.value] = finished->outcome == outcome_kind::succeeded;
    if (finished->retry_at) // its end may have been decided some time before it is appended
      retry_due_[asset.value] = finished->retry_at->time_since_epoch() - ahead_;
    const auto* report = work->first_report(asset, finished->attempt);
    const auto name = std::string(on_.p->asset(asset).name);
    require(report != nullptr, "an end of " + name + " is recorded that nobody reported");
    require(finished->resources == report->resources, "what " + name + " used is not recorded as it was reported");
    if (finished->outcome == outcome_kind::outdated) {
      require(world_.ended_well(asset, finished->attempt),
              "an attempt of " + name + " is outdated that did not end well");
      paths_.reached_if(rare_path::outdated_while_stopping, !finished->retry_at);
      return;
    }
    require(report->outcome == finished->outcome && report->exit_code == finished->exit_code &&
                report->signal == finished->signal && report->message == finished->message,
            "what is recorded of " + name + " is not what was reported first");
    require(!report->made || finished->made->data_version == report->made->data_version,
            "what " + name + " made is recorded as something else");
    const auto& makers = report->makers;
    paths_.reached_if(rare_path::maker_needs_reader, std::any_of(makers.begin(), makers.end(), [&](asset_index maker) {
                        return is_member(maker) && !is_final(books_.status_of(maker));
                      }));
    const auto& retry = on_.p->settings_of(asset).retry;
    const bool failed = !finished->retry_at && books_.status_of(asset) == asset_status::failed;
    paths_.reached_if(rare_path::retry_during_cancel,
                      failed && cause_ && finished->outcome != outcome_kind::not_started && retry.attempts > 1 &&
                          retry.on_exit_codes.empty() && started_[asset.value] < retry.attempts);
    require(finished->allowed == (failed && on_.p->settings_of(asset).allow_failure),
            "whether the failure of " + name + " was allowed is recorded wrongly");
    paths_.reached_if(rare_path::failure_while_stopping, failed && cause_);
    paths_.reached_if(rare_path::allowed_failure,
                      failed && on_.p->settings_of(asset).allow_failure && !on_.graph->downstream(asset).empty());
    paths_.reached_if(rare_path::retry_after_resume, finished->retry_at && finished->attempt > started_[asset.value]);
  } else if (const auto* settled = std::get_if<assets_settled>(&e)) {
    const auto first = index_of(settled->assets.front().asset);
    require(settled->allowed == (settled->status == asset_status::failed && on_.p->settings_of(first).allow_failure),
            "whether a failure without an attempt was allowed is recorded wrongly");
    paths_.reached_if(rare_path::outdated_and_blocked,
                      settled->status == asset_status::blocked && finished_[first.value] > 0);
    paths_.reached_if(rare_path::blocked_from_outside, settled->status == asset_status::blocked &&
                                                           !is_member(index_of(settled->assets.front().because)));
  } else if (std::get_if<asset_found_fresh>(&e) != nullptr) {
    paths_.reached(rare_path::fresh_when_looked_at);
  }
}

void invariants::live_state_is(const std::string& bytes) {
  const auto live = run_state::decode(bytes);
  require(live.has_value(), "(4) a checkpoint cannot be read");
  books_.compare(*live);
}

void invariants::examining(asset_index asset, const upstream_view& upstreams) const {
  const auto name = std::string(on_.p->asset(asset).name);
  const auto deps = on_.p->asset(asset).deps;
  require(books_.all_satisfied(asset), "(1) " + name + " is examined before what it needs is done");
  needs_are_on_disk(asset);
  require(upstreams.versions.size() == deps.size(), name + " is examined with other dependencies than it has");
  for (std::size_t i = 0; i < deps.size(); ++i) {
    const auto expected = is_member(deps[i]) && books_.status_of(deps[i]) == asset_status::failed
                              ? version_of_allowed_failure()
                              : versions_[deps[i].value];
    require(upstreams.versions[i] == expected, name + " is examined with a version of " +
                                                   std::string(on_.p->asset(deps[i]).name) + " that is not its last");
  }
  for (const auto upstream : on_.graph->upstream(asset)) {
    const bool told = std::find(upstreams.failed.begin(), upstreams.failed.end(), upstream) != upstreams.failed.end();
    const bool failed = is_member(upstream) && books_.status_of(upstream) == asset_status::failed;
    require(told == failed, name + (told ? " is told of a failure of " : " is not told of the failure of ") +
                                std::string(on_.p->asset(upstream).name));
  }
}

void invariants::executing(asset_index asset, std::uint32_t attempt) const {
  const auto name = std::string(on_.p->asset(asset).name);
  require(books_.is_open(asset) && books_.attempts_of(asset) == attempt,
          "an attempt of " + name + " is executed that the journal does not know");
  require(books_.all_satisfied(asset), "(1) " + name + " is executed before what it needs is done");
  const auto opened = std::find_if(journal_.events().rbegin(), journal_.events().rend(), [](const event& e) {
    return std::holds_alternative<writer_opened>(e) || std::holds_alternative<writer_closed>(e);
  });
  require(opened != journal_.events().rend() && std::holds_alternative<writer_opened>(*opened),
          "(6) " + name + " is executed before it is on disk that a supervisor is here");
  if (!is_strict(asset))
    return;
  paths_.reached(rare_path::strict_grant_held);
  const auto on_disk = [&](const event& e) {
    const auto* started = std::get_if<attempt_started>(&e);
    return started != nullptr && started->asset == on_.ids[asset.value] && started->attempt == attempt;
  };
  require(std::any_of(journal_.events().rbegin(), journal_.events().rend(), on_disk),
          "a strict attempt of " + name + " is executed before it is on disk");
}

void invariants::checking(asset_index asset, std::uint32_t attempt) const {
  require(books_.is_held(asset) && books_.attempts_of(asset) == attempt,
          "what " + std::string(on_.p->asset(asset).name) + " discovered is checked, and its success is not held");
}

/// What it discovered is as it was when it was made; else the next plan finds a cycle.
void invariants::was_made_from_what_there_is(asset_index asset) const {
  const auto& makers = on_.discovered[asset.value];
  for (std::size_t i = 0; i < makers.size(); ++i)
    require(!is_member(makers[i]) || world_.read_by(asset)[i] == world_.content(makers[i]) ||
                needs_somehow(*on_.graph, on_.discovered, makers[i], asset),
            "(9) " + std::string(on_.p->asset(asset).name) + " was made from what " +
                std::string(on_.p->asset(makers[i]).name) + " has made again since");
}

void invariants::needs_are_on_disk(asset_index asset) const {
  const auto succeeded_on_disk = [&](asset_index u) {
    return std::any_of(journal_.events().begin(), journal_.events().end(), [&](const event& e) {
      const auto* finished = std::get_if<attempt_finished>(&e);
      return finished != nullptr && finished->asset == on_.ids[u.value] && finished->outcome == outcome_kind::succeeded;
    });
  };
  for (const auto u : on_.graph->upstream(asset))
    if (is_member(u) && is_strict(u) && books_.status_of(u) == asset_status::succeeded)
      require(succeeded_on_disk(u), std::string(on_.p->asset(asset).name) +
                                        " goes on before the success of what it needs, which is strict, is on disk");
}

void invariants::nobody_waits_in_vain(const simulated_executor& work, duration now) const {
  if (cause_ || work.examining() > 0 || journal_.has_appended() || journal_.has_answers() ||
      books_.working() >= on_.policy.workers)
    return;
  bool one_is_due_now = false; // whether it is in the line yet cannot be seen from here
  const auto waits = [&](asset_index asset) {
    const auto status = books_.status_of(asset);
    const bool retries = status == asset_status::retrying && retry_due_[asset.value] <= now;
    one_is_due_now = one_is_due_now || (retries && retry_due_[asset.value] == now);
    return members_[asset.value] && (status == asset_status::waiting || retries) && books_.all_satisfied(asset);
  };
  const auto urgent = books_.most_urgent(waits);
  if (one_is_due_now)
    return;
  for (std::uint32_t i = 0; i < members_.size(); ++i) {
    const asset_index asset(i);
    const auto status = books_.status_of(asset);
    if (!waits(asset))
      continue;
    if (!books_.pools_have_room(asset)) {
      paths_.reached(rare_path::pool_full);
      continue;
    }
    if (*urgent != asset && !books_.pools_have_room(*urgent) && !books_.pools_have_room(asset, urgent)) {
      paths_.reached(rare_path::slots_kept);
      continue;
    }
    throw std::runtime_error("(3) " + std::string(on_.p->asset(asset).name) +
                             " is ready, a worker is idle and its pools have room, but nobody starts it" +
                             (status == asset_status::retrying ? ", though it has waited its wait out" : ""));
  }
}

void invariants::quiet(const run_state& live, const simulated_executor& work, duration now) const {
  require(world_.running() <= books_.open_attempts(), "(6) something runs of which the journal knows nothing");
  if (live.finished())
    return; // its last events wait for files to settle
  books_.compare(live);
  require(!ordered_ || cause_, "(3) a stop was ordered, and the run goes on");
  nobody_waits_in_vain(work, now);
  if (books_.open_attempts() == 0 || !cause_)
    return;
  const bool must_end = *cause_ != stop_cause::failure || on_.policy.error_strategy == error_strategy::abort;
  require(!must_end || !work.ends().empty(), "(6) the run is ended, but not what runs");
  require(!at_once_ || std::find(work.ends().begin(), work.ends().end(), urgency::at_once) != work.ends().end(),
          "(6) what runs is not ended at once, though that was asked");
}

void invariants::ended(const run_state& live, const counting_observer& told) const {
  require(books_.finished(), "(3) a run ends without an end");
  require(world_.running() == 0, "(6) the run is over, and something runs on");
  run_state on_disk;
  for (const auto& e : journal_.events())
    on_disk.apply(e);
  require(on_disk == live, "(4) what is on disk is not what the supervisor knew");
  require(std::holds_alternative<writer_closed>(journal_.events().back()),
          "the last event is not the writer's good-bye");
  require(!told.twice, "(3) people are told twice of one asset's end");
  for (std::uint32_t i = 0; i < members_.size(); ++i) {
    if (!members_[i])
      continue;
    const auto name = std::string(on_.p->assets[i].name);
    if (succeeded_[i])
      was_made_from_what_there_is(asset_index(i));
    require(told.began[i] == started_[i] && told.ended[i] == finished_[i],
            "people are told of other attempts of " + name + " than are recorded");
    require(told.settled[i].has_value() != was_final_[i], "people are not told of the end of " + name);
    require(was_final_[i] || *told.settled[i] == books_.status_of(asset_index(i)),
            "people are told another end of " + name + " than is recorded");
  }
}

void check_history(const random_case& on, const process_world& world, const std::vector<event>& events,
                   seeded& random) {
  run_checker books(*on.p, *on.graph, on.ids, on.policy.workers, on.never_made);
  books.expect_discoveries(on.discovered,
                           [&](asset_index asset, std::uint32_t attempt) { return world.ended_well(asset, attempt); });
  books.expect(on.policy.error_strategy);
  books.expect_steady_clock();
  books.expect_order(on.policy.remaining);
  const auto kept_at = events.empty() ? 0 : random.below(static_cast<std::uint32_t>(events.size()));
  run_state live;
  std::optional<run_state> kept;
  for (std::size_t at = 0; at < events.size(); ++at) {
    books.observe(events[at]);
    live.apply(events[at]);
    if (kept)
      kept->apply(events[at]);
    if (!live.started())
      continue;
    if (on.ids.size() < 20 || at % 16 == 0 || at + 1 == events.size())
      books.compare(live);
    if (!kept && at >= kept_at)
      kept = run_state::decode(live.encode());
  }
  require(!kept || *kept == live, "(4) a checkpoint and the events after it do not give the state");
}

} // namespace troupe_internal::test
