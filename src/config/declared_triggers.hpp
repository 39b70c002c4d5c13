// What is written under "triggers", as read, with the places that later checks need. Knows no JSON.
#pragma once

#include "base/result.hpp"
#include "core/schedule/time_zone.hpp"
#include "core/trigger/trigger.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::config {

/// How triggers reach what is outside of their file. An empty function: the system's.
struct trigger_sources {
  std::string folder; ///< of the pipeline
  std::function<result<std::shared_ptr<const time_zone>>(const std::string& name)> find_zone{};
  /// The text of a file, at most 1 MiB; `path` is as written, relative to the pipeline's folder.
  std::function<result<std::string>(const std::string& path)> read_text{};
};

struct declared_trigger {
  trigger what;
  /// Of keys, "catch_up"; of members and elements, "params.day", "select.0".
  std::map<std::string, place, std::less<>> places;
  bool has_bound = false, has_keep = false; ///< in "queue"
  bool broken = false; ///< something in it was reported: what follows from it is not reported as well

  [[nodiscard]] place at(const std::string& key) const {
    const auto found = places.find(key);
    return found == places.end() ? what.where : found->second;
  }
  [[nodiscard]] bool has(std::string_view key) const { return places.find(key) != places.end(); }
};

struct declared_triggers {
  trigger_sources sources;
  place begin, end; ///< line 0: the file has no "triggers"
  std::vector<declared_trigger> triggers;
};

} // namespace troupe_internal::config
