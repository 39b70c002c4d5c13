// Makes up the history of a state from a seed: batches of events as supervisors would append them, with runs that
// overlap, fail, are resumed, interrupted or execute nothing. Valid by the rules of core/model/event.hpp, and in an
// order that core/run/run_state can fold.
#pragma once

#include "core/model/delta.hpp"
#include "core/model/event.hpp"
#include "core/run/run_state.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace troupe_internal::test {

class history_maker {
public:
  explicit history_maker(std::uint64_t seed) : random_(seed) {}

  /// The next 1 to 8 events, and more where a run ends.
  std::vector<event> next_batch() {
    std::vector<event> batch;
    if (!opened_)
      open_writer(batch);
    const auto wanted = 1 + below(8);
    while (batch.size() < wanted)
      step(batch);
    return batch;
  }
  /// The writer dies or leaves: its attempts stay open or not, the next one begins with writer_opened.
  std::vector<event> reopen(bool cleanly) {
    std::vector<event> batch;
    if (cleanly && opened_)
      batch.push_back(writer_closed{tick()});
    open_writer(batch);
    return batch;
  }

  /// A run of so many new assets, all of them waiting.
  std::vector<event> big_run(std::uint32_t assets) {
    names_interned names{asset_id(assets_), {}, {}};
    run_started e{run_number(++last_run_), {}, tick(), "demo", {}, {}, {{asset_id(assets_), {}}}, {}};
    for (auto n = assets; n > 0; --n)
      names.names.push_back("demo/asset_" + std::to_string(assets_++));
    e.waiting[0].second = asset_id(assets_ - 1);
    begin(e);
    return {std::move(names), std::move(e)};
  }
  [[nodiscard]] run_number last_run() const { return run_number(last_run_); }
  /// A run that has not finished.
  [[nodiscard]] std::optional<run_number> open_run() const {
    for (const auto& [number, run] : runs_)
      if (!run.finished())
        return number;
    return std::nullopt;
  }
  /// What would be kept of a run now.
  [[nodiscard]] std::string checkpoint_of(run_number run) const { return runs_.at(run).encode(); }

private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  timestamp tick() { return now_ += std::chrono::microseconds(1 + below(1'000'000)); }
  digest some_digest() { return quick_digest(std::to_string(below(50))); }
  path_id some_path() { return path_id(static_cast<std::uint32_t>(below(paths_))); }
  asset_id some_asset() { return asset_id(static_cast<std::uint32_t>(below(assets_))); }

  void open_writer(std::vector<event>& batch) {
    opened_ = true;
    batch.push_back(writer_opened{tick(), "boot-" + std::to_string(below(3)), 4711});
    if (assets_ == 0) {
      intern_names(batch);
      intern_paths(batch);
    }
  }
  void intern_names(std::vector<event>& batch) {
    names_interned e{asset_id(assets_), {}};
    for (auto n = 1 + below(5); n > 0; --n)
      e.names.push_back("demo/asset_" + std::to_string(assets_++));
    batch.push_back(std::move(e));
  }
  void intern_paths(std::vector<event>& batch) {
    paths_interned e{path_id(paths_), {}};
    for (auto n = 1 + below(9); n > 0; --n)
      e.paths.push_back("demo/" + std::string(below(40), 'x') + std::to_string(paths_++));
    batch.push_back(std::move(e));
  }
  /// A run is queued, or a queued one starts or leaves the queue.
  void change_queue(std::vector<event>& batch) {
    if (queue_.empty() || below(2) == 0) {
      run_queued e{run_number(++last_run_), {}, tick(), "demo"};
      e.id.bytes[15] = static_cast<std::uint8_t>(last_run_);
      e.cause = {cause_kind::trigger, "nightly", {take_event(batch, e.run)}, ""};
      queue_.push_back(e.run);
      batch.push_back(std::move(e));
      return;
    }
    if (below(3) == 0) { // another event joins one that waits
      const auto run = queue_[below(queue_.size())];
      const auto joins = take_event(batch, run);
      batch.push_back(event_settled{joins, tick(), event_fate::coalesced, run, "a run of the trigger waits"});
      return;
    }
    const auto taken = queue_.begin() + static_cast<std::ptrdiff_t>(below(queue_.size()));
    const auto run = *taken;
    queue_.erase(taken);
    if (below(3) == 0)
      batch.push_back(run_dequeued{run, tick(), dequeue_reason::expired});
    else
      start_run(batch, run);
  }
  /// A tick, for this run.
  std::uint64_t take_event(std::vector<event>& batch, run_number run) {
    know_trigger(batch);
    event_taken e;
    e.event = ++last_event_;
    e.trigger = trigger_name;
    e.at = tick();
    e.nominal = last_nominal_ + std::chrono::seconds(1 + below(3));
    e.after = *e.nominal - std::chrono::seconds(1);
    e.bound_run = run;
    last_nominal_ = *e.nominal;
    if (below(4) == 0)
      e.key = "key-" + std::to_string(last_event_);
    batch.push_back(std::move(e));
    return last_event_;
  }
  void know_trigger(std::vector<event>& batch) {
    if (last_event_ == 0)
      batch.push_back(trigger_changed{trigger_name, tick(), some_digest()});
  }
  /// What happens to triggers without a run.
  void change_trigger(std::vector<event>& batch) {
    if (last_event_ == 0)
      return change_queue(batch);
    switch (below(12)) {
    case 4:
      return watch_files(batch);
    case 5:
      return batch.push_back(cursor_moved{trigger_name, tick(), "page " + std::to_string(below(100)), ""});
    case 6:
    case 7:
      return change_notices(batch);
    case 8:
      return batch.push_back(keys_forgotten{trigger_name, tick(), {"key-1", "key-2", "never seen"}, "someone"});
    case 9:
      return batch.push_back(
          key_used{"demo/", "key-" + std::to_string(below(4)), some_digest(), run_number(1 + last_run_), tick()});
    case 10:
      return batch.push_back(changes_seen{trigger_name, tick(), 1, {}, {}});
    case 0:
      return batch.push_back(trigger_paused{trigger_name, tick(), "for a while", "someone"});
    case 1:
      return batch.push_back(trigger_resumed{trigger_name, tick(), "someone"});
    case 2:
      return batch.push_back(
          ticks_missed{trigger_name, tick(), last_nominal_, last_nominal_ + std::chrono::seconds(9), 1 + below(9)});
    case 3:
      return batch.push_back(trigger_changed{trigger_name, tick(), some_digest()});
    default:
      const auto event = take_event(batch, {});
      return batch.push_back(event_settled{event, tick(), event_fate::skipped, {}, "a run is open"});
    }
  }
  void watch_files(std::vector<event>& batch) {
    files_watched e{trigger_name, tick(), {}};
    for (auto n = 1 + below(4); n > 0; --n) {
      watched_file file{"inbox/" + std::to_string(below(20)), {}};
      if (below(3) != 0)
        file.record = {{file_kind::file, below(10'000), to_unix_ns(tick()), to_unix_ns(tick()), below(1'000)},
                       some_digest()};
      e.files.push_back(std::move(file));
    }
    batch.push_back(std::move(e));
  }
  /// One comes, or is delivered.
  void change_notices(std::vector<event>& batch) {
    if (!deliveries_.empty() && below(2) == 0) {
      const auto at = deliveries_.begin() + static_cast<std::ptrdiff_t>(below(deliveries_.size()));
      batch.push_back(notice_settled{at->first, at->second, tick(), static_cast<delivery_end>(below(3)), 2, "no"});
      deliveries_.erase(at);
      return;
    }
    notice_taken e{++last_notice_, tick(), notice_kind::failed, "demo", "demo/nightly", {}, "exit status 1"};
    e.targets = {"ops", "chat"};
    e.targets.resize(below(3));
    for (const auto& target : e.targets)
      deliveries_.emplace_back(e.notice, target);
    e.closes = lasting_;
    e.opens = below(2) == 0;
    lasting_ = e.opens ? e.notice : 0;
    batch.push_back(std::move(e));
  }
  void start_run(std::vector<event>& batch, run_number number) {
    run_started e{number, {}, tick(), "demo", {}, {}, {}};
    e.id.bytes[15] = static_cast<std::uint8_t>(number.value);
    e.request.selection = {"+report"};
    const auto fresh = below(assets_); // the first of them
    if (fresh > 0)
      e.fresh = {{asset_id(0U), asset_id(static_cast<std::uint32_t>(fresh - 1))}};
    e.waiting = {{asset_id(static_cast<std::uint32_t>(fresh)), asset_id(assets_ - 1)}};
    begin(e);
    batch.push_back(std::move(e));
  }
  void begin(const run_started& e) { static_cast<void>(runs_[e.run].try_apply(e, assets_)); }
  /// Adds the event if it can follow what happened in the run so far.
  bool offer(std::vector<event>& batch, run_state& run, event e) {
    auto after = run;
    if (after.try_apply(e, assets_) != nullptr)
      return false;
    run = std::move(after);
    batch.push_back(std::move(e));
    return true;
  }
  void step(std::vector<event>& batch) {
    if (paths_ == 0) // after a big run
      return intern_paths(batch);
    if (below(12) == 0)
      return below(3) == 0 ? change_trigger(batch) : change_queue(batch);
    if (runs_.empty() || (below(6) == 0 && open_runs() < 3))
      return start_run(batch, run_number(++last_run_));
    auto it = std::next(runs_.begin(), static_cast<std::ptrdiff_t>(below(runs_.size())));
    auto& [number, run] = *it;
    if (run.finished()) {
      if (below(4) == 0)
        offer(batch, run, run_resumed{number, tick()});
      else if (runs_.size() > 6)
        runs_.erase(it);
      return;
    }
    const auto asset = run.id_at(static_cast<std::uint32_t>(below(run.size())));
    switch (below(13)) {
    case 12:
      return define(batch);
    case 0:
      return intern_names(batch);
    case 1:
      return intern_paths(batch);
    case 2:
      offer(batch, run, asset_found_fresh{number, asset, tick(), some_waits()});
      return;
    case 3:
      return observe(batch);
    case 4:
      offer(batch, run, assets_settled{number, tick(), asset_status::blocked, "", {{asset, some_asset()}}});
      return;
    case 5:
    case 6:
      return end(batch, number, run);
    default:
      return attempt(batch, number, run, asset);
    }
  }
  void end(std::vector<event>& batch, run_number number, run_state& run) {
    for (std::uint32_t i = 0; i < run.size(); ++i)
      if (run.at(i).open)
        offer(batch, run, attempt_finished{number, run.id_at(i), run.at(i).attempts, tick(), outcome_kind::cancelled});
    offer(batch, run, run_finished{number, tick(), run_status::failed, run.counts()});
  }
  static asset_definition definition(std::uint64_t number) {
    asset_definition made;
    made.form = command_form::shell;
    made.command = {"make number " + std::to_string(number)};
    made.shell = "/bin/sh";
    made.inputs = {"in/*.txt"};
    return made;
  }
  void define(std::vector<event>& batch) {
    const auto first = some_asset();
    const auto last = std::min<std::uint64_t>(assets_ - 1, first.value + below(3));
    auto made = definition(below(8));
    const auto of = digest_of(made);
    batch.push_back(definition_recorded{{{first, asset_id(static_cast<std::uint32_t>(last))}}, of, std::move(made)});
  }
  std::vector<recorded_wait> some_waits() {
    std::vector<recorded_wait> waits;
    if (below(2) == 0)
      waits.push_back({wait_kind::asset, some_asset(), {}, {}, 1 + below(9'000)});
    if (below(3) == 0)
      waits.push_back({wait_kind::pool, {}, {}, "db", 1 + below(9'000)});
    return waits;
  }
  void observe(std::vector<event>& batch) {
    files_observed e;
    for (auto n = 1 + below(3); n > 0; --n) {
      const auto ns = to_unix_ns(tick());
      e.files.push_back({some_path(), {{file_kind::file, below(10'000), ns, ns + 5, below(1'000)}, some_digest()}});
    }
    batch.push_back(std::move(e));
  }
  void attempt(std::vector<event>& batch, run_number run, run_state& state, asset_id asset) {
    const auto& a = state.at(*state.position(asset));
    if (!a.open) {
      const auto number = a.attempts + 1;
      if (!offer(batch, state,
                 attempt_started{
                     run, asset, number, tick(), {{reason_kind::input_changed, "raw/in.txt"}}, {}, some_waits()}))
        return;
      if (below(5) != 0)
        batch.push_back(attempt_spawned{run, asset, number, static_cast<std::int32_t>(below(30'000)), below(90'000)});
      return;
    }
    const auto number = a.attempts;
    attempt_finished e{run, asset, number, tick()};
    if (below(3) != 0)
      e.resources = {std::chrono::microseconds(below(9'000'000)),
                     std::chrono::microseconds(below(90'000)),
                     below(1'000'000),
                     below(2) == 0,
                     below(100),
                     below(100)};
    if (below(4) == 0) {
      e.outcome = static_cast<outcome_kind>(1 + below(9));
      e.message = "it went wrong";
      if (is_failure(e.outcome) && below(2) == 0)
        e.retry_at = e.at + std::chrono::seconds(below(9));
    } else {
      fingerprint from;
      production made;
      from.command = some_digest();
      for (std::uint32_t i = 0; i < paths_ && i < 6; ++i)
        if (below(2) == 0)
          from.inputs.push_back({path_id(i), some_digest()});
      made.outputs = {{some_path(), some_digest()}};
      made.data_version = made.outputs[0].content;
      const auto last = last_.find(asset);
      e.made = make_delta(last != last_.end() ? &last->second : nullptr, from, made, std::chrono::seconds(below(9)));
      if (below(2) == 0)
        e.made->definition = digest_of(definition(below(10))); // some are recorded by nobody
      last_[asset] = apply_delta(last != last_.end() ? &last->second : nullptr, *e.made, run, number, e.at);
    }
    offer(batch, state, std::move(e));
  }
  [[nodiscard]] std::size_t open_runs() const {
    return static_cast<std::size_t>(
        std::count_if(runs_.begin(), runs_.end(), [](const auto& r) { return !r.second.finished(); }));
  }

  std::mt19937_64 random_;
  timestamp now_ = from_unix_ns(1'790'000'000'000'000'000);
  bool opened_ = false;
  static constexpr const char* trigger_name = "demo/nightly";
  std::vector<run_number> queue_;
  std::uint64_t last_event_ = 0;
  std::uint64_t last_notice_ = 0, lasting_ = 0;
  std::vector<std::pair<std::uint64_t, std::string>> deliveries_; ///< notices and targets
  timestamp last_nominal_ = from_unix_ns(1'790'000'000'000'000'000);
  std::uint32_t assets_ = 0;
  std::uint32_t paths_ = 0;
  std::uint32_t last_run_ = 0;
  std::map<run_number, run_state> runs_;
  std::map<asset_id, materialization> last_;
};

} // namespace troupe_internal::test
