// Random runs against run_logic alone, in random order, with reports that come late or twice, stops, crashes and
// resumes: the invariants hold after every step, and every run ends.
#include "core/journal/event_json.hpp"
#include "core/run/reopening.hpp"
#include "core/run/run_logic.hpp"
#include "support/discoveries.hpp"
#include "support/random_run.hpp"
#include "support/run_checker.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace troupe_internal;
using namespace troupe_internal::test;

namespace {

/// Plays actors, executor and clock.
class fake_world {
public:
  explicit fake_world(std::uint64_t seed)
      : random_(seed), run_(make_random_run(random_)),
        discovered_(make_discoveries(random_, static_cast<std::uint32_t>(run_.ids.size()))),
        checker_(*run_.p, *run_.graph, run_.ids, run_.policy.workers, run_.never_made), now_(run_.started.at),
        stops_(random_.once_in(4)), crashes_(random_.once_in(3)), disorder_(random_.once_in(2)),
        content_(run_.ids.size(), 0), read_(run_.ids.size()), succeeded_(run_.ids.size(), false) {
    checker_.expect_order(run_.policy.remaining);
    checker_.expect_discoveries(discovered_, [this](asset_index asset, std::uint32_t attempt) {
      return ended_well_.contains({asset.value, attempt});
    });
    checker_.observe(run_.started);
    history_.emplace_back(run_.started);
  }

  void play() {
    begin();
    std::uint32_t resumes = random_.below(3);
    for (int step = 0;; ++step) {
      if (step > 5000)
        throw std::runtime_error("(3) the run does not end");
      if (checker_.finished()) {
        after_the_end();
        check_what_was_read();
        check_against_fates();
        if (*checker_.status() == run_status::succeeded || resumes == 0)
          return;
        --resumes;
        resume();
        continue;
      }
      if (crashes_ && resumes > 0 && random_.once_in(25)) {
        --resumes;
        resume();
        continue;
      }
      if (pending_.empty())
        throw std::runtime_error("(3) the run is stuck: nothing is on its way and it has not ended");
      if (stops_ && random_.once_in(30))
        take(logic_->decide(stop_requested{stop_cause::user, random_.once_in(2)}, now_));
      else
        deliver();
    }
  }

private:
  struct pending {
    run_input input;
    bool timer = false;
    timestamp due{};
  };

  void begin() {
    began_ = now_;
    claimed_.clear();
    ended_well_.clear();
    succeeded_.assign(run_.ids.size(), false);
    needs_.assign(run_.ids.size(), 0);
    asked_.assign(run_.ids.size(), false);
    in_segment_.assign(run_.ids.size(), 0);
    run_state state;
    for (const auto& e : history_)
      state.apply(e);
    logic_ = std::make_unique<run_logic>(*run_.p, *run_.graph, run_.policy, run_.ids, std::move(state));
    std::vector<blocked_outside> blocked;
    for (const auto& [asset, by] : run_.never_made)
      blocked.push_back({asset, by});
    take(logic_->begin(blocked, now_));
    for (std::uint32_t i = 0; i < needs_.size(); ++i) {
      const asset_index asset(i);
      if (!run_.in_run(asset) || is_final(checker_.status_of(asset)))
        continue;
      for (const auto u : run_.graph->upstream(asset))
        needs_[i] += checker_.satisfied(u) ? 0 : 1;
      if (needs_[i] == 0)
        post(asset_claimed{asset});
    }
  }

  /// The supervisor dies, or the user asks for the rest: the next one closes what is open and goes on.
  void resume() {
    pending_.clear();
    for (std::uint32_t i = 0; i < run_.ids.size(); ++i)
      if (checker_.is_open(asset_index(i))) {
        attempt_finished lost;
        lost.run = run_.started.run;
        lost.asset = run_.ids[i];
        lost.attempt = checker_.attempts_of(asset_index(i));
        lost.at = now_;
        lost.outcome = outcome_kind::interrupted;
        keep(lost);
      }
    run_resumed resumed{run_.started.run, now_, {}};
    resumed.reopened =
        reopened_by_resume(*run_.graph, run_.ids, checker_.replayed(), [&](asset_index) { return random_.once_in(6); });
    keep(resumed);
    for (auto& f : run_.fates) // somebody repaired what was wrong, perhaps
      if (random_.once_in(2)) {
        f.fails = 0;
        if (f.examined == fate::kind::impossible)
          f.examined = fate::kind::runs;
      }
    begin();
  }

  void post(run_input input) { pending_.push_back({std::move(input), false, {}}); }

  void deliver() {
    const auto at = random_.below(static_cast<std::uint32_t>(pending_.size()));
    auto chosen = pending_[at];
    if (!disorder_ || !random_.once_in(10)) // else it will come a second time
      pending_.erase(pending_.begin() + at);
    if (chosen.timer)
      now_ = std::max(now_, chosen.due);
    else
      now_ += std::chrono::milliseconds(random_.below(50));
    if (disorder_ && random_.once_in(20))
      take(logic_->decide(time_passed{random_.below(5)}, now_));
    if (const auto* claim = std::get_if<asset_claimed>(&chosen.input))
      claimed_.insert(claim->asset.value);
    else if (const auto* ended = std::get_if<attempt_ended>(&chosen.input))
      process_ends(*ended);
    take(logic_->decide(chosen.input, now_));
    check_nobody_waits_in_vain();
  }

  /// Whoever ends has written its output, perhaps the same as before.
  void process_ends(const attempt_ended& ended) {
    const auto asset = ended.asset;
    if (!checker_.is_open(asset) || checker_.attempts_of(asset) != ended.attempt || checker_.is_held(asset))
      return; // late or repeated
    if (random_.once_in(2))
      ++content_[asset.value];
    if (!ended.makers.empty())
      ended_well_.emplace(asset.value, ended.attempt);
  }

  /// Waits follow each other, each takes time, and none began before the run or after the attempt before.
  void check_waits(asset_id id, timestamp at, const std::vector<recorded_wait>& waits) {
    const asset_index asset(
        static_cast<std::size_t>(std::find(run_.ids.begin(), run_.ids.end(), id) - run_.ids.begin()));
    std::uint64_t all = 0;
    std::optional<wait_kind> before;
    for (const auto& one : waits) {
      all += one.ms;
      if (one.ms == 0 || (before && *before >= one.what && one.what != wait_kind::pool))
        throw std::runtime_error("a wait took no time, or is out of order");
      before = one.what;
      if (one.what == wait_kind::asset) {
        const auto needed = run_.graph->upstream(asset);
        if (std::none_of(needed.begin(), needed.end(), [&](asset_index u) { return run_.ids[u.value] == one.asset; }))
          throw std::runtime_error("an asset waited for one that it does not need");
      }
      if (one.what == wait_kind::pool && !run_.p->settings_of(asset).pools.contains(one.pool))
        throw std::runtime_error("an asset waited for a pool that it does not need");
    }
    const auto since = std::max(began_, ended_[id.value]);
    if (std::chrono::milliseconds(all) > at - since)
      throw std::runtime_error("an asset waited for longer than there was time");
  }

  void keep(event e) {
    if (const auto* began = std::get_if<attempt_started>(&e))
      check_waits(began->asset, began->at, began->waits);
    else if (const auto* fresh = std::get_if<asset_found_fresh>(&e))
      check_waits(fresh->asset, fresh->at, fresh->waits);
    else if (const auto* ended = std::get_if<attempt_finished>(&e))
      ended_[ended->asset.value] = ended->at;
    if (const auto* finished = std::get_if<attempt_finished>(&e)) {
      const auto at = std::find(run_.ids.begin(), run_.ids.end(), finished->asset);
      succeeded_[static_cast<std::size_t>(at - run_.ids.begin())] = finished->outcome == outcome_kind::succeeded;
    }
    if (std::getenv("TROUPE_SEED") != nullptr) { // one seed is looked at: show what happens
      const auto name = [&](asset_id id) -> std::string_view {
        return run_.p
            ->asset(asset_index(
                static_cast<std::size_t>(std::find(run_.ids.begin(), run_.ids.end(), id) - run_.ids.begin())))
            .name;
      };
      std::puts(event_to_json(history_.size(), e, {name, {}}).c_str());
    }
    checker_.observe(e);
    history_.push_back(std::move(e));
  }

  void take(decision d) {
    for (auto& e : d.events)
      keep(std::move(e));
    checker_.compare(logic_->state());
    for (const auto& effect : d.effects)
      std::visit([&](const auto& it) { carry_out(it); }, effect);
  }

  void carry_out(const examine_asset& e) {
    if (asked_[e.asset.value])
      throw std::runtime_error("an asset is examined twice at once");
    asked_[e.asset.value] = true;
    const auto& f = run_.fates[e.asset.value];
    // The attempt before may have left files that look as they should.
    const bool looks_fresh = in_segment_[e.asset.value] > 0 && random_.once_in(3);
    if (f.examined == fate::kind::fresh || looks_fresh)
      post(examined_fresh{e.asset});
    else if (f.examined == fate::kind::impossible)
      post(examined_impossible{e.asset, "an input is missing"});
    else
      post(examined_stale{e.asset, {{reason_kind::input_changed, "x"}}});
  }
  void carry_out(const grant_attempt& e) {
    if (!checker_.is_open(e.asset) || checker_.attempts_of(e.asset) != e.attempt)
      throw std::runtime_error("an attempt is granted that the events do not know");
    asked_[e.asset.value] = false;
    ++in_segment_[e.asset.value];
    attempt_ended ended;
    ended.asset = e.asset;
    ended.attempt = e.attempt;
    ended.outcome = outcome_of(run_.fates[e.asset.value], in_segment_[e.asset.value]);
    if (ended.outcome == outcome_kind::succeeded) {
      ended.made.emplace();
      ended.makers = discovered_[e.asset.value];
    }
    read_[e.asset.value] = contents_of(discovered_[e.asset.value]);
    ended.exit_code = random_.once_in(2) ? 7 : 1;
    ended.signal = ended.outcome == outcome_kind::signalled ? (random_.once_in(2) ? 9 : 11) : 0;
    ended.random_bits = random_.bits();
    if (random_.once_in(2))
      post(process_appeared{e.asset, e.attempt, 4711, 1});
    post(ended);
  }
  void carry_out(const announce_settled& e) {
    asked_[e.asset.value] = false;
    if (checker_.status_of(e.asset) != e.status)
      throw std::runtime_error("an asset is announced with a status that it does not have");
    if (!checker_.satisfied(e.asset))
      return;
    for (const auto dependent : run_.graph->downstream(e.asset))
      if (run_.in_run(dependent) && !is_final(checker_.status_of(dependent)) && --needs_[dependent.value] == 0)
        post(asset_claimed{dependent});
  }
  void carry_out(const end_attempts&) {
    for (auto& one : pending_)
      if (auto* ended = std::get_if<attempt_ended>(&one.input); ended != nullptr && !random_.once_in(4)) {
        ended->outcome = outcome_kind::cancelled;
        ended->made.reset();
        ended->makers.clear();
      }
  }
  [[nodiscard]] std::vector<std::uint32_t> contents_of(const std::vector<asset_index>& makers) const {
    std::vector<std::uint32_t> contents;
    for (const auto maker : makers)
      contents.push_back(content_[maker.value]);
    return contents;
  }
  void carry_out(const check_discovered& e) {
    if (!checker_.is_held(e.asset) || checker_.attempts_of(e.asset) != e.attempt)
      throw std::runtime_error("an attempt is checked that is not held");
    const bool as_before = contents_of(discovered_[e.asset.value]) == read_[e.asset.value];
    post(discovered_checked{e.asset, e.attempt, as_before});
  }
  void carry_out(const tell_warning&) {}
  void carry_out(const demand_changed&) { throw std::runtime_error("a run that has everything says what it wants"); }
  void carry_out(const wake_at& e) {
    for (const auto& one : pending_) // 1 live timer: an older one may still go off, but must not count
      if (one.timer && std::get<time_passed>(one.input).number == e.number)
        throw std::runtime_error("two timers have one number");
    pending_.push_back({time_passed{e.number}, true, e.when});
  }
  void carry_out(const run_is_over& e) {
    if (checker_.status() != e.status)
      throw std::runtime_error("the run is over with another status than recorded");
  }
  void carry_out(const internal_error& e) { throw std::runtime_error("internal error: " + e.message); }

  /// With nothing on its way but attempts and timers, a free worker means that nobody could use it.
  void check_nobody_waits_in_vain() {
    if (checker_.finished() || checker_.stopping() || checker_.working() >= run_.policy.workers)
      return;
    for (const auto& one : pending_)
      if (!one.timer && !std::holds_alternative<attempt_ended>(one.input) &&
          !std::holds_alternative<process_appeared>(one.input))
        return;
    const auto urgent = checker_.most_urgent([&](asset_index a) {
      const bool waits = claimed_.contains(a.value) && checker_.status_of(a) == asset_status::waiting;
      return waits || checker_.retry_is_due(a, now_);
    });
    if (urgent && checker_.status_of(*urgent) == asset_status::retrying)
      return; // it may be in the line, or its timer is still on the way
    for (const auto asset : claimed_)
      if (checker_.status_of(asset_index(asset)) == asset_status::waiting &&
          checker_.pools_have_room(asset_index(asset)) &&
          (asset == urgent->value || checker_.pools_have_room(*urgent) ||
           checker_.pools_have_room(asset_index(asset), urgent)))
        throw std::runtime_error("a worker is free, and " + std::string(run_.p->assets[asset].name) +
                                 " waits although its pools have room");
  }

  /// Whatever still comes after the end changes nothing.
  void after_the_end() {
    const auto before = logic_->state();
    for (const auto& late : pending_) {
      const auto d = logic_->decide(late.input, now_);
      if (!d.events.empty() || !d.effects.empty())
        throw std::runtime_error("something follows from a report after the run's end");
    }
    const auto d = logic_->decide(stop_requested{}, now_);
    if (!d.events.empty() || !d.effects.empty() || before != logic_->state())
      throw std::runtime_error("something follows from a stop after the run's end");
    pending_.clear();
  }

  /// What was made in this segment was made from what there is now, or the next plan finds a cycle.
  void check_what_was_read() const {
    for (std::uint32_t i = 0; i < succeeded_.size(); ++i)
      for (std::size_t k = 0; succeeded_[i] && k < discovered_[i].size(); ++k) {
        const auto maker = discovered_[i][k];
        if (run_.in_run(maker) && content_[maker.value] != read_[i][k] &&
            !needs_somehow(*run_.graph, discovered_, maker, asset_index(i)))
          throw std::runtime_error("(9) " + std::string(run_.p->assets[i].name) + " was made from what " +
                                   std::string(run_.p->asset(maker).name) + " has made again since");
      }
  }

  /// Where nothing but the fates decides (continue, no stop, first segment), each status is known beforehand.
  void check_against_fates() {
    if (std::exchange(resumed_, true) || run_.policy.error_strategy != error_strategy::continue_ || stops_ || crashes_)
      return;
    std::vector<bool> done(run_.ids.size(), false);
    for (const auto asset : run_.graph->topological_order()) {
      if (!run_.in_run(asset)) {
        done[asset.value] = true;
        continue;
      }
      const auto upstream = run_.graph->upstream(asset);
      const bool blocked =
          std::any_of(upstream.begin(), upstream.end(), [&](asset_index u) { return !done[u.value]; }) ||
          std::any_of(run_.never_made.begin(), run_.never_made.end(), [&](auto& n) { return n.first == asset; });
      auto expected =
          random_run::contains(run_.started.fresh, run_.ids[asset.value]) ? asset_status::fresh : expected_of(asset);
      const auto& makers = discovered_[asset.value];
      const bool outdated =
          checker_.status_of(asset) == asset_status::blocked &&
          std::any_of(makers.begin(), makers.end(), [&](asset_index maker) { return !checker_.satisfied(maker); });
      if (blocked || outdated)
        expected = asset_status::blocked;
      if (checker_.status_of(asset) != expected)
        throw std::runtime_error(std::string(run_.p->asset(asset).name) + " is " +
                                 std::string(to_string(checker_.status_of(asset))) + ", not " +
                                 std::string(to_string(expected)));
      done[asset.value] = checker_.satisfied(asset);
    }
  }
  asset_status expected_of(asset_index asset) const {
    const auto& f = run_.fates[asset.value];
    const auto& retry = run_.p->settings_of(asset).retry;
    if (f.examined == fate::kind::fresh)
      return asset_status::fresh;
    if (f.examined == fate::kind::impossible)
      return asset_status::failed;
    if (f.fails == 0)
      return asset_status::succeeded;
    if (f.fails >= retry.attempts || f.how == outcome_kind::not_started)
      return asset_status::failed;
    if (f.how == outcome_kind::timed_out)
      return retry.on_timeout ? asset_status::succeeded : asset_status::failed;
    if (retry.on_exit_codes.empty())
      return asset_status::succeeded;
    return checker_.status_of(asset); // the exit status is drawn by lot
  }

  seeded random_;
  random_run run_;
  discoveries discovered_;
  run_checker checker_;
  timestamp now_;
  bool stops_, crashes_, disorder_;
  bool resumed_ = false;
  std::unique_ptr<run_logic> logic_;
  std::vector<event> history_;
  timestamp began_;                          // this segment
  std::map<std::uint32_t, timestamp> ended_; // by asset_id: its last attempt
  std::vector<pending> pending_;
  std::vector<std::uint32_t> needs_;
  std::vector<bool> asked_;
  std::vector<std::uint32_t> in_segment_;
  std::set<std::uint32_t> claimed_;
  std::vector<std::uint32_t> content_;           // by asset_index: of its output, as a number
  std::vector<std::vector<std::uint32_t>> read_; // by asset_index: what its last attempt read of what it discovers
  std::vector<bool> succeeded_;                  // by asset_index: in this segment
  std::set<std::pair<std::uint32_t, std::uint32_t>> ended_well_; // attempts that discovered something
};

} // namespace

TEST_CASE("whatever the order of events, the invariants hold at every step and the run ends") {
  const char* one = std::getenv("TROUPE_SEED");
  const std::uint64_t first = one != nullptr ? std::strtoull(one, nullptr, 10) : 1;
  const std::uint64_t last = one != nullptr ? first : 3000;
  for (auto seed = first; seed <= last; ++seed) {
    try {
      fake_world(seed).play();
    } catch (const std::runtime_error& violation) {
      FAIL("seed " << seed << ": " << std::string(violation.what()) << " (repeat it alone with TROUPE_SEED=" << seed
                   << ")");
    }
  }
}
