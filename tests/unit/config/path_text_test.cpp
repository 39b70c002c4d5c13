// The quick look at a path against the thorough one.
#include "config/path_text.hpp"
#include "core/pipeline/exclusion.hpp"
#include "core/pipeline/glob.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

using namespace troupe_internal::config;

TEST_CASE("a path that is plain at a glance is one that stays as it is") {
  std::size_t plain = 0;
  CHECK(rc::check("random texts", [&] {
    const auto length = *rc::gen::inRange<std::size_t>(0, 9);
    const auto text = *rc::gen::container<std::string>(
        length, rc::gen::elementOf(std::string("aaaabcZ09_-+//...,*?[]\\{} \t\n\x7f\xc3\xa9")));
    if (!is_plain_path(text))
      return;
    ++plain;
    declared_path read;
    read_path(text, read);
    RC_ASSERT(read.problem.empty());
    RC_ASSERT(read.text == text);
    RC_ASSERT(!read.glob);
  }));
  CHECK(plain > 0);
}

TEST_CASE("a glob that ends in a slash keeps it: it asks for folders; of any other path the slash means nothing") {
  declared_path read;
  const auto text = [&](const char* written) {
    read_path(written, read);
    CHECK(read.problem == "");
    return read.text;
  };
  CHECK(text("pkgs/*/") == "pkgs/*/");
  CHECK(read.glob);
  CHECK(text("./pkgs//*//") == "pkgs/*/");
  CHECK(text("*/src/") == "*/src/");
  CHECK(text("**/") == "**/");
  CHECK(text("/abs/*/") == "/abs/*/");
  CHECK(text("pkgs/*") == "pkgs/*");
  CHECK(text("pkgs/*/.") == "pkgs/*");
  CHECK(text("pkgs/") == "pkgs");
  CHECK(text("pkgs/\\*/") == "pkgs/*");
  CHECK_FALSE(read.glob);
}

TEST_CASE("most paths are plain") {
  for (const auto* path : {"a", "out/12", "src/some_file-2.tar.gz", "a/b/c", "x..y", "{{", "a,b=c@d"})
    CHECK(is_plain_path(path));
  for (const auto* path :
       {"", "/", "/a", "a/", "a//b", "./a", "../a", "a/../b", "a/.", ".hidden", "a*", "a?", "a[b]", "a\\b", " ", "a b"})
    CHECK_FALSE(is_plain_path(path));
  CHECK(is_plain_path(std::string(4095, 'a')));
  CHECK_FALSE(is_plain_path(std::string(4096, 'a')));
}

TEST_CASE("of several ** in a row one is left, and at the end of a path two") {
  const auto text = [&](const std::string& written) {
    declared_path read;
    read_path(written, read);
    CHECK(read.problem == "");
    return read.text;
  };
  CHECK(text("**/**/a") == "**/a");
  CHECK(text("a/**/**/**/**/b/**/c") == "a/**/b/**/c");
  CHECK(text("a/**") == "a/**");
  CHECK(text("a/**/**/**/**") == "a/**/**");
  CHECK(text("**/./**//**/**/") == "**/**/");
  CHECK(text("/**/**/a") == "/**/a");
  CHECK(text("x**/**/**y") == "x**/**/**y");
  std::string many;
  for (int i = 0; i < 400; ++i)
    many += "**/";
  CHECK(text(many + "*.c") == "**/*.c");
}

TEST_CASE("what is folded matches, reaches and takes out what the pattern as written does") {
  std::size_t folded = 0;
  CHECK(rc::check("random patterns and paths", [&] {
    const auto some = [](std::vector<std::string> of, std::size_t most) {
      const auto count = *rc::gen::inRange<std::size_t>(1, most);
      std::string path;
      for (std::size_t i = 0; i < count; ++i)
        path += (path.empty() ? "" : "/") + *rc::gen::elementOf(of);
      return path;
    };
    const auto pattern = some({"**", "**", "**", "*", "a", ".h", ".*", "b*"}, 7);
    const auto path = some({"a", "b", "ba", ".h"}, 6);
    declared_path read;
    read_path(pattern, read);
    if (!read.glob)
      return;
    folded += read.text != pattern ? 1 : 0;
    RC_ASSERT(troupe_internal::glob_matches(read.text, path) == troupe_internal::glob_matches(pattern, path));
    RC_ASSERT(troupe_internal::glob_takes(read.text + "/", path) == troupe_internal::glob_takes(pattern + "/", path));
    RC_ASSERT(troupe_internal::takes_out(read.text, path) == troupe_internal::takes_out(pattern, path));
    RC_ASSERT(troupe_internal::takes_out_all_beneath(read.text, path) ==
              troupe_internal::takes_out_all_beneath(pattern, path));
    RC_ASSERT(troupe_internal::may_take_out_beneath(read.text, path) ==
              troupe_internal::may_take_out_beneath(pattern, path));
    const auto before = troupe_internal::relate_to_glob(pattern, path);
    const auto after = troupe_internal::relate_to_glob(read.text, path);
    RC_ASSERT(after.matches == before.matches);
    RC_ASSERT(after.beneath == before.beneath);
    RC_ASSERT(after.reaches == before.reaches);
    RC_ASSERT(after.by_name == before.by_name);
  }));
  CHECK(folded > 0);
}

TEST_CASE("a pattern has at most 256 components") {
  const auto problem = [](std::size_t components, const char* first) {
    std::string written = first;
    for (std::size_t i = 1; i < components; ++i)
      written += "/a";
    declared_path read;
    read_path(written, read);
    return std::string(read.problem);
  };
  CHECK(problem(256, "*") == "");
  CHECK(problem(257, "*") == "is a pattern of more than 256 components");
  CHECK(problem(257, "a") == ""); // names one file
}
