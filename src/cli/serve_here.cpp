// A supervisor in this process, from its start to the signal that ends it. Part of the program, not of the command
// line's library: its tests have no engine.
#include "cli/serve_here.hpp"

#include "cli/logging.hpp"
#include "cli/signals.hpp"
#include "engine/project.hpp"
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
  how.engine.limits.max_runs = settings.max_runs;
  how.engine.opening.durability = settings.durability;
  how.engine.opening.grace = settings.grace_period;
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
  auto opened = serve::supervisor::open(how, time, stop);
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
      const auto broken = (*opened)->reload();
      log_line("loaded the pipelines anew" +
               (broken == 0 ? std::string() : "; " + std::to_string(broken) + " left out"));
    }
  }
  log_line("stopping");
  opened->reset();
  log_line("stopped");
  return exit_ok;
}

} // namespace troupe_internal::cli
