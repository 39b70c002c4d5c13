// From a granted attempt of a command to the end of its process.
#include "engine/command_maker.hpp"

#include "adapters/files/remove_tree.hpp"
#include "adapters/process/leftovers.hpp"
#include "base/check.hpp"
#include "core/command/command.hpp"
#include "core/model/warning.hpp"
#include "core/pipeline/matrix_identity.hpp"
#include "engine/discovered_inputs.hpp"
#include "engine/state_layout.hpp"

#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

namespace troupe_internal {

namespace {

void set_variable(std::vector<std::string>& environment, std::string_view name, std::string_view value) {
  const std::string prefix = std::string(name) + "=";
  const auto at =
      std::find_if(environment.begin(), environment.end(), [&](const auto& e) { return e.starts_with(prefix); });
  const auto entry = prefix + std::string(value);
  if (at == environment.end())
    environment.push_back(entry);
  else
    *at = entry;
}

bool wants_terminal(int signal) {
  return signal == SIGTTIN || signal == SIGTTOU;
}

std::string describe(const process_exit& exit) {
  switch (exit.how) {
  case process_exit::kind::ended:
    if (exit.signal != 0)
      return "ended by signal " + std::to_string(exit.signal) + " (" + strsignal(exit.signal) + ")";
    return "exit status " + std::to_string(exit.exit_code);
  case process_exit::kind::timed_out:
  case process_exit::kind::ended_by_us:
  case process_exit::kind::not_started:
  case process_exit::kind::internal:
    break;
  }
  return exit.message;
}

} // namespace

command_maker::command_maker(command_surroundings around)
    : around_(std::move(around)), run_text_(to_string(around_.run_id)), prepared_(around_.p.assets.size()) {
  supervisor_ = own_supervisor_mark();
  std::erase_if(around_.environment, [](const std::string& entry) {
    return entry.starts_with("TROUPE_PIPELINE=") || entry.starts_with("TROUPE_RUN_ID=") ||
           entry.starts_with("TROUPE_ASSET=") || entry.starts_with("TROUPE_ATTEMPT=") ||
           entry.starts_with("TROUPE_STATE_ID=") || entry.starts_with(supervisor_variable) ||
           entry.starts_with("TROUPE_RESULT=") || entry.starts_with("TROUPE_EVENT=") ||
           entry.starts_with("CREDENTIALS_DIRECTORY=");
  });
  for (const std::string_view entry : around_.environment) {
    // BASH_FUNC_name%%=() {…; some systems' older ones write name() for name%%.
    constexpr std::string_view exported = "BASH_FUNC_";
    const auto end = std::min(entry.find("%%="), entry.find("()="));
    if (entry.starts_with(exported) && end != std::string_view::npos && end > exported.size())
      functions_.emplace_back(entry.substr(exported.size(), end - exported.size()));
    bash_reads_file_ = bash_reads_file_ || (entry.starts_with("BASH_ENV=") && entry.size() > 9);
  }
  inherited_ = std::make_shared<const std::vector<std::string>>(std::move(around_.environment));
}

std::string command_maker::result_file(asset_index asset, std::uint32_t attempt) const {
  return result_file_name(run_text_, asset, attempt);
}

result<std::string> command_maker::write_response(asset_index asset, std::uint32_t number,
                                                  const std::string& content) const {
  const auto name = response_file_name(log_name(around_.p, asset), number);
  const auto path = run_log_folder(around_.state_folder, around_.run) + "/" + name;
  auto file = around_.logs.make(around_.run, name);
  if (!file)
    return file.error();
  for (std::size_t at = 0; at < content.size();) {
    const auto written = ::write(file->get(), content.data() + at, content.size() - at);
    if (written < 0 && errno != EINTR)
      return fail(error_code::io, "cannot write " + path + ": " + strerror(errno));
    at += written > 0 ? static_cast<std::size_t>(written) : 0;
  }
  return path;
}

std::optional<std::string> command_maker::set_environment(asset_index asset, const findings& found,
                                                          const response_writer& responses,
                                                          process_request& request) const {
  const auto& settings = around_.p.settings_of(asset);
  auto& environment = request.environment;
  const auto value_of = [&](std::string_view name) -> std::optional<std::string> {
    const std::string prefix = std::string(name) + "=";
    for (const auto& entry : *inherited_)
      if (entry.starts_with(prefix))
        return entry.substr(prefix.size());
    return std::nullopt;
  };
  if (settings.inherit_env && settings.env.empty()) {
    request.shared_environment = inherited_;
  } else if (settings.inherit_env) {
    environment = *inherited_;
  } else {
    for (const auto& name : settings.inherit_names)
      if (const auto value = value_of(name))
        environment.push_back(name + "=" + *value);
  }
  command_scope scope{around_.p, asset, run_text_, found.inputs, found.input_starts, found.steps_up};
  scope.responses = &responses;
  for (const auto& entry : settings.env) {
    switch (entry.source) {
    case env_source::literal: {
      const auto text = render_env_value(scope, entry.text);
      if (!text)
        return text.error().message;
      set_variable(environment, entry.name, *text);
      break;
    }
    case env_source::from_env:
      if (const auto value = value_of(entry.text)) {
        set_variable(environment, entry.name, *value);
        if (entry.secret && around_.secrets != nullptr)
          around_.secrets->learn(*value);
      } else {
        return "env " + entry.name + " is to come from the environment variable " + entry.text + ", which is not set";
      }
      break;
    case env_source::from_file: {
      auto text = around_.files.read_text(entry.text, max_result_file);
      if (!text)
        return "env " + entry.name + " is to come from a file: " + text.error().message;
      while (!text->empty() && (text->back() == '\n' || text->back() == '\r'))
        text->pop_back();
      if (text->find('\0') != std::string::npos)
        return "env " + entry.name + " is to come from the file " + entry.text + ", which holds a NUL byte";
      set_variable(environment, entry.name, *text);
      if (entry.secret && around_.secrets != nullptr)
        around_.secrets->learn(*text);
      break;
    }
    }
  }
  std::erase_if(environment, [](const std::string& entry) {
    return entry.starts_with("TROUPE_ATTEMPT=") || entry.starts_with("TROUPE_RESULT=") ||
           entry.starts_with("TROUPE_EVENT="); // make() adds its own
  });
  if (!around_.events_file.empty())
    set_variable(environment, "TROUPE_EVENT", around_.events_file);
  set_variable(environment, "TROUPE_PIPELINE", around_.p.name);
  set_variable(environment, "TROUPE_RUN_ID", run_text_);
  set_variable(environment, "TROUPE_ASSET", around_.p.asset(asset).name);
  set_variable(environment, "TROUPE_STATE_ID", to_string(around_.state_id));
  if (!supervisor_.empty())
    set_variable(environment, "TROUPE_SUPERVISOR", supervisor_);
  return std::nullopt;
}

result<process_request> command_maker::request_of(asset_index asset, const findings& found) const {
  const auto& settings = around_.p.settings_of(asset);
  const bool bash_reads_file =
      bash_reads_file_ ||
      std::any_of(settings.env.begin(), settings.env.end(), [](const auto& entry) { return entry.name == "BASH_ENV"; });
  std::uint32_t written = 0;
  const response_writer responses = [&](const std::string& content) {
    return write_response(asset, ++written, content);
  };
  auto command = render_command({around_.p, asset, run_text_, found.inputs, found.input_starts, found.steps_up,
                                 functions_, bash_reads_file, &responses});
  if (!command)
    return command.error();
  process_request request;
  request.argv = std::move(command->argv);
  if (auto problem = set_environment(asset, found, responses, request))
    return fail(error_code::invalid_input, std::move(*problem));
  request.cwd = join_path(around_.p.folder, settings.cwd);
  request.max_log = settings.max_log;
  request.timeout = settings.timeout;
  request.grace = around_.grace;
  if (around_.p.takes_version_from_stdout(asset))
    request.capture = max_version_output;
  around_.processes.prepare(request);
  return request;
}

result<void> command_maker::prepare(asset_index asset, const findings& found) {
  auto request = request_of(asset, found);
  if (!request)
    return request.error();
  prepared_[asset.value] = std::make_unique<process_request>(std::move(*request));
  return {};
}

void command_maker::make(asset_index asset, std::uint32_t attempt, std::function<void(process_spawned)> spawned,
                         std::function<void(work_end)> ended) {
  TROUPE_CHECK(prepared_[asset.value] != nullptr, "an attempt of an asset that was not examined");
  auto request = std::move(*prepared_[asset.value]);
  prepared_[asset.value].reset();
  const auto key = around_.processes.new_key();
  request.key = key;
  request.owner = around_.run.value;
  request.log_file = log_path(around_.state_folder, around_.run, log_name(around_.p, asset), attempt);
  request.open_log = [this, asset, attempt]() -> result<int> {
    auto file = around_.logs.make(around_.run, log_file_name(log_name(around_.p, asset), attempt));
    if (!file)
      return file.error();
    return file->release();
  };
  request.environment.push_back("TROUPE_ATTEMPT=" + std::to_string(attempt));
  request.environment.push_back("TROUPE_RESULT=" + around_.results.path_of(result_file(asset, attempt)));
  if (around_.secrets != nullptr)
    request.mask = around_.secrets->mask();
  if (around_.warn)
    request.stopped = [this, asset](int signal) { was_stopped(asset, signal); };
  around_.processes.start(std::move(request), std::move(spawned),
                          [this, asset, ended = std::move(ended)](process_exit exit) {
                            if (!stopped_.empty())
                              tell_of_stop(asset, exit);
                            ended(end_of(asset, std::move(exit)));
                          });
  // A stop that came between the first question and the start has not seen this process.
  if (ending_.load())
    around_.processes.end(key, urgency::graceful);
}

void command_maker::end_all(urgency how) {
  ending_.store(true);
  around_.processes.end_all(around_.run.value, how);
}

work_end command_maker::end_of(asset_index asset, process_exit exit) const {
  work_end ended;
  auto& out = ended.so_far;
  out.has_log = exit.has_log;
  out.resources = exit.resources;
  out.exit_code = exit.exit_code;
  out.signal = exit.signal;
  out.message = describe(exit);
  out.warnings = std::move(exit.warnings);
  ended.standard_output = std::move(exit.captured);
  ended.more_output = exit.captured_less;
  if (around_.secrets != nullptr && !ended.standard_output.empty())
    if (const auto mask = around_.secrets->mask())
      ended.standard_output = mask->masked(ended.standard_output);
  switch (exit.how) {
  case process_exit::kind::ended:
    if (exit.signal != 0)
      out.outcome = outcome_kind::signalled;
    else if (exit.exit_code != 0)
      out.outcome = outcome_kind::exited;
    else
      out.message.clear();
    break;
  case process_exit::kind::ended_by_us:
    out.outcome = outcome_kind::cancelled;
    break;
  case process_exit::kind::timed_out:
    out.outcome = outcome_kind::timed_out;
    out.message = "its timeout of " + to_human(around_.p.settings_of(asset).timeout.value_or(duration::zero())) +
                  " was over" + (exit.message.empty() ? "" : "; " + exit.message);
    break;
  case process_exit::kind::not_started:
    out.outcome = outcome_kind::not_started;
    break;
  case process_exit::kind::internal:
    out.outcome = outcome_kind::internal;
    break;
  }
  return ended;
}

bool command_maker::may_have_report(asset_index asset, std::uint32_t attempt) const {
  return around_.p.depfile_of(asset) || around_.p.takes_version_from_stdout(asset) ||
         around_.results.look(result_file(asset, attempt)) || errno != ENOENT;
}

result<std::optional<attempt_report>> command_maker::take_report(asset_index asset, std::uint32_t attempt) {
  std::optional<attempt_report> report;
  const auto text = around_.results.read(result_file(asset, attempt), max_result_file);
  if (text) {
    static_cast<void>(around_.results.remove(result_file(asset, attempt)));
    const auto mask = around_.secrets != nullptr ? around_.secrets->mask() : nullptr;
    auto parsed = parse_attempt_report(*text, mask.get());
    if (!parsed)
      return parsed.error();
    report = std::move(*parsed);
  } else if (text.error().code != error_code::not_found) {
    return fail(error_code::invalid_input, "the result file (TROUPE_RESULT) cannot be used: " + text.error().message);
  }
  if (around_.p.depfile_of(asset)) {
    auto inputs = read_depfile(around_.p, asset, around_.files);
    if (!inputs)
      return inputs.error();
    if (!report)
      report.emplace();
    report->depfile_inputs = std::move(*inputs);
  }
  return report;
}

void command_maker::drop_report(
    asset_index asset, std::uint32_t attempt) { // whether or not it is there, and whatever the command made of it
  static_cast<void>(remove_tree(around_.results.descriptor(), result_file(asset, attempt)));
}

void command_maker::was_stopped(asset_index asset, int signal) {
  stopped_[asset] = signal;
  std::string text;
  if (wants_terminal(signal))
    text += "it waits for the terminal, and would wait forever: the system has stopped its command, which wants to " +
            std::string(signal == SIGTTIN ? "read from it" : "change or write to it") +
            ". Commands have no terminal: give it what it asks for by environment or file.";
  else
    text += "it is stopped by signal " + std::to_string(signal) + " (" + strsignal(signal) +
            "), which Troupe did not send: it needs a SIGCONT to go on.";
  const auto timeout = around_.p.settings_of(asset).timeout;
  text += timeout ? " Its timeout of " + to_human(*timeout) + " ends it."
                  : " It has no timeout: Ctrl-C or troupe cancel ends the run.";
  if (!around_.p.settings_of(asset).ignores("stopped_command"))
    around_.warn(asset, make_warning("stopped_command", std::move(text)));
}

void command_maker::tell_of_stop(asset_index asset, process_exit& exit) {
  const auto stopped = stopped_.extract(asset);
  if (stopped.empty() || exit.how != process_exit::kind::timed_out)
    return;
  exit.message += exit.message.empty() ? "" : "; ";
  exit.message += wants_terminal(stopped.mapped()) ? "it waited for the terminal, which commands do not have"
                                                   : "it was stopped by signal " + std::to_string(stopped.mapped());
}

} // namespace troupe_internal
