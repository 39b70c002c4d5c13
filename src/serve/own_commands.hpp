// Commands of a supervisor that are no asset's: they get a text, and what they print is read. Knows no trigger and no
// notice.
#pragma once

#include "adapters/system/unique_fd.hpp"
#include "engine/serving_engine.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace troupe_internal::serve {

struct own_command {
  std::vector<std::string> argv;
  std::string cwd;                      ///< absolute
  std::vector<std::string> environment; ///< complete, but for the marks of the state
  std::string input;                    ///< what it reads from standard input
  duration timeout{0};
  duration grace{0};                       ///< between SIGTERM and SIGKILL
  std::size_t most_output = 0;             ///< bytes; one that prints more is ended
  std::shared_ptr<const secret_mask> mask; ///< over its messages; null: none
};

/// How it went.
struct command_end {
  std::string problem; ///< for people, with what it said on standard error; empty: it ended with exit status 0
  std::string output;
  bool ended_by_us = false; ///< because the supervisor ends, or its journal failed
};

/// Any thread.
class own_commands {
public:
  /// `engine` outlives it. Throws std::system_error where the system has no thread or descriptor left.
  explicit own_commands(serving_engine& engine);
  /// Ends all commands, and waits for them.
  ~own_commands();
  own_commands(const own_commands&) = delete;
  own_commands& operator=(const own_commands&) = delete;

  /// `done` is called once, on any thread, and may not start another one.
  void start(own_command what, std::function<void(command_end)> done);
  /// Ends those that live, softly.
  void end_all();

private:
  struct job;
  void run();
  void read_from(job& of);
  static void finish(job& of, const process_exit& exit);

  serving_engine& engine_;
  unique_fd wake_;
  std::mutex mutex_; ///< guards what follows
  std::map<std::uint64_t, std::shared_ptr<job>> jobs_;
  std::vector<std::pair<std::uint64_t, process_exit>> ended_;
  std::uint64_t last_ = 0;
  bool ending_ = false;
  std::thread thread_; ///< last: it uses the others
};

/// The supervisor's own environment without what belongs to a command of an asset, and with `more` ("NAME=value").
[[nodiscard]] std::vector<std::string> environment_with(const std::vector<std::string>& more);

} // namespace troupe_internal::serve
