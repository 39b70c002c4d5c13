// What inotify reports of folders, by their paths.
#include "adapters/files/folder_watch.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>
#include <poll.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace troupe_internal;
using kind = folder_event::kind;

namespace {

struct world {
  temporary_folder folder;
  std::unique_ptr<folder_events> events = std::move(*inotify_events::open());

  [[nodiscard]] std::string path(const std::string& name) const { return folder.path() + "/" + name; }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }
  void make(const std::string& name) const { std::filesystem::create_directories(path(name)); }
  void move(const std::string& from, const std::string& to) const { std::filesystem::rename(path(from), path(to)); }
  folder_outcome watch(const std::string& name, folder_interest wanted = folder_interest::all) {
    return events->watch(path(name), wanted);
  }
  /// What has happened by now: inotify reports before the call that did it returns.
  std::vector<folder_event> read() {
    std::vector<folder_event> all;
    CHECK(events->read(all));
    return all;
  }
};

bool has(const std::vector<folder_event>& all, kind what, const std::string& folder, const std::string& name) {
  return std::any_of(all.begin(), all.end(), [&](const auto& one) {
    return one.what == what && one.folder.ends_with(folder) && one.name == name;
  });
}

} // namespace

TEST_CASE("each change in a watched folder is reported by its path") {
  world it;
  it.make("inbox");
  REQUIRE(it.watch("inbox") == folder_outcome::watching);
  CHECK(it.read().empty());
  it.write("inbox/a", "x");
  auto all = it.read();
  CHECK(has(all, kind::created, "inbox", "a"));
  CHECK(has(all, kind::written, "inbox", "a"));
  CHECK(has(all, kind::closed, "inbox", "a"));
  it.move("inbox/a", "inbox/b");
  all = it.read();
  CHECK(has(all, kind::moved_out, "inbox", "a"));
  CHECK(has(all, kind::moved_in, "inbox", "b"));
  std::filesystem::permissions(it.path("inbox/b"), std::filesystem::perms::owner_read);
  CHECK(has(it.read(), kind::attributes, "inbox", "b"));
  std::filesystem::remove(it.path("inbox/b"));
  CHECK(has(it.read(), kind::deleted, "inbox", "b"));
  it.make("inbox/sub");
  all = it.read();
  REQUIRE(all.size() == 1);
  CHECK(all[0].is_folder);
  pollfd waits{it.events->descriptor(), POLLIN, 0};
  CHECK(poll(&waits, 1, 0) == 0);
}

TEST_CASE("of a folder above only names that appear are reported, or nothing but its end") {
  world it;
  it.make("above");
  REQUIRE(it.watch("above", folder_interest::entries) == folder_outcome::watching);
  it.write("above/a", "x");
  const auto all = it.read();
  REQUIRE(all.size() == 1);
  CHECK(has(all, kind::created, "above", "a"));
  it.make("alone");
  REQUIRE(it.watch("alone", folder_interest::itself) == folder_outcome::watching);
  it.write("alone/a", "x");
  CHECK(it.read().empty());
  it.move("alone", "elsewhere");
  CHECK(has(it.read(), kind::folder_gone, "alone", ""));
}

TEST_CASE("a folder that is gone is not watched any more, and another one may take its path") {
  world it;
  it.make("inbox");
  REQUIRE(it.watch("inbox") == folder_outcome::watching);
  it.move("inbox", "old");
  it.make("inbox");
  CHECK(has(it.read(), kind::folder_gone, "inbox", ""));
  CHECK(it.events->watches() == 0);
  REQUIRE(it.watch("inbox") == folder_outcome::watching);
  it.write("old/a", "x");
  it.write("inbox/b", "x");
  const auto all = it.read();
  CHECK(has(all, kind::closed, "inbox", "b"));
  CHECK_FALSE(has(all, kind::closed, "inbox", "a"));
  std::filesystem::remove_all(it.path("inbox"));
  CHECK(has(it.read(), kind::folder_gone, "inbox", ""));
}

TEST_CASE("a path that leads to another folder than before is watched there") {
  world it;
  it.make("a/inbox");
  REQUIRE(it.watch("a/inbox") == folder_outcome::watching);
  it.move("a", "b"); // nothing says so to who watches a/inbox
  it.make("a/inbox");
  REQUIRE(it.watch("a/inbox") == folder_outcome::watching);
  CHECK(it.events->watches() == 1);
  it.write("b/inbox/x", "x");
  it.write("a/inbox/y", "y");
  const auto all = it.read();
  CHECK(has(all, kind::closed, "a/inbox", "y"));
  CHECK_FALSE(has(all, kind::closed, "a/inbox", "x"));
}

TEST_CASE("one folder with two paths is reported by both, until one is dropped") {
  world it;
  it.make("inbox");
  std::filesystem::create_directory_symlink(it.path("inbox"), it.path("link"));
  REQUIRE(it.watch("inbox") == folder_outcome::watching);
  REQUIRE(it.watch("link") == folder_outcome::watching);
  CHECK(it.events->watches() == 1);
  it.write("inbox/a", "x");
  auto all = it.read();
  CHECK(has(all, kind::closed, "inbox", "a"));
  CHECK(has(all, kind::closed, "link", "a"));
  it.events->keep_only([&](const std::string& folder) { return folder.ends_with("link"); });
  it.write("inbox/b", "x");
  all = it.read();
  CHECK(has(all, kind::closed, "link", "b"));
  CHECK_FALSE(has(all, kind::closed, "inbox", "b"));
  it.events->unwatch(it.path("link"));
  it.events->unwatch(it.path("never"));
  CHECK(it.events->watches() == 0);
  it.write("inbox/c", "x");
  CHECK(it.read().empty());
}

TEST_CASE("what is no folder, or cannot be read, is said") {
  world it;
  it.write("file", "x");
  CHECK(it.watch("nothing") == folder_outcome::absent);
  CHECK(it.watch("file") == folder_outcome::absent);
  CHECK(it.events->unreliable(it.path("nothing")).empty());
  CHECK(it.events->unreliable("/proc").empty());
}
