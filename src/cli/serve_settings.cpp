// Settings first, then the command line's, which win or are added.
#include "cli/serve_settings.hpp"

#include "engine/project.hpp"
#include "serve/safe_file.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

namespace troupe_internal::cli {

namespace {

result<std::vector<std::string>> absolute(const std::vector<std::string>& files) {
  std::vector<std::string> found;
  for (const auto& file : files) {
    std::error_code why;
    auto path = std::filesystem::absolute(file, why).lexically_normal();
    if (why)
      return fail(error_code::io, "the path of " + file + " cannot be told: " + why.message());
    found.push_back(path.string());
  }
  return found;
}

/// What a supervisor's file says, as far as it is heeded.
void apply(const config::supervisor_settings& settings, serve::supervisor_options& how) {
  how.listen = settings.listen;
  how.notify.targets = settings.notify;
  how.access.hosts = settings.hosts;
  how.hook_bytes = settings.hook_max_body;
  how.keep_events = settings.keep_events;
  how.engine.limits.max_runs = settings.max_runs;
  how.engine.opening.durability = settings.durability;
  how.engine.opening.grace = settings.grace_period;
  how.engine.grace_at_stop = settings.grace_period;
  how.engine.on_restart = settings.on_restart;
  how.engine.history = history_bounds{settings.history_max_age, settings.history_max_bytes};
  how.engine.room = shared_room{
      {settings.workers, settings.pools},
      {settings.weights.user, settings.weights.program, settings.weights.trigger, settings.weights.backfill}};
  how.auto_reload = settings.auto_reload;
}

/// What a new start alone heeds, if it is not as it was.
std::vector<std::string> needs_restart(const config::supervisor_settings& before,
                                       const config::supervisor_settings& now) {
  std::vector<std::string> notes;
  const auto compare = [&](bool same, const char* key) {
    if (!same)
      notes.push_back(std::string("\"") + key +
                      "\" has changed, which needs a restart: troupe stop, then troupe serve");
  };
  compare(before.state_dir == now.state_dir, "state_dir");
  compare(before.listen == now.listen, "listen");
  compare(before.workers == now.workers, "workers");
  compare(before.max_runs == now.max_runs, "max_runs");
  compare(before.pools == now.pools, "pools");
  compare(before.weights.user == now.weights.user && before.weights.program == now.weights.program &&
              before.weights.trigger == now.weights.trigger && before.weights.backfill == now.weights.backfill,
          "weights");
  compare(before.durability == now.durability, "durability");
  compare(before.history_max_age == now.history_max_age && before.history_max_bytes == now.history_max_bytes,
          "history");
  compare(before.keep_events == now.keep_events, "keep_events");
  compare(before.on_restart == now.on_restart, "on_restart");
  compare(before.auto_reload == now.auto_reload, "auto_reload");
  compare(before.grace_period == now.grace_period, "grace_period");
  compare(before.hosts == now.hosts, "auth.hosts");
  compare(before.notify == now.notify, "notify");
  compare(before.log_json == now.log_json && before.log_level == now.log_level, "log");
  return notes;
}

result<serve::served_again> read_supervisor_file(const std::string& file, const std::string& folder,
                                                 const config::supervisor_settings& before) {
  if (const auto safe = serve::require_safe_file(file); !safe)
    return safe.error();
  auto loaded = config::load_supervisor(file);
  serve::served_again again;
  if (loaded.settings)
    again.pipelines = config::pipeline_files(*loaded.settings, folder, loaded.findings);
  for (const auto& item : loaded.findings.items)
    if (item.level == severity::error)
      return fail(error_code::invalid_input,
                  file + (item.where.line > 0 ? ", line " + std::to_string(item.where.line) : std::string()) + ": " +
                      item.message);
  auto files = absolute(again.pipelines);
  if (!files)
    return files.error();
  again.pipelines = std::move(*files);
  again.notes = needs_restart(before, *loaded.settings);
  return again;
}

} // namespace

result<serve::supervisor_options> options_for(const serve_request& request) {
  auto files = absolute(request.pipelines);
  if (!files)
    return files.error();
  if (!request.settings)
    for (const auto& file : *files)
      if (std::error_code unknown; !std::filesystem::exists(file, unknown))
        return fail(error_code::invalid_input,
                    "there is no " + file + " to serve: name pipeline files, or write one (troupe init)");
  serve::supervisor_options how;
  how.auto_reload = true;
  how.engine.room = shared_room{};
  if (request.settings)
    apply(*request.settings, how);
  how.notify.folder = request.folder;
  if (request.settings && request.state.empty()) {
    how.state = (std::filesystem::path(request.folder) / request.settings->state_dir).lexically_normal().string();
  } else {
    if (request.state.empty() && files->size() != 1)
      return fail(error_code::invalid_input,
                  "several pipelines need a state for all of them: name its folder with --state");
    auto state = find_state_folder({.file = files->front(), .state = request.state, .only_regular = true});
    if (!state)
      return state.error();
    how.state = std::move(*state);
  }
  how.pipelines = std::move(*files);
  how.engine.drain = request.drain;
  if (request.settings) {
    auto file = absolute({request.supervisor_file});
    if (!file)
      return file.error();
    if (const auto safe = serve::require_safe_file(file->front()); !safe)
      return safe.error();
    how.file = file->front();
    how.read_again = [file = how.file, folder = request.folder, before = *request.settings] {
      return read_supervisor_file(file, folder, before);
    };
  }
  how.listen.insert(how.listen.end(), request.listen.begin(), request.listen.end());
  how.access.hosts.insert(how.access.hosts.end(), request.hosts.begin(), request.hosts.end());
  how.assume_dead = request.assume_dead;
  how.trust_clock = request.trust_clock;
  if (request.max_runs)
    how.engine.limits.max_runs = *request.max_runs;
  return how;
}

} // namespace troupe_internal::cli
