// Steps: feeds, prints.
#include "scenario.hpp"

#include "core/run/critical_path.hpp"
#include "core/run/reopening.hpp"
#include "core/run/run_logic.hpp"
#include "scenario_header.hpp"
#include "support/pipeline_builder.hpp"

#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <vector>

namespace troupe_internal::test {

namespace {

const timestamp start_of_time = from_unix_ns(1'800'000'000'000'000'000);

std::string shown(duration d) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + "s" : std::to_string(ms) + "ms";
}

std::string shown(timestamp t) {
  return "+" + shown(t - start_of_time);
}

std::string_view shown(outcome_kind outcome) {
  static constexpr std::string_view names[] = {
      "succeeded", "exited",      "signalled", "timed out", "not started", "output missing", "bad result",
      "cancelled", "interrupted", "internal",  "outdated",  "failed",      "permanent",      "skipped"};
  return names[static_cast<std::size_t>(outcome)];
}

std::string_view shown(stop_cause cause) {
  static constexpr std::string_view names[] = {"failure", "user", "signal", "timed_out", "shutdown"};
  return names[static_cast<std::size_t>(cause)];
}

class scenario {
public:
  std::string replay(std::string_view text) {
    std::istringstream in{std::string(text)};
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("="))
        continue;
      out_ << line << '\n';
      const auto parts = split(line);
      if (parts.empty() || parts[0].starts_with("#"))
        continue;
      if (!logic_ && parts[0] != "begin")
        header_.declare(parts);
      else
        step(parts);
    }
    if (!logic_)
      misread("there is no \"begin\"");
    return out_.str();
  }

private:
  /// Ids are not indices: the logic must not mix them up.
  static asset_id id_of(asset_index asset) { return asset_id(10 + 2 * asset.value); }

  asset_index index(const std::string& name) const {
    if (const auto found = p_->find(name))
      return *found;
    misread("there is no asset " + name);
  }
  std::string name(asset_index asset) const { return std::string(p_->asset(asset).name); }
  std::string name(asset_id id) const { return name(asset_index((id.value - 10) / 2)); }

  void build() {
    pipeline_builder b;
    for (const auto& [asset, options] : header_.assets)
      b.asset(asset).deps(options.needs).with([&, &settings = options.settings](asset_settings& s) { s = settings; });
    b.engine([&](engine_settings& e) { e.pools = header_.pools; });
    p_ = b.build();
    diagnostics found;
    auto graph = asset_graph::build(*p_, found);
    if (!graph)
      misread("the graph is wrong");
    graph_ = std::make_unique<asset_graph>(std::move(*graph));
    std::vector<duration> takes;
    for (const auto& [asset, options] : header_.assets)
      takes.push_back(options.takes);
    header_.policy.remaining = longest_remaining_path(*graph_, takes);

    run_started started;
    started.run = run_number(7U);
    started.at = now_;
    std::vector<asset_id> fresh;
    std::vector<asset_id> waiting;
    const auto among = [](const word_list& all, const std::string& one) {
      return std::find(all.begin(), all.end(), one) != all.end();
    };
    for (std::uint32_t i = 0; i < p_->assets.size(); ++i) {
      const auto text = name(asset_index(i));
      if (!among(header_.outside, text))
        (among(header_.fresh, text) ? fresh : waiting).push_back(id_of(asset_index(i)));
    }
    started.fresh = make_asset_set(fresh);
    started.waiting = make_asset_set(waiting);
    history_.emplace_back(started);
  }

  run_state folded() const {
    run_state state;
    for (const auto& e : history_)
      state.apply(e);
    return state;
  }

  std::vector<asset_id> ids() const {
    std::vector<asset_id> all;
    for (std::uint32_t i = 0; i < p_->assets.size(); ++i)
      all.push_back(id_of(asset_index(i)));
    return all;
  }

  decision start_logic() {
    logic_ = std::make_unique<run_logic>(*p_, *graph_, header_.policy, ids(), folded());
    std::vector<blocked_outside> blocked;
    for (const auto& [asset, by] : header_.never_made)
      blocked.push_back({index(asset), index(by)});
    return logic_->begin(blocked, now_);
  }

  const asset_in_run& standing(asset_index asset) const {
    return logic_->state().at(*logic_->state().position(id_of(asset)));
  }

  void step(const word_list& parts) {
    const auto& verb = parts[0];
    const auto first = printed_.size();
    if (verb == "begin") {
      build();
      take(start_logic());
    } else if (verb == "resume") {
      resume({parts.begin() + 1, parts.end()});
    } else if (verb == "show") {
      show();
    } else if (verb == "time" || verb == "clock") {
      now_ += span_of(std::string_view(parts.at(1)).substr(1));
      if (verb == "time")
        feed(time_passed{armed_});
    } else if (verb == "stray_timer") {
      feed(time_passed{armed_ + 1000});
    } else if (verb == "stop") {
      const auto cause = parts.at(1) == "signal"     ? stop_cause::signal
                         : parts.at(1) == "shutdown" ? stop_cause::shutdown
                                                     : stop_cause::user;
      feed(stop_requested{cause, parts.size() > 2 && parts[2] == "at_once"});
    } else if (verb == "budget" || verb == "late_budget") {
      budgets_ += verb == "budget" ? 1 : 0;
      feed(budget_changed{budgets_, capacity_of({parts.begin() + 1, parts.end()})});
    } else {
      about_assets(parts);
    }
    if (printed_.size() == first)
      say("nothing");
    for (auto i = first; i < printed_.size(); ++i)
      out_ << "= " << printed_[i] << '\n';
    if (folded() != logic_->state())
      misread("the live state is not the fold of the events after: " + verb);
  }

  void about_assets(const word_list& parts) {
    const auto& verb = parts[0];
    static const word_list of_many{"claim", "held_claim", "fresh", "stale", "absent", "held_stale", "released", "ok"};
    if (std::find(of_many.begin(), of_many.end(), verb) != of_many.end()) {
      for (std::size_t i = 1; i < parts.size(); ++i) {
        const auto asset = index(parts[i]);
        if (verb.ends_with("claim")) {
          feed(asset_claimed{asset, verb == "held_claim", run_number(verb == "held_claim" ? 5U : 0U)});
        } else if (verb == "released") {
          feed(asset_released{asset});
        } else if (verb == "fresh") {
          feed(examined_fresh{asset});
        } else if (verb != "ok") {
          feed(examined_stale{asset,
                              {{reason_kind::input_changed, parts[i] + ".txt"}},
                              verb == "absent" ? std::vector{path_id(1U)} : std::vector<path_id>(),
                              verb == "held_stale",
                              run_number(verb == "held_stale" ? 5U : 0U)});
        } else {
          auto ended = outcome_of(asset, outcome_kind::succeeded);
          if (i + 2 < parts.size() && parts[i + 1] == "attempt") {
            ended.attempt = static_cast<std::uint32_t>(number(parts[i + 2]));
            i += 2;
          }
          ended.made.emplace();
          if (i + 1 < parts.size() && parts[i + 1] == "discovers") {
            for (i += 2; i < parts.size(); ++i)
              ended.makers.push_back(index(parts[i]));
          }
          feed(ended);
        }
      }
      return;
    }
    const auto asset = index(parts.at(1));
    if (verb == "impossible") {
      std::string message;
      for (std::size_t i = 2; i < parts.size(); ++i)
        message += (i == 2 ? "" : " ") + parts[i];
      feed(examined_impossible{asset, message});
    } else if (verb == "released_blocked") { // ASSET by OTHER
      feed(asset_released{asset, blocked_outside{asset, index(parts.at(3)), "what it left is of no use"}});
    } else if (verb == "unchanged" || verb == "changed") {
      feed(discovered_checked{asset, standing(asset).attempts, verb == "unchanged"});
    } else if (verb == "spawned") {
      process_appeared appeared{asset, standing(asset).attempts, 4000 + static_cast<std::int32_t>(asset.value), 1};
      if (parts.size() > 3 && parts[2] == "attempt")
        appeared.attempt = static_cast<std::uint32_t>(number(parts[3]));
      feed(appeared);
    } else {
      feed(failure_of(parts, asset));
    }
  }

  attempt_ended outcome_of(asset_index asset, outcome_kind outcome) const {
    attempt_ended ended;
    ended.asset = asset;
    ended.attempt = standing(asset).attempts;
    ended.outcome = outcome;
    return ended;
  }

  attempt_ended failure_of(const word_list& parts, asset_index asset) const {
    static const std::map<std::string, outcome_kind> kinds{{"exit", outcome_kind::exited},
                                                           {"signal", outcome_kind::signalled},
                                                           {"timeout", outcome_kind::timed_out},
                                                           {"not_started", outcome_kind::not_started},
                                                           {"output_missing", outcome_kind::output_missing},
                                                           {"bad_result", outcome_kind::bad_result},
                                                           {"cancelled", outcome_kind::cancelled},
                                                           {"internal", outcome_kind::internal},
                                                           {"skipped", outcome_kind::skipped}};
    const auto kind = kinds.find(parts[0]);
    if (kind == kinds.end())
      misread("no step begins with \"" + parts[0] + "\"");
    auto ended = outcome_of(asset, kind->second);
    std::size_t i = 2;
    if (ended.outcome == outcome_kind::exited)
      ended.exit_code = static_cast<std::int32_t>(number(parts.at(i++)));
    if (ended.outcome == outcome_kind::signalled)
      ended.signal = static_cast<std::int32_t>(number(parts.at(i++)));
    if (ended.outcome == outcome_kind::skipped && i < parts.size() && parts[i] == "made") {
      ended.made_before = true;
      ++i;
    }
    for (; i < parts.size(); i += 2) {
      if (parts[i] == "attempt")
        ended.attempt = static_cast<std::uint32_t>(number(parts.at(i + 1)));
      else if (parts[i] == "random" && parts.at(i + 1) == "all")
        ended.random_bits = std::numeric_limits<std::uint64_t>::max();
      else if (parts[i] == "random" && parts.at(i + 1) == "half")
        ended.random_bits = std::uint64_t{1} << 63U;
      else
        misread("an attempt's end has no \"" + parts[i] + "\"");
    }
    return ended;
  }

  void resume(const word_list& lost_assets) {
    const auto& state = logic_->state();
    for (std::uint32_t position = 0; position < state.size(); ++position)
      if (state.at(position).open) {
        attempt_finished lost;
        lost.run = state.run();
        lost.asset = state.id_at(position);
        lost.attempt = state.at(position).attempts;
        lost.at = now_;
        lost.outcome = outcome_kind::interrupted;
        keep(lost);
      }
    run_resumed resumed{state.run(), now_, {}};
    resumed.reopened = reopened_by_resume(*graph_, ids(), folded(), [&](asset_index asset) {
      return std::find(lost_assets.begin(), lost_assets.end(), name(asset)) != lost_assets.end();
    });
    keep(resumed);
    take(start_logic());
  }

  void show() {
    for (std::uint32_t i = 0; i < p_->assets.size(); ++i) {
      const asset_index asset(i);
      if (!logic_->in_run(asset)) {
        say(name(asset) + ": outside");
        continue;
      }
      const auto& a = standing(asset);
      say(name(asset) + ": " + std::string(to_string(a.status)) +
          (a.status == asset_status::blocked ? " by " + name(a.because) : "") +
          (a.attempts == 0 ? "" : ", attempts " + std::to_string(a.attempts)));
    }
  }

  void feed(const run_input& input) { take(logic_->decide(input, now_)); }

  void take(decision d) {
    for (auto& e : d.events)
      keep(std::move(e));
    if (d.strict && !d.effects.empty())
      say("> once on disk:");
    for (const auto& effect : d.effects)
      std::visit([&](const auto& it) { print(it); }, effect);
  }

  void keep(event e) {
    std::visit([&](const auto& it) { print(it); }, e);
    history_.push_back(std::move(e));
  }

  void say(std::string line) { printed_.push_back(std::move(line)); }

  void print(const run_resumed& e) {
    std::string list;
    for (const auto& [first, last] : e.reopened)
      for (auto id = first.value; id <= last.value; ++id)
        list += (list.empty() ? ", again: " : ", ") + name(asset_id(id));
    say("run resumed" + list);
  }
  std::string waits_of(const std::vector<recorded_wait>& waits) const {
    std::string all;
    for (const auto& one : waits)
      all += (all.empty() ? ", waited " : " and ") + std::to_string(one.ms) + "ms for " + to_string(one.what) +
             (one.what == wait_kind::asset  ? " " + name(one.asset)
              : one.what == wait_kind::hold ? " by #" + std::to_string(one.run.value)
                                            : (one.pool.empty() ? "" : " " + one.pool));
    return all;
  }
  void print(const asset_found_fresh& e) { say(name(e.asset) + " found fresh" + waits_of(e.waits)); }
  void print(const attempt_started& e) {
    std::string reasons;
    for (const auto& r : e.reasons)
      reasons += ", " + std::string(to_string(r.kind)) + " " + r.detail;
    say(name(e.asset) + " attempt " + std::to_string(e.attempt) + " started" + reasons + waits_of(e.waits));
  }
  void print(const attempt_spawned& e) {
    say(name(e.asset) + " attempt " + std::to_string(e.attempt) + " is process " + std::to_string(e.process_group));
  }
  void print(const attempt_finished& e) {
    std::string how(shown(e.outcome));
    if (e.outcome == outcome_kind::exited)
      how += " " + std::to_string(e.exit_code);
    if (e.outcome == outcome_kind::signalled)
      how += " " + std::to_string(e.signal);
    say(name(e.asset) + " attempt " + std::to_string(e.attempt) + " " + how +
        (e.retry_at ? ", again at " + shown(*e.retry_at) : ""));
  }
  void print(const assets_settled& e) {
    std::string list;
    for (const auto& s : e.assets)
      list += (list.empty() ? "" : ", ") + name(s.asset) + (s.because == s.asset ? "" : " by " + name(s.because));
    say(std::string(to_string(e.status)) + " without an attempt: " + list +
        (e.message.empty() ? "" : " (" + e.message + ")"));
  }
  void print(const run_stopping& e) { say("run stopping: " + std::string(shown(e.cause))); }
  void print(const run_finished& e) {
    std::string counts;
    for (std::size_t i = 0; i < e.counts.size(); ++i)
      if (e.counts[i] != 0)
        counts += (counts.empty() ? "" : ", ") + std::to_string(e.counts[i]) + " " +
                  std::string(to_string(static_cast<asset_status>(i)));
    say("run finished: " + std::string(to_string(e.status)) + " (" + counts + ")");
  }
  template <class Event>
  void print(const Event&) {
    misread("an event that a run does not have");
  }

  void print(const examine_asset& e) { say("> examine " + name(e.asset)); }
  void print(const grant_attempt& e) { say("> grant " + name(e.asset) + " attempt " + std::to_string(e.attempt)); }
  void print(const announce_settled& e) {
    say("> settled " + name(e.asset) + " " + std::string(to_string(e.status)) +
        (e.because == e.asset ? "" : " by " + name(e.because)));
  }
  void print(const check_discovered& e) {
    say("> check what " + name(e.asset) + " attempt " + std::to_string(e.attempt) + " discovered");
  }
  void print(const tell_warning& e) { say("> warning: " + e.what.text); }
  void print(const end_attempts& e) { say(std::string("> end attempts ") + (e.at_once ? "at once" : "gracefully")); }
  void print(const wake_at& e) {
    armed_ = e.number;
    say("> wake at " + shown(e.when));
  }
  void print(const demand_changed& e) { say("> demand: " + text_of(e.demand)); }
  void print(const run_is_over& e) { say("> run is over: " + std::string(to_string(e.status))); }
  void print(const internal_error& e) { say("> internal error: " + e.message); }

  scenario_header header_;
  std::unique_ptr<pipeline> p_;
  std::unique_ptr<asset_graph> graph_;
  std::unique_ptr<run_logic> logic_;
  std::vector<event> history_;
  timestamp now_ = start_of_time;
  std::uint64_t armed_ = 0;
  std::uint64_t budgets_ = 0;
  std::vector<std::string> printed_;
  std::ostringstream out_;
};

} // namespace

std::string replay_scenario(std::string_view text) {
  return scenario().replay(text);
}

} // namespace troupe_internal::test
