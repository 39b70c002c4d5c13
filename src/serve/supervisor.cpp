// Put together: engine, pipelines, sockets.
#include "serve/supervisor.hpp"

#include "adapters/process/own_identity.hpp"
#include "base/digest.hpp"
#include "config/supervisor_reader.hpp"
#include "engine/pipeline_claim.hpp"
#include "engine/project.hpp"
#include "serve/safe_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

namespace troupe_internal::serve {

namespace {

constexpr int backlog = 256;

std::string addresses_of(const std::vector<std::string>& listen, const std::vector<std::uint16_t>& ports) {
  std::string text;
  for (std::size_t i = 0; i < listen.size(); ++i)
    text += " and http://" + listen[i].substr(0, listen[i].rfind(':')) + ":" + std::to_string(ports[i]);
  return text;
}

} // namespace

result<std::unique_ptr<supervisor>> supervisor::open(const supervisor_options& how, system_clock& time,
                                                     stop_request& stop) {
  std::unique_ptr<supervisor> made(new supervisor(how, time, stop));
  auto& options = made->how_;
  options.engine.folder = how.state;
  options.engine.waits_for_rules = true;
  options.engine.opening.assume_dead = how.assume_dead;
  options.engine.opening.note = how.log;
  options.engine.opening.ended = [log = how.log](const std::vector<ended_process>& processes) {
    for (const auto& one : processes)
      log("ended process " + std::to_string(one.pid) + " (" + one.name +
          "), which an earlier supervisor had left running");
  };
  options.engine.may_load = [](const std::string& file) { return require_safe_file(file); };
  options.engine.run_told = [log = how.log](run_number run, const started_run& what, std::optional<run_status> ended) {
    log("run #" + std::to_string(run.value) + " of " + what.pipeline +
        (ended ? ": " + std::string(to_string(*ended))
               : " begins" + (what.trigger.empty() ? std::string() : ", for the trigger " + what.trigger)));
  };
  auto engine = serving_engine::open(options.engine, time, stop);
  if (!engine)
    return engine.error();
  made->engine_ = std::move(*engine);
  auto dir = state_dir::open(how.state);
  if (!dir)
    return dir.error();
  made->dir_ = std::move(*dir);
  if (const auto begins = notifier::begin_in(*made->engine_); !begins)
    how.log("what happens from now on may be told late, or not at all: " + begins.error().message);
  made->desk_ = std::make_unique<trigger_desk>(*made->engine_, time, made->dir_, how.log);
  if (how.trust_clock)
    made->desk_->trust_clock();
  made->looks_ = std::make_unique<asset_looks>(*made->engine_, time, made->dir_);
  constexpr duration longest_turn = std::chrono::seconds(5);
  made->pulse_ = std::make_unique<loop_pulse>(
      [engine = made->engine_.get()](std::function<void()> then) { engine->on_turn(std::move(then)); }, longest_turn);
  made->hooks_ = std::make_unique<hook_desk>(*made->desk_, time, how.access, how.log);
  made->inherits_tcp_ = how.inherited && std::any_of(how.inherited->begin(), how.inherited->end(),
                                                     [](const http_listener& one) { return !one.local; });
  static_cast<void>(made->reload()); // what does not load was logged
  if (const auto listens = made->listen(time); !listens)
    return listens.error();
  if (const auto started = made->start_triggers(time); !started)
    return started.error();
  made->engine_->set_supervisor(made.get());
  if (how.auto_reload)
    try {
      made->watch_ = std::make_unique<reload_watch>([self = made.get()](bool seen) { self->reload_if_changed(seen); });
      made->watch_files();
    } catch (const std::system_error& why) {
      how.log(std::string("files that change are not loaded by themselves: ") + why.what());
    }
  const auto all = made->pipelines();
  const auto loaded = std::count_if(all.begin(), all.end(), [](const auto& one) { return one.problem.empty(); });
  how.log("serving " + std::to_string(loaded) + " of " + std::to_string(all.size()) +
          (all.size() == 1 ? " pipeline at " : " pipelines at ") + made->dir_->path_of(supervisor_socket) +
          addresses_of(how.listen, made->ports_));
  return made;
}

result<void> supervisor::listen(system_clock& time) {
  std::vector<http_listener> listeners;
  if (how_.inherited)
    listeners = std::exchange(*how_.inherited, {});
  const bool over_tcp = !how_.listen.empty() || inherits_tcp_;
  for (const auto& address : how_.listen) {
    auto one = listen_tcp(address, ports_.emplace_back());
    if (!one)
      return one.error();
    listeners.push_back(std::move(*one));
  }
  if (over_tcp)
    if (const auto token = make_owner_token(*dir_); !token)
      return token;
  auto local = listen_in(*dir_, supervisor_socket, backlog);
  if (!local)
    return local.error();
  socket_.device = local->device;
  socket_.inode = local->inode;
  listeners.push_back({std::move(local->fd), true});
  try {
    api_ = std::make_unique<api>(api_world{*engine_, time, dir_, how_.access, [this] { return pipelines(); },
                                           [this] { return last_reload(); }, *desk_, *hooks_, *looks_, *pulse_,
                                           how_.hook_bytes, how_.log,
                                           [this] {
                                             const auto* const watching = watching_.load();
                                             return watching != nullptr ? watching->figures() : watch_figures();
                                           },
                                           [this] {
                                             const auto* const notifying = notifying_.load();
                                             return notifying != nullptr ? notifying->figures() : notice_figures();
                                           }});
    server_ = std::make_unique<http_server>(std::move(listeners), *api_);
  } catch (const std::system_error& why) {
    return fail(error_code::state_unusable,
                std::string("the system does not let a supervisor serve requests: ") + why.what());
  }
  return {};
}

result<void> supervisor::start_triggers(system_clock& time) {
  engine_->set_triggers(desk_.get());
  try {
    clock_ = std::make_unique<trigger_clock>(*desk_, how_.keep_events, how_.log);
    auto events = inotify_events::open();
    if (!events)
      how_.log("watched files are polled: " + events.error().message);
    watcher_ = std::make_unique<file_watcher>(*engine_, *desk_, time, how_.log,
                                              events ? std::move(*events) : std::unique_ptr<folder_events>());
    watching_ = watcher_.get();
    sensors_ = std::make_unique<sensor_desk>(*engine_, *desk_, time, how_.log);
    notifier_ = std::make_unique<notifier>(*engine_, *desk_, time, how_.notify, how_.log);
    notifying_ = notifier_.get();
    engine_->when_assets_may_have_changed([this] { clock_->look_at_commits(); });
    engine_->when_run_ended([this] { clock_->look_now(); }); // a trigger may have to be paused
  } catch (const std::system_error& why) {
    return fail(error_code::state_unusable,
                std::string("the system does not let a supervisor fire triggers: ") + why.what());
  }
  return {};
}

supervisor::~supervisor() {
  watch_.reset();
  if (engine_) {
    engine_->set_supervisor(nullptr);
    engine_->when_run_ended({});
    engine_->when_assets_may_have_changed({});
  }
  clock_.reset(); // nothing new is taken in
  server_.reset();
  api_.reset();
  sensors_.reset();
  notifier_.reset();
  watcher_.reset();
  if (socket_.inode != 0)
    remove_socket(*dir_, supervisor_socket, socket_);
  if (engine_)
    engine_->set_triggers(nullptr);
  engine_.reset();
}

supervisor::loaded_file supervisor::load(const std::string& file) const {
  if (const auto safe = require_safe_file(file); !safe)
    return {{{}, file, safe.error().message}, nullptr, nullptr, {}};
  project_options options;
  options.file = file;
  options.state = how_.state;
  options.only_regular = true;
  diagnostics findings;
  const auto opened = open_project(options, findings);
  if (opened) {
    auto forbidden = problem_with(*opened->p);
    if (forbidden.empty())
      forbidden = unsigned_problem(*opened->triggers);
    if (!forbidden.empty())
      return {{opened->p->name, file, std::move(forbidden)}, opened->triggers, opened->p, {}};
    std::string note;
    if (opened->p->engine.durability == durability::none)
      note = "pipeline " + file + " asks for the durability \"none\": a supervisor takes it as \"pipelined\"";
    return {{opened->p->name, file, {}}, opened->triggers, opened->p, std::move(note)};
  }
  std::string problem = opened.error().message;
  for (const auto& item : findings.items)
    if (item.level == severity::error) {
      problem = (item.where.line > 0 ? "line " + std::to_string(item.where.line) + ": " : std::string()) + item.message;
      break;
    }
  return {{{}, file, std::move(problem)}, nullptr, nullptr, {}};
}

std::string supervisor::problem_with(const pipeline& p) const {
  if (!how_.engine.room)
    return {};
  const auto& pools = how_.engine.room->sizes.pools;
  for (std::uint32_t i = 0; i < p.assets.size() && !pools.empty(); ++i)
    for (const auto& [pool, slots] : p.settings_of(asset_index(i)).pools)
      if (const auto size = pools.find(pool); size != pools.end() && slots > size->second)
        return "the asset \"" + std::string(p.asset(asset_index(i)).name) + "\" takes " + std::to_string(slots) +
               " slots of the pool \"" + pool + "\", and the supervisor's has " + std::to_string(size->second);
  return {};
}

std::string supervisor::unsigned_problem(const trigger_set& triggers) const {
  const bool only_here = std::all_of(how_.listen.begin(), how_.listen.end(), [](const std::string& address) {
    return address.starts_with("127.") || address.starts_with("localhost:") || address.starts_with("[::1]:");
  });
  if (!inherits_tcp_ && (how_.listen.empty() || (only_here && how_.access.hosts.empty())))
    return {};
  for (const auto& one : triggers.triggers)
    if (const auto* const hook = std::get_if<webhook_source>(&one.source);
        hook != nullptr && hook->scheme == webhook_scheme::unsigned_)
      return "the trigger \"" + one.name +
             "\" is an unsigned webhook, and others can reach this supervisor (listen, auth.hosts): give it a scheme "
             "and a secret, or listen on this machine alone";
  return {};
}

reload_report supervisor::reload() {
  const std::lock_guard one_at_a_time(reload_mutex_);
  return reload_now();
}

reload_report supervisor::reload_now() {
  reload_report report;
  const bool again = loads_ > 0;
  if (again && how_.on_reload)
    how_.on_reload(true);
  load_all(report);
  {
    const std::lock_guard lock(mutex_);
    last_reload_.good = report.problems.empty();
    if (last_reload_.good)
      last_reload_.good_at = time_.now();
    else
      ++last_reload_.failures;
  }
  if (again && how_.on_reload)
    how_.on_reload(false);
  return report;
}

void supervisor::load_all(reload_report& report) {
  loaded_bytes_ = bytes_of_files(); // before they are read: what changes meanwhile is loaded once more
  if (how_.read_again && loads_ > 0) {
    auto again = how_.read_again();
    if (!again) {
      reload_failed_ = true;
      report.problems.push_back(again.error().message);
      how_.log("nothing was loaded anew: " + again.error().message);
      return;
    }
    report.notes = std::move(again->notes);
    std::vector<std::string> gone;
    for (const auto& file : how_.pipelines)
      if (std::find(again->pipelines.begin(), again->pipelines.end(), file) == again->pipelines.end())
        gone.push_back(file);
    how_.pipelines = std::move(again->pipelines);
    drop_runs_of(gone, report);
    loaded_bytes_ = bytes_of_files();
  }
  ++loads_;
  std::vector<loaded_file> loaded;
  for (const auto& file : how_.pipelines)
    loaded.push_back(load(file));
  replace(std::move(loaded), report);
  reload_failed_ = !report.problems.empty();
  for (const auto& line : report.notes)
    how_.log(line);
  watch_files();
}

reload_state supervisor::last_reload() {
  const std::lock_guard lock(mutex_);
  return last_reload_;
}

void supervisor::replace(std::vector<loaded_file> all, reload_report& report) {
  std::vector<served_pipeline> loaded;
  std::vector<served_triggers> triggers;
  const auto before_now = desk_->pipelines();
  std::map<std::string, std::string> files; // by name
  for (auto& [one, set, loaded_pipeline, note] : all) {
    if (!note.empty())
      report.notes.push_back(note);
    if (one.problem.empty()) {
      const auto [at, is_new] = files.emplace(one.name, one.file);
      if (!is_new)
        one.problem = "the pipeline \"" + one.name + "\" is in " + at->second + " already: names are unique in a state";
    }
    if (one.problem.empty() && loaded_pipeline) {
      if (const auto ours = claim_pipeline(*loaded_pipeline, *engine_, how_.state, time_, how_.log); !ours) {
        one.problem = ours.error().message;
        one.held_by_others = ours.error().code == error_code::state_locked;
        if (one.held_by_others)
          held_by_others_.insert(one.file);
      } else {
        held_by_others_.erase(one.file);
      }
    }
    if (one.problem.empty())
      triggers.push_back({one.name, one.file, std::move(set), std::move(loaded_pipeline)});
    else // what it had goes on
      for (const auto& old : before_now)
        if (old.file == one.file && !files.contains(old.pipeline))
          triggers.push_back(old);
    loaded.push_back(std::move(one));
  }
  {
    const std::lock_guard lock(mutex_);
    for (auto& one : loaded) {
      if (one.problem.empty())
        continue;
      const auto before =
          std::find_if(pipelines_.begin(), pipelines_.end(), [&](const auto& old) { return old.file == one.file; });
      if (one.name.empty() && before != pipelines_.end())
        one.name = before->name; // it is known who is missing
    }
    pipelines_ = loaded;
  }
  for (const auto& one : loaded)
    if (!one.problem.empty()) {
      report.problems.push_back("pipeline " + one.file + " is left out: " + one.problem);
      how_.log(report.problems.back());
    }
  engine_->retry_loads();
  desk_->set_pipelines(std::move(triggers));
  hooks_->reload();
}

void supervisor::retry_claims() {
  std::set<std::string> files;
  {
    const std::lock_guard one_at_a_time(reload_mutex_);
    files.swap(held_by_others_);
  }
  for (const auto& file : files)
    if (const auto loaded = load_one(file); loaded && loaded->problems.empty() && !is_left_out(file))
      how_.log("pipeline " + file + " is served now");
}

bool supervisor::is_left_out(const std::string& file) {
  const auto all = pipelines();
  return std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.file == file && !one.problem.empty(); });
}

void supervisor::drop_runs_of(const std::vector<std::string>& gone, reload_report& report) {
  if (gone.empty())
    return;
  for (const auto& file : gone)
    report.notes.push_back("pipeline " + file + " is served no more");
  const auto folder = std::filesystem::path(how_.state).parent_path();
  const auto dropped = engine_->drop_queued([&](const run_queued& run) {
    const auto file = (folder / run.request.pipeline_file).lexically_normal().string();
    return std::find(gone.begin(), gone.end(), file) != gone.end();
  });
  if (!dropped)
    report.problems.push_back("runs that wait for it could not be taken off the queue: " + dropped.error().message);
  else if (*dropped > 0)
    report.notes.push_back(std::to_string(*dropped) + (*dropped == 1 ? " run" : " runs") +
                           " that waited for it left the queue");
}

std::string supervisor::bytes_of_files() const {
  std::string digests;
  const auto add = [&](const std::string& file) {
    const auto text = config::settings_text(file);
    digests += text ? to_hex(content_digest(*text)) : "none";
  };
  if (!how_.file.empty())
    add(how_.file);
  for (const auto& file : how_.pipelines)
    add(file);
  return digests;
}

void supervisor::watch_files() {
  if (!watch_)
    return;
  auto files = how_.pipelines;
  if (!how_.file.empty())
    files.push_back(how_.file);
  watch_->watch(std::move(files));
}

void supervisor::reload_if_changed(bool seen) {
  const std::lock_guard one_at_a_time(reload_mutex_);
  // A file that is as it was is loaded all the same if a change was seen and the last load has failed.
  if (!(seen && reload_failed_) && bytes_of_files() == loaded_bytes_)
    return;
  const auto report = reload_now();
  if (report.problems.empty())
    how_.log("loaded files that have changed");
}

result<supervisor_answer> supervisor::load_one(const std::string& file) {
  const std::lock_guard one_at_a_time(reload_mutex_);
  std::error_code unknown;
  const auto canonical = [&](const std::string& path) { return std::filesystem::canonical(path, unknown).string(); };
  const auto meant = canonical(file);
  const auto at = std::find_if(how_.pipelines.begin(), how_.pipelines.end(),
                               [&](const auto& one) { return !meant.empty() && canonical(one) == meant; });
  if (at == how_.pipelines.end())
    return fail(error_code::not_found, "the supervisor does not serve " + file);
  auto one = load(*at);
  supervisor_answer answer;
  if (!one.what.problem.empty()) {
    answer.problems.push_back(one.what.problem);
    return answer;
  }
  answer.notes.push_back(one.what.name);
  reload_report report;
  std::vector<loaded_file> all;
  const auto with_triggers = desk_->pipelines();
  for (auto& other : pipelines()) {
    if (other.file == *at) {
      all.push_back(one);
      continue;
    }
    const auto known = std::find_if(with_triggers.begin(), with_triggers.end(),
                                    [&](const auto& each) { return each.file == other.file; });
    all.push_back({std::move(other),
                   known == with_triggers.end() ? nullptr : known->set,
                   known == with_triggers.end() ? nullptr : known->p,
                   {}});
  }
  replace(std::move(all), report);
  for (const auto& now : pipelines())
    if (now.file == *at && !now.problem.empty())
      answer.problems.push_back(now.problem);
  return answer;
}

result<supervisor_answer> supervisor::ask(const supervisor_ask& asked) {
  supervisor_answer answer;
  switch (asked.what) {
  case supervisor_ask::verb::look:
    for (const auto& name : asked.variables)
      if (const char* const value = std::getenv(name.c_str()))
        answer.variables.emplace_back(name, value);
    break;
  case supervisor_ask::verb::stop:
    how_.log(asked.drain ? "asked to stop once live runs have ended" : "asked to stop");
    if (asked.drain)
      engine_->set_drain(*asked.drain);
    stop_.request(0);
    break;
  case supervisor_ask::verb::reload: {
    auto report = reload();
    answer.problems = std::move(report.problems);
    answer.notes = std::move(report.notes);
    break;
  }
  case supervisor_ask::verb::load: {
    auto loaded = load_one(asked.file);
    if (!loaded)
      return loaded;
    answer = std::move(*loaded);
    break;
  }
  }
  answer.pid = static_cast<std::int32_t>(getpid());
  answer.user = words_on_user(geteuid());
  return answer;
}

std::string supervisor::status_line() {
  const auto all = pipelines();
  const auto loaded = std::count_if(all.begin(), all.end(), [](const auto& one) { return one.problem.empty(); });
  const auto [live, queued] = engine_->count_runs();
  const auto trouble = engine_->trouble();
  return std::to_string(loaded) + " of " + std::to_string(all.size()) +
         (all.size() == 1 ? " pipeline, " : " pipelines, ") + std::to_string(live) +
         (live == 1 ? " run live, " : " runs live, ") + std::to_string(queued) + " queued" +
         (trouble.empty() ? "" : "; the journal cannot be written: " + trouble);
}

void supervisor::shut_down() {
  watch_.reset();
  engine_->when_run_ended({});
  engine_->when_assets_may_have_changed({});
  clock_.reset(); // nothing new is taken in
  if (sensors_)
    sensors_->stop();
  engine_->shut_down();
}

std::vector<served_pipeline> supervisor::pipelines() {
  const std::lock_guard lock(mutex_);
  return pipelines_;
}

} // namespace troupe_internal::serve
