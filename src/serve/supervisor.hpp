// The supervisor: one engine that stays up, the pipelines it has, and its HTTP interface. Knows no command line, and no
// policy of a run.
#pragma once

#include "adapters/http/http_server.hpp"
#include "adapters/state/state_socket.hpp"
#include "adapters/system/system_clock.hpp"
#include "base/result.hpp"
#include "engine/serving_engine.hpp"
#include "serve/api.hpp"
#include "serve/trigger_clock.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe_internal::serve {

inline constexpr const char* supervisor_socket = "supervisor.sock";

struct supervisor_options {
  std::string state;                  ///< folder of the state; absolute
  std::vector<std::string> pipelines; ///< files; absolute
  std::vector<std::string> listen;    ///< TCP addresses beside the Unix socket
  access_rules access{};
  serving_options engine{}; ///< its folder and opening are the supervisor's to fill in
  bool assume_dead = false;
  bool trust_clock = false; ///< schedules fire though the clock is far behind the journal's last event
  std::function<void(const std::string&)> log; ///< a line; any thread
};

/// Any thread.
class supervisor {
public:
  /// Takes the state's lock, recovers, loads the pipelines, and listens. A pipeline that does not load is left out, and
  /// said so; only the state and the addresses keep the supervisor from starting. `stop` outlives it.
  [[nodiscard]] static result<std::unique_ptr<supervisor>> open(const supervisor_options& how, system_clock& time,
                                                                stop_request& stop);
  /// Takes no more requests, then ends live runs.
  ~supervisor();
  supervisor(const supervisor&) = delete;
  supervisor& operator=(const supervisor&) = delete;

  /// Loads all pipelines anew; those that do not load keep what they had. Returns how many do not load.
  std::size_t reload();
  [[nodiscard]] std::vector<served_pipeline> pipelines();
  /// The TCP ports that it listens at, in the order of the addresses.
  [[nodiscard]] const std::vector<std::uint16_t>& ports() const { return ports_; }

private:
  explicit supervisor(const supervisor_options& how) : how_(how) {}
  /// With its triggers, if it loads.
  struct loaded_file {
    served_pipeline what;
    std::shared_ptr<const trigger_set> triggers;
  };
  [[nodiscard]] loaded_file load(const std::string& file) const;
  [[nodiscard]] result<void> start_triggers();
  [[nodiscard]] result<void> listen(system_clock& time);

  supervisor_options how_;
  std::mutex mutex_;
  std::vector<served_pipeline> pipelines_; ///< under mutex_
  std::unique_ptr<serving_engine> engine_;
  std::unique_ptr<trigger_desk> desk_;
  std::unique_ptr<trigger_clock> clock_;
  state_dir::handle dir_;
  std::vector<std::uint16_t> ports_;
  state_socket socket_;
  std::unique_ptr<api> api_;
  std::unique_ptr<http_server> server_; ///< last: it asks the others
};

} // namespace troupe_internal::serve
