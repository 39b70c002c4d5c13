// Finds and reads the system's time zone files. Knows where they are and which packages bring them; what is in them is
// core/schedule/tzif's.
#pragma once

#include "base/result.hpp"
#include "core/schedule/time_zone.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// The system's zones by name. Any thread; nothing is kept between calls.
class zone_files {
public:
  /// `folder`: of the zone files. `os_release`: the file that says which distribution this is.
  zone_files(std::string folder, std::string os_release)
      : folder_(std::move(folder)), os_release_(std::move(os_release)) {}
  /// The folder that the environment variable TZDIR names, else /usr/share/zoneinfo.
  [[nodiscard]] static zone_files of_system();

  /// The zone of that name, such as "Europe/Berlin"; "UTC" needs no file. not_found if there is no such zone, or no
  /// zone files at all: the message names the package to install, and the nearest name. invalid_input if the file is
  /// damaged, io if it cannot be read.
  [[nodiscard]] result<std::shared_ptr<const time_zone>> find(const std::string& name) const;

  /// All names, sorted: files in the folder that begin like zone files, without "posix/…" and "right/…".
  [[nodiscard]] std::vector<std::string> names() const;

private:
  [[nodiscard]] error unknown(const std::string& name) const;

  std::string folder_;
  std::string os_release_;
};

/// Whether a distribution puts old names, such as US/Eastern, into the package tzdata-legacy: Debian from 13 on, Ubuntu
/// from 24.04 on. `os_release` is the text of /etc/os-release.
[[nodiscard]] bool has_tzdata_legacy(std::string_view os_release);

} // namespace troupe_internal
