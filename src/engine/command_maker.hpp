// Makes assets by their commands: environment, log, process, how it ended, TROUPE_RESULT. Knows nothing of freshness or
// of outputs.
#pragma once

#include "adapters/process/state_logs.hpp"
#include "adapters/state/kept_folder.hpp"
#include "engine/attempt_maker.hpp"
#include "engine/known_secrets.hpp"
#include "ports/clock.hpp"
#include "ports/process_executor.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe_internal {

/// What is the same for all commands of a run.
struct command_surroundings {
  const pipeline& p;
  const file_system& files;
  process_executor& processes; ///< others may use it too
  std::string state_folder;    ///< absolute: for what commands and people are told
  state_logs& logs;
  const kept_folder& results; ///< of the state
  uuid state_id;
  uuid run_id;
  run_number run;
  duration grace{};
  std::vector<std::string> environment; ///< the supervisor's own
  known_secrets* secrets = nullptr;     ///< null: the pipeline declares none
  /// Tells whoever watches the run; from the executor's threads. May be empty.
  std::function<void(asset_index, const attempt_warning&)> warn;
  std::string events_file{}; ///< what commands are told of the events that the run is for; empty: there are none
};

class command_maker final : public attempt_maker {
public:
  explicit command_maker(command_surroundings around);

  [[nodiscard]] result<void> prepare(asset_index asset, const findings& found) override;
  void make(asset_index asset, std::uint32_t attempt, std::function<void(process_spawned)> spawned,
            std::function<void(work_end)> ended) override;
  void end_all(urgency how) override;
  [[nodiscard]] bool may_have_report(asset_index asset, std::uint32_t attempt) const override;
  [[nodiscard]] result<std::optional<attempt_report>> take_report(asset_index asset, std::uint32_t attempt) override;
  void drop_report(asset_index asset, std::uint32_t attempt) override;

private:
  /// All of a request but what the attempt's number is part of.
  [[nodiscard]] result<process_request> request_of(asset_index asset, const findings& found) const;
  /// Into the request; else what is wrong with it.
  [[nodiscard]] std::optional<std::string> set_environment(asset_index asset, const findings& found,
                                                           const response_writer& responses,
                                                           process_request& request) const;
  /// Writes a file beside the asset's logs, and says where it is.
  [[nodiscard]] result<std::string> write_response(asset_index asset, std::uint32_t number,
                                                   const std::string& content) const;
  void was_stopped(asset_index asset, int signal);
  void tell_of_stop(asset_index asset, process_exit& exit);
  [[nodiscard]] work_end end_of(asset_index asset, process_exit exit) const;
  /// Its name in the state's folder for them.
  [[nodiscard]] std::string result_file(asset_index asset, std::uint32_t attempt) const;

  command_surroundings around_;
  std::shared_ptr<const std::vector<std::string>> inherited_; ///< around_.environment
  std::string run_text_;
  std::vector<std::string> functions_; ///< that around_.environment hands on to shells
  bool bash_reads_file_ = false;
  std::string supervisor_; ///< as the environment tells it; empty if it cannot be known
  /// By asset_index: prepared when examined, so that a granted attempt starts at once.
  std::vector<std::unique_ptr<process_request>> prepared_;
  /// What the system stopped, and by which signal. In callbacks of the executor alone, never two at once.
  std::map<asset_index, int> stopped_;
  std::atomic<bool> ending_{false};
};

} // namespace troupe_internal
