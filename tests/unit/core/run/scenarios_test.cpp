// Every scenario beside this file says what the logic of a run does, step by step; TROUPE_UPDATE_GOLDEN=1 rewrites the
// expectations (read what changed before you keep it).
#include "scenario.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::string read(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

/// The first lines that differ, for people.
std::string first_difference(const std::string& expected, const std::string& actual) {
  std::istringstream a(expected);
  std::istringstream b(actual);
  std::string wanted;
  std::string got;
  for (int line = 1;; ++line) {
    const bool more_a = static_cast<bool>(std::getline(a, wanted));
    const bool more_b = static_cast<bool>(std::getline(b, got));
    if (!more_a && !more_b)
      return "no difference";
    if (!more_a || !more_b || wanted != got)
      return "line " + std::to_string(line) + ": expected \"" + (more_a ? wanted : "the end") + "\", got \"" +
             (more_b ? got : "the end") + "\"";
  }
}

} // namespace

TEST_CASE("the logic of a run does what the scenarios say") {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(TROUPE_SCENARIOS))
    if (entry.path().extension() == ".txt")
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() >= 25);
  for (const auto& file : files) {
    const auto name = file.filename().string();
    CAPTURE(name);
    const auto expected = read(file);
    std::string actual;
    REQUIRE_NOTHROW(actual = troupe_internal::test::replay_scenario(expected));
    if (std::getenv("TROUPE_UPDATE_GOLDEN") != nullptr)
      std::ofstream(file, std::ios::binary) << actual;
    else
      CHECK_MESSAGE(actual == expected, name << ": " << first_difference(expected, actual));
  }
}

TEST_CASE("a scenario that says something unknown is refused, not skipped") {
  CHECK_THROWS(static_cast<void>(troupe_internal::test::replay_scenario("asset a\n")));
  CHECK_THROWS(static_cast<void>(troupe_internal::test::replay_scenario("asset a\nwrokers 2\nbegin\n")));
  CHECK_THROWS(static_cast<void>(troupe_internal::test::replay_scenario("asset a\nbegin\nexplode a\n")));
  CHECK_THROWS(static_cast<void>(troupe_internal::test::replay_scenario("asset a\nbegin\nclaim b\n")));
}
