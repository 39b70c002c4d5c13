// Folding.
#include "engine/run_history.hpp"

#include "base/shown_text.hpp"
#include "core/freshness/definition.hpp"
#include "core/run/left_open.hpp"
#include "engine/planning.hpp"

#include <algorithm>

namespace troupe_internal {

namespace {

std::string name_of(run_number run) {
  return "run #" + std::to_string(run.value);
}

} // namespace

result<void> fold_run(const journal_snapshot& snapshot, const run_record& record, std::uint64_t first, run_state& state,
                      const std::function<void(const event&)>& visit) {
  std::optional<error> damage;
  const auto folded = snapshot.visit_events(first, [&](std::uint64_t seq, const event& e) {
    if (seq > record.last_seq)
      return false;
    const bool own = std::visit(
        [&](const auto& it) {
          if constexpr (requires { it.run; })
            return it.run == record.run;
          else
            return false;
        },
        e);
    if (!own)
      return seq < record.last_seq;
    if (const char* problem = state.try_apply(e, snapshot.info().asset_count)) {
      damage = snapshot.damaged_event(seq, problem);
      return false;
    }
    visit(e);
    return seq < record.last_seq;
  });
  if (damage)
    return std::move(*damage);
  if (!folded)
    return folded;
  if (!state.started() || state.id() != record.id)
    return snapshot.damaged_run(record.run, "its events do not begin with its start");
  return {};
}

result<run_record> record_in(const journal_snapshot& snapshot, run_number run) {
  auto record = snapshot.read_run(run);
  if (!record)
    return record.error();
  if (!*record) {
    const auto visited = snapshot.visit_queue([&](const run_queued& queued) {
      if (queued.run == run)
        *record = record_of(queued);
      return queued.run < run;
    });
    if (!visited)
      return visited.error();
  }
  if (!*record)
    return fail(error_code::not_found, "there is no " + name_of(run) + " in this state");
  return std::move(**record);
}

result<run_history> replay_run(const journal_snapshot& snapshot, run_number run) {
  auto record = record_in(snapshot, run);
  if (!record)
    return record.error();
  if (never_started(*record))
    return fail(error_code::invalid_input,
                name_of(run) + (record->dequeued ? " was taken off the queue and never started" : " is queued") +
                    ": there is nothing to resume");
  run_history history;
  history.record = std::move(*record);
  std::uint64_t first = history.record.first_seq;
  const auto checkpoint = snapshot.read_checkpoint(run);
  if (!checkpoint)
    return checkpoint.error();
  if (*checkpoint) {
    auto state = run_state::decode((*checkpoint)->bytes);
    if (!state || state->id() != history.record.id || (*checkpoint)->seq < first ||
        (*checkpoint)->seq > history.record.last_seq)
      return fail(error_code::state_unusable,
                  "the checkpoint of " + name_of(run) + " is damaged: see troupe journal verify");
    history.state = std::move(*state);
    first = (*checkpoint)->seq + 1;
  }
  // Definitions are in the first event, which a checkpoint replaces for the state only.
  run_state at_first;
  const char* problem = nullptr;
  const auto began = snapshot.visit_events(history.record.first_seq, [&](std::uint64_t, const event& e) {
    if (const auto* started = std::get_if<run_started>(&e); started != nullptr && started->run == run) {
      problem = at_first.try_apply(e, snapshot.info().asset_count);
      std::size_t i = 0;
      for (const auto& [from, to] : started->waiting)
        for (auto id = from.value; id <= to.value && i < started->definitions.size(); ++id)
          history.definitions[id] = started->definitions[i++];
    }
    return false;
  });
  if (!began)
    return began.error();
  if (problem != nullptr)
    return snapshot.damaged_event(history.record.first_seq, problem);
  if (!at_first.started())
    return snapshot.damaged_run(run, "its events do not begin with its start");
  if (*checkpoint && !history.state.has_assets_of(at_first))
    return fail(error_code::state_unusable, "the checkpoint of " + name_of(run) + " is of other assets than the run");
  if (const auto folded = fold_run(snapshot, history.record, first, history.state, [](const event&) {}); !folded)
    return folded.error();
  return history;
}

result<std::uint32_t> vain_resumptions_of(const journal_snapshot& snapshot, const run_record& record) {
  vain_resumptions counted;
  run_state state;
  const auto folded = fold_run(snapshot, record, record.first_seq, state, [&](const event& e) { counted.add(e); });
  return folded ? counted.count() : result<std::uint32_t>(folded.error());
}

result<void> changed_definitions(const project& on, const catalog& names, const run_history& history,
                                 const run_state& reopened) {
  std::vector<std::string> changed;
  const auto files = posix_file_system::open(on.p->folder);
  if (!files)
    return files.error();
  const auto lookup = make_lookup(**files);
  fingerprint defined;
  std::size_t found = 0;
  std::size_t waiting = 0;
  for (std::uint32_t position = 0; position < reopened.size(); ++position)
    waiting += reopened.at(position).status == asset_status::waiting ? 1 : 0;
  for (std::uint32_t i = 0; i < on.p->assets.size(); ++i) {
    const asset_index asset(i);
    const auto position = reopened.position(names.id_of(asset));
    if (!position || reopened.at(*position).status != asset_status::waiting)
      continue;
    ++found;
    const auto before = history.definitions.find(names.id_of(asset).value);
    define_as_declared(*on.p, asset, lookup, defined);
    if (before != history.definitions.end() && before->second != definition_number(*on.p, asset, defined))
      changed.emplace_back(on.p->asset(asset).name);
  }
  // By id: another asset of the state may have the name of one that the pipeline has.
  const auto is_in_pipeline = [&names](asset_id id) {
    const auto asset = names.index_of(id);
    return asset && names.id_of(*asset) == id;
  };
  std::vector<std::string> gone;
  for (std::uint32_t position = 0; found != waiting && position < reopened.size(); ++position) {
    const auto id = reopened.id_at(position);
    if (reopened.at(position).status == asset_status::waiting && !is_in_pipeline(id))
      gone.emplace_back(names.asset_name(id));
  }
  // Also those that are done must still exist: the run's graph is the pipeline's.
  for (std::uint32_t position = 0; position < reopened.size(); ++position) {
    const auto id = reopened.id_at(position);
    if (reopened.at(position).status != asset_status::waiting && !is_in_pipeline(id))
      gone.emplace_back(names.asset_name(id));
  }
  if (changed.empty() && gone.empty())
    return {};
  std::string message =
      name_of(history.record.run) + " cannot be resumed, because the pipeline has changed since it started:";
  for (const auto& name : changed)
    message += "\n  " + visible(name) + ": its definition has changed";
  for (const auto& name : gone)
    message += "\n  " + visible(name) + ": is no longer in the pipeline";
  message += "\ntroupe run does what is left to do, incrementally";
  return fail_in_lines(error_code::invalid_input, message);
}

} // namespace troupe_internal
