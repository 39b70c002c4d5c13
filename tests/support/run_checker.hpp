// What must be true of a run's history, whatever happens: fed event by event, it keeps books of its own and throws at
// the first violation. Knows nothing of run_logic. The numbers are those of the invariants in docs/architecture.md.
#pragma once

#include "core/journal/event_codec.hpp"
#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/run/run_state.hpp"
#include "support/discoveries.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe_internal::test {

class run_checker {
public:
  /// `ids` by asset_index. `never_made`: assets with what they need from outside the run, never materialized.
  run_checker(const pipeline& p, const asset_graph& graph, std::vector<asset_id> ids, std::uint32_t workers,
              const std::vector<std::pair<asset_index, asset_index>>& never_made = {})
      : p_(p), graph_(graph), ids_(std::move(ids)), workers_(workers), books_(p.assets.size()),
        priority_(p.assets.size(), 0) {
    for (std::uint32_t i = 0; i < ids_.size(); ++i)
      index_.emplace(ids_[i].value, i);
    lacks(never_made);
  }

  /// From now on (a resume may find that another run has made it) these need something from outside the run that was
  /// never materialized.
  void lacks(const std::vector<std::pair<asset_index, asset_index>>& never_made) {
    lacks_.assign(books_.size(), false);
    never_was_.assign(books_.size(), false);
    for (const auto& [asset, missing] : never_made) {
      lacks_[asset.value] = true;
      never_was_[missing.value] = true;
    }
  }

  /// From now on the error strategy is held against the events too.
  void expect(error_strategy strategy) { strategy_ = strategy; }
  /// The times of a segment never go back: they are held against the waits of the retry policy too.
  void expect_steady_clock() { steady_ = true; }
  /// The most urgent of the ready is not overtaken for ever by those that take what falls free in its pools.
  /// `remaining` by asset_index: the longest path that is left.
  void expect_order(std::vector<duration> remaining) { remaining_ = std::move(remaining); }

  /// Assets discover inputs, and successes may be held: `ended` tells whether an open attempt ended well, having
  /// discovered some, so that it takes no worker. Both outlive this.
  void expect_discoveries(const discoveries& discovered, std::function<bool(asset_index, std::uint32_t)> ended) {
    discovered_ = &discovered;
    ended_ = std::move(ended);
  }

  void observe(const event& e) {
    if (steady_)
      goes_on(e);
    event_encoder encoder;
    encoder.add(e);
    event_decoder decoder(encoder.bytes());
    const auto again = decoder.next();
    require(again.has_value() && *again == e, "an event is not what its bytes say");
    replayed_.apply(*again);
    std::visit([&](const auto& it) { check(it); }, e);
    ++events_;
  }

  /// 4: live state = replayed state, also after a checkpoint.
  void compare(const run_state& live) const {
    require(live == replayed_, "(4) the live state is not the fold of the events");
    const auto decoded = run_state::decode(live.encode());
    require(decoded.has_value() && *decoded == live, "(4) a checkpoint does not give the state back");
    require(live.open_attempts() == open_, "(7) the open attempts of the state are not those of the events");
    for (std::uint32_t i = 0; i < books_.size(); ++i)
      if (const auto position = live.position(ids_[i]))
        require(live.at(*position).status == books_[i].status, "(7) the status of " + name(i) + " is another");
  }

  [[nodiscard]] bool finished() const { return finished_.has_value(); }
  [[nodiscard]] std::optional<run_status> status() const { return finished_; }
  [[nodiscard]] bool stopping() const { return stopping_.has_value(); }
  [[nodiscard]] const run_state& replayed() const { return replayed_; }
  [[nodiscard]] asset_status status_of(asset_index asset) const { return books_[asset.value].status; }
  [[nodiscard]] bool is_member(asset_index asset) const { return books_[asset.value].in_run; }
  [[nodiscard]] std::uint32_t attempts_of(asset_index asset) const { return books_[asset.value].attempts; }
  [[nodiscard]] bool is_open(asset_index asset) const { return books_[asset.value].open; }
  [[nodiscard]] std::uint32_t open_attempts() const { return open_; }
  /// Open, and ended well: held, or about to be recorded.
  [[nodiscard]] bool is_held(asset_index asset) const {
    const auto& b = books_[asset.value];
    return b.open && ended_ && ended_(asset, b.attempts);
  }
  /// Open attempts that take a worker.
  [[nodiscard]] std::uint32_t working() const {
    std::uint32_t held = 0;
    for (std::uint32_t i = 0; ended_ && i < books_.size(); ++i)
      held += is_held(asset_index(i)) ? 1 : 0;
    return open_ - held;
  }
  [[nodiscard]] std::size_t events() const { return events_; }

  [[nodiscard]] bool satisfied(asset_index asset) const {
    const auto& b = books_[asset.value];
    return !b.in_run || b.status == asset_status::succeeded || b.status == asset_status::fresh ||
           (b.status == asset_status::failed && p_.settings_of(asset).allow_failure);
  }
  [[nodiscard]] bool all_satisfied(asset_index asset) const {
    const auto up = graph_.upstream(asset);
    return std::all_of(up.begin(), up.end(), [&](asset_index u) { return satisfied(u); });
  }
  /// Whether the pools have room for one more attempt of the asset, beside what is kept free for another.
  [[nodiscard]] bool pools_have_room(asset_index asset, std::optional<asset_index> kept_for = {}) const {
    for (const auto& [pool, slots] : p_.settings_of(asset).pools) {
      auto taken = used_of(pool);
      if (kept_for)
        if (const auto kept = p_.settings_of(*kept_for).pools.find(pool); kept != p_.settings_of(*kept_for).pools.end())
          taken += kept->second;
      if (taken + slots > p_.engine.pools.at(pool))
        return false;
    }
    return true;
  }
  /// The most urgent of those for which `waits(asset)` holds: by the highest priority of its own and of what needs it,
  /// then the longest path that is left, then the order of declaration.
  template <class Waits>
  [[nodiscard]] std::optional<asset_index> most_urgent(Waits waits) const {
    std::optional<asset_index> first;
    const auto key = [&](asset_index a) { return std::pair(priority_[a.value], remaining_[a.value]); };
    for (std::uint32_t i = 0; i < books_.size(); ++i)
      if (waits(asset_index(i)) && (!first || key(*first) < key(asset_index(i))))
        first = asset_index(i);
    return first;
  }
  /// Whether the asset waits for a retry that is due at `now` or before.
  [[nodiscard]] bool retry_is_due(asset_index asset, timestamp now) const {
    const auto& b = books_[asset.value];
    return b.status == asset_status::retrying && b.retry_at <= now;
  }

private:
  [[nodiscard]] std::uint32_t used_of(const std::string& pool) const {
    const auto used = used_.find(pool);
    auto slots = used == used_.end() ? 0 : used->second;
    for (std::uint32_t i = 0; ended_ && i < books_.size(); ++i)
      if (is_held(asset_index(i)))
        if (const auto& pools = p_.settings_of(asset_index(i)).pools; pools.contains(pool))
          slots -= pools.at(pool);
    return slots;
  }

  struct book {
    bool in_run = false;
    asset_status status = asset_status::waiting;
    bool open = false;
    std::uint32_t attempts = 0;
    std::uint32_t in_segment = 0;
    timestamp retry_at;
    duration waited{}; ///< before the last retry of this segment
    bool ever_succeeded = false;
    bool outdated = false; ///< its last attempt
    asset_index because;
  };

  static void require(bool holds, const std::string& what) {
    if (!holds)
      throw std::runtime_error(what);
  }
  [[nodiscard]] std::string name(std::uint32_t i) const { return std::string(p_.assets[i].name); }

  book& of(asset_id id) {
    const auto at = index_.find(id.value);
    require(at != index_.end(), "an event names an unknown asset");
    return books_[at->second];
  }
  std::uint32_t index(const book& b) const { return static_cast<std::uint32_t>(&b - books_.data()); }

  void end(book& b, asset_status status) {
    require(b.in_run, "(3) " + name(index(b)) + " is not in the run");
    require(!is_final(b.status), "(3) " + name(index(b)) + " gets a second final status");
    b.status = status;
  }
  /// Of what one supervisor decides, nothing is earlier than what stands before it.
  void goes_on(const event& e) {
    std::visit(
        [&](const auto& it) {
          if constexpr (requires {
                          it.run;
                          it.at;
                        }) {
            const bool begins = std::holds_alternative<run_started>(e) || std::holds_alternative<run_resumed>(e);
            require(begins || it.at >= last_at_ || is_interruption(e), "(7) time goes back");
            last_at_ = begins ? timestamp() : it.at;
          }
        },
        e);
  }
  /// Recorded by the next writer, by its clock.
  static bool is_interruption(const event& e) {
    const auto* finished = std::get_if<attempt_finished>(&e);
    return finished != nullptr && finished->outcome == outcome_kind::interrupted;
  }
  void must_be_going_on() const {
    require(started_ && !finished_, "(3) something happens in a run that is not going on");
  }
  /// A root of what blocks: failed and not allowed to, cancelled, or missing outside.
  [[nodiscard]] bool is_root(asset_index asset) const {
    const auto& b = books_[asset.value];
    if (!b.in_run)
      return never_was_[asset.value];
    return b.status == asset_status::cancelled || (b.status == asset_status::failed && !satisfied(asset));
  }
  [[nodiscard]] bool discovers(asset_index asset, asset_index maker) const {
    const auto& makers = (*discovered_)[asset.value];
    return std::find(makers.begin(), makers.end(), maker) != makers.end();
  }
  /// 9: nobody of whom the asset discovered something can still write it.
  void nobody_writes_what_it_discovered(asset_index asset) const {
    if (discovered_ == nullptr)
      return;
    for (const auto maker : (*discovered_)[asset.value]) {
      const auto& b = books_[maker.value];
      require(!b.in_run || is_final(b.status) || (stopping_ && !b.open) ||
                  needs_somehow(graph_, *discovered_, maker, asset),
              "(9) the success of " + name(asset.value) + " is recorded before " + name(maker.value) +
                  ", whose output it discovered, is settled");
    }
  }
  /// Something that it discovered is made by an asset that did not succeed.
  [[nodiscard]] bool discovered_failure(asset_index asset) const {
    if (discovered_ == nullptr)
      return false;
    const auto& makers = (*discovered_)[asset.value];
    return std::any_of(makers.begin(), makers.end(), [&](asset_index maker) { return !satisfied(maker); });
  }
  [[nodiscard]] bool reaches(asset_index from, asset_index to) const {
    std::vector<bool> seen(books_.size(), false);
    std::vector<asset_index> found{from};
    for (std::size_t next = 0; next < found.size(); ++next) {
      if (found[next] == to)
        return true;
      const auto go_on = [&](asset_index d) {
        if (!seen[d.value]) {
          seen[d.value] = true;
          found.push_back(d);
        }
      };
      for (const auto d : graph_.downstream(found[next]))
        go_on(d);
      for (std::uint32_t i = 0; discovered_ != nullptr && i < books_.size(); ++i)
        if (discovers(asset_index(i), found[next]))
          go_on(asset_index(i));
    }
    return false;
  }

  void check(const run_started& e) {
    require(!started_, "a run starts twice");
    started_ = true;
    for (const auto& [set, status] : {std::pair(&e.fresh, asset_status::fresh), {&e.waiting, asset_status::waiting}})
      for (const auto& [first, last] : *set)
        for (auto id = first.value; id <= last.value; ++id) {
          of(asset_id(id)).in_run = true;
          of(asset_id(id)).status = status;
        }
    inherit_priorities();
  }
  void check(const run_resumed& e) {
    require(started_ && open_ == 0, "a run is resumed with attempts open");
    finished_.reset();
    stopping_.reset();
    must_stop_ = false;
    const auto is_done = [](const book& b) {
      return b.status == asset_status::succeeded || b.status == asset_status::fresh;
    };
    const auto wait_again = [](book& b) {
      b.status = asset_status::waiting;
      b.in_segment = 0;
      b.waited = {};
      b.outdated = false;
    };
    for (auto& b : books_)
      if (!is_done(b))
        wait_again(b);
    for (const auto& [first, last] : e.reopened)
      for (auto id = first.value; id <= last.value; ++id) {
        auto& b = of(asset_id(id));
        require(b.in_run && is_done(b), "(5) " + name(index(b)) + " is reopened, and was not done");
        wait_again(b);
        b.ever_succeeded = false; // what it made is lost, or made from something that is
      }
    for (std::uint32_t i = 0; i < books_.size(); ++i)
      require(!books_[i].in_run || !is_done(books_[i]) || all_satisfied(asset_index(i)),
              "(5) " + name(i) + " counts as done, and what it needs is made again");
    inherit_priorities();
  }
  /// Those that are done before anything starts lend none.
  void inherit_priorities() {
    overtaken_ = 0;
    urgent_.reset();
    for (std::uint32_t i = 0; i < books_.size(); ++i)
      priority_[i] = p_.settings_of(asset_index(i)).priority;
    const auto& order = graph_.topological_order();
    for (std::size_t k = order.size(); k-- > 0;)
      for (const auto dependent : graph_.downstream(order[k]))
        if (books_[dependent.value].in_run && !is_final(books_[dependent.value].status))
          priority_[order[k].value] = std::max(priority_[order[k].value], priority_[dependent.value]);
  }
  /// Whoever held a slot when the most urgent became ready may still start; no more than there are workers.
  void check_order(asset_index starting) {
    if (remaining_.empty())
      return;
    const auto urgent = most_urgent([&](asset_index a) {
      const auto& b = books_[a.value];
      return b.in_run && !b.open && !is_final(b.status) && all_satisfied(a);
    });
    if (std::exchange(urgent_, urgent) != urgent)
      overtaken_ = 0;
    if (!urgent || *urgent == starting || books_[urgent->value].status != asset_status::waiting ||
        pools_have_room(*urgent))
      return;
    const auto& wanted = p_.settings_of(*urgent).pools;
    const auto& taken = p_.settings_of(starting).pools;
    if (std::any_of(taken.begin(), taken.end(), [&](const auto& pool) { return wanted.contains(pool.first); }))
      require(++overtaken_ <= workers_, "(8) " + name(urgent->value) +
                                            ", the most urgent of the ready, is overtaken by " + name(starting.value) +
                                            " and others in its own pools");
  }
  /// The oracle of core/run/backoff: what a wait may be.
  void check_wait(const book& b, const retry_policy& retry, duration wait) const {
    const auto who = name(index(b));
    const auto first = retry.delay;
    const auto limit = std::max(retry.delay, retry.max_delay);
    duration most = first;
    for (std::uint32_t failed = 1; failed < b.in_segment; ++failed)
      most = retry.backoff == backoff::fixed    ? most
             : retry.backoff == backoff::linear ? std::min(most + first, limit)
                                                : std::min(most * 2, limit);
    duration least = most;
    if (retry.jitter == jitter::full)
      least = duration::zero();
    else if (retry.jitter == jitter::equal)
      least = most / 2;
    else if (retry.jitter == jitter::decorrelated) {
      least = first;
      most = std::min(limit, std::max(first, b.waited) * 3);
    }
    require(least <= wait && wait <= most, "(7) the wait before the next attempt of " + who + " is not the policy's");
  }
  /// After a failure that is not allowed.
  void failed(const book& b) {
    if (!satisfied(asset_index(index(b))) && strategy_ && *strategy_ != error_strategy::continue_)
      must_stop_ = true;
  }
  void nothing_must_stop(const std::string& who) const {
    require(!must_stop_, "something begins after a failure that ends the run: " + who);
  }
  void check(const asset_found_fresh& e) {
    must_be_going_on();
    auto& b = of(e.asset);
    require(all_satisfied(asset_index(index(b))), "(1) " + name(index(b)) + " is fresh before what it needs is done");
    require(b.status == asset_status::waiting, "a failed attempt is followed by fresh: " + name(index(b)));
    require(!stopping_, "an asset is found fresh in a run that is stopping: " + name(index(b)));
    nothing_must_stop(name(index(b)));
    end(b, asset_status::fresh);
  }
  void check(const attempt_started& e) {
    must_be_going_on();
    auto& b = of(e.asset);
    const auto who = name(index(b));
    require(!stopping_, "something starts in a run that is stopping: " + who);
    nothing_must_stop(who);
    require(!steady_ || b.status != asset_status::retrying || e.at >= b.retry_at,
            "(7) " + who + " does not wait its wait out");
    require(all_satisfied(asset_index(index(b))), "(1) " + who + " starts before what it needs is done");
    require(!b.open, "(2) " + who + " has two attempts at once");
    require(!b.ever_succeeded, "(5) " + who + " runs again after it succeeded");
    require(b.in_run && !is_final(b.status), "(3) " + who + " starts after its end");
    require(e.attempt == b.attempts + 1, "the attempts of " + who + " skip a number");
    if (std::exchange(b.outdated, false))
      for (const auto maker : (*discovered_)[index(b)])
        // What an asset outside the run left is not made in it: the file is what it is.
        require(!books_[maker.value].in_run || !is_root(maker) ||
                    needs_somehow(graph_, *discovered_, maker, asset_index(index(b))),
                "(9) " + who + " is made once more from what " + name(maker.value) + " left, which did not succeed");
    require(b.in_segment < p_.settings_of(asset_index(index(b))).retry.attempts, who + " is tried too often");
    require(e.reasons.empty() == (b.in_segment > 0), who + ": the first attempt has reasons, the others have none");
    require(working() < workers_, "(2) more attempts than workers");
    check_order(asset_index(index(b)));
    require(pools_have_room(asset_index(index(b))), "(2) a pool is overdrawn by " + who);
    for (const auto& [pool, slots] : p_.settings_of(asset_index(index(b))).pools)
      used_[pool] += slots;
    b.open = true;
    ++open_;
    ++b.attempts;
    ++b.in_segment;
    b.status = asset_status::running;
  }
  void check(const attempt_spawned& e) {
    must_be_going_on();
    require(of(e.asset).open && of(e.asset).attempts == e.attempt, "a process of an attempt that is not open");
  }
  void check(const attempt_finished& e) {
    must_be_going_on();
    auto& b = of(e.asset);
    const auto who = name(index(b));
    require(b.open && b.attempts == e.attempt, "an attempt of " + who + " ends that is not open");
    require(e.made.has_value() == (e.outcome == outcome_kind::succeeded), "made without success, or the reverse");
    b.open = false;
    --open_;
    for (const auto& [pool, slots] : p_.settings_of(asset_index(index(b))).pools)
      used_[pool] -= slots;
    const auto& retry = p_.settings_of(asset_index(index(b))).retry;
    const bool listed = retry.on_exit_codes.empty() ||
                        (e.outcome == outcome_kind::exited && contains(retry.on_exit_codes, e.exit_code)) ||
                        (e.outcome == outcome_kind::signalled && contains(retry.on_exit_codes, 128 + e.signal));
    const bool may_retry = e.outcome != outcome_kind::succeeded && e.outcome != outcome_kind::cancelled &&
                           e.outcome != outcome_kind::interrupted && e.outcome != outcome_kind::not_started &&
                           (e.outcome == outcome_kind::timed_out ? retry.on_timeout : listed);
    if (e.outcome == outcome_kind::outdated) {
      require(discovered_ != nullptr && !(*discovered_)[index(b)].empty(),
              "an attempt of " + who + " is outdated that discovered nothing");
      require(e.retry_at == (stopping_ ? std::nullopt : std::optional(e.at)),
              "(7) " + who + " is outdated and not made once more, or made once more in a run that is stopping");
      --b.in_segment;
      if (!e.retry_at)
        return end(b, asset_status::cancelled);
      b.outdated = true;
      b.retry_at = *e.retry_at;
      b.status = asset_status::retrying;
      return;
    }
    require(e.retry_at.has_value() == (may_retry && !stopping_ && b.in_segment < retry.attempts),
            "(7) " + who + " is tried again against its policy, or not tried again");
    if (e.retry_at) {
      require(!stopping_, "a run that is stopping tries again");
      check_wait(b, retry, *e.retry_at - e.at);
      b.retry_at = *e.retry_at;
      b.waited = *e.retry_at - e.at;
      require(*e.retry_at >= e.at, "a retry before its time");
      require(e.outcome != outcome_kind::succeeded && e.outcome != outcome_kind::cancelled &&
                  e.outcome != outcome_kind::interrupted && e.outcome != outcome_kind::not_started,
              "an outcome is retried that must not be");
      b.status = asset_status::retrying;
    } else if (e.outcome == outcome_kind::succeeded) {
      nobody_writes_what_it_discovered(asset_index(index(b)));
      end(b, asset_status::succeeded);
      b.ever_succeeded = true;
    } else if (e.outcome == outcome_kind::cancelled || e.outcome == outcome_kind::interrupted) {
      end(b, asset_status::cancelled);
    } else {
      end(b, asset_status::failed);
      failed(b);
    }
  }
  [[nodiscard]] static bool contains(const std::vector<int>& codes, int code) {
    return std::find(codes.begin(), codes.end(), code) != codes.end();
  }
  void check(const assets_settled& e) {
    must_be_going_on();
    for (const auto& one : e.assets) {
      auto& b = of(one.asset);
      require(!b.open, "an asset is settled while it runs: " + name(index(b)));
      end(b, e.status);
      b.because = asset_index(index(of(one.because)));
    }
    for (const auto& one : e.assets) {
      auto& b = of(one.asset);
      const asset_index asset(index(b));
      if (e.status == asset_status::failed) {
        require(all_satisfied(asset), "(1) " + name(asset.value) + " is examined before what it needs is done");
        failed(b);
      } else if (e.status == asset_status::cancelled) {
        require(stopping_.has_value(), name(asset.value) + " is cancelled in a run that nobody stopped");
      } else {
        require(e.status == asset_status::blocked, "assets are settled as something else");
        require(is_root(b.because), name(asset.value) + " names " + name(b.because.value) + ", which blocks nobody");
        require(b.because != asset && reaches(b.because, asset),
                name(asset.value) + " is blocked by " + name(b.because.value) + ", which it does not need");
      }
    }
  }
  void check(const run_stopping& e) {
    must_be_going_on();
    require(!stopping_, "a run stops twice");
    if (strategy_)
      require(e.cause != stop_cause::failure || must_stop_, "the run stops for a failure that does not end it");
    stopping_ = e.cause;
    must_stop_ = false;
  }
  void check(const run_finished& e) {
    must_be_going_on();
    require(open_ == 0, "(3) the run ends while attempts run");
    status_counts counts{};
    bool cancelled = false;
    bool bad = false;
    for (std::uint32_t i = 0; i < books_.size(); ++i) {
      const auto& b = books_[i];
      if (!b.in_run)
        continue;
      require(is_final(b.status), "(3) the run ends without a final status of " + name(i));
      ++counts[static_cast<std::size_t>(b.status)];
      cancelled = cancelled || b.status == asset_status::cancelled;
      bad = bad || b.status == asset_status::cancelled || b.status == asset_status::blocked ||
            (b.status == asset_status::failed && !satisfied(asset_index(i)));
      const bool missing = lacks_[i];
      if (b.status == asset_status::blocked)
        require(!all_satisfied(asset_index(i)) || missing || discovered_failure(asset_index(i)),
                name(i) + " is blocked by nobody");
      else if (b.status != asset_status::succeeded &&
               b.status != asset_status::fresh) // those may be of an earlier segment
        require(all_satisfied(asset_index(i)) && !missing, name(i) + " should be blocked");
    }
    require(counts == e.counts, "the counts of the run's end are wrong");
    const bool stopped = stopping_ && *stopping_ != stop_cause::failure;
    const auto expected = cancelled && stopped ? run_status::cancelled
                          : bad                ? run_status::failed
                                               : run_status::succeeded;
    require(e.status == expected,
            "the run ends as " + std::string(to_string(e.status)) + ", not as " + std::string(to_string(expected)));
    finished_ = e.status;
  }
  template <class Event>
  void check(const Event&) {}

  const pipeline& p_;
  const asset_graph& graph_;
  std::vector<asset_id> ids_;
  std::uint32_t workers_;
  std::vector<book> books_;
  std::vector<bool> lacks_;            // by asset_index: needs one outside that was never made
  std::vector<bool> never_was_;        // by asset_index: such a one
  std::vector<std::int32_t> priority_; // by asset_index: the highest of its own and of what needs it
  std::vector<duration> remaining_;    // by asset_index; empty: the order is not looked at
  std::optional<asset_index> urgent_;  // the most urgent at the last start,
  std::uint32_t overtaken_ = 0;        // and how often it was overtaken in its pools since
  std::unordered_map<std::uint32_t, std::uint32_t> index_; // by asset_id
  std::optional<error_strategy> strategy_;
  const discoveries* discovered_ = nullptr;
  std::function<bool(asset_index, std::uint32_t)> ended_;
  bool steady_ = false;
  timestamp last_at_;
  bool must_stop_ = false;
  run_state replayed_;
  bool started_ = false;
  std::optional<stop_cause> stopping_;
  std::optional<run_status> finished_;
  std::uint32_t open_ = 0;
  std::map<std::string, std::uint32_t, std::less<>> used_;
  std::size_t events_ = 0;
};

} // namespace troupe_internal::test
