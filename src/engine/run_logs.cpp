// The run's folder is opened once.
#include "engine/run_logs.hpp"

#include "adapters/process/state_logs.hpp"
#include "adapters/state/state_dir.hpp"
#include "engine/state_layout.hpp"

#include <utility>

namespace troupe_internal {

result<const kept_folder*> run_logs::folder() const {
  if (folder_ == nullptr) {
    const auto dir = state_dir::open(state_folder_);
    if (!dir)
      return dir.error();
    auto opened = open_run_logs(**dir, run_);
    if (!opened)
      return opened.error();
    folder_ = std::make_unique<const kept_folder>(std::move(*opened));
  }
  return folder_.get();
}

std::string run_logs::path(std::string_view asset_name, std::uint32_t attempt) const {
  return log_path(state_folder_, run_, asset_name, attempt);
}

bool run_logs::has(std::string_view asset_name, std::uint32_t attempt) const {
  const auto in = folder();
  return in && (*in)->look(log_file_name(asset_name, attempt));
}

result<unique_fd> run_logs::open(std::string_view asset_name, std::uint32_t attempt) const {
  const auto in = folder();
  if (!in)
    return in.error();
  return (*in)->open(log_file_name(asset_name, attempt), entry_use::show);
}

} // namespace troupe_internal
