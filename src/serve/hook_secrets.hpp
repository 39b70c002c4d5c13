// The secrets of webhooks: where they are read, and when again. Knows no request.
#pragma once

#include "base/result.hpp"
#include "serve/trigger_desk.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace troupe_internal::serve {

/// Any thread.
class hook_secrets {
public:
  /// The keys that may sign for a webhook, as its secrets are now: a file is read again when it has changed. Those that
  /// can be read; invalid_input, with the reason for each, where none can.
  [[nodiscard]] result<std::vector<std::string>> keys_of(const trigger_desk::target& at);
  /// What is wrong with any of them, for people; empty: nothing.
  [[nodiscard]] std::string problem_of(const trigger_desk::target& at);
  /// From now on all are read again.
  void forget();

private:
  struct read_file {
    std::uint64_t device = 0, inode = 0, bytes = 0;
    std::int64_t mtime_ns = 0, ctime_ns = 0;
    std::string text;
  };
  [[nodiscard]] result<std::string> read(const secret_source& source, const std::string& folder);
  [[nodiscard]] result<std::string> read_file_at(const std::string& path);
  [[nodiscard]] std::vector<std::string> read_all(const trigger_desk::target& at, std::string& problems);

  std::mutex mutex_;
  std::map<std::string, read_file> files_; ///< by path
};

} // namespace troupe_internal::serve
