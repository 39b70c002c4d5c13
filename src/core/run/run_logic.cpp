// The decisions of a run.
#include "core/run/run_logic.hpp"

#include "base/check.hpp"
#include "core/run/backoff.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace troupe_internal {
namespace {

/// Whether the policy tries again after an attempt that ended so.
bool may_retry(const retry_policy& retry, const attempt_ended& in) {
  const auto listed = [&](std::int32_t status) {
    const auto& codes = retry.on_exit_codes;
    return codes.empty() || std::find(codes.begin(), codes.end(), status) != codes.end();
  };
  switch (in.outcome) {
  case outcome_kind::succeeded:
  case outcome_kind::not_started:
  case outcome_kind::cancelled:
  case outcome_kind::interrupted:
  case outcome_kind::permanent:
  case outcome_kind::skipped:
  case outcome_kind::outdated: // made once more, whatever the policy says
    return false;
  case outcome_kind::exited:
    return listed(in.exit_code);
  case outcome_kind::signalled:
    return listed(128 + in.signal); // as a shell reports it
  case outcome_kind::timed_out:
    return retry.on_timeout;
  case outcome_kind::output_missing:
  case outcome_kind::bad_result:
  case outcome_kind::internal:
  case outcome_kind::failed:
    return retry.on_exit_codes.empty(); // they have no exit status that could be listed
  }
  return false;
}

} // namespace

run_logic::run_logic(const pipeline& p, const asset_graph& graph, run_policy policy, std::vector<asset_id> ids,
                     run_state state)
    : p_(p), graph_(graph), policy_(std::move(policy)), ids_(std::move(ids)), state_(std::move(state)),
      position_(p.assets.size(), outside), index_(state_.size()), phase_(state_.size(), phase::idle),
      missing_(state_.size(), 0), priority_(state_.size(), 0), reasons_(state_.size()),
      claim_due_(state_.size(), false), blocked_by_(state_.size(), outside), started_at_(state_.size(), 0),
      settled_at_(state_.size(), 0), waits_(state_.size()) {
  TROUPE_CHECK(state_.started() && !state_.finished(), "the logic of a run that is not going on");
  TROUPE_CHECK(policy_.workers > 0, "a run without workers");
  policy_.remaining.resize(p.assets.size());
  std::size_t known = 0;
  for (std::uint32_t i = 0; i < p.assets.size(); ++i) {
    if (const auto position = state_.position(ids_[i])) {
      position_[i] = *position;
      index_[*position] = i;
      ++known;
    }
  }
  TROUPE_CHECK(known == state_.size(), "a run has assets that its pipeline does not have");
  for (std::uint32_t position = 0; position < state_.size(); ++position)
    missing_[position] = needs(asset_index(index_[position]));
  inherit_priorities();
}

asset_status run_logic::status(asset_index asset) const {
  TROUPE_CHECK(in_run(asset), "the status of an asset outside the run");
  return at(asset).status;
}

bool run_logic::satisfied(asset_index asset) const {
  if (!in_run(asset))
    return true;
  const auto s = at(asset).status;
  return s == asset_status::succeeded || s == asset_status::fresh ||
         (s == asset_status::failed && p_.settings_of(asset).allow_failure) ||
         (s == asset_status::skipped && skipped_usable_.contains(position_[asset.value]));
}

std::uint32_t run_logic::needs(asset_index asset) const {
  const auto upstream = graph_.upstream(asset);
  return static_cast<std::uint32_t>(
      std::count_if(upstream.begin(), upstream.end(), [&](asset_index u) { return !satisfied(u); }));
}

void run_logic::record(decision& d, event e) {
  state_.apply(e);
  d.events.push_back(std::move(e));
}

decision run_logic::decide(const run_input& input, timestamp now) {
  decision d;
  if (state_.finished() || left_open_)
    return d;
  now_ = now;
  std::visit([&](const auto& in) { on(d, in, now); }, input);
  wind_up(d, now);
  report_demand(d);
  note_pools();
  return d;
}

decision run_logic::begin(std::span<const blocked_outside> blocked, timestamp now) {
  decision d;
  now_ = now;
  waits_.begin(now);
  for (const auto& one : blocked)
    if (!is_final(at(one.asset).status))
      block(d, one, now);
  for (std::uint32_t position = 0; position < state_.size(); ++position)
    if (!is_final(state_.at(position).status) && missing_[position] == 0)
      expect_claim(asset_index(index_[position]));
  wind_up(d, now);
  report_demand(d);
  return d;
}

void run_logic::expect_claim(asset_index asset) {
  const auto position = position_[asset.value];
  if (!claim_due_[position]) {
    claim_due_[position] = true;
    ++claims_due_;
  }
}

// ---- inputs
// ----------------------------------------------------------------------------------------------------------

void run_logic::on(decision& d, const asset_claimed& in, timestamp now) {
  const auto& name = p_.asset(in.asset).name;
  if (!in_run(in.asset) || needs(in.asset) != 0) {
    d.effects.emplace_back(
        internal_error{"asset " + std::string(name) + " claimed to be ready, but the run's state says it is not"});
    return;
  }
  const auto position = position_[in.asset.value];
  if (claim_due_[position]) {
    claim_due_[position] = false;
    --claims_due_;
  }
  if (at(in.asset).status == asset_status::waiting && phase_[position] == phase::idle && !state_.stopping()) {
    phase_[position] = in.held ? phase::held : phase::ready;
    if (in.held)
      waits_.held(position, in.by, now);
    else
      enqueue(ready_, in.asset);
  }
  admit(d, now);
}

void run_logic::on(decision& d, const examined_fresh& in, timestamp now) {
  const auto position = position_[in.asset.value];
  if (phase_[position] != phase::looking && phase_[position] != phase::reserved)
    return;
  // A failed attempt without a success since makes an asset stale, whatever that attempt left in its files.
  if (at(in.asset).status == asset_status::retrying) {
    // An outdated attempt does not count: the next one is made for reasons of its own.
    on(d,
       examined_stale{in.asset, at(in.asset).segment_attempts > 0
                                    ? std::vector<reason>()
                                    : std::vector<reason>{{reason_kind::last_attempt_failed, std::string("outdated")}}},
       now);
    return;
  }
  leave_phase(in.asset);
  if (is_final(at(in.asset).status) || state_.stopping())
    return;
  waits_.needed_no_worker(position);
  record(d, asset_found_fresh{state_.run(), ids_[in.asset.value], now, waits_.take(position)});
  settled(d, in.asset, asset_status::fresh, in.asset);
  admit(d, now);
}

void run_logic::on(decision& d, const examined_stale& in, timestamp now) {
  const auto position = position_[in.asset.value];
  const auto before = phase_[position];
  if (before != phase::looking && before != phase::reserved)
    return;
  leave_phase(in.asset);
  if (is_final(at(in.asset).status) || state_.stopping())
    return;
  if (block_if_due(d, in.asset, now))
    return admit(d, now);
  if (at(in.asset).segment_attempts == 0) // a retry is made for the reasons of the attempt before it
    reasons_[position] = in.reasons;
  if (!in.absent_outputs.empty())
    absent_outputs_[position] = in.absent_outputs;
  if (in.held) {
    phase_[position] = phase::held;
    waits_.held(position, in.by, now);
  } else if (before == phase::reserved) {
    start(d, in.asset, now);
  } else {
    phase_[position] = phase::stale;
    put_in(stale_, in.asset);
    ++stale_count_;
  }
  admit(d, now);
}

void run_logic::on(decision& d, const examined_impossible& in, timestamp now) {
  const auto position = position_[in.asset.value];
  if (phase_[position] != phase::looking && phase_[position] != phase::reserved)
    return;
  leave_phase(in.asset);
  if (is_final(at(in.asset).status) || state_.stopping())
    return;
  if (block_if_due(d, in.asset, now))
    return admit(d, now);
  const auto id = ids_[in.asset.value];
  record(d,
         assets_settled{
             state_.run(), now, asset_status::failed, in.message, {{id, id}}, p_.settings_of(in.asset).allow_failure});
  settled(d, in.asset, asset_status::failed, in.asset, in.message);
  after_failure(d, in.asset, now);
  admit(d, now);
}

void run_logic::on(decision& d, const process_appeared& in, timestamp) {
  if (runs(in.asset, in.attempt))
    record(d, attempt_spawned{state_.run(), ids_[in.asset.value], in.attempt, in.process_group, in.start_ticks});
}

void run_logic::on(decision& d, const attempt_ended& in, timestamp now) {
  if (!runs(in.asset, in.attempt))
    return;
  return_pools(p_.settings_of(in.asset));
  if (!hold(d, in))
    conclude(d, in, now);
  admit(d, now);
}

void run_logic::conclude(decision& d, const attempt_ended& in, timestamp now) {
  const auto& asset = at(in.asset);
  const auto& settings = p_.settings_of(in.asset);
  attempt_finished finished{state_.run(), ids_[in.asset.value], in.attempt, now, in.outcome, in.exit_code,
                            in.signal,    in.message,           in.has_log, {},  in.made,    in.warnings};
  TROUPE_CHECK(in.made.has_value() == (in.outcome == outcome_kind::succeeded),
               "a success without what was made, or the reverse");
  finished.resources = in.resources;
  if (in.outcome == outcome_kind::cancelled && shuts_down())
    finished.outcome = outcome_kind::interrupted;
  const auto& retry = settings.retry;
  if (may_retry(retry, in) && asset.segment_attempts < retry.attempts && (!state_.stopping() || shuts_down()))
    finished.retry_at = now + retry_delay(retry, asset.segment_attempts, asset.retry_delay, in.random_bits);
  finished.allowed = settings.allow_failure && !finished.retry_at && is_failure(in.outcome);
  d.strict = d.strict || settings.durability == durability::strict;
  const auto retry_at = finished.retry_at;
  record(d, std::move(finished));
  if (in.outcome == outcome_kind::skipped && in.made_before)
    skipped_usable_.insert(position_[in.asset.value]);
  if (retry_at) {
    retries_[*retry_at].push_back(in.asset);
    arm_timer(d);
  } else {
    settled(d, in.asset, at(in.asset).status, in.asset);
    if (at(in.asset).status == asset_status::failed)
      after_failure(d, in.asset, now);
    else if (at(in.asset).status == asset_status::cancelled && !state_.stopping())
      block_downstream(d, in.asset, in.asset, now);
    else if (at(in.asset).status == asset_status::skipped && !in.made_before)
      block_downstream(d, in.asset, in.asset, now, asset_status::skipped);
  }
}

void run_logic::on(decision& d, const time_passed& in, timestamp now) {
  if (!armed_ || in.number != timers_)
    return;
  armed_.reset();
  while (!retries_.empty() && retries_.begin()->first <= now) {
    const auto due = std::move(retries_.begin()->second);
    retries_.erase(retries_.begin());
    for (const auto asset : due) {
      if (at(asset).status != asset_status::retrying || state_.stopping())
        continue;
      phase_[position_[asset.value]] = phase::ready;
      enqueue(ready_, asset);
    }
  }
  arm_timer(d);
  admit(d, now);
}

void run_logic::on(decision& d, const stop_requested& in, timestamp now) {
  stop(d, in.cause, now);
  if (state_.open_attempts() > 0)
    d.effects.emplace_back(end_attempts{in.at_once});
}

void run_logic::arm_timer(decision& d) {
  if (retries_.empty() || state_.stopping() || (armed_ && *armed_ <= retries_.begin()->first))
    return;
  armed_ = retries_.begin()->first;
  d.effects.emplace_back(wake_at{*armed_, ++timers_});
}

// ---- endings
// ---------------------------------------------------------------------------------------------------------

void run_logic::settled(decision& d, asset_index asset, asset_status status, asset_index because, std::string message) {
  const auto position = position_[asset.value];
  if (claim_due_[position]) {
    claim_due_[position] = false;
    --claims_due_;
  }
  blocked_by_[position] = because.value;
  settled_at_[position] = ++moments_;
  d.effects.emplace_back(announce_settled{asset, status, because, std::move(message)});
  no_longer_awaited(d);
  if (!satisfied(asset))
    return;
  for (const auto dependent : graph_.downstream(asset)) {
    if (!in_run(dependent) || is_final(at(dependent).status))
      continue;
    auto& missing = missing_[position_[dependent.value]];
    TROUPE_CHECK(missing > 0, "an asset needs fewer than none");
    if (--missing > 0)
      continue;
    waits_.has_all(position_[dependent.value], ids_[asset.value], now_);
    expect_claim(dependent);
  }
}

void run_logic::after_failure(decision& d, asset_index asset, timestamp now) {
  if (p_.settings_of(asset).allow_failure)
    return;
  block_downstream(d, asset, asset, now);
  if (policy_.error_strategy == error_strategy::continue_)
    return;
  const bool first = !state_.stopping();
  stop(d, stop_cause::failure, now);
  if (first && policy_.error_strategy == error_strategy::abort && state_.open_attempts() > 0)
    d.effects.emplace_back(end_attempts{false});
}

void run_logic::block_downstream(decision& d, asset_index from, asset_index because, timestamp now, asset_status as) {
  assets_settled blocked{state_.run(), now, as, {}, {}};
  std::vector<asset_index> found{from};
  std::unordered_set<std::uint32_t> seen;
  for (std::size_t next = 0; next < found.size(); ++next) {
    for (const auto dependent : graph_.downstream(found[next])) {
      if (!in_run(dependent) || is_final(at(dependent).status) || !seen.insert(dependent.value).second)
        continue;
      blocked.assets.push_back({ids_[dependent.value], ids_[because.value]});
      found.push_back(dependent);
    }
  }
  if (blocked.assets.empty())
    return;
  record(d, std::move(blocked));
  for (std::size_t i = 1; i < found.size(); ++i)
    settled(d, found[i], as, because);
}

void run_logic::stop(decision& d, stop_cause cause, timestamp now) {
  if (state_.stopping())
    return;
  record(d, run_stopping{state_.run(), now, cause});
  no_longer_awaited(d);
}

void run_logic::wind_up(decision& d, timestamp now) {
  if (state_.finished() || state_.open_attempts() > 0)
    return;
  const auto count = [&](asset_status s) { return state_.counts()[static_cast<std::size_t>(s)]; };
  const auto unsettled = count(asset_status::waiting) + count(asset_status::retrying);
  if (unsettled > 0 && !state_.stopping())
    return;
  if (shuts_down() && unsettled + count(asset_status::cancelled) > 0) {
    left_open_ = true;
    d.effects.emplace_back(run_is_over{run_status::interrupted});
    return;
  }
  if (unsettled > 0)
    settle_rest(d, now);
  const auto cause = state_.stopping();
  run_status status = run_status::succeeded;
  const bool is_cancelled = cause && (*cause == stop_cause::user || *cause == stop_cause::signal);
  if (is_cancelled && count(asset_status::cancelled) > 0) {
    status = run_status::cancelled; // with nothing cancelled, the run ended as it would have without the stop
  } else if (count(asset_status::blocked) + count(asset_status::cancelled) > 0) {
    status = run_status::failed;
  } else {
    for (std::uint32_t position = 0; position < state_.size() && count(asset_status::failed) > 0; ++position)
      if (state_.at(position).status == asset_status::failed &&
          !p_.settings_of(asset_index(index_[position])).allow_failure)
        status = run_status::failed;
  }
  record(d, run_finished{state_.run(), now, status, state_.counts()});
  d.effects.emplace_back(run_is_over{status});
}

void run_logic::settle_rest(decision& d, timestamp now) {
  assets_settled cancelled{state_.run(), now, asset_status::cancelled, {}, {}};
  assets_settled blocked{state_.run(), now, asset_status::blocked, {}, {}};
  std::vector<std::uint32_t> blocker(state_.size(), outside); // asset_index of who blocks, by position
  const auto ends_others = [&](asset_index u) -> std::uint32_t {
    if (!in_run(u) || satisfied(u))
      return outside;
    const auto position = position_[u.value];
    if (blocker[position] != outside)
      return blocker[position];
    return at(u).status == asset_status::blocked ? blocked_by_[position] : u.value;
  };
  for (const auto asset : graph_.topological_order()) {
    if (!in_run(asset) || is_final(at(asset).status))
      continue;
    std::uint32_t because = outside;
    for (const auto u : graph_.upstream(asset))
      if (const auto found = ends_others(u); found != outside && because == outside)
        because = found;
    if (because == outside) {
      cancelled.assets.push_back({ids_[asset.value], ids_[asset.value]});
    } else {
      blocker[position_[asset.value]] = because;
      blocked.assets.push_back({ids_[asset.value], ids_[because]});
    }
  }
  for (auto* settled_now : {&cancelled, &blocked}) {
    if (settled_now->assets.empty())
      continue;
    const auto status = settled_now->status;
    const auto assets = settled_now->assets;
    record(d, std::move(*settled_now));
    for (const auto& one : assets)
      d.effects.emplace_back(announce_settled{index_of(one.asset), status, index_of(one.because), {}});
  }
}

} // namespace troupe_internal
