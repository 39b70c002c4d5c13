// A run observer that writes down what it was told, one line each.
#pragma once

#include "core/journal/event_json.hpp"
#include "core/pipeline/pipeline.hpp"
#include "ports/run_observer.hpp"

#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace troupe_internal::test {

/// Any thread may read.
class recording_observer final : public run_observer {
public:
  explicit recording_observer(const pipeline& p) : p_(p) {}

  /// Called with each line as it is written, on the observer's thread.
  std::function<void(const std::string&)> on_line;

  [[nodiscard]] std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  [[nodiscard]] bool saw(const std::string& line) const {
    const std::lock_guard lock(mutex_);
    for (const auto& one : lines_)
      if (one == line)
        return true;
    return false;
  }

  void run_began(const run_outline&) override { write("run began"); }
  void attempt_began(asset_index asset, std::uint32_t attempt, const std::vector<reason>&, duration) override {
    write(name(asset) + " attempt " + std::to_string(attempt));
  }
  void attempt_ended(asset_index asset, const attempt_end& end) override {
    write(name(asset) + " attempt " + std::to_string(end.attempt) + " " + std::string(to_string(end.outcome)) +
          (end.retry_in ? ", again" : "") + (end.allowed_to_fail ? ", allowed" : ""));
  }
  void asset_settled(asset_index asset, asset_status status, asset_index because, std::string_view) override {
    write(name(asset) + " " + std::string(to_string(status)) + (because == asset ? "" : " by " + name(because)));
  }
  void run_stopping(stop_cause cause) override { write("stopping: " + std::string(to_string(cause))); }
  void warned(asset_index asset, const attempt_warning& warning) override {
    write("warning: " + name(asset) + " " + warning.text);
  }

private:
  [[nodiscard]] std::string name(asset_index asset) const { return std::string(p_.asset(asset).name); }
  void write(std::string line) {
    {
      const std::lock_guard lock(mutex_);
      lines_.push_back(line);
    }
    if (on_line)
      on_line(line);
  }

  const pipeline& p_;
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

} // namespace troupe_internal::test
