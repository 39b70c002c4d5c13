// The last look at the assets of each pipeline: how they stood, when that was, and for which event of the journal it is
// true. Knows no request.
#pragma once

#include "adapters/state/state_dir.hpp"
#include "adapters/system/system_clock.hpp"
#include "engine/file_identity.hpp"
#include "engine/project.hpp"
#include "engine/serving_engine.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal::serve {

/// Values: anybody may keep one.
struct asset_look {
  project on;                                ///< with the edges that the records tell
  std::vector<asset_status_report> assets;   ///< all of the pipeline
  std::map<run_number, std::string> run_ids; ///< of the runs that made them, as far as they are kept
  timestamp at;                              ///< when their files were looked at
  std::uint64_t seq = 0;                     ///< the last event that it is true for
  std::optional<file_identity> file;         ///< the pipeline's, before it was read
  std::string document;                      ///< status_text() of all assets
};

/// `status --json` of some assets of a look, with "looked_at".
[[nodiscard]] std::string status_text(const asset_look& look, const std::vector<asset_status_report>& assets);

/// The pipeline in a file as it is now. Its mistakes are one error of the code invalid_input.
[[nodiscard]] result<project> open_served(const std::string& file, const std::string& state,
                                          std::vector<std::pair<std::string, std::string>> params = {});

/// Any thread. A pipeline is looked at by one caller at a time, and the others get what that one found.
class asset_looks {
public:
  /// All outlive it.
  asset_looks(serving_engine& engine, system_clock& time, state_dir::handle state)
      : engine_(engine), time_(time), state_(std::move(state)) {}

  /// The last look, unless the journal or the pipeline's file have changed since, or `now` asks for another one. Files
  /// that others have changed since then are not noticed without `now`.
  [[nodiscard]] result<std::shared_ptr<const asset_look>> at(const std::string& file, bool now);

private:
  struct kept_look {
    std::mutex mutex; ///< held while somebody looks
    std::shared_ptr<const asset_look> last;
  };
  [[nodiscard]] result<std::uint64_t> last_event() const;
  [[nodiscard]] result<std::shared_ptr<const asset_look>> look(const std::string& file, std::uint64_t seq) const;

  serving_engine& engine_;
  system_clock& time_;
  state_dir::handle state_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<kept_look>> kept_; ///< by file; under mutex_; at most most_kept
};

} // namespace troupe_internal::serve
