// A run as its handles see it: live, ended, or of an earlier engine. Knows nothing of how it is carried out.
#pragma once

#include "engine/project.hpp"
#include "lib/engine_link.hpp"
#include "ports/run_observer.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace troupe_internal::lib {

/// Who watches a run for its handle. Its calls come from the engine's threads.
class host_run final : public run_observer {
public:
  using log_function = std::function<void(int level, const std::string&)>;
  explicit host_run(std::shared_ptr<engine_link> of, log_function log) : of_(std::move(of)), log_(std::move(log)) {}

  [[nodiscard]] engine_link& engine() const { return *of_; }
  [[nodiscard]] run_number number() const;
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] run_status status() const;
  /// Waits so long (below zero: without limit); false: it has not ended.
  [[nodiscard]] bool wait(std::chrono::nanoseconds at_most) const;
  /// How it ended; after wait().
  [[nodiscard]] run_result ended() const;

  void numbered(run_number number, std::string id);
  /// Once. `broken`: it was not recorded to its end, and is open.
  void end(const run_result& how);

  // run_observer
  void run_began(const run_outline& outline) override;
  void attempt_began(asset_index, std::uint32_t, const std::vector<reason>&, duration) override {}
  void attempt_ended(asset_index, const attempt_end&) override {}
  void asset_settled(asset_index, asset_status, asset_index, std::string_view) override {}
  void run_stopping(stop_cause) override {}
  void warned(asset_index asset, const attempt_warning& warning) override;
  void noted(std::string_view text) override;

private:
  const std::shared_ptr<engine_link> of_;
  const log_function log_;
  mutable std::mutex mutex_; ///< guards what follows; id_ is set before anybody has a handle
  mutable std::condition_variable changed_;
  run_number number_;
  std::string id_;
  std::optional<run_result> ended_;
};

} // namespace troupe_internal::lib
