// Files whose words a supervisor may execute.
#include "serve/safe_file.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace troupe_internal;
using serve::require_safe_file;

namespace {

struct file_in_folder {
  temporary_folder top;
  std::string folder = top / "etl";
  std::string file = folder + "/troupe.json";
  file_in_folder() {
    std::filesystem::create_directory(folder);
    std::ofstream(file) << "{}";
    REQUIRE(chmod(folder.c_str(), 0755) == 0);
    REQUIRE(chmod(file.c_str(), 0644) == 0);
  }
  [[nodiscard]] std::string problem() const {
    const auto safe = require_safe_file(file);
    return safe ? std::string() : safe.error().message;
  }
};

} // namespace

TEST_CASE("a file that this user alone, or his group, may write is safe") {
  const file_in_folder f;
  CHECK(f.problem().empty());
  REQUIRE(chmod(f.file.c_str(), 0664) == 0);
  CHECK(f.problem().empty());
  CHECK(require_safe_file(f.folder + "/nothing").has_value());
}

TEST_CASE("a file that every user may write, or put another in the place of, is not") {
  const file_in_folder f;
  REQUIRE(chmod(f.file.c_str(), 0646) == 0);
  CHECK(f.problem().find("chmod o-w") != std::string::npos);
  REQUIRE(chmod(f.file.c_str(), 0644) == 0);
  REQUIRE(chmod(f.folder.c_str(), 0777) == 0);
  CHECK(f.problem().find("the folder " + f.folder) != std::string::npos);
  REQUIRE(chmod(f.folder.c_str(), 01777) == 0); // nobody can put anything in the place of another's
  CHECK(f.problem().empty());
}

TEST_CASE("a link counts as what it leads to") {
  const file_in_folder f;
  const auto link = f.top / "link.json";
  std::filesystem::create_symlink(f.file, link);
  CHECK(require_safe_file(link).has_value());
  REQUIRE(chmod(f.folder.c_str(), 0777) == 0);
  CHECK_FALSE(require_safe_file(link).has_value());
}

TEST_CASE("another user's file is not safe, root's is") {
  if (geteuid() != 0)
    return; // only root can give a file away
  const file_in_folder f;
  REQUIRE(chown(f.file.c_str(), 65534, 65534) == 0);
  CHECK(f.problem().find("belongs to another user (65534)") != std::string::npos);
}
