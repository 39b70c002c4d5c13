// The quick look at a path against the thorough one.
#include "app/config/path_text.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>

using namespace troupe::config;

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
