// Turns a request into what exec takes, and its failures into words.
#include "adapters/process_spawn.hpp"

#include "adapters/posix_error.hpp"
#include "adapters/process_table.hpp"
#include "base/check.hpp"

#include <spawn.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

namespace troupe {
namespace {

/// posix_spawn's attributes: destroyed with this.
class spawn_attributes {
public:
  spawn_attributes() {
    error_ = posix_spawnattr_init(&attributes_);
    if (error_ != 0)
      return;
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  spawn_attributes(const spawn_attributes&) = delete;
  spawn_attributes& operator=(const spawn_attributes&) = delete;
  ~spawn_attributes() {
    if (error_ == 0)
      posix_spawnattr_destroy(&attributes_);
  }
  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

private:
  int error_ = 0;
  posix_spawnattr_t attributes_{};
};

} // namespace

result<command_spawner> command_spawner::open(way how) {
  command_spawner spawner;
  spawner.null_ = unique_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!spawner.null_ || !spawner.null_.lift_above_standard())
    return posix_error("open", "/dev/null", errno);
  if (how == way::best)
    spawner.cloner_ = std::make_unique<child_cloner>();
  return spawner;
}

int command_spawner::spawn_plainly(const child_program& program, spawned_process& process) const {
  const spawn_attributes attributes;
  posix_spawn_file_actions_t actions;
  int e = attributes.error() != 0 ? attributes.error() : posix_spawn_file_actions_init(&actions);
  if (e != 0)
    return e;
  const auto add = [&e](int outcome) {
    if (e == 0)
      e = outcome;
  };
  add(posix_spawn_file_actions_adddup2(&actions, program.input, 0));
  add(posix_spawn_file_actions_adddup2(&actions, program.output, 1));
  add(posix_spawn_file_actions_adddup2(&actions, program.output, 2));
  add(posix_spawn_file_actions_addclosefrom_np(&actions, 3));
  add(posix_spawn_file_actions_addchdir_np(&actions, program.cwd));
  if (e == 0)
    e = posix_spawn(&process.pid, program.file, &actions, attributes.get(), program.argv, program.environment);
  if (e == ENOEXEC) // as execvp does: a script without #! is one for the shell
    e = posix_spawn(&process.pid, "/bin/sh", &actions, attributes.get(), program.shell_argv, program.environment);
  posix_spawn_file_actions_destroy(&actions);
  return e;
}

std::variant<spawned_process, spawn_failure> command_spawner::spawn(const process_request& request, int output) {
  TROUPE_CHECK(output > 2, "the output must not be where standard descriptors go");
  if (request.argv.empty())
    return spawn_failure{process_exit::kind::not_started, "the command is empty"};
  const std::string* broken = nullptr;
  const auto look_for_zero = [&](const std::string& text) {
    if (text.find('\0') != std::string::npos)
      broken = &text;
  };
  std::for_each(request.argv.begin(), request.argv.end(), look_for_zero);
  each_variable(request, look_for_zero);
  if (broken != nullptr)
    return spawn_failure{process_exit::kind::not_started,
                         "a zero byte cannot be part of an argument or of an environment variable: " +
                             broken->substr(0, broken->find('\0'))};
  if (!request.file.empty()) {
    auto started = spawn_file(request, request.file, output);
    if (auto* process = std::get_if<spawned_process>(&started))
      return std::move(*process);
    const int e = std::get<int>(started);
    // It may have gone since it was found, and another be there.
    if (e != ENOENT && e != ENOTDIR && e != EACCES && e != ELOOP)
      return explain_spawn_error(request, request.file, e);
  }
  const auto file = find_command(request);
  if (!file)
    return spawn_failure{process_exit::kind::not_started, file.error().message};
  auto started = spawn_file(request, *file, output);
  if (auto* process = std::get_if<spawned_process>(&started))
    return std::move(*process);
  return explain_spawn_error(request, *file, std::get<int>(started));
}

/// The process, or an errno value.
std::variant<spawned_process, int> command_spawner::spawn_file(const process_request& request, const std::string& file,
                                                               int output) {
  // The casts away from const are the C interface's: exec does not write to its arguments.
  std::vector<char*> argv;
  argv.reserve(request.argv.size() + 1);
  for (const auto& argument : request.argv)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::vector<char*> shell_argv{const_cast<char*>("/bin/sh"), const_cast<char*>(file.c_str())};
  shell_argv.insert(shell_argv.end(), argv.begin() + 1, argv.end());
  std::vector<char*> environment;
  environment.reserve(request.environment.size() +
                      (request.shared_environment ? request.shared_environment->size() : 0) + 1);
  each_variable(request, [&](const std::string& entry) { environment.push_back(const_cast<char*>(entry.c_str())); });
  environment.push_back(nullptr);
  const child_program program{file.c_str(), argv.data(), shell_argv.data(), environment.data(), request.cwd.c_str(),
                              null_.get(),  output};

  spawned_process process;
  if (cloner_) {
    cloned_child child;
    clone_failure failure;
    if (cloner_->clone(program, child, failure)) {
      process = {child.pid, child.start_ticks};
      if (process.start_ticks == 0)
        process.start_ticks = process_start_ticks(process.pid).value_or(0);
      return process;
    }
    if (failure.step != clone_step::unsupported)
      return failure.error_number;
    cloner_.reset();
  }
  if (const int e = spawn_plainly(program, process); e != 0)
    return e;
  process.start_ticks = process_start_ticks(process.pid).value_or(0);
  return process;
}

} // namespace troupe
