// Which file a command names, and in the user's words why it cannot be executed.
#include "adapters/process/process_spawn.hpp"
#include "adapters/system/posix_error.hpp"
#include "adapters/system/posix_path.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

namespace troupe_internal {
namespace {

constexpr std::size_t longest_argument = 128 * 1024; // MAX_ARG_STRLEN, with its zero

std::string in_quotes(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

std::string beneath(std::string_view cwd, std::string_view path) {
  if (!path.empty() && path.front() == '/')
    return std::string(path);
  std::string whole(cwd);
  whole.append("/").append(path);
  return whole;
}

enum class verdict { executable, absent, folder, not_a_file, not_executable, unreachable };

verdict judge(const std::string& file) {
  const c_path path(file);
  struct stat info;
  if (path.error() != 0)
    return verdict::absent;
  if (stat(path.get(), &info) != 0)
    return errno == EACCES ? verdict::unreachable : verdict::absent;
  if (S_ISDIR(info.st_mode))
    return verdict::folder;
  if (!S_ISREG(info.st_mode))
    return verdict::not_a_file;
  return faccessat(AT_FDCWD, path.get(), X_OK, AT_EACCESS) == 0 ? verdict::executable : verdict::not_executable;
}

std::string words(std::string_view name, verdict v, const std::string& file) {
  const auto what = "the command " + in_quotes(name);
  const auto where = file == name ? std::string() : " (" + file + ")";
  switch (v) {
  case verdict::executable:
    break;
  case verdict::absent:
    return what + " does not exist" + where;
  case verdict::folder:
    return what + " is a folder" + where;
  case verdict::not_a_file:
    return what + " is not a file that could be executed" + where;
  case verdict::not_executable:
    return what + " is not executable" + where + ": chmod +x would make it so";
  case verdict::unreachable:
    return what + " may not be reached" + where + ": Permission denied";
  }
  return what + " can be executed" + where;
}

/// The interpreter a script names in its first line; empty if it names none.
std::string interpreter_of(const std::string& file) {
  const unique_fd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::array<char, 256> start;
  const auto got = fd ? read(fd.get(), start.data(), start.size()) : -1;
  std::string_view line(start.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  if (!line.starts_with("#!"))
    return {};
  line = line.substr(2, line.find('\n') - 2);
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  return std::string(line.substr(0, line.find_first_of(" \t\n")));
}

std::string too_long(const process_request& request) {
  std::size_t all = 0;
  std::size_t longest = 0;
  const auto count = [&](const std::string& text) {
    all += text.size() + 1 + sizeof(char*);
    longest = std::max(longest, text.size() + 1);
  };
  std::for_each(request.argv.begin(), request.argv.end(), count);
  each_variable(request, count);
  if (longest > longest_argument)
    return "an argument or environment variable of the command is too long: " + std::to_string(longest) +
           " bytes, the system takes " + std::to_string(longest_argument) + " for one";
  return "the arguments and the environment of the command are too long: " + std::to_string(all) +
         " bytes, the system takes " + std::to_string(sysconf(_SC_ARG_MAX)) + " in all";
}

std::string limit_text(__rlimit_resource_t resource) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return "no limit is set";
  return "the limit is " + std::to_string(limit.rlim_cur);
}

} // namespace

result<std::string> find_command(const process_request& request) {
  if (request.argv.empty())
    return fail(error_code::not_found, "the command is empty");
  std::optional<std::string_view> folders; // the first, as getenv; there may be more
  each_variable(request, [&](std::string_view entry) {
    if (!folders && entry.starts_with("PATH="))
      folders = entry.substr(5);
  });
  return find_command(request.argv.front(), folders.value_or("/bin:/usr/bin"), request.cwd); // as execvp without PATH
}

result<std::string> find_command(std::string_view name, std::string_view folders, std::string_view cwd) {
  if (name.empty())
    return fail(error_code::not_found, "the command is empty");
  if (name.find('/') != std::string_view::npos) {
    const auto v = judge(beneath(cwd, name));
    if (v == verdict::executable)
      return std::string(name);
    if (v == verdict::absent && judge(std::string(cwd)) == verdict::absent)
      return fail(error_code::not_found, "the working folder " + in_quotes(cwd) + " does not exist");
    return fail(error_code::not_found, words(name, v, std::string(name)));
  }
  // As execvp: a file that may not be executed does not end the search, but is what the message tells of.
  auto worst = verdict::absent;
  std::string at;
  std::string file;
  for (std::size_t from = 0; from <= folders.size();) {
    const auto end = std::min(folders.find(':', from), folders.size());
    file.assign(folders.substr(from, end - from));
    from = end + 1;
    if (!file.empty())
      file += '/';
    file.append(name);
    const auto v = judge(beneath(cwd, file));
    if (v == verdict::executable)
      return file.find('/') == std::string::npos ? "./" + file : file;
    if (worst == verdict::absent && v != verdict::unreachable) {
      worst = v;
      at = file;
    }
  }
  if (worst == verdict::absent)
    return fail(error_code::not_found, "the command " + in_quotes(name) + " does not exist in any folder of PATH (" +
                                           std::string(folders) + ")");
  return fail(error_code::not_found, words(name, worst, at));
}

spawn_failure explain_spawn_error(const process_request& request, const std::string& file, int error_number) {
  const auto what = "the command " + in_quotes(request.argv.front());
  using kind = process_exit::kind;
  // The error number does not say what it is about: look again.
  struct stat info;
  const c_path cwd(request.cwd);
  if (cwd.error() != 0 || stat(cwd.get(), &info) != 0)
    return {kind::not_started, "the working folder " + in_quotes(request.cwd) +
                                   " cannot be used: " + errno_text(cwd.error() != 0 ? cwd.error() : errno)};
  if (!S_ISDIR(info.st_mode))
    return {kind::not_started, "the working folder " + in_quotes(request.cwd) + " is not a folder"};
  if (faccessat(AT_FDCWD, cwd.get(), X_OK, AT_EACCESS) != 0)
    return {kind::not_started,
            "the working folder " + in_quotes(request.cwd) + " may not be entered: Permission denied"};
  const auto whole = beneath(request.cwd, file);
  switch (error_number) {
  case E2BIG:
    return {kind::not_started, too_long(request)};
  case ENOENT:
  case ENOTDIR:
  case ELOOP:
  case EACCES: {
    const auto v = judge(whole);
    if (v != verdict::executable)
      return {kind::not_started, words(request.argv.front(), v, file)};
    const auto interpreter = interpreter_of(whole);
    if (!interpreter.empty())
      return {kind::not_started,
              what + " names an interpreter in its first line that cannot be executed: " + interpreter};
    if (error_number == EACCES)
      return {kind::not_started, what + " may not be executed here: Permission denied (a file system mounted noexec?)"};
    return {kind::not_started, what + " needs a loader that does not exist on this system"};
  }
  case ETXTBSY:
    return {kind::not_started, what + " is being written by another process"};
  case EAGAIN:
    return {kind::internal, "no more processes can be started (" + limit_text(RLIMIT_NPROC) +
                                " for this user, see ulimit -u): " + errno_text(error_number)};
  case ENOMEM:
    return {kind::internal, "not enough memory to start " + what};
  case EMFILE:
  case ENFILE:
    return {kind::internal, "no more files can be opened (" + limit_text(RLIMIT_NOFILE) +
                                ", see ulimit -n): " + errno_text(error_number)};
  default:
    return {kind::not_started, what + " cannot be executed: " + errno_text(error_number)};
  }
}

} // namespace troupe_internal
