// Runs commands through an executor and waits for them. Knows nothing of how the executor works.
#pragma once

#include "adapters/process/process_executor.hpp"
#include "support/temporary_folder.hpp"

#include <fcntl.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace troupe_internal {

/// Makes a log at a path, with its folders.
inline std::function<result<int>()> open_log_at(const std::string& path) {
  return [path]() -> result<int> {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
      return fail(error_code::io, "cannot make " + path);
    return fd;
  };
}

inline void log_at(process_request& r, const std::string& path) {
  r.log_file = path;
  r.open_log = open_log_at(path);
}

/// An executor, a folder for its commands and logs, and the reports so far. A wait that takes a minute fails the test:
/// it is there for hangs, not to measure.
class process_runner {
public:
  explicit process_runner(process_executor_options options = {})
      : executor_(posix_process_executor::open(options).value()) {}

  /// A request for a command in the folder, logging to "N.log" there, N being the key.
  process_request request(std::vector<std::string> argv) {
    process_request r;
    r.key = ++keys_;
    r.argv = std::move(argv);
    r.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "TROUPE_RUN_ID=run-1", "TROUPE_STATE_ID=" + state_id(),
                     "TROUPE_ASSET=a" + std::to_string(r.key), "TROUPE_ATTEMPT=1"};
    r.cwd = folder.path();
    log_at(r, folder / (std::to_string(r.key) + ".log"));
    r.max_log = 1'000'000;
    r.grace = std::chrono::seconds(20);
    return r;
  }
  process_request shell(const std::string& script) { return request({"/bin/sh", "-c", script}); }

  void prepare(process_request& r) const { executor_->prepare(r); }
  process_key start(process_request r) {
    const auto key = r.key;
    executor_->start(
        std::move(r),
        [this, key](process_spawned s) {
          const std::lock_guard lock(mutex_);
          CHECK_FALSE(spawned_.contains(key));
          CHECK_FALSE(exits_.contains(key));
          spawned_[key] = s;
          changed_.notify_all();
        },
        [this, key](process_exit e) {
          const std::lock_guard lock(mutex_);
          CHECK_FALSE(exits_.contains(key));
          exits_[key] = std::move(e);
          changed_.notify_all();
        });
    return key;
  }
  process_exit wait(process_key key) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::minutes(1), [&] { return exits_.contains(key); }));
    return exits_.at(key);
  }
  process_spawned wait_spawned(process_key key) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::minutes(1), [&] { return spawned_.contains(key); }));
    return spawned_.at(key);
  }
  process_exit run(process_request r) { return wait(start(std::move(r))); }
  process_exit run_shell(const std::string& script) { return run(shell(script)); }
  [[nodiscard]] bool reported(process_key key) {
    const std::lock_guard lock(mutex_);
    return exits_.contains(key);
  }
  [[nodiscard]] bool was_spawned(process_key key) {
    const std::lock_guard lock(mutex_);
    return spawned_.contains(key);
  }

  [[nodiscard]] std::string log(process_key key) const { return folder.read(std::to_string(key) + ".log"); }
  [[nodiscard]] process_key last_key() const { return keys_; }
  [[nodiscard]] std::string log() const { return log(keys_); }
  /// Waits until a command has written a whole line into a file of the folder, and returns it.
  [[nodiscard]] std::string wait_line(const std::string& file) const {
    for (int i = 0; i < 6000; ++i) {
      const auto text = folder.read(file);
      if (!text.empty() && text.back() == '\n')
        return text.substr(0, text.size() - 1);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    FAIL("nothing appeared in " << file);
    return {};
  }

  [[nodiscard]] posix_process_executor& executor() { return *executor_; }
  /// Destroys the executor.
  void stop() { executor_.reset(); }
  [[nodiscard]] static std::string state_id() { return "state-of-test-" + std::to_string(getpid()); }

  temporary_folder folder;

private:
  process_key keys_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<process_key, process_spawned> spawned_;
  std::map<process_key, process_exit> exits_;
  std::unique_ptr<posix_process_executor> executor_; // last: it reports into the others until it is gone
};

} // namespace troupe_internal
