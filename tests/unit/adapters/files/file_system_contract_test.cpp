// What every file system must do, asked of the real one and of the fake alike.
#include "adapters/files/posix_file_system.hpp"
#include "support/memory_file_system.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace troupe_internal;

namespace {

using names = std::vector<std::string>;

struct on_disk {
  temporary_folder folder;
  std::unique_ptr<posix_file_system> files = posix_file_system::open(folder.path()).value();

  const file_system& fs() const { return *files; }
  void write(const std::string& path, const std::string& content, bool executable = false) {
    folder.write(path, content);
    REQUIRE(chmod((folder / path).c_str(), executable ? 0755 : 0644) == 0);
  }
  void remove(const std::string& path) { std::filesystem::remove_all(folder / path); }
  void make_folder(const std::string& path) { std::filesystem::create_directories(folder / path); }
  void make_other(const std::string& path) { REQUIRE(mkfifo((folder / path).c_str(), 0600) == 0); }
  std::string root() const { return folder.path(); }
};

struct in_memory {
  memory_file_system files;

  const file_system& fs() const { return files; }
  void write(const std::string& path, const std::string& content, bool executable = false) {
    files.advance(std::chrono::milliseconds(10));
    files.write(path, content, executable);
  }
  void remove(const std::string& path) { files.remove(path); }
  void make_folder(const std::string& path) { files.make_folder(path); }
  void make_other(const std::string& path) { files.make_other(path); }
  static std::string root() { return "/root"; }
};

} // namespace

TEST_CASE_TEMPLATE("a missing file is absent, with the zero digest, and no error", world, on_disk, in_memory) {
  world w;
  CHECK(w.fs().stat("nowhere/at/all").value() == file_stat{});
  CHECK(w.fs().read("nowhere").value() == file_record{});
  w.write("file", "x");
  CHECK(w.fs().stat("file/beneath").value().kind == file_kind::absent);
}

TEST_CASE_TEMPLATE("a file's stat holds its size and its record the digest of its bytes", world, on_disk, in_memory) {
  world w;
  w.write("a file\nwith \xff in its name", "hello");
  const auto stat = w.fs().stat("a file\nwith \xff in its name").value();
  CHECK(stat.kind == file_kind::file);
  CHECK(stat.size == 5);
  CHECK(stat.mtime_ns > 0);
  const auto record = w.fs().read("a file\nwith \xff in its name").value();
  CHECK(record.stat == stat);
  CHECK(record.content == content_digest("hello"));
}

TEST_CASE_TEMPLATE("a glance is a stat that does not look into folders", world, on_disk, in_memory) {
  world w;
  CHECK(w.fs().glance("nowhere").value() == file_stat{});
  w.write("folder/file", "hello");
  CHECK(w.fs().glance("folder/file").value() == w.fs().stat("folder/file").value());
  const auto before = w.fs().glance("folder").value();
  CHECK(before.kind == file_kind::folder);
  CHECK(before.size == 0);
  w.write("folder/more", "hello");
  CHECK(w.fs().glance("folder").value() == before);
  w.make_other("other");
  CHECK(w.fs().glance("other").value().kind == file_kind::other);
}

TEST_CASE_TEMPLATE("what a filter leaves out of a folder does not count in its stat or its content", world, on_disk,
                   in_memory) {
  world w;
  w.write("d/keep/a", "1");
  w.write("d/b.txt", "2");
  std::string name = "d";
  add_spelling(name, "d", std::vector<std::string_view>{"d/tmp", "**/*~", "other/x"});
  CHECK(w.fs().read(name).value() == w.fs().read("d").value());
  CHECK(w.fs().stat(name).value() == w.fs().stat("d").value());
  const auto before = w.fs().read(name).value();
  w.write("d/tmp/deep/x", "3");
  w.write("d/keep/a~", "4");
  CHECK(w.fs().read(name).value() == before);
  CHECK(w.fs().stat(name).value() == before.stat);
  CHECK(w.fs().read("d").value().content != before.content);
  CHECK(w.fs().glance(name).value().kind == file_kind::folder);
  w.write("d/tmp2", "5");
  CHECK(w.fs().read(name).value().content != before.content);
  CHECK(w.fs().stat(name).value() != before.stat);
  w.remove("d");
  w.write("d", "a file now");
  CHECK(w.fs().read(name).value() == w.fs().read("d").value());
}

TEST_CASE_TEMPLATE("absolute paths and paths from the root name the same files", world, on_disk, in_memory) {
  world w;
  w.write("a/b", "x");
  CHECK(w.fs().stat(w.root() + "/a/b").value() == w.fs().stat("a/b").value());
  CHECK(w.fs().read(w.root() + "/a").value() == w.fs().read("a").value());
}

TEST_CASE_TEMPLATE("writing other content changes the stat and the digest", world, on_disk, in_memory) {
  world w;
  w.write("f", "one");
  const auto before = w.fs().read("f").value();
  w.write("f", "three");
  const auto after = w.fs().read("f").value();
  CHECK(before.stat != after.stat);
  CHECK(before.content != after.content);
}

TEST_CASE_TEMPLATE("a folder's digest tells its members' names, kinds, executable bits and contents", world, on_disk,
                   in_memory) {
  world w;
  w.write("d/a", "1");
  w.write("d/sub/b", "2");
  const auto start = w.fs().read("d").value();
  CHECK(start.stat.kind == file_kind::folder);
  CHECK(start.stat.size == 2);
  CHECK(w.fs().read("d").value() == start);

  SUBCASE("content") {
    w.write("d/sub/b", "3");
  }
  SUBCASE("a new file") {
    w.write("d/c", "");
  }
  SUBCASE("a file less") {
    w.remove("d/a");
  }
  SUBCASE("a new empty folder") {
    w.make_folder("d/sub/empty");
  }
  SUBCASE("an executable bit") {
    w.write("d/a", "1", true);
  }
  SUBCASE("a file moved into another folder") {
    w.remove("d/a");
    w.write("d/sub/a", "1");
  }
  SUBCASE("a file that became a folder") {
    w.remove("d/a");
    w.make_folder("d/a");
  }
  const auto changed = w.fs().read("d").value();
  CHECK(changed.content != start.content);
  CHECK(changed.stat != start.stat);
  CHECK(w.fs().stat("d").value() == changed.stat);
}

TEST_CASE_TEMPLATE("a file's executable bit is seen by every look", world, on_disk, in_memory) {
  world w;
  for (const bool executable : {false, true}) {
    w.write("f", "1", executable);
    const auto bit = executable ? executable_bit::yes : executable_bit::no;
    CHECK(w.fs().glance("f").value().executable == bit);
    CHECK(w.fs().stat("f").value().executable == bit);
    CHECK(w.fs().read("f").value().executable == bit);
    CHECK(w.fs().read("f").value().stat.executable == bit);
  }
  w.make_folder("d");
  CHECK(w.fs().read("d").value().executable == executable_bit::unknown);
}

TEST_CASE_TEMPLATE("two folders with the same members have the same content", world, on_disk, in_memory) {
  world w;
  for (const std::string folder : {"one", "two"}) {
    w.write(folder + "/z", "1");
    w.write(folder + "/a/b", "2");
  }
  const auto one = w.fs().read("one").value();
  const auto two = w.fs().read("two").value();
  CHECK(one.content == two.content);
  CHECK(one.stat != two.stat);
}

TEST_CASE_TEMPLATE("what is neither file nor folder has a stat but no content", world, on_disk, in_memory) {
  world w;
  w.make_folder("d");
  w.make_other("d/pipe");
  CHECK(w.fs().stat("d/pipe").value().kind == file_kind::other);
  const auto record = w.fs().read("d/pipe");
  REQUIRE(record.has_error());
  CHECK(record.error().code == error_code::io);
  CHECK(record.error().message.find("d/pipe is a FIFO") != std::string::npos);
  CHECK(w.fs().stat("d").value().kind == file_kind::folder);
  const auto folder = w.fs().read("d");
  REQUIRE(folder.has_error());
  CHECK(folder.error().message.find("d/pipe is a FIFO") != std::string::npos);
  CHECK(w.fs().read_text("d/pipe", 10).has_error());
}

TEST_CASE_TEMPLATE("a glob finds files, sorted bytewise, in the form of the pattern", world, on_disk, in_memory) {
  world w;
  for (const auto* path : {"b.txt", "a.txt", "Z.txt", ".hidden.txt", "c.csv", "sub/d.txt", "sub/deep/e.txt",
                           "sub/.git/f.txt", "new\nline.txt", "bad\xff.txt"})
    w.write(path, "");
  w.make_folder("folder.txt");
  CHECK(w.fs().glob("*.txt", {}).value() == names{"Z.txt", "a.txt", "b.txt", "bad\xff.txt", "new\nline.txt"});
  CHECK(w.fs().glob("**/*.txt", {}).value() ==
        names{"Z.txt", "a.txt", "b.txt", "bad\xff.txt", "new\nline.txt", "sub/d.txt", "sub/deep/e.txt"});
  CHECK(w.fs().glob("sub/**", {}).value() == names{"sub/d.txt", "sub/deep/e.txt"});
  CHECK(w.fs().glob("*/.git/*", {}).value() == names{"sub/.git/f.txt"});
  CHECK(w.fs().glob(".*.txt", {}).value() == names{".hidden.txt"});
  CHECK(w.fs().glob("sub/deep/[d-f].txt", {}).value() == names{"sub/deep/e.txt"});
  CHECK(w.fs().glob("nothing/*.txt", {}).value().empty());
  CHECK(w.fs().glob(w.root() + "/s*/*.txt", {}).value() == names{w.root() + "/sub/d.txt"});
}

TEST_CASE_TEMPLATE("a glob that ends in a slash finds folders, the outermost ones", world, on_disk, in_memory) {
  world w;
  for (const auto* path : {"p/one/f", "p/one/deep/g", "p/two/h", "p/README", "p/.git/c", "q/src/x", "q/lib"})
    w.write(path, "");
  w.make_folder("p/empty");
  CHECK(w.fs().glob("p/*/", {}).value() == names{"p/empty", "p/one", "p/two"});
  CHECK(w.fs().glob("p/o*/", {}).value() == names{"p/one"});
  CHECK(w.fs().glob("p/.*/", {}).value() == names{"p/.git"});
  CHECK(w.fs().glob("*/src/", {}).value() == names{"q/src"});
  CHECK(w.fs().glob("*/lib/", {}).value().empty());
  CHECK(w.fs().glob("p/**/", {}).value() == names{"p/empty", "p/one", "p/two"});
  CHECK(w.fs().glob("**/deep/", {}).value() == names{"p/one/deep"});
  CHECK(w.fs().glob("p/*/", {"p/one"}).value() == names{"p/empty", "p/two"});
  CHECK(w.fs().glob(w.root() + "/q/*/", {}).value() == names{w.root() + "/q/src"});
}

TEST_CASE_TEMPLATE("a glob tells the folders that it matches and does not go into", world, on_disk, in_memory) {
  world w;
  for (const auto* path : {"p/one/f.c", "p/two/h", "p/README", "p/.git/c", "p/dir.c/x", "state/p/f"})
    w.write(path, "");
  const auto left_out = [&](const char* pattern) {
    glob_remarks remarks;
    CHECK(w.fs().glob(pattern, {"state"}, &remarks).has_value());
    return remarks.left_out;
  };
  CHECK(left_out("p/*") == names{"p/dir.c", "p/one", "p/two"});
  CHECK(left_out("*") == names{"p"}); // the state is left out for good
  CHECK(left_out("p/*.c") == names{"p/dir.c"});
  CHECK(left_out("*/two") == names{"p/two"});
  CHECK(left_out("p/*/*").empty());
  CHECK(left_out("p/**").empty());
  CHECK(left_out("**/*.c").empty()); // it goes into p/dir.c
  CHECK(left_out("p/*/").empty());
}

TEST_CASE_TEMPLATE("a glob leaves out what it is told to skip, and all beneath", world, on_disk, in_memory) {
  world w;
  for (const auto* path : {"a.txt", "state/b.txt", "x/state/c.txt", "stateful/d.txt"})
    w.write(path, "");
  CHECK(w.fs().glob("**/*.txt", {"state"}).value() == names{"a.txt", "stateful/d.txt", "x/state/c.txt"});
  CHECK(w.fs().glob("**/*.txt", {w.root() + "/x", "a.txt"}).value() == names{"state/b.txt", "stateful/d.txt"});
  CHECK(w.fs().glob(w.root() + "/*/*.txt", {"state"}).value() == names{w.root() + "/stateful/d.txt"});
}

TEST_CASE_TEMPLATE("make_parent makes all folders a file needs and nothing else", world, on_disk, in_memory) {
  world w;
  REQUIRE(w.fs().make_parent("a/b/c/file").has_value());
  REQUIRE(w.fs().make_parent("a/b/c/file").has_value());
  REQUIRE(w.fs().make_parent("file").has_value());
  CHECK(w.fs().stat("a/b/c").value().kind == file_kind::folder);
  CHECK(w.fs().stat("a/b/c/file").value().kind == file_kind::absent);
  w.write("a/file", "");
  const auto blocked = w.fs().make_parent("a/file/b/c");
  REQUIRE(blocked.has_error());
  CHECK(blocked.error().code == error_code::io);
  CHECK(blocked.error().message.find("a/file") != std::string::npos);
}

TEST_CASE_TEMPLATE("read_text gives a whole file up to its limit", world, on_disk, in_memory) {
  world w;
  w.write("t", "12345");
  CHECK(w.fs().read_text("t", 5).value() == "12345");
  CHECK(w.fs().read_text("t", 4).error().code == error_code::invalid_input);
  CHECK(w.fs().read_text("none", 5).error().code == error_code::not_found);
  w.make_folder("d");
  CHECK(w.fs().read_text("d", 5).error().code == error_code::io);
}
