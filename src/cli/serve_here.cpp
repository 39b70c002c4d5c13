// A supervisor in this process, from its start to the signal that ends it. Part of the program, not of the command
// line's library: its tests have no engine.
#include "cli/serve_here.hpp"

#include "cli/logging.hpp"
#include "cli/signals.hpp"
#include "engine/project.hpp"
#include "engine/state_wait.hpp"
#include "serve/safe_file.hpp"
#include "serve/supervisor.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>

namespace troupe_internal::cli {

namespace {

/// SIGHUP asks to load the pipelines anew, unless a terminal is in use, which it says has gone.
class reload_guard {
public:
  explicit reload_guard(stop_request& asked) {
    request() = &asked;
    struct sigaction now {};
    now.sa_handler = [](int number) { request()->request(number); };
    sigaction(SIGHUP, &now, &before_);
  }
  ~reload_guard() { sigaction(SIGHUP, &before_, nullptr); }
  reload_guard(const reload_guard&) = delete;
  reload_guard& operator=(const reload_guard&) = delete;

private:
  static stop_request*& request() {
    static stop_request* asked = nullptr;
    return asked;
  }
  struct sigaction before_ {};
};

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
  how.access.hosts = settings.hosts;
  how.hook_bytes = settings.hook_max_body;
  how.keep_events = settings.keep_events;
  how.engine.limits.max_runs = settings.max_runs;
  how.engine.opening.durability = settings.durability;
  how.engine.opening.grace = settings.grace_period;
  how.engine.grace_at_stop = settings.grace_period;
  how.engine.on_restart = settings.on_restart;
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

/// Opens it once no other process writes the state, or the time is over.
result<std::unique_ptr<serve::supervisor>> open_when_free(const serve::supervisor_options& how, duration longest,
                                                          system_clock& time, stop_request& stop) {
  constexpr int most_lost_races = 20;
  const auto until = time.monotonic() + longest;
  for (int lost = 0;;) {
    auto opened = serve::supervisor::open(how, time, stop);
    const auto left = until - time.monotonic();
    if (opened || opened.error().code != error_code::state_locked || left <= duration::zero())
      return opened;
    wait_setup waits;
    waits.longest = left;
    waits.told = [&](const std::string& line) { how.log(line); };
    const auto ended = wait_until_free(how.state, waits, stop);
    if (!ended)
      return ended.error();
    if (*ended == wait_end::free && ++lost == most_lost_races)
      return opened; // it is not a lock that keeps it
  }
}

} // namespace

int serve_here(invocation& with, const serve_request& request) {
  auto files = absolute(request.pipelines);
  if (!files)
    return with.report(files.error());
  if (!request.settings)
    for (const auto& file : *files)
      if (std::error_code unknown; !std::filesystem::exists(file, unknown))
        return with.report(fail(error_code::invalid_input, "there is no " + file +
                                                               " to serve: name pipeline files, or write one (troupe "
                                                               "init)"));
  serve::supervisor_options how;
  how.auto_reload = true;
  if (request.settings)
    apply(*request.settings, how);
  if (request.settings && request.state.empty()) {
    how.state = (std::filesystem::path(request.folder) / request.settings->state_dir).lexically_normal().string();
  } else {
    if (request.state.empty() && files->size() != 1)
      return with.report(fail(error_code::invalid_input,
                              "several pipelines need a state for all of them: name its folder with --state"));
    auto state = find_state_folder({.file = files->front(), .state = request.state, .only_regular = true});
    if (!state)
      return with.report(state.error());
    how.state = std::move(*state);
  }
  how.pipelines = std::move(*files);
  how.engine.drain = request.drain;
  if (request.settings) {
    auto file = absolute({request.supervisor_file});
    if (!file)
      return with.report(file.error());
    if (const auto safe = serve::require_safe_file(file->front()); !safe)
      return with.report(safe.error());
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
  how.log = [](const std::string& line) { log_line(line); };
  if (with.options.log_level == "warn") // what is served is worth a line
    set_up_logging("info");

  system_clock time;
  stop_request stop;
  stop_request reload;
  const signal_guard signals(stop);
  std::optional<reload_guard> hang_up;
  if (isatty(STDIN_FILENO) == 0)
    hang_up.emplace(reload);
  auto opened = open_when_free(how, request.wait, time, stop);
  if (!opened)
    return with.report(opened.error());
  for (int loaded = 0; stop.count() == 0;) {
    pollfd asked[] = {{stop.descriptor(), POLLIN, 0}, {reload.descriptor(), POLLIN, 0}};
    constexpr int look_again_ms = 1'000; // somebody else may have read of the stop
    if (poll(asked, 2, look_again_ms) > 0 && (asked[1].revents & POLLIN) != 0) {
      std::uint64_t times = 0;
      if (read(reload.descriptor(), &times, sizeof times) < 0) // it says that it was asked, and no more
        continue;
    }
    if (const int wanted = reload.count(); wanted != loaded) {
      loaded = wanted;
      const auto report = (*opened)->reload();
      log_line("loaded all files anew" +
               (report.problems.empty() ? std::string() : "; " + std::to_string(report.problems.size()) + " left out"));
    }
  }
  log_line(how.engine.drain ? "stopping, once live runs have ended" : "stopping");
  (*opened)->shut_down();
  opened->reset();
  log_line("stopped");
  return exit_ok;
}

} // namespace troupe_internal::cli
