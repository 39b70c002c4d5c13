// A run as lines of JSON while it goes on, one object a line. Knows what the observer is told; does not know how runs
// are shown to people.
#pragma once

#include "base/json_writer.hpp"
#include "core/pipeline/pipeline.hpp"
#include "ports/clock.hpp"
#include "ports/run_observer.hpp"
#include "views/console.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace troupe_internal::cli {

/// Hands everything on to another observer, too. The observer's calls cost a lock and some text; a thread of its own
/// writes, so that a slow reader does not hold up the run.
class event_stream final : public run_observer {
public:
  /// All outlive it. Throws std::system_error where the system has no thread left.
  event_stream(const output& to, const pipeline& p, const clock& time, run_observer& also);
  ~event_stream() override;
  event_stream(const event_stream&) = delete;
  event_stream& operator=(const event_stream&) = delete;

  void run_began(const run_outline& outline) override;
  void attempt_began(asset_index asset, std::uint32_t attempt, const std::vector<reason>& reasons,
                     duration expected) override;
  void attempt_ended(asset_index asset, const attempt_end& end) override;
  void asset_settled(asset_index asset, asset_status status, asset_index because, std::string_view message) override;
  void run_stopping(stop_cause cause) override;
  void warned(asset_index asset, const attempt_warning& warning) override;
  void noted(std::string_view text) override;
  void leftovers_ended(const std::vector<ended_process>& processes) override;

  /// Returns when all is written. Repeated calls do nothing.
  void finish();

private:
  using member_writer = std::function<void(json_writer&)>;
  void add(std::string_view event, const member_writer& members);
  [[nodiscard]] std::string_view name(asset_index asset) const { return p_.asset(asset).name; }
  void write_until_finished();

  const output& to_;
  const pipeline& p_;
  const clock& time_;
  run_observer& also_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::string lines_;     ///< under mutex_
  bool finished_ = false; ///< under mutex_
  std::thread writer_;    ///< last
};

} // namespace troupe_internal::cli
