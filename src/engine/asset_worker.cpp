// From a granted attempt to the end of its process.
#include "engine/asset_worker.hpp"

#include "adapters/process/leftovers.hpp"
#include "base/check.hpp"
#include "core/command/command.hpp"
#include "core/model/delta.hpp"
#include "core/model/warning.hpp"
#include "core/pipeline/matrix_identity.hpp"
#include "engine/attempt_report.hpp"
#include "engine/state_layout.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <utility>

namespace troupe_internal {

namespace {

/// An examination no older counts as made when the attempt starts.
constexpr duration still_examined = std::chrono::milliseconds(5);

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

} // namespace

asset_worker::asset_worker(worker_setup setup, std::vector<std::unique_ptr<asset_record>> records)
    : setup_(std::move(setup)), run_text_(to_string(setup_.run_id)), records_(std::move(records)),
      found_(setup_.p.assets.size()), examined_at_(setup_.p.assets.size()), made_elsewhere_(setup_.p.assets.size()),
      prepared_(setup_.p.assets.size()) {
  supervisor_ = own_supervisor_mark();
  std::erase_if(setup_.environment, [](const std::string& entry) {
    return entry.starts_with("TROUPE_PIPELINE=") || entry.starts_with("TROUPE_RUN_ID=") ||
           entry.starts_with("TROUPE_ASSET=") || entry.starts_with("TROUPE_ATTEMPT=") ||
           entry.starts_with("TROUPE_STATE_ID=") || entry.starts_with(supervisor_variable) ||
           entry.starts_with("TROUPE_RESULT=") || entry.starts_with("TROUPE_EVENT=");
  });
  for (const std::string_view entry : setup_.environment) {
    // BASH_FUNC_name%%=() {…; some systems' older ones write name() for name%%.
    constexpr std::string_view exported = "BASH_FUNC_";
    const auto end = std::min(entry.find("%%="), entry.find("()="));
    if (entry.starts_with(exported) && end != std::string_view::npos && end > exported.size())
      functions_.emplace_back(entry.substr(exported.size(), end - exported.size()));
    bash_reads_file_ = bash_reads_file_ || (entry.starts_with("BASH_ENV=") && entry.size() > 9);
  }
  if (setup_.p.declares_secrets)
    secrets_ = std::make_unique<known_secrets>(setup_.p, setup_.environment, setup_.files);
  inherited_ = std::make_shared<const std::vector<std::string>>(std::move(setup_.environment));
}

asset_worker::~asset_worker() {
  end_and_wait();
}

void asset_worker::end_and_wait() {
  // After a run that broke off (its journal failed) commands may still run, and report to the pool when they end.
  end_all(urgency::at_once);
  std::unique_lock lock(handed_out_mutex_);
  all_back_.wait(lock, [this] { return handed_out_ == 0; });
}

void asset_worker::hand_out() {
  const std::lock_guard lock(handed_out_mutex_);
  ++handed_out_;
}

void asset_worker::submit(std::function<void()> work) {
  hand_out();
  setup_.pool.submit([this, work = std::move(work)] {
    work();
    take_back();
  });
}

void asset_worker::use_record(asset_index asset, asset_record record) {
  records_[asset.value] = std::make_unique<asset_record>(std::move(record));
}

void asset_worker::take_back() {
  const std::lock_guard lock(handed_out_mutex_);
  --handed_out_;
  all_back_.notify_all(); // under the lock: who waits for it destroys it
}

result<void> asset_worker::clear_outputs(asset_index asset) const {
  const auto& record = *records_[asset.value];
  const auto holds = [](const std::vector<path_id>& sorted, path_id path) {
    return std::binary_search(sorted.begin(), sorted.end(), path);
  };
  std::vector<path_id> absent;
  {
    const std::lock_guard lock(absent_mutex_);
    if (const auto known = absent_.find(asset.value); known != absent_.end())
      absent = known->second;
  }
  const auto& outputs = setup_.p.asset(asset).outputs;
  for (const auto output : outputs) {
    const auto path = setup_.names.id_of(path_slot(output.value));
    const auto text = setup_.p.path(output);
    const bool made_here =
        record.last && std::any_of(record.last->made.outputs.begin(), record.last->made.outputs.end(),
                                   [&](const file_version& f) { return f.path == path; });
    if (made_here || holds(setup_.own_work, path) || holds(absent, path))
      continue;
    struct stat info;
    if (lstat(join_path(setup_.p.folder, text).c_str(), &info) == 0)
      return fail(error_code::invalid_input,
                  "\"clear_outputs\" would remove the output " + std::string(text) +
                      ", which no attempt of this asset made: move it away, or take \"clear_outputs\" out");
  }
  for (const auto output : outputs)
    if (auto removed = setup_.files.remove(setup_.p.path(output)); !removed)
      return removed;
  for (const auto output : outputs)
    if (auto made = setup_.files.make_parent(setup_.p.path(output)); !made)
      return made;
  return {};
}

std::optional<recent_glances> asset_worker::finishes_quickly(asset_index asset, std::uint32_t attempt,
                                                             const process_exit& exit) const {
  if (setup_.results.look(result_file(asset, attempt)) || errno != ENOENT)
    return std::nullopt; // it may name any number of files, of any size
  if (exit.how != process_exit::kind::ended || exit.signal != 0 || exit.exit_code != 0)
    return recent_glances(); // nothing is looked at
  const auto& outputs = setup_.p.asset(asset).outputs;
  std::vector<path_slot> slots;
  slots.reserve(outputs.size());
  for (const auto output : outputs)
    slots.emplace_back(output.value);
  return reads_little(slots);
}

std::string asset_worker::result_file(asset_index asset, std::uint32_t attempt) const {
  return result_file_name(run_text_, asset, attempt);
}

std::optional<std::string> asset_worker::set_environment(asset_index asset, process_request& request) const {
  const auto& settings = setup_.p.settings_of(asset);
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
  const auto& found = *found_[asset.value];
  const command_scope scope{setup_.p, asset, run_text_, found.inputs, found.steps_up};
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
        if (entry.secret && secrets_)
          secrets_->learn(*value);
      } else {
        return "env " + entry.name + " is to come from the environment variable " + entry.text + ", which is not set";
      }
      break;
    case env_source::from_file: {
      auto text = setup_.files.read_text(entry.text, max_result_file);
      if (!text)
        return "env " + entry.name + " is to come from a file: " + text.error().message;
      while (!text->empty() && (text->back() == '\n' || text->back() == '\r'))
        text->pop_back();
      if (text->find('\0') != std::string::npos)
        return "env " + entry.name + " is to come from the file " + entry.text + ", which holds a NUL byte";
      set_variable(environment, entry.name, *text);
      if (entry.secret && secrets_)
        secrets_->learn(*text);
      break;
    }
    }
  }
  std::erase_if(environment, [](const std::string& entry) {
    return entry.starts_with("TROUPE_ATTEMPT=") || entry.starts_with("TROUPE_RESULT=") ||
           entry.starts_with("TROUPE_EVENT="); // execute() adds its own
  });
  if (!setup_.events_file.empty())
    set_variable(environment, "TROUPE_EVENT", setup_.events_file);
  set_variable(environment, "TROUPE_PIPELINE", setup_.p.name);
  set_variable(environment, "TROUPE_RUN_ID", run_text_);
  set_variable(environment, "TROUPE_ASSET", setup_.p.asset(asset).name);
  set_variable(environment, "TROUPE_STATE_ID", to_string(setup_.state_id));
  if (!supervisor_.empty())
    set_variable(environment, "TROUPE_SUPERVISOR", supervisor_);
  return std::nullopt;
}

result<process_request> asset_worker::prepare(asset_index asset) const {
  const auto& spec = setup_.p.asset(asset);
  const auto& settings = setup_.p.settings_of(asset);
  for (const auto output : spec.outputs)
    if (const auto made = setup_.files.make_parent(setup_.p.path(output)); !made)
      return made.error();
  const auto& found = *found_[asset.value];
  const bool bash_reads_file =
      bash_reads_file_ ||
      std::any_of(settings.env.begin(), settings.env.end(), [](const auto& entry) { return entry.name == "BASH_ENV"; });
  auto command =
      render_command({setup_.p, asset, run_text_, found.inputs, found.steps_up, functions_, bash_reads_file});
  if (!command)
    return command.error();
  process_request request;
  request.argv = std::move(command->argv);
  if (auto problem = set_environment(asset, request))
    return fail(error_code::invalid_input, std::move(*problem));
  request.cwd = join_path(setup_.p.folder, settings.cwd);
  request.max_log = settings.max_log;
  request.timeout = settings.timeout;
  request.grace = setup_.grace;
  setup_.processes.prepare(request);
  return request;
}

void asset_worker::execute(asset_index asset, std::uint32_t attempt, std::function<void(process_spawned)> spawned,
                           std::function<void(execution)> done) {
  if (ending_.load()) {
    execution out;
    out.outcome = outcome_kind::cancelled;
    out.message = "the run was stopped before the command started";
    done(std::move(out));
    return;
  }
  const auto started_at = setup_.time.now();
  const auto began = setup_.time.monotonic();
  if (setup_.p.is_source(asset)) {
    submit([this, asset, attempt, started_at, done = std::move(done)] {
      execution out;
      check_products(asset, attempt, started_at, nullptr, out);
      hide_secrets(out);
      done(std::move(out));
    });
    return;
  }
  TROUPE_CHECK(prepared_[asset.value] != nullptr, "an attempt of an asset that was not examined");
  auto request = std::move(*prepared_[asset.value]);
  prepared_[asset.value].reset();
  // It may have been examined long ahead of its turn.
  if (request && began - examined_at_[asset.value] > still_examined)
    if (auto lost = setup_.looks.lost_since(asset, *found_[asset.value]))
      request = fail(error_code::invalid_input, std::move(*lost));
  if (!request) {
    execution out;
    out.outcome = outcome_kind::not_started;
    out.message = request.error().message;
    hide_secrets(out);
    done(std::move(out));
    return;
  }
  if (!setup_.p.settings_of(asset).clear_outputs)
    return start_process(asset, attempt, std::move(*request), started_at, began, std::move(spawned), std::move(done));
  submit([this, asset, attempt, request = std::move(*request), started_at, began, spawned = std::move(spawned),
          done = std::move(done)]() mutable {
    if (const auto cleared = clear_outputs(asset); !cleared) {
      execution out;
      out.outcome = outcome_kind::not_started;
      out.message = cleared.error().message;
      hide_secrets(out);
      return done(std::move(out));
    }
    start_process(asset, attempt, std::move(request), started_at, began, std::move(spawned), std::move(done));
  });
}

void asset_worker::start_process(asset_index asset, std::uint32_t attempt, process_request request,
                                 timestamp started_at, duration began, std::function<void(process_spawned)> spawned,
                                 std::function<void(execution)> done) {
  const auto key = setup_.processes.new_key();
  request.key = key;
  request.owner = setup_.run.value;
  request.log_file = log_path(setup_.state_folder, setup_.run, log_name(setup_.p, asset), attempt);
  request.open_log = [this, asset, attempt]() -> result<int> {
    auto file = setup_.logs.make(setup_.run, log_file_name(log_name(setup_.p, asset), attempt));
    if (!file)
      return file.error();
    return file->release();
  };
  request.environment.push_back("TROUPE_ATTEMPT=" + std::to_string(attempt));
  request.environment.push_back("TROUPE_RESULT=" + setup_.results.path_of(result_file(asset, attempt)));
  if (secrets_)
    request.mask = secrets_->mask();
  if (setup_.warn)
    request.stopped = [this, asset](int signal) { was_stopped(asset, signal); };
  hand_out();
  setup_.processes.start(std::move(request), std::move(spawned),
                         [this, asset, attempt, started_at, began, done = std::move(done)](process_exit exit) {
                           if (!stopped_.empty())
                             tell_of_stop(asset, exit);
                           if (const auto quick = finishes_quickly(asset, attempt, exit)) {
                             done(finish(asset, attempt, {started_at, began}, exit, &*quick));
                           } else {
                             submit([this, asset, attempt, started_at, began, exit = std::move(exit), done] {
                               done(finish(asset, attempt, {started_at, began}, exit, nullptr));
                             });
                           }
                           take_back();
                         });
  // A stop that came between the first question and the start has not seen this process.
  if (ending_.load())
    setup_.processes.end(key, urgency::graceful);
}

void asset_worker::hide_secrets(execution& out) const {
  if (!secrets_)
    return;
  secrets_->hide(out.message);
  secrets_->hide(out.warnings);
}

void asset_worker::was_stopped(asset_index asset, int signal) {
  stopped_[asset] = signal;
  std::string text;
  if (wants_terminal(signal))
    text += "it waits for the terminal, and would wait forever: the system has stopped its command, which wants to " +
            std::string(signal == SIGTTIN ? "read from it" : "change or write to it") +
            ". Commands have no terminal: give it what it asks for by environment or file.";
  else
    text += "it is stopped by signal " + std::to_string(signal) + " (" + strsignal(signal) +
            "), which Troupe did not send: it needs a SIGCONT to go on.";
  const auto timeout = setup_.p.settings_of(asset).timeout;
  text += timeout ? " Its timeout of " + to_human(*timeout) + " ends it."
                  : " It has no timeout: Ctrl-C or troupe cancel ends the run.";
  if (!setup_.p.settings_of(asset).ignores("stopped_command"))
    setup_.warn(asset, make_warning("stopped_command", std::move(text)));
}

void asset_worker::tell_of_stop(asset_index asset, process_exit& exit) {
  const auto stopped = stopped_.extract(asset);
  if (stopped.empty() || exit.how != process_exit::kind::timed_out)
    return;
  exit.message += exit.message.empty() ? "" : "; ";
  exit.message += wants_terminal(stopped.mapped()) ? "it waited for the terminal, which commands do not have"
                                                   : "it was stopped by signal " + std::to_string(stopped.mapped());
}

void asset_worker::check_discovered(asset_index asset, std::uint32_t, std::function<void(bool)> done) {
  submit([this, asset, done = std::move(done)] {
    const auto& files = made_elsewhere_[asset.value]->files;
    done(std::all_of(files.begin(), files.end(), [&](const made_elsewhere::file& one) {
      if (one.moved)
        return false;
      const auto now = setup_.table.observe(one.slot);
      return now && now->content == one.content;
    }));
  });
}

void asset_worker::settle(std::function<void()> done) {
  submit([this, done = std::move(done)] {
    setup_.table.settle();
    done();
  });
}

void asset_worker::end_all(urgency how) {
  ending_.store(true);
  setup_.processes.end_all(setup_.run.value, how);
}

} // namespace troupe_internal
