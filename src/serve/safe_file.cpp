// Two looks: at the file, and at the folder that it lies in.
#include "serve/safe_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace troupe_internal::serve {

result<void> require_safe_file(const std::string& path, const char* danger) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0)
    return {}; // whoever opens it says what is wrong
  if (file.st_uid != geteuid() && file.st_uid != 0)
    return fail(error_code::invalid_input, path + " belongs to another user (" + std::to_string(file.st_uid) +
                                               "), who could " + danger + ": make it yours");
  if ((file.st_mode & S_IWOTH) != 0)
    return fail(error_code::invalid_input, "every user may write to " + path + " and " + danger + ": chmod o-w it");
  // The file itself, wherever links to it lie.
  std::error_code unknown;
  const auto folder = std::filesystem::canonical(path, unknown).parent_path();
  struct stat around {};
  if (!unknown && ::stat(folder.c_str(), &around) == 0 && (around.st_mode & S_IWOTH) != 0 &&
      (around.st_mode & S_ISVTX) == 0)
    return fail(error_code::invalid_input, "every user may write to the folder " + folder.string() +
                                               ", and so put another file in the place of " + path + ": chmod o-w it");
  return {};
}

} // namespace troupe_internal::serve
