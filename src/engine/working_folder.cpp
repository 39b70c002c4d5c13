// lstat of each component, from the last one on.
#include "engine/working_folder.hpp"

#include "core/pipeline/parent_paths.hpp"
#include "engine/state_layout.hpp"

#include <string>
#include <sys/stat.h>

namespace troupe_internal {

std::uint32_t steps_up_from(std::string_view folder, std::string_view cwd) {
  const auto home = join_path(folder, ".");
  std::string path = join_path(folder, cwd);
  std::uint32_t steps = 0;
  // Above the pipeline's folder no path is led by steps.
  for (; path.size() > home.size(); path.resize(parent_path(path).size()), ++steps) {
    struct stat info;
    if (lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode))
      break;
  }
  return steps;
}

} // namespace troupe_internal
