// posix_spawn, which does not copy our page tables, so that its cost does not grow with our memory.
#include "adapters/process_spawn.hpp"

#include "adapters/posix_error.hpp"
#include "base/check.hpp"

#include <csignal>
#include <utility>

namespace troupe {

result<command_spawner> command_spawner::open() {
  command_spawner spawner;
  spawner.null_ = unique_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!spawner.null_ || !spawner.null_.lift_above_standard())
    return posix_error("open", "/dev/null", errno);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  if (const int e = posix_spawnattr_init(&spawner.attributes_); e != 0)
    return fail(error_code::io, "cannot prepare to start processes: " + errno_text(e));
  spawner.owns_attributes_ = true;
  posix_spawnattr_setpgroup(&spawner.attributes_, 0);
  posix_spawnattr_setsigmask(&spawner.attributes_, &none);
  posix_spawnattr_setsigdefault(&spawner.attributes_, &all);
  posix_spawnattr_setflags(&spawner.attributes_,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  return spawner;
}

command_spawner::command_spawner(command_spawner&& other) noexcept
    : null_(std::move(other.null_)), attributes_(other.attributes_),
      owns_attributes_(std::exchange(other.owns_attributes_, false)) {}

command_spawner::~command_spawner() {
  if (owns_attributes_)
    posix_spawnattr_destroy(&attributes_);
}

int command_spawner::spawn_file(const char* file, char* const argv[], char* const environment[],
                                const process_request& request, int output, pid_t& pid) const {
  posix_spawn_file_actions_t actions;
  int e = posix_spawn_file_actions_init(&actions);
  if (e != 0)
    return e;
  const auto add = [&e](int outcome) {
    if (e == 0)
      e = outcome;
  };
  add(posix_spawn_file_actions_adddup2(&actions, null_.get(), 0));
  add(posix_spawn_file_actions_adddup2(&actions, output, 1));
  add(posix_spawn_file_actions_adddup2(&actions, output, 2));
  add(posix_spawn_file_actions_addclosefrom_np(&actions, 3));
  add(posix_spawn_file_actions_addchdir_np(&actions, request.cwd.c_str()));
  if (e == 0)
    e = posix_spawn(&pid, file, &actions, &attributes_, argv, environment);
  posix_spawn_file_actions_destroy(&actions);
  return e;
}

std::variant<pid_t, spawn_failure> command_spawner::spawn(const process_request& request, int output) const {
  TROUPE_CHECK(output > 2, "the output must not be where standard descriptors go");
  if (request.argv.empty())
    return spawn_failure{process_exit::kind::not_started, "the command is empty"};
  for (const auto* list : {&request.argv, &request.environment})
    for (const auto& text : *list)
      if (text.find('\0') != std::string::npos)
        return spawn_failure{process_exit::kind::not_started,
                             "a zero byte cannot be part of an argument or of an environment variable: " +
                                 text.substr(0, text.find('\0'))};
  const auto file = find_command(request.argv.front(), request.environment, request.cwd);
  if (!file)
    return spawn_failure{process_exit::kind::not_started, file.error().message};

  // The casts away from const are the C interface's: exec does not write to its arguments.
  std::vector<char*> argv;
  argv.reserve(request.argv.size() + 3);
  argv.push_back(nullptr); // room for the shell, see below
  for (const auto& argument : request.argv)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::vector<char*> environment;
  environment.reserve(request.environment.size() + 1);
  for (const auto& entry : request.environment)
    environment.push_back(const_cast<char*>(entry.c_str()));
  environment.push_back(nullptr);

  pid_t pid = 0;
  int e = spawn_file(file->c_str(), argv.data() + 1, environment.data(), request, output, pid);
  if (e == ENOEXEC) { // as execvp does: a script without #! is one for the shell
    argv[0] = const_cast<char*>("/bin/sh");
    argv[1] = const_cast<char*>(file->c_str());
    e = spawn_file("/bin/sh", argv.data(), environment.data(), request, output, pid);
  }
  if (e != 0)
    return explain_spawn_error(request, *file, e);
  return pid;
}

} // namespace troupe
