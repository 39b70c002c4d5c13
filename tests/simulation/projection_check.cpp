// Two ways to read a history.
#include "projection_check.hpp"
#include "require.hpp"

#include "core/journal/memory_tables.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace troupe_internal::test {

namespace {

void require_equal(bool holds, const std::string& what) {
  require(holds, "(4) " + what);
}

/// One asset, by plain reading.
struct asset_reading {
  run_number run; ///< of the last attempt
  std::uint32_t attempt = 0;
  attempt_state state = attempt_state::none;
  bool open = false;
  std::int32_t process_group = 0;
  std::optional<std::uint32_t> made_by; ///< attempt of the last success
  std::optional<digest> made;
};

attempt_state reading_of(outcome_kind outcome) {
  switch (outcome) {
  case outcome_kind::succeeded:
    return attempt_state::succeeded;
  case outcome_kind::cancelled:
    return attempt_state::cancelled;
  case outcome_kind::interrupted:
    return attempt_state::interrupted;
  default:
    return attempt_state::failed;
  }
}

void read(const event& e, std::map<asset_id, asset_reading>& assets) {
  if (const auto* started = std::get_if<attempt_started>(&e)) {
    auto& one = assets[started->asset];
    one.run = started->run;
    one.attempt = started->attempt;
    one.state = attempt_state::running;
    one.open = true;
    one.process_group = 0;
  } else if (const auto* spawned = std::get_if<attempt_spawned>(&e)) {
    assets[spawned->asset].process_group = spawned->process_group;
  } else if (const auto* finished = std::get_if<attempt_finished>(&e)) {
    auto& one = assets[finished->asset];
    one.open = false;
    one.state = reading_of(finished->outcome);
    if (finished->made) {
      one.made_by = finished->attempt;
      if (finished->made->data_version) // else it is as before
        one.made = finished->made->data_version;
    }
  }
}

void check_asset(const asset_reading& read, const asset_record& shown) {
  require_equal(shown.attempt == read.state && shown.attempt_number == read.attempt,
                "the last attempt of an asset is shown as another");
  require_equal(shown.last.has_value() == read.made_by.has_value(),
                read.made_by ? "what an asset made is not shown" : "an asset is shown as made that was not");
  require_equal(!shown.last || (shown.last->attempt == *read.made_by && shown.last->made.data_version == *read.made),
                "the last materialization of an asset is shown as another");
}

void check_runs(const std::vector<event>& events, const memory_tables& shown) {
  struct reading {
    run_state state;
    std::uint32_t attempts = 0;
  };
  std::map<run_number, reading> runs;
  for (const auto& e : events)
    std::visit(
        [&](const auto& it) {
          if constexpr (requires { it.run; }) {
            auto& run = runs[it.run];
            run.state.apply(e);
            run.attempts += std::holds_alternative<attempt_started>(e) ? 1 : 0;
          }
        },
        e);
  require_equal(shown.runs.size() == runs.size(), "a run is shown that was not, or the reverse");
  for (const auto& [number, read] : runs) {
    const auto record = shown.runs.find(number);
    require_equal(record != shown.runs.end() && read.state.started(), "a run is shown that was not, or the reverse");
    const auto& run = record->second;
    const auto finished = read.state.finished();
    require_equal(run.status == finished.value_or(run_status::running), "a run is shown with another status");
    require_equal(!finished || run.counts == read.state.counts(), "a run is shown with other counts");
    require_equal(run.finished_at.has_value() == finished.has_value(), "a run is shown as ended that is not");
    require_equal(run.attempts == read.attempts, "a run is shown with another number of attempts");
  }
}

} // namespace

event names_of(const random_case& on) {
  names_interned names;
  names.names.resize(3 * on.ids.size(), "test/none");
  for (std::size_t i = 0; i < names.names.size(); ++i)
    names.names[i] = "test/unused" + std::to_string(i);
  for (std::size_t i = 0; i < on.ids.size(); ++i)
    names.names[on.ids[i].value] = "test/" + std::string(on.p->assets[i].name);
  return names;
}

std::vector<open_attempt> check_projections(const std::vector<event>& events) {
  memory_tables shown;
  projector fold(shown);
  std::map<asset_id, asset_reading> assets;
  for (const auto& e : events) {
    const auto folded = fold.apply(shown.state.last_seq + 1, e);
    require_equal(folded.has_value(), folded ? "" : "an event cannot be folded: " + folded.error().message);
    read(e, assets);
  }
  require_equal(shown.state.last_seq == events.size(), "events are not counted");
  require_equal(shown.state.closed_cleanly == (events.empty() || std::holds_alternative<writer_closed>(events.back())),
                "a writer that died is shown as closed, or the reverse");
  std::vector<open_attempt> open;
  for (const auto& [key, attempt] : shown.open_attempts) {
    const auto& one = assets[attempt.asset];
    require_equal(one.open && one.attempt == attempt.attempt, "an attempt is shown as open that is not");
    require_equal(one.process_group == attempt.process_group, "the process of an attempt is shown as another");
    open.push_back(attempt);
  }
  for (const auto& [id, one] : assets) {
    const auto record = shown.assets.find(id);
    require_equal(record != shown.assets.end(), "an asset is not shown");
    check_asset(one, record->second);
    require_equal(one.open == shown.open_attempts.contains({one.run, id}), "an attempt that is open is not shown");
  }
  check_runs(events, shown);
  return open;
}

} // namespace troupe_internal::test
