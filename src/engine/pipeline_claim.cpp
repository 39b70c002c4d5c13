// The order of the steps is what makes a crash harmless.
#include "engine/pipeline_claim.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/journal/lmdb_origin.hpp"
#include "adapters/journal/state_lock.hpp"
#include "adapters/state/state_dir.hpp"
#include "adapters/system/system_clock.hpp"
#include "engine/project.hpp"
#include "engine/serving_engine.hpp"
#include "engine/state_layout.hpp"
#include "engine/state_writer.hpp"
#include "engine/supervised_folder.hpp"
#include "engine/supervisor_client.hpp"
#include "engine/taking_over.hpp"

#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

namespace troupe_internal {

namespace {

std::string own_state_of(const pipeline& p) {
  return join_path(p.folder, p.engine.state_dir);
}

std::string absolute_file_of(const pipeline& p) {
  std::error_code unknown; // then it is not absolute, and nobody takes it for this one
  return std::filesystem::absolute(p.file, unknown).lexically_normal().string();
}

state_opening opening_of(const pipeline& p, const std::function<void(const std::string&)>& note) {
  state_opening how{p.engine.durability, p.engine.grace_period};
  how.note = note;
  return how;
}

bool has_journal(const std::string& folder) {
  const auto dir = state_dir::open(folder);
  return dir && (*dir)->look(journal_file).has_value();
}

/// One that an earlier claim put aside keeps its bytes, under a number.
result<void> put_aside(const state_dir& dir) {
  if (dir.look(moved_journal_file)) {
    std::string kept;
    for (int number = 1; kept.empty() || dir.look(kept); ++number)
      kept = std::string(moved_journal_file) + "." + std::to_string(number);
    if (const auto moved = dir.rename(moved_journal_file, kept); !moved)
      return moved;
  }
  if (const auto moved = dir.rename(journal_file, moved_journal_file); !moved)
    return moved;
  if (const auto removed = dir.remove(std::string(journal_file) + "-lock"); !removed)
    return removed;
  return dir.sync();
}

/// Whether the state has assets of other pipelines, too: they go on with it.
result<bool> has_others(const journal_snapshot& state, const std::string& pipeline) {
  bool others = false;
  const auto read = state.visit_asset_names([&](asset_id, std::string_view name) {
    others = !name.starts_with(pipeline + "/");
    return !others;
  });
  return read ? result<bool>(others) : result<bool>(read.error());
}

/// A run that goes on writes to `state`: what it makes would count nowhere.
result<void> require_no_run(const std::string& state, const std::string& pipeline) {
  const auto runs = list_runs(state, 0);
  if (!runs)
    return runs.error();
  for (const auto& one : *runs)
    if (one.pipeline == pipeline && one.status == run_status::running)
      return fail(error_code::state_locked, "run #" + std::to_string(one.run.value) + " of \"" + pipeline +
                                                "\" still goes on in " + state +
                                                ": wait for its end, or cancel it; then release the pipeline");
  return {};
}

result<uuid> id_of(serving_engine& engine) {
  const auto snapshot = engine.history();
  if (!snapshot)
    return snapshot.error();
  return (*snapshot)->info().id;
}

/// An entry stands, and its own journal should have been put aside.
result<void> finish_claim(const pipeline& p, const supervised_pipeline& entry, system_clock& time,
                          const std::function<void(const std::string&)>& note) {
  const auto own = own_state_of(p);
  if (entry.moved.empty() || !has_journal(own))
    return {};
  {
    const auto snapshot = open_snapshot(own);
    if (!snapshot)
      return snapshot.error();
    if (to_string((*snapshot)->info().id) != entry.moved)
      return {}; // others of this folder have begun a history since
  }
  const stop_request nobody_stops;
  const auto writer = state_writer::open(own, opening_of(p, note), time, nobody_stops);
  return writer ? put_aside(*(*writer)->dir()) : result<void>(writer.error());
}

} // namespace

result<void> claim_pipeline(const pipeline& p, serving_engine& engine, const std::string& state, system_clock& time,
                            const std::function<void(const std::string&)>& note) {
  const auto own = own_state_of(p);
  if (is_same_folder(own, state))
    return {};
  const auto entries = read_supervised(p.folder);
  if (!entries)
    return entries.error();
  const auto id = id_of(engine);
  if (!id)
    return id.error();
  if (const auto at = entries->find(p.name); at != entries->end()) {
    const auto may = supervised_state_of(p.folder, p.name, p.file, state);
    if (!may)
      return may.error();
    if (at->second.state_id != to_string(*id))
      return fail(error_code::state_unusable, join_path(join_path(p.folder, supervised_folder), supervised_file) +
                                                  " says that the pipeline \"" + p.name +
                                                  "\" has its history in another state that was at " + state +
                                                  ". Remove the entry to begin again in this one");
    return finish_claim(p, at->second, time, note);
  }
  const auto marks = join_path(p.folder, supervised_folder);
  if (::access((::access(marks.c_str(), F_OK) == 0 ? marks : p.folder).c_str(), W_OK) != 0) {
    note("pipeline " + p.file +
         ": its folder cannot be written, so commands there do not know of this supervisor; name " +
         "it with -f supervisor.json");
    return {};
  }
  supervised_pipeline entry{absolute_file_of(p), state, to_string(*id), {}};
  if (!has_journal(own))
    return write_supervised(p.folder, p.name, entry);
  const stop_request nobody_stops;
  const auto writer = state_writer::open(own, opening_of(p, note), time, nobody_stops);
  if (!writer)
    return writer.error();
  std::size_t assets = 0;
  {
    const auto snapshot = (*writer)->store().snapshot();
    if (!snapshot)
      return snapshot.error();
    const auto others = has_others(**snapshot, p.name);
    if (!others)
      return others.error();
    if (!*others)
      entry.moved = to_string((*snapshot)->info().id);
    const auto taken = engine.take_over_from(**snapshot, p.name);
    if (!taken)
      return taken.error();
    assets = *taken;
  }
  if (const auto written = write_supervised(p.folder, p.name, entry); !written)
    return written;
  const auto taken_over = "pipeline " + p.file + ": took over what is true of " + std::to_string(assets) +
                          (assets == 1 ? " asset" : " assets") + " from " + own;
  if (entry.moved.empty()) {
    note(taken_over + ", with which the other pipelines of that state go on");
    return {};
  }
  if (const auto aside = put_aside(*(*writer)->dir()); !aside)
    return aside;
  note(taken_over + ", whose journal is " + moved_journal_file + " now");
  return {};
}

result<released_pipeline> release_pipeline(const pipeline& p, system_clock& time,
                                           const std::function<void(const std::string&)>& note) {
  const auto entries = read_supervised(p.folder);
  if (!entries)
    return entries.error();
  const auto at = entries->find(p.name);
  if (at == entries->end())
    return fail(error_code::invalid_input,
                "no supervisor has the pipeline \"" + p.name + "\" of " + p.folder + ": there is nothing to release");
  const auto& entry = at->second;
  supervisor_ask load;
  load.what = supervisor_ask::verb::load;
  load.file = absolute_file_of(p);
  if (const auto served = ask_supervisor(entry.state, load); served)
    return fail(error_code::state_locked, "the supervisor (pid " + std::to_string(served->pid) + ") serves " +
                                              load.file + ". Remove the file from its supervisor.json, let it reload " +
                                              "(troupe reload), or stop it (troupe stop); then release the pipeline");
  else if (served.error().code != error_code::not_found)
    return served.error();
  std::optional<state_lock> nobody_runs;
  if (!living_holder_of(entry.state)) {
    auto lock = lock_own_state(entry.state);
    if (!lock)
      return lock.error();
    nobody_runs.emplace(std::move(*lock));
  }
  if (const auto quiet = require_no_run(entry.state, p.name); !quiet)
    return quiet.error();
  released_pipeline done;
  done.from = entry.state;
  done.to = own_state_of(p);
  {
    const auto dir = state_dir::open(done.to);
    if (dir && (*dir)->look(moved_journal_file) && !(*dir)->look(journal_file)) {
      const auto lock = lock_state(done.to);
      if (!lock)
        return lock.error();
      if (const auto back = lock->dir()->rename(moved_journal_file, journal_file); !back)
        return back.error();
      done.moved_back = true;
    }
  }
  const auto from = open_snapshot(done.from);
  if (!from)
    return from.error();
  const stop_request nobody_stops;
  auto writer = state_writer::open(done.to, opening_of(p, note), time, nobody_stops);
  if (!writer)
    return writer.error();
  auto events = (*writer)->take_opening();
  const auto add = [&](std::vector<event> more) {
    events.insert(events.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  };
  {
    const auto there = (*writer)->store().snapshot();
    if (!there)
      return there.error();
    state_names names((*there)->info().asset_count, (*there)->info().path_count);
    const auto ids = ids_of_state(
        **there, {[&](std::string_view name, std::string identity) { return names.asset(name, std::move(identity)); },
                  [&](std::string_view name) { return names.path(name); }});
    if (!ids)
      return ids.error();
    auto taken = take_over(**from, p.name, *ids, time.now());
    if (!taken)
      return taken.error();
    done.assets = taken->assets;
    add(names.take_new());
    add(std::move(taken->events));
  }
  add((*writer)->closing());
  if (const auto appended = (*writer)->store().append(events); !appended)
    return appended.error();
  if (const auto gone = write_supervised(p.folder, p.name, std::nullopt); !gone)
    return gone.error();
  return done;
}

} // namespace troupe_internal
