// Turns a request into what exec takes, and its failures into words.
#include "adapters/process/process_spawn.hpp"

#include "adapters/process/process_table.hpp"
#include "adapters/system/core_dumps.hpp"
#include "adapters/system/posix_error.hpp"
#include "base/check.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace troupe_internal {

result<command_spawner> command_spawner::open(child_cloner::way how) {
  command_spawner spawner;
  spawner.null_ = unique_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!spawner.null_ || !spawner.null_.lift_above_standard())
    return posix_error("open", "/dev/null", errno);
  spawner.cloner_ = std::make_unique<child_cloner>(how);
  return spawner;
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
  const child_program program{file.c_str(),
                              argv.data(),
                              shell_argv.data(),
                              environment.data(),
                              request.cwd.c_str(),
                              request.input > 2 ? request.input : null_.get(),
                              request.answer > 2 ? request.answer : output,
                              output,
                              core_limit_before()};

  cloned_child child;
  if (const int e = cloner_->clone(program, child); e != 0)
    return e;
  if (child.start_ticks == 0)
    child.start_ticks = process_start_ticks(child.pid).value_or(0);
  return spawned_process{child.pid, child.start_ticks};
}

} // namespace troupe_internal
