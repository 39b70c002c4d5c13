// Where tests put many small files that need not outlive them: in memory where there is such a place.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>

namespace troupe_internal::test {

/// A folder that exists and can be written in, without a slash at its end.
inline std::string memory_folder() {
  return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path().string();
}

} // namespace troupe_internal::test
