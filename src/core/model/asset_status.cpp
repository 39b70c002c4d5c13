// The words of the statuses.
#include "core/model/asset_status.hpp"

namespace troupe_internal {

std::string_view to_string(asset_status s) {
  switch (s) {
  case asset_status::waiting:
    return "waiting";
  case asset_status::ready:
    return "ready";
  case asset_status::running:
    return "running";
  case asset_status::retrying:
    return "retrying";
  case asset_status::succeeded:
    return "succeeded";
  case asset_status::fresh:
    return "fresh";
  case asset_status::failed:
    return "failed";
  case asset_status::blocked:
    return "blocked";
  case asset_status::cancelled:
    return "cancelled";
  case asset_status::skipped:
    return "skipped";
  }
  return "unknown";
}

std::string_view to_string(run_status s) {
  switch (s) {
  case run_status::queued:
    return "queued";
  case run_status::running:
    return "running";
  case run_status::succeeded:
    return "succeeded";
  case run_status::failed:
    return "failed";
  case run_status::cancelled:
    return "cancelled";
  case run_status::interrupted:
    return "interrupted";
  }
  return "unknown";
}

} // namespace troupe_internal
