// Processes and their reports, in virtual time.
#include "simulated_executor.hpp"
#include "require.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace troupe_internal::test {

// ---- the world

std::int32_t process_world::start(asset_index asset) {
  const auto name = std::string(on_.p->asset(asset).name);
  require(!runs(asset), "(2) two processes make " + name + " at once");
  require(running_ < on_.policy.workers, "(2) more processes run than there are workers");
  for (const auto& [pool, slots] : on_.p->settings_of(asset).pools)
    require((pools_[pool] += slots) <= on_.p->engine.pools.at(pool),
            "(2) more processes run than pool " + pool + " has room for");
  ++running_;
  read_[asset.value] = discovered_by(asset);
  write(asset);
  return runs_[asset.value] = ++last_;
}

void process_world::write(asset_index asset) {
  contents_[asset.value] += on_.fates[asset.value].writes_the_same ? 0 : 1;
}

std::vector<std::uint32_t> process_world::discovered_by(asset_index asset) const {
  std::vector<std::uint32_t> contents;
  for (const auto maker : on_.discovered[asset.value])
    contents.push_back(content(maker));
  return contents;
}

void process_world::end(asset_index asset) {
  if (!runs(asset))
    return;
  runs_[asset.value] = 0;
  --running_;
  write(asset);
  for (const auto& [pool, slots] : on_.p->settings_of(asset).pools)
    pools_[pool] -= slots;
}

std::size_t process_world::end_all() {
  const auto ended = running_;
  for (std::uint32_t i = 0; i < runs_.size() && running_ > 0; ++i)
    end(asset_index(i));
  return ended;
}

// ---- the executor

simulated_executor::simulated_executor(const random_case& on, process_world& world, seeded& random, rare_paths& paths,
                                       std::function<duration()> now, bool bursts)
    : on_(on), world_(world), random_(random), paths_(paths), now_(std::move(now)), bursts_(bursts),
      examining_(on.p->assets.size(), false), executions_(on.p->assets.size(), 0), newest_(on.p->assets.size(), 0),
      first_(on.p->assets.size()) {}

void simulated_executor::maybe_burst() {
  if (!bursts_ || !random_.once_in(20))
    return;
  paths_.reached(rare_path::executor_bursts);
  throw std::runtime_error("the executor bursts");
}

digest simulated_executor::version_of(asset_index asset, std::uint32_t attempt) {
  return quick_digest(std::to_string(asset.value) + "/" + std::to_string(attempt));
}

duration simulated_executor::within(duration longest) {
  return longest > duration::zero() ? duration(random_.bits() % static_cast<std::uint64_t>(longest.count()))
                                    : duration::zero();
}

execution simulated_executor::outcome(asset_index asset, std::uint32_t attempt, outcome_kind kind) const {
  execution how;
  how.outcome = kind;
  if (kind == outcome_kind::succeeded) {
    how.made.emplace().data_version = version_of(asset, attempt);
    how.makers = on_.discovered[asset.value];
  } else {
    how.message = "as the case has it";
  }
  if (kind == outcome_kind::exited)
    how.exit_code = on_.fates[asset.value].exit_code;
  if (kind == outcome_kind::signalled)
    how.signal = 9;
  if (kind != outcome_kind::not_started)
    how.resources = {std::chrono::microseconds(asset.value), std::chrono::microseconds(attempt), 1'024, true, 0, 8};
  return how;
}

void simulated_executor::examine(asset_index asset, upstream_view upstreams, std::function<void(examination)> done) {
  if (dead_)
    return;
  maybe_burst();
  require(!examining_[asset.value], "an asset is examined twice at once");
  require(!world_.runs(asset), "an asset is examined while it is made");
  if (on_examine)
    on_examine(asset, upstreams);
  examining_[asset.value] = true;
  ++examining_count_;
  const auto& fate = on_.fates[asset.value];
  item one;
  one.asset = asset;
  one.due = now_() + (random_.once_in(4) ? within(fate.longest) : duration::zero());
  const bool again = executions_[asset.value] > 0;
  if (fate.impossible && !again)
    one.found.impossible = "as the case has it";
  else if (!fate.fresh && !(again && random_.once_in(8)))
    one.found.reasons.push_back({reason_kind::input_changed, "x"});
  paths_.reached_if(rare_path::retry_found_fresh, again && one.found.reasons.empty());
  paths_.reached_if(rare_path::impossible_when_looked_at, one.found.impossible.has_value());
  one.examined = std::move(done);
  items_.push_back(std::move(one));
}

void simulated_executor::execute(asset_index asset, std::uint32_t attempt, std::function<void(process_spawned)> spawned,
                                 std::function<void(execution)> done) {
  if (dead_)
    return;
  maybe_burst();
  require(!examining_[asset.value], "an asset is made while it is examined");
  if (on_execute)
    on_execute(asset, attempt);
  const auto& fate = on_.fates[asset.value];
  const auto& settings = on_.p->settings_of(asset);
  world_.begins(asset, attempt);
  const auto earlier = executions_[asset.value]++;
  newest_[asset.value] = attempt;
  item end;
  end.kind = what::ended;
  end.asset = asset;
  end.attempt = attempt;
  end.due = now_() + within(fate.longest);
  end.done = std::move(done);
  const auto kind = !ends_.empty()         ? outcome_kind::cancelled
                    : earlier < fate.fails ? fate.how
                                           : outcome_kind::succeeded;
  end.how = outcome(asset, attempt, kind);
  if (kind == outcome_kind::cancelled || kind == outcome_kind::not_started) {
    end.due = now_();
    items_.push_back(std::move(end));
    return;
  }
  end.process = world_.start(asset);
  if (fate.hangs)
    end.due.reset();
  if (settings.timeout && (!end.due || *end.due > now_() + *settings.timeout)) {
    paths_.reached_if(rare_path::hung_work_timed_out, fate.hangs);
    end.how = outcome(asset, attempt, outcome_kind::timed_out);
    end.due = now_() + *settings.timeout + (fate.stubborn ? on_.p->engine.grace_period : duration::zero());
  }
  if (!fate.never_found) {
    item found;
    found.kind = what::spawned;
    found.asset = asset;
    found.attempt = attempt;
    found.process = end.process;
    found.due = now_() + (random_.once_in(8) ? within(std::chrono::seconds(9)) : duration::zero());
    found.spawned = std::move(spawned);
    items_.push_back(std::move(found));
  }
  items_.push_back(std::move(end));
}

void simulated_executor::check_discovered(asset_index asset, std::uint32_t attempt, std::function<void(bool)> done) {
  if (dead_)
    return;
  maybe_burst();
  if (on_check)
    on_check(asset, attempt);
  item one;
  one.kind = what::checked;
  one.asset = asset;
  one.attempt = attempt;
  one.due = now_() + (random_.once_in(4) ? within(std::chrono::seconds(1)) : duration::zero());
  one.checked = std::move(done);
  items_.push_back(std::move(one));
}

void simulated_executor::settle(std::function<void()> done) {
  if (dead_)
    return;
  settling_ = true;
  item one;
  one.kind = what::settled;
  one.due = now_() + (random_.once_in(4) ? within(std::chrono::seconds(1)) : duration::zero());
  one.settled = std::move(done);
  items_.push_back(std::move(one));
}

void simulated_executor::end_all(urgency how) {
  if (dead_)
    return;
  ends_.push_back(how);
  for (auto& one : items_) {
    if (one.kind != what::ended || one.process == 0)
      continue;
    const auto grace = how == urgency::at_once               ? duration::zero()
                       : on_.fates[one.asset.value].stubborn ? duration(on_.p->engine.grace_period)
                                                             : within(std::chrono::seconds(1));
    if (one.due && *one.due <= now_() + grace)
      continue; // ends by itself before
    paths_.reached_if(rare_path::hung_work_ended, on_.fates[one.asset.value].hangs);
    one.due = now_() + grace;
    one.how = outcome(one.asset, one.attempt, outcome_kind::cancelled);
  }
}

materialized simulated_executor::changes_made(asset_index, const execution& done) const {
  materialized made;
  made.data_version = done.made->data_version;
  return made;
}

std::optional<duration> simulated_executor::next_due() const {
  std::optional<duration> next;
  for (const auto& one : items_)
    if (one.due && (!next || *one.due < *next))
      next = one.due;
  return next;
}

std::vector<std::size_t> simulated_executor::due() const {
  std::vector<std::size_t> found;
  const auto now = now_();
  for (std::size_t i = 0; i < items_.size(); ++i)
    if (items_[i].due && *items_[i].due <= now)
      found.push_back(i);
  return found;
}

bool simulated_executor::anything_hangs() const {
  return std::any_of(items_.begin(), items_.end(), [](const item& one) { return !one.due; });
}

const execution* simulated_executor::first_report(asset_index asset, std::uint32_t attempt) const {
  const auto& report = first_[asset.value];
  return report && report->attempt == attempt ? &report->how : nullptr;
}

void simulated_executor::repeat(const item& ended, bool contradicts) {
  item again = ended;
  again.kind = what::again;
  again.contradicts = contradicts;
  again.due = now_() + (random_.once_in(2) ? within(std::chrono::seconds(9)) : duration::zero());
  if (contradicts)
    again.how = outcome(ended.asset, 0, ended.how.made ? outcome_kind::exited : outcome_kind::succeeded);
  items_.push_back(std::move(again));
}

asset_index simulated_executor::answer(std::size_t at) {
  const item one = std::move(items_[at]);
  items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(at));
  switch (one.kind) {
  case what::examined:
    examining_[one.asset.value] = false;
    --examining_count_;
    one.examined(one.found);
    break;
  case what::spawned:
    paths_.reached_if(rare_path::process_reported_late, first_report(one.asset, one.attempt) != nullptr);
    one.spawned({one.process, 1});
    break;
  case what::ended:
    world_.end(one.asset);
    if (one.how.made && !one.how.makers.empty())
      world_.ends_well(one.asset, one.attempt);
    first_[one.asset.value] = first{one.attempt, one.how};
    reports_.push_back({one.asset, one.attempt, one.how, one.done});
    paths_.reached_if(rare_path::success_during_stop, !ends_.empty() && one.how.made);
    if (on_.fates[one.asset.value].repeats)
      repeat(one, random_.once_in(2));
    one.done(one.how);
    break;
  case what::again:
    paths_.reached(rare_path::double_report);
    paths_.reached_if(rare_path::double_report_contradicts, one.contradicts);
    paths_.reached_if(rare_path::double_report_after_retry, newest_[one.asset.value] > one.attempt);
    paths_.reached_if(rare_path::late_report_after_timeout,
                      first_report(one.asset, one.attempt) != nullptr &&
                          first_report(one.asset, one.attempt)->outcome == outcome_kind::timed_out);
    one.done(one.how);
    break;
  case what::checked: {
    const bool as_before = world_.read_by(one.asset) == world_.discovered_by(one.asset);
    paths_.reached(as_before ? rare_path::held_success_stands : rare_path::held_success_outdated);
    one.checked(as_before);
    break;
  }
  case what::settled:
    settling_ = false;
    one.settled();
    break;
  }
  return one.kind == what::settled ? asset_index() : one.asset;
}

} // namespace troupe_internal::test
