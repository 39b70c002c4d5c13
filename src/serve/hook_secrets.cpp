// A file counts as the same while its stat does.
#include "serve/hook_secrets.hpp"

#include "adapters/system/posix_error.hpp"
#include "adapters/system/unique_fd.hpp"
#include "serve/hook_signature.hpp"
#include "serve/safe_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

namespace troupe_internal::serve {

namespace {

constexpr std::size_t longest_secret = 4096;

std::int64_t ns_of(const timespec& at) {
  return std::int64_t{at.tv_sec} * 1'000'000'000 + at.tv_nsec;
}

result<std::string> read_secret(const std::string& path, int fd) {
  std::string text(longest_secret + 1, '\0');
  std::size_t had = 0;
  while (had < text.size()) {
    const auto got = ::read(fd, text.data() + had, text.size() - had);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return fail(error_code::invalid_input, path + " cannot be read: " + errno_text(errno));
    if (got == 0)
      break;
    had += static_cast<std::size_t>(got);
  }
  if (had > longest_secret)
    return fail(error_code::invalid_input,
                path + " is longer than a secret may be (" + std::to_string(longest_secret) + " bytes)");
  text.resize(had);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
    text.pop_back();
  return text;
}

} // namespace

result<std::string> hook_secrets::read_file_at(const std::string& path) {
  if (const auto safe = require_safe_file(path, "have forged requests accepted"); !safe)
    return safe.error();
  const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0)
    return fail(error_code::invalid_input, path + " cannot be read: " + errno_text(errno));
  if (!S_ISREG(info.st_mode))
    return fail(error_code::invalid_input, path + " is no regular file");
  read_file now{info.st_dev,         info.st_ino,         static_cast<std::uint64_t>(info.st_size),
                ns_of(info.st_mtim), ns_of(info.st_ctim), {}};
  const std::lock_guard lock(mutex_);
  auto& known = files_[path];
  if (known.inode == now.inode && known.device == now.device && known.bytes == now.bytes &&
      known.mtime_ns == now.mtime_ns && known.ctime_ns == now.ctime_ns && !known.text.empty())
    return known.text;
  auto text = read_secret(path, fd.get());
  if (!text)
    return text;
  now.text = *text;
  known = std::move(now);
  return text;
}

result<std::string> hook_secrets::read(const secret_source& source, const std::string& folder) {
  switch (source.from) {
  case secret_source::kind::file:
    return read_file_at((std::filesystem::path(folder) / source.name).lexically_normal().string());
  case secret_source::kind::environment: {
    const char* const value = std::getenv(source.name.c_str());
    if (value == nullptr)
      return fail(error_code::invalid_input, "the supervisor's environment has no " + source.name);
    return std::string(value);
  }
  case secret_source::kind::credential: {
    const char* const credentials = std::getenv("CREDENTIALS_DIRECTORY");
    if (credentials == nullptr)
      return fail(error_code::invalid_input,
                  "there are no credentials (CREDENTIALS_DIRECTORY): systemd hands them to a service with "
                  "LoadCredential=" +
                      source.name + ":PATH");
    return read_file_at(std::string(credentials) + "/" + source.name);
  }
  }
  return fail(error_code::internal, "a secret from nowhere");
}

std::vector<std::string> hook_secrets::read_all(const trigger_desk::target& at, std::string& problems) {
  std::vector<std::string> keys;
  const auto* const hook = std::get_if<webhook_source>(&at.what->source);
  if (hook == nullptr)
    return keys;
  const auto folder = std::filesystem::path(at.file).parent_path().string();
  for (const auto& source : hook->secrets) {
    auto text = read(source, folder);
    auto key = text ? signing_key(hook->scheme, *text) : std::move(text);
    if (key)
      keys.push_back(std::move(*key));
    else
      problems += (problems.empty() ? "" : "; ") + key.error().message;
  }
  return keys;
}

result<std::vector<std::string>> hook_secrets::keys_of(const trigger_desk::target& at) {
  std::string problems;
  auto keys = read_all(at, problems);
  if (keys.empty() && !problems.empty())
    return fail(error_code::invalid_input, problems);
  return keys;
}

std::string hook_secrets::problem_of(const trigger_desk::target& at) {
  std::string problems;
  static_cast<void>(read_all(at, problems));
  return problems.empty() ? problems : "a secret cannot be used: " + problems;
}

void hook_secrets::forget() {
  const std::lock_guard lock(mutex_);
  files_.clear();
}

} // namespace troupe_internal::serve
