// What "!pattern" takes out, and the names of folders without some of their members.
#include "core/pipeline/exclusion.hpp"

#include <doctest/doctest.h>

using namespace troupe_internal;

TEST_CASE("a pattern takes out what it matches and all beneath") {
  CHECK(takes_out("out/report", "out/report"));
  CHECK(takes_out("out/report", "out/report/a/.b"));
  CHECK_FALSE(takes_out("out/report", "out/report2"));
  CHECK_FALSE(takes_out("out/report", "out"));
  CHECK(takes_out("assets/**/.git", "assets/.git/x"));
  CHECK(takes_out("assets/**/.git", "assets/a/b/.git"));
  CHECK_FALSE(takes_out("assets/**/.git", "assets/a/.github"));
  CHECK(takes_out("**/*~", "a/b~"));
  CHECK(takes_out("**/*~", "b~/c"));
  CHECK_FALSE(takes_out("*~", "a/b~"));
}

TEST_CASE("a last ** takes out hidden names too, and never the folder itself") {
  CHECK(takes_out("out/a/**", "out/a/x"));
  CHECK(takes_out("out/a/**", "out/a/.x"));
  CHECK(takes_out("out/*/**", "out/a/.x/y"));
  CHECK_FALSE(takes_out("out/a/**", "out/a"));
  CHECK(takes_out_all_beneath("out/a/**", "out/a"));
  CHECK(takes_out_all_beneath("out/a", "out/a"));
  CHECK(takes_out_all_beneath("out/*/**", "out/a/b"));
  CHECK_FALSE(takes_out_all_beneath("out/a/*.o", "out/a"));
}

TEST_CASE("which patterns matter for a folder") {
  CHECK(may_take_out_beneath("a/tmp", "a"));
  CHECK(may_take_out_beneath("**/*.o", "a/b"));
  CHECK(may_take_out_beneath("a/**", "a"));
  CHECK(may_take_out_beneath("a", "a/b"));
  CHECK_FALSE(may_take_out_beneath("b/tmp", "a"));
  CHECK_FALSE(may_take_out_beneath("a/*.o", "a/b"));
  CHECK(may_take_out_beneath("*.o", "."));
}

TEST_CASE("a filtered folder's name is told apart from any path, and read back") {
  std::string name = "assets";
  add_spelling(name, "assets", std::vector<std::string_view>{"elsewhere/*"});
  CHECK(name == "assets"); // nothing to leave out: an ordinary folder
  CHECK(folder_filter(name).takes_nothing());
  add_spelling(name, "assets", std::vector<std::string_view>{"assets/**/.git", "assets/tmp", "assets/tmp"});
  add_spelling(name, "real", std::vector<std::string_view>{"real/x"});
  CHECK(unfiltered(name) == "assets");
  const folder_filter filter(name);
  CHECK(filter.path() == "assets");
  CHECK_FALSE(filter.takes_nothing());
  CHECK(filter.leaves_out("tmp/a"));
  CHECK(filter.leaves_out("a/.git"));
  CHECK(filter.leaves_out("x")); // by the folder's other spelling
  CHECK_FALSE(filter.leaves_out("y"));
  CHECK_FALSE(filter.leaves_out("assets/tmp"));
  std::string other = "assets";
  add_spelling(other, "assets", std::vector<std::string_view>{"assets/tmp", "assets/**/.git"});
  add_spelling(other, "real", std::vector<std::string_view>{"real/x"});
  CHECK(name == other); // the order in which patterns are written counts for nothing
}

TEST_CASE("the pipeline's folder and the root are folders like any other") {
  std::string name = ".";
  add_spelling(name, ".", std::vector<std::string_view>{"a/*"});
  CHECK(folder_filter(name).leaves_out("a/b"));
  CHECK_FALSE(folder_filter(name).leaves_out("b/a"));
  name = "/";
  add_spelling(name, "/", std::vector<std::string_view>{"/a/*"});
  CHECK(folder_filter(name).leaves_out("a/b"));
}
