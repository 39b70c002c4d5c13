// Globs over what only a real disk has: links, cycles, folders that must not be entered.
#include "adapters/files/posix_file_system.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sys/stat.h>

using namespace troupe_internal;
namespace fs = std::filesystem;

namespace {

using names = std::vector<std::string>;

struct glob_fixture {
  temporary_folder folder;
  std::unique_ptr<posix_file_system> files = posix_file_system::open(folder.path()).value();

  names glob(const std::string& pattern, const std::vector<std::string>& skip = {}) const {
    return files->glob(pattern, skip).value();
  }
};

} // namespace

TEST_CASE_FIXTURE(glob_fixture, "** goes into linked folders, as * does") {
  folder.write("vendor/v.c", "");
  folder.write("vendor/deep/w.c", "");
  folder.write("src/a.c", "");
  fs::create_directory_symlink("../vendor", folder / "src/vendor");
  fs::create_directory_symlink(folder / "vendor", folder / "src/absolute");
  CHECK(glob("src/*/*.c") == names{"src/absolute/v.c", "src/vendor/v.c"});
  CHECK(glob("src/**/*.c") ==
        names{"src/a.c", "src/absolute/deep/w.c", "src/absolute/v.c", "src/vendor/deep/w.c", "src/vendor/v.c"});
  CHECK(glob("src/**/w.c") == names{"src/absolute/deep/w.c", "src/vendor/deep/w.c"});
}

TEST_CASE_FIXTURE(glob_fixture, "** goes through a link in a linked folder") {
  folder.write("one/a", "");
  folder.write("two/b", "");
  folder.write("top/c", "");
  fs::create_directory_symlink("../one", folder / "top/one");
  fs::create_directory_symlink("../two", folder / "one/two");
  CHECK(glob("top/**") == names{"top/c", "top/one/a", "top/one/two/b"});
}

TEST_CASE_FIXTURE(glob_fixture, "** enters no link that leads back, so circles end") {
  folder.write("d/a.in_circle", "");
  folder.write("d/sub/b.in_circle", "");
  folder.write("beside.in_circle", "");
  fs::create_directory_symlink(".", folder / "d/self");
  fs::create_directory_symlink("..", folder / "d/up");
  fs::create_directory_symlink(
      "../..", folder / "d/above_all"); // the pipeline's folder lies in there, and what others keep beside it
  fs::create_directory_symlink("../../d", folder / "d/sub/again");
  fs::create_directory_symlink("/", folder / "d/sub/root");
  CHECK(glob("d/**") == names{"d/a.in_circle", "d/sub/b.in_circle"});
  CHECK(glob("**/*.in_circle") == names{"beside.in_circle", "d/a.in_circle", "d/sub/b.in_circle"});
  CHECK(glob("d/*/*.in_circle") == names{"d/self/a.in_circle", "d/sub/b.in_circle", "d/up/beside.in_circle"});
}

TEST_CASE_FIXTURE(glob_fixture, "** ends in circles that lead through several linked folders") {
  folder.write("x/a", "");
  folder.write("y/b", "");
  folder.write("y/in/c", "");
  fs::create_directory_symlink("../y", folder / "x/y");
  fs::create_directory_symlink("../x", folder / "y/x");
  fs::create_directory_symlink("../../x", folder / "y/in/x");
  CHECK(glob("x/**") == names{"x/a", "x/y/b", "x/y/in/c"});
  CHECK(glob("y/**") == names{"y/b", "y/in/c", "y/in/x/a", "y/x/a"});
}

TEST_CASE_FIXTURE(glob_fixture, "** does not go into a link whose name is hidden, nor into one that is skipped") {
  folder.write("real/a", "");
  folder.write("top/b", "");
  fs::create_directory_symlink("../real", folder / "top/.hidden");
  fs::create_directory_symlink("../real", folder / "top/skipped");
  CHECK(glob("top/**", {"top/skipped"}) == names{"top/b"});
}

TEST_CASE_FIXTURE(glob_fixture, "a component that matches a link to a folder enters it") {
  folder.write("real/a.txt", "");
  fs::create_directory_symlink("real", folder / "link");
  CHECK(glob("link/*.txt") == names{"link/a.txt"});
  CHECK(glob("l*/*.txt") == names{"link/a.txt"});
  CHECK(glob("*/*.txt") == names{"link/a.txt", "real/a.txt"});
}

TEST_CASE_FIXTURE(glob_fixture, "links to files match, dangling and circular ones do not") {
  folder.write("real", "");
  fs::create_symlink("real", folder / "link");
  fs::create_symlink("nowhere", folder / "dangling");
  fs::create_symlink("circle", folder / "circle");
  CHECK(glob("*") == names{"link", "real"});
  CHECK(glob("[cdl]*") == names{"link"});
}

TEST_CASE_FIXTURE(glob_fixture, "FIFOs match nothing and are not opened") {
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(glob("*").empty());
  CHECK(glob("**").empty());
  CHECK(glob("pipe").empty());
}

TEST_CASE_FIXTURE(glob_fixture, "literal components after wildcards are looked up, not listed") {
  folder.write("a/src/main.c", "");
  folder.write("b/src/main.c", "");
  folder.write("c/other/main.c", "");
  fs::permissions(folder / "a/src", fs::perms::owner_exec);
  CHECK(glob("*/src/main.c") == names{"a/src/main.c", "b/src/main.c"});
}

TEST_CASE_FIXTURE(glob_fixture, "folders beside the pattern's way are not entered") {
  folder.write("a/x.txt", "");
  folder.write("closed/y.txt", "");
  fs::permissions(folder / "closed", fs::perms::none);
  CHECK(glob("a/**/*.txt") == names{"a/x.txt"});
  CHECK(glob("[a-b]/*.txt") == names{"a/x.txt"});
}

TEST_CASE_FIXTURE(glob_fixture, "escaped characters stand for themselves on disk") {
  folder.write("we*rd/[x].txt", "");
  folder.write("weird/x.txt", "");
  CHECK(glob("we\\*rd/\\[x\\].*") == names{"we*rd/[x].txt"});
}

TEST_CASE_FIXTURE(glob_fixture, "paths through the parent folder are searched, and skips still hold") {
  folder.write("a/x.txt", "");
  folder.write("b/y.txt", "");
  CHECK(glob("a/../*/*.txt") == names{"a/../a/x.txt", "a/../b/y.txt"});
  CHECK(glob("a/../*/*.txt", {"b"}) == names{"a/../a/x.txt"});
}

TEST_CASE_FIXTURE(glob_fixture, "a link to a folder is a folder: asked for, or left out") {
  folder.write("p/real/a.txt", "");
  folder.write("p/file", "");
  fs::create_directory_symlink("real", folder / "p/link");
  fs::create_directory_symlink("..", folder / "p/up");
  fs::create_symlink("file", folder / "p/to_file");
  fs::create_symlink("nowhere", folder / "p/dangling");
  CHECK(glob("p/*/") == names{"p/link", "p/real", "p/up"});
  CHECK(glob("p/**/") == names{"p/link", "p/real", "p/up"});
  glob_remarks remarks;
  CHECK(files->glob("p/*", {}, &remarks).value() == names{"p/file", "p/to_file"});
  CHECK(remarks.left_out == names{"p/link", "p/real", "p/up"});
}

TEST_CASE_FIXTURE(glob_fixture,
                  "a glob tells the links that it matches, is led through, or may be when they lead somewhere") {
  folder.write("p/real/a.txt", "");
  folder.write("p/file.txt", "");
  fs::create_directory_symlink("real", folder / "p/link");
  fs::create_directory_symlink("..", folder / "p/up");
  fs::create_symlink("file.txt", folder / "p/to_file.txt");
  fs::create_symlink("nowhere", folder / "p/dangling");
  const auto links = [&](const char* pattern, const names& skip = {}) {
    glob_remarks remarks;
    CHECK(files->glob(pattern, skip, &remarks).has_value());
    std::sort(remarks.links.begin(), remarks.links.end());
    return remarks.links;
  };
  CHECK(links("p/*.txt") == names{"p/to_file.txt"});           // p/dangling does not match, whatever it leads to
  CHECK(links("p/*") == names{"p/dangling", "p/to_file.txt"}); // folders are left out
  CHECK(links("p/*/") == names{"p/dangling", "p/link", "p/up"});
  CHECK(links("p/**/*.txt") == names{"p/dangling", "p/link", "p/to_file.txt"}); // p/up leads back
  CHECK(links("*/link/*") == names{"p/link"});
  CHECK(links("p/*", {"p/to_file.txt", "p/dangling"}).empty());
  CHECK(links("p/real/*").empty());
}

TEST_CASE_FIXTURE(glob_fixture, "repeated slashes are one") {
  folder.write("a/x.txt", "");
  CHECK(glob("a//*.txt") == names{"a/x.txt"});
}

TEST_CASE_FIXTURE(glob_fixture, "a pattern with several ** finds each file once") {
  folder.write("a/b/c/d/x.txt", "");
  folder.write("x.txt", "");
  CHECK(glob("**/b/**/*.txt") == names{"a/b/c/d/x.txt"});
  CHECK(glob("**/**/*.txt") == names{"a/b/c/d/x.txt", "x.txt"});
}
