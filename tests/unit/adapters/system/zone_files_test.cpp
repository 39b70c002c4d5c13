// Zone files on disk: which are found, and what is said of those that are not.
#include "adapters/system/zone_files.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using namespace troupe_internal;

namespace {

struct folder {
  std::filesystem::path path;
  folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "zonesXXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~folder() { std::filesystem::remove_all(path); }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / name, std::ios::binary) << text;
  }
  [[nodiscard]] zone_files files() const { return {path.string(), (path / "os-release").string()}; }
};

std::string problem(const zone_files& files, const std::string& name) {
  const auto zone = files.find(name);
  INFO(name);
  REQUIRE_FALSE(zone.has_value());
  return zone.error().message;
}

} // namespace

TEST_CASE("the system's zones are found by name") {
  const auto files = zone_files::of_system();
  const auto berlin = files.find("Europe/Berlin");
  REQUIRE(berlin.has_value());
  CHECK((*berlin)->name() == "Europe/Berlin");
  CHECK((*berlin)->at(1'767'225'600).offset == 3600);
  CHECK((*berlin)->at(4'086'000'000).offset == 7200); // June 2099: by the rule
  CHECK((*berlin)->changes_after(1'767'225'600));
  CHECK(files.names().size() > 300);
}

TEST_CASE("UTC needs no file, and without files the package is named") {
  const folder empty;
  CHECK(empty.files().find("UTC").has_value());
  const auto message = problem(empty.files(), "Europe/Berlin");
  CHECK(message.find("install the package tzdata") != std::string::npos);
  CHECK(problem({"/nonexistent", "/nonexistent"}, "Europe/Berlin").find("tzdata") != std::string::npos);
}

TEST_CASE("an unknown zone is answered with the nearest name and the package of old names, where there is one") {
  const folder some;
  some.write("Europe/Berlin", "TZif");
  some.write("zone.tab", "x");
  some.write("posix/Europe/Berlin", "TZif");
  CHECK(some.files().names() == std::vector<std::string>{"Europe/Berlin"});
  CHECK(problem(some.files(), "Europe/Berln").find("did you mean \"Europe/Berlin\"?") != std::string::npos);
  CHECK(problem(some.files(), "US/Eastern").find("tzdata brings them") != std::string::npos);
  CHECK(problem(some.files(), "Europe").find("there is no time zone") != std::string::npos);
  some.write("os-release", "NAME=Debian\nID=debian\nVERSION_ID=\"13\"\n");
  CHECK(problem(some.files(), "US/Eastern").find("tzdata-legacy") != std::string::npos);
  CHECK(problem(some.files(), "Europe/Berlin").find("cannot be used: it ends within a header") != std::string::npos);
}

TEST_CASE("a name leads to no other file") {
  const folder some;
  some.write("zones/Europe/Berlin", "TZif");
  some.write("secret", "TZif");
  const zone_files files((some.path / "zones").string(), "/nonexistent");
  for (const char* name : {"../secret", "/etc/passwd", "Europe/../../secret", "", "Europe/", "Europe//Berlin", ".",
                           "Europe/Berlin\n", "x\x1b[2J"})
    CHECK(problem(files, name).find("there is no time zone") != std::string::npos);
  CHECK(problem(files, "x\x1b[2J").find("\\x1b[2J") != std::string::npos);
}

TEST_CASE("old names have a package of their own from Debian 13 and Ubuntu 24.04 on") {
  CHECK(has_tzdata_legacy("ID=debian\nVERSION_ID=\"13\"\n"));
  CHECK(has_tzdata_legacy("ID=debian\n"));
  CHECK_FALSE(has_tzdata_legacy("ID=debian\nVERSION_ID=\"12\"\n"));
  CHECK(has_tzdata_legacy("VERSION_ID=\"24.04\"\nID=ubuntu"));
  CHECK_FALSE(has_tzdata_legacy("ID=ubuntu\nVERSION_ID='22.04'\n"));
  CHECK_FALSE(has_tzdata_legacy("ID=fedora\nVERSION_ID=41\n"));
  CHECK_FALSE(has_tzdata_legacy(""));
}
