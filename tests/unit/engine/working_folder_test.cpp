// How far `..` leads from a working folder to where its text says.
#include "engine/working_folder.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace troupe_internal;

TEST_CASE("steps lead up as far as to the last link") {
  const temporary_folder folder;
  std::filesystem::create_directories(folder / "a/b/c");
  std::filesystem::create_directory_symlink("a/b", folder / "link");
  std::filesystem::create_directory_symlink("../b/c", folder / "a/b/to_c");
  const auto steps = [&](std::string_view cwd) { return steps_up_from(folder.path(), cwd); };
  CHECK(steps(".") == 0);
  CHECK(steps("a/b/c") == 3);
  CHECK(steps("./a//b/") == 2);
  CHECK(steps("a/x/../b") == 2);
  CHECK(steps("link") == 0);
  CHECK(steps("link/c") == 1);
  CHECK(steps("a/b/to_c") == 0);
  CHECK(steps(folder / "a/b") == 2);
  SUBCASE("what is not there is no link yet") {
    CHECK(steps("new/folder") == 2);
    CHECK(steps("link/new") == 1);
  }
  SUBCASE("links above the pipeline's folder do not matter") {
    std::filesystem::create_directory_symlink(folder / "a", folder / "top");
    CHECK(steps_up_from(folder / "top", "b/c") == 2);
  }
}
