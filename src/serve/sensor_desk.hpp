// The thread that calls the sensors of all pipelines in time, one call of each at a time, and takes in what they
// report. Knows the rules of their calls; no process and no journal.
#pragma once

#include "adapters/files/posix_file_system.hpp"
#include "adapters/system/unique_fd.hpp"
#include "serve/own_commands.hpp"
#include "serve/sensor_report.hpp"
#include "serve/trigger_desk.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe_internal::serve {

class sensor_desk {
public:
  /// All outlive it. Throws std::system_error where the system has no thread or descriptor left.
  sensor_desk(serving_engine& engine, trigger_desk& desk, system_clock& time,
              std::function<void(const std::string&)> log);
  /// Ends the calls that are under way: what they would report is not taken in.
  ~sensor_desk();
  sensor_desk(const sensor_desk&) = delete;
  sensor_desk& operator=(const sensor_desk&) = delete;

  /// Calls no more, and ends the calls that are under way; does not wait for their end. Any thread.
  void stop();

private:
  struct sensor {
    trigger_desk::target at;
    std::shared_ptr<const troupe_internal::pipeline> p;
    std::string cursor;    ///< as recorded
    duration due{0};       ///< of its next call
    unsigned failures = 0; ///< since the last call that went well
    [[nodiscard]] const sensor_source& source() const { return std::get<sensor_source>(at.what->source); }
  };
  void run();
  [[nodiscard]] bool rebuild();
  void call(const std::string& name, sensor& of);
  void take_end(const std::string& name, command_end end);
  [[nodiscard]] result<bool> take_report(sensor& of, const std::string& name, const std::string& output);
  [[nodiscard]] int wait_ms() const;

  serving_engine& engine_;
  trigger_desk& desk_;
  system_clock& time_;
  std::function<void(const std::string&)> log_;
  unique_fd wake_;
  /// A call that is under way, whatever has become of its sensor.
  struct call_begun {
    duration at{0};
    std::string cursor;
  };
  std::map<std::string, sensor> sensors_; ///< by full name
  std::map<std::string, call_begun> calls_;
  bool rebuild_ = true;
  std::mutex mutex_; ///< guards what follows
  std::vector<std::pair<std::string, command_end>> ended_;
  std::atomic<bool> changed_{false}, ending_{false};
  std::unique_ptr<own_commands> commands_;
  std::thread thread_; ///< last: it uses the others
};

} // namespace troupe_internal::serve
