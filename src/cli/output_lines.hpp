// What commands of a run write, line by line with the asset in front: while they run, or once they have ended. Knows
// logs and where they are; does not know how lines get to the screen.
#pragma once

#include "cli/log_text.hpp"
#include "core/pipeline/pipeline.hpp"
#include "engine/run_logs.hpp"

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace troupe_internal::cli {

/// Reads the logs of one run beside its commands. One thread at a time.
class output_lines {
public:
  /// Of one attempt that wrote more than this since the last look, only the end is shown, and how much was left out.
  static constexpr std::uint64_t most_bytes_at_a_time = 1U << 20U;

  /// `live`: of attempts that run, too; else of those that have ended. `p` outlives it.
  output_lines(const pipeline& p, std::string state_folder, bool live)
      : p_(p), state_folder_(std::move(state_folder)), live_(live) {}

  void run_began(run_number run) { logs_.emplace(state_folder_, run); }
  void attempt_began(asset_index asset, std::uint32_t attempt);
  /// All that the attempt wrote and that was not handed out before, as whole lines.
  [[nodiscard]] std::string attempt_ended(asset_index asset, std::uint32_t attempt);
  /// What running attempts have written since the last call, as far as its lines have ended; empty unless live.
  [[nodiscard]] std::string news();

private:
  struct reading {
    std::uint32_t attempt = 0;
    unique_fd file; ///< none before the attempt has written something
    off_t at = 0;
    std::string lines; ///< what is ready to be handed out
    std::optional<log_view> view;
  };
  reading& start(asset_index asset, std::uint32_t attempt);
  void read(asset_index asset, reading& of);

  const pipeline& p_;
  std::string state_folder_;
  bool live_;
  std::optional<run_logs> logs_;
  std::map<asset_index, reading> open_; ///< stable addresses: views refer to them
};

} // namespace troupe_internal::cli
