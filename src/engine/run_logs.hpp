// The logs of one run, to read. Knows where they are, not what is in them.
#pragma once

#include "adapters/state/kept_folder.hpp"
#include "adapters/system/unique_fd.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace troupe_internal {

/// Opens nothing until it is asked. One thread.
class run_logs {
public:
  run_logs(std::string state_folder, run_number run) : state_folder_(std::move(state_folder)), run_(run) {}

  /// Where the log is, or would be, for people and programs.
  [[nodiscard]] std::string path(std::string_view asset_name, std::uint32_t attempt) const;
  /// Whether anything is there.
  [[nodiscard]] bool has(std::string_view asset_name, std::uint32_t attempt) const;
  /// not_found; state_unusable for what is no regular file, or one from elsewhere, which is neither followed nor waited
  /// for.
  [[nodiscard]] result<unique_fd> open(std::string_view asset_name, std::uint32_t attempt) const;

private:
  [[nodiscard]] result<const kept_folder*> folder() const;

  std::string state_folder_;
  run_number run_;
  mutable std::unique_ptr<const kept_folder> folder_;
};

} // namespace troupe_internal
