// Put together: engine, pipelines, sockets.
#include "serve/supervisor.hpp"

#include "engine/project.hpp"
#include "serve/safe_file.hpp"

#include <algorithm>
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
  std::unique_ptr<supervisor> made(new supervisor(how));
  auto& options = made->how_;
  options.engine.folder = how.state;
  options.engine.opening.assume_dead = how.assume_dead;
  options.engine.opening.note = how.log;
  options.engine.opening.ended = [log = how.log](const std::vector<ended_process>& processes) {
    for (const auto& one : processes)
      log("ended process " + std::to_string(one.pid) + " (" + one.name +
          "), which an earlier supervisor had left running");
  };
  auto engine = serving_engine::open(options.engine, time, stop);
  if (!engine)
    return engine.error();
  made->engine_ = std::move(*engine);
  auto dir = state_dir::open(how.state);
  if (!dir)
    return dir.error();
  made->dir_ = std::move(*dir);
  made->desk_ = std::make_unique<trigger_desk>(*made->engine_, time, how.log);
  if (how.trust_clock)
    made->desk_->trust_clock();
  static_cast<void>(made->reload()); // what does not load was logged
  if (const auto listens = made->listen(time); !listens)
    return listens.error();
  if (const auto started = made->start_triggers(); !started)
    return started.error();
  const auto all = made->pipelines();
  const auto loaded = std::count_if(all.begin(), all.end(), [](const auto& one) { return one.problem.empty(); });
  how.log("serving " + std::to_string(loaded) + " of " + std::to_string(all.size()) +
          (all.size() == 1 ? " pipeline at " : " pipelines at ") + made->dir_->path_of(supervisor_socket) +
          addresses_of(how.listen, made->ports_));
  return made;
}

result<void> supervisor::listen(system_clock& time) {
  std::vector<http_listener> listeners;
  for (const auto& address : how_.listen) {
    auto one = listen_tcp(address, ports_.emplace_back());
    if (!one)
      return one.error();
    listeners.push_back(std::move(*one));
  }
  if (!how_.listen.empty())
    if (const auto token = make_owner_token(*dir_); !token)
      return token;
  auto local = listen_in(*dir_, supervisor_socket, backlog);
  if (!local)
    return local.error();
  socket_.device = local->device;
  socket_.inode = local->inode;
  listeners.push_back({std::move(local->fd), true});
  try {
    api_ = std::make_unique<api>(
        api_world{*engine_, time, dir_, how_.access, [this] { return pipelines(); }, *desk_, how_.log});
    server_ = std::make_unique<http_server>(std::move(listeners), *api_);
  } catch (const std::system_error& why) {
    return fail(error_code::state_unusable,
                std::string("the system does not let a supervisor serve requests: ") + why.what());
  }
  return {};
}

result<void> supervisor::start_triggers() {
  engine_->set_triggers(desk_.get());
  try {
    clock_ = std::make_unique<trigger_clock>(*desk_, how_.log);
    engine_->when_assets_may_have_changed([this] { clock_->look_at_commits(); });
    engine_->when_run_ended([this] { clock_->look_now(); }); // a trigger may have to be paused
  } catch (const std::system_error& why) {
    return fail(error_code::state_unusable,
                std::string("the system does not let a supervisor fire triggers: ") + why.what());
  }
  return {};
}

supervisor::~supervisor() {
  if (engine_)
    engine_->when_run_ended({}), engine_->when_assets_may_have_changed({});
  clock_.reset(); // nothing new is taken in
  server_.reset();
  api_.reset();
  if (socket_.inode != 0)
    remove_socket(*dir_, supervisor_socket, socket_);
  if (engine_)
    engine_->set_triggers(nullptr);
  engine_.reset();
}

supervisor::loaded_file supervisor::load(const std::string& file) const {
  if (const auto safe = require_safe_file(file); !safe)
    return {{{}, file, safe.error().message}, nullptr};
  project_options options;
  options.file = file;
  options.state = how_.state;
  options.only_regular = true;
  diagnostics findings;
  const auto opened = open_project(options, findings);
  if (opened)
    return {{opened->p->name, file, {}}, opened->triggers};
  std::string problem = opened.error().message;
  for (const auto& item : findings.items)
    if (item.level == severity::error) {
      problem = (item.where.line > 0 ? "line " + std::to_string(item.where.line) + ": " : std::string()) + item.message;
      break;
    }
  return {{{}, file, std::move(problem)}, nullptr};
}

std::size_t supervisor::reload() {
  std::vector<served_pipeline> loaded;
  std::vector<served_triggers> triggers;
  const auto before_now = desk_->pipelines();
  std::map<std::string, std::string> files; // by name
  for (const auto& file : how_.pipelines) {
    auto [one, set] = load(file);
    if (one.problem.empty()) {
      const auto [at, is_new] = files.emplace(one.name, file);
      if (!is_new)
        one.problem = "the pipeline \"" + one.name + "\" is in " + at->second + " already: names are unique in a state";
    }
    if (one.problem.empty())
      triggers.push_back({one.name, file, std::move(set)});
    else // what it had goes on
      for (const auto& old : before_now)
        if (old.file == file && !files.contains(old.pipeline))
          triggers.push_back(old);
    loaded.push_back(std::move(one));
  }
  std::size_t broken = 0;
  {
    const std::lock_guard lock(mutex_);
    for (auto& one : loaded) {
      if (one.problem.empty())
        continue;
      ++broken;
      const auto before =
          std::find_if(pipelines_.begin(), pipelines_.end(), [&](const auto& old) { return old.file == one.file; });
      if (one.name.empty() && before != pipelines_.end())
        one.name = before->name; // it is known who is missing
    }
    pipelines_ = loaded;
  }
  for (const auto& one : loaded)
    if (!one.problem.empty())
      how_.log("pipeline " + one.file + " is left out: " + one.problem);
  engine_->retry_loads();
  desk_->set_pipelines(std::move(triggers));
  return broken;
}

std::vector<served_pipeline> supervisor::pipelines() {
  const std::lock_guard lock(mutex_);
  return pipelines_;
}

} // namespace troupe_internal::serve
