// Real run_logics that share workers and pools by the arbiter: messages come in any order, runs come and go, assets
// fail, are fresh or retried, and people stop runs. Knows nothing of discovered inputs.
#include "core/run/run_logic.hpp"
#include "core/schedule/budgets.hpp"
#include "support/random_run.hpp"
#include "support/run_checker.hpp"
#include "worlds.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

namespace troupe_internal::test {
namespace {

class live_runs {
public:
  explicit live_runs(std::uint64_t seed) : random_(seed) { sizes_ = {1 + random_.below(4), {{"p", 3}, {"q", 1}}}; }

  void play() {
    auto to_come = 2 + random_.below(6);
    arbiter_.emplace(sizes_);
    for (int step = 0;; ++step) {
      require(step < 20'000, "the runs do not end");
      if (to_come > 0 && (runs_.empty() || random_.once_in(8))) {
        --to_come;
        start();
        continue;
      }
      if (runs_.empty())
        return;
      auto& one = *runs_[random_.below(static_cast<std::uint32_t>(runs_.size()))];
      if (random_.once_in(400))
        take(one, one.logic->decide(stop_requested{stop_cause::user, false}, now_));
      else if (!one.demands.empty() && random_.once_in(2))
        arrives(one);
      else if (!one.inbox.empty())
        deliver(one);
      remove_ended();
      if (std::none_of(runs_.begin(), runs_.end(),
                       [](const auto& run) { return !run->inbox.empty() || !run->demands.empty(); }))
        require(runs_.empty(), "the runs are stuck: nothing is on its way, and they have not ended");
    }
  }

private:
  struct pending {
    run_input input;
    timestamp due{};
    std::optional<run_demand> answers{}; ///< a budget: what it was made from
  };
  struct player {
    random_run run;
    run_number number;
    cause_kind cause = cause_kind::user;
    std::optional<run_checker> checker;
    std::unique_ptr<run_logic> logic;
    std::vector<pending> inbox;
    std::deque<run_demand> demands;  ///< on their way to the arbiter, in order
    std::optional<run_demand> known; ///< by the arbiter
    std::optional<run_demand> said;  ///< the last one
    std::vector<std::uint32_t> needs;
    std::vector<std::uint32_t> attempts;
    bool ended = false;
  };

  void start() {
    auto& one = *runs_.emplace_back(std::make_unique<player>());
    one.run = make_random_run(random_);
    one.number = run_number(++last_);
    one.cause = static_cast<cause_kind>(random_.below(4));
    one.run.policy.limited = runs_.size() > 1; // who joins others begins with nothing
    const auto& run = one.run;
    one.checker.emplace(*run.p, *run.graph, run.ids, std::min(run.policy.workers, sizes_.workers), run.never_made);
    one.checker->observe(run.started);
    run_state state;
    state.apply(run.started);
    auto policy = run.policy;
    policy.workers = std::min(policy.workers, sizes_.workers); // as the engine hands them out
    one.logic = std::make_unique<run_logic>(*run.p, *run.graph, policy, run.ids, std::move(state));
    std::vector<blocked_outside> blocked;
    for (const auto& [asset, by] : run.never_made)
      blocked.push_back({asset, by, {}});
    one.needs.assign(run.ids.size(), 0);
    one.attempts.assign(run.ids.size(), 0);
    if (policy.limited)
      one.known.emplace();
    share(); // before it begins: the arbiter knows of it
    take(one, one.logic->begin(blocked, now_));
    for (std::uint32_t i = 0; i < one.needs.size(); ++i) {
      const asset_index asset(i);
      if (!run.in_run(asset) || is_final(one.checker->status_of(asset)))
        continue;
      for (const auto u : run.graph->upstream(asset))
        one.needs[i] += one.checker->satisfied(u) ? 0 : 1;
      if (one.needs[i] == 0)
        post(one, asset_claimed{asset});
    }
  }

  void share() {
    std::vector<budgeted_run> live;
    for (const auto& run : runs_)
      live.push_back({run->number, run->cause, run->known ? &*run->known : nullptr});
    if (live.empty())
      return;
    for (auto& offer : arbiter_->share(live))
      for (auto& run : runs_)
        if (run->number == offer.run)
          run->inbox.push_back({budget_changed{offer.number, std::move(offer.budget)}, {}, run->known});
  }

  void arrives(player& one) {
    one.known = std::move(one.demands.front());
    one.demands.pop_front();
    share();
  }

  void remove_ended() {
    const auto before = runs_.size();
    std::erase_if(runs_, [](const auto& run) { return run->ended; });
    if (runs_.size() != before)
      share();
  }

  void post(player& one, run_input input) { one.inbox.push_back({std::move(input), {}}); }

  void deliver(player& one) {
    const auto at = random_.below(static_cast<std::uint32_t>(one.inbox.size()));
    auto chosen = one.inbox[at];
    if (!random_.once_in(20)) // else it will come a second time
      one.inbox.erase(one.inbox.begin() + at);
    now_ = std::max(now_ + std::chrono::milliseconds(1), chosen.due);
    const bool is_useful = one.said && chosen.answers == one.said && answers_with_more(chosen);
    if (const auto* offer = std::get_if<budget_changed>(&chosen.input); offer != nullptr && !offer->budget)
      one.said.reset(); // it says nothing any more, and takes no earlier offer
    const auto used = one.said ? one.said->used : capacity();
    take(one, one.logic->decide(chosen.input, now_));
    require(!is_useful || one.said->used != used, "a run is offered a budget that it cannot use");
  }
  /// A budget above what the run said that it uses.
  static bool answers_with_more(const pending& one) {
    const auto* offer = std::get_if<budget_changed>(&one.input);
    return offer != nullptr && offer->budget && offer->number > one.answers->obeys &&
           !fits(*offer->budget, one.answers->used);
  }

  void take(player& one, decision d) {
    for (const auto& e : d.events)
      one.checker->observe(e);
    one.checker->compare(one.logic->state());
    check_sizes();
    for (auto& effect : d.effects)
      std::visit([&](auto& it) { carry_out(one, it); }, effect);
  }

  /// Over the open attempts, as the events know them.
  void check_sizes() const {
    capacity all;
    for (const auto& run : runs_)
      for (std::uint32_t i = 0; run->checker && i < run->run.ids.size(); ++i)
        if (run->checker->is_open(asset_index(i)))
          add(all, {1, run->run.p->settings_of(asset_index(i)).pools});
    require(fits(all, sizes_), "more is in use than there is");
  }

  void carry_out(player& one, const examine_asset& e) {
    const auto& f = one.run.fates[e.asset.value];
    if (f.examined == fate::kind::fresh)
      post(one, examined_fresh{e.asset});
    else if (f.examined == fate::kind::impossible)
      post(one, examined_impossible{e.asset, "an input is missing"});
    else
      post(one, examined_stale{e.asset, {{reason_kind::input_changed, "x"}}, {}});
  }
  void carry_out(player& one, const grant_attempt& e) {
    attempt_ended ended;
    ended.asset = e.asset;
    ended.attempt = e.attempt;
    ended.outcome = outcome_of(one.run.fates[e.asset.value], ++one.attempts[e.asset.value]);
    ended.exit_code = 1;
    ended.random_bits = random_.bits();
    if (ended.outcome == outcome_kind::succeeded)
      ended.made.emplace();
    post(one, std::move(ended));
  }
  void carry_out(player& one, const announce_settled& e) {
    if (!one.checker->satisfied(e.asset))
      return;
    for (const auto dependent : one.run.graph->downstream(e.asset))
      if (one.run.in_run(dependent) && !is_final(one.checker->status_of(dependent)) && one.needs[dependent.value] > 0 &&
          --one.needs[dependent.value] == 0)
        post(one, asset_claimed{dependent});
  }
  void carry_out(player& one, const wake_at& e) { one.inbox.push_back({time_passed{e.number}, e.when}); }
  void carry_out(player& one, demand_changed& e) {
    require(fits(e.demand.used, sizes_), "a run says that it uses more than there is");
    for (const auto& want : e.demand.wants)
      require(want.workers == 1, "a bundle has not one worker");
    one.said = e.demand;
    one.demands.push_back(std::move(e.demand));
  }
  void carry_out(player& one, const run_is_over&) { one.ended = true; }
  void carry_out(player&, const internal_error& e) { throw std::runtime_error("internal error: " + e.message); }
  void carry_out(player&, const end_attempts&) {}
  void carry_out(player&, const check_discovered&) {}
  void carry_out(player&, const tell_warning&) {}

  seeded random_;
  capacity sizes_;
  std::optional<arbiter> arbiter_;
  std::vector<std::unique_ptr<player>> runs_;
  std::uint32_t last_ = 0;
  timestamp now_ = from_unix_ns(1'800'000'000'000'000'000);
};

} // namespace

void play_live_runs(std::uint64_t seed) {
  live_runs(seed).play();
}

} // namespace troupe_internal::test
