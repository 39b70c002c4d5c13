// A state's folder: whose it is, what it may become, what its entries have to be, and what of it is deleted.
#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/journal/state_lock.hpp"
#include "adapters/process/state_logs.hpp"
#include "adapters/state/state_dir.hpp"
#include "adapters/system/system_clock.hpp"
#include "support/temporary_folder.hpp"
#include "unit/adapters/journal/child_process.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <set>
#include <string>

using namespace troupe_internal;
using namespace troupe_internal::test;
namespace fs = std::filesystem;

namespace {

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

mode_t mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE_MESSAGE(::lstat(path.c_str(), &info) == 0, path);
  return info.st_mode & 07777U;
}

template <class T>
void check_refused(const result<T>& tried, const std::string& words) {
  REQUIRE_FALSE(tried.has_value());
  CHECK(tried.error().code == error_code::state_unusable);
  CHECK_MESSAGE(says(tried.error().message, words), tried.error().message);
}

/// A folder that is ours, with a file outside of it that nothing may touch.
struct watched_folder {
  temporary_folder t;
  state_dir::handle dir;
  watched_folder() {
    dir = state_dir::open_or_make(t / "state").value();
    t.write("precious", "precious");
  }
  [[nodiscard]] bool unharmed() const { return t.read("precious") == "precious"; }
};

} // namespace

TEST_CASE("a state's folder, files and folders are their owner's alone, whatever the umask") {
  // In processes of their own, and as another user, from whom a mode keeps something: root is let in anyway.
  for (const mode_t mask : {0000U, 0022U, 0077U, 0177U, 0777U}) {
    CAPTURE(mask);
    temporary_folder t;
    fs::permissions(t.path(), fs::perms(0777));
    child_process child([&] {
      if (::geteuid() == 0 && ::setuid(65534) != 0)
        return 2;
      ::umask(mask);
      system_clock clock;
      const auto lock = lock_state(t / "state");
      if (!lock)
        return 3;
      state_logs logs(lock->dir());
      if (!logs.make(run_number(1U), "a.1.log") || !lock->dir()->part("results") || !lock->dir()->write("x", "y"))
        return 4;
      const auto back = lock->dir()->read("x", 10);
      return back && *back == "y" ? 0 : 5;
    });
    CHECK(child.wait() == 0);
    for (const auto* folder : {"state", "state/logs", "state/logs/1", "state/results"})
      CHECK(mode_of(t / folder) == 0700);
    for (const auto* file : {"state/lock", "state/troupe-state", "state/.gitignore", "state/logs/1/a.1.log",
                             "state/logs/.troupe-mark", "state/results/.troupe-mark", "state/x"})
      CHECK(mode_of(t / file) == 0600);
  }
}

TEST_CASE("a folder that others may write in is read and not written; a folder of others likewise") {
  temporary_folder t;
  system_clock clock;
  const auto folder = t / "state";
  REQUIRE(open_journal(folder, {}, clock).has_value());
  fs::permissions(folder, fs::perms(0770));
  SUBCASE("writable by the group") {
    check_refused(lock_state(folder), "chmod go-w " + folder);
  }
  SUBCASE("writable by all") {
    fs::permissions(folder, fs::perms(0707));
    check_refused(open_journal(folder, {}, clock), "can be written by other users (its mode is 707)");
  }
  SUBCASE("another user's") {
    if (::geteuid() != 0 || ::chown(folder.c_str(), 23456, 23456) != 0)
      return; // only root can make one
    check_refused(lock_state(folder), "belongs to user 23456");
  }
  fs::remove(folder + "/journal.mdb-lock");
  CHECK(open_snapshot(folder).has_value());
  CHECK_FALSE(fs::exists(folder + "/journal.mdb-lock"));
  CHECK(mode_of(folder) != 0700);
  const auto dir = state_dir::open(folder).value();
  CHECK_FALSE(dir->ours());
  child_process writer([&] { // as its owner: the lock of a state is looked at whosever it is
    const unique_fd file(::open((folder + "/lock").c_str(), O_RDWR));
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    if (::fcntl(file.get(), F_OFD_SETLK, &range) != 0)
      return 1;
    const auto read = open_snapshot(folder);
    return !read && says(read.error().message, "is writing it") ? 0 : 2;
  });
  CHECK(writer.wait() == 0);
}

TEST_CASE(
    "the journal of a folder that others may write in is read from a copy: nobody can change or cut it under us") {
  temporary_folder t;
  system_clock clock;
  const auto folder = t / "state";
  {
    const auto store = open_journal(folder, {}, clock);
    REQUIRE(store.has_value());
    REQUIRE((*store)->append(std::vector<event>{writer_opened{}}).has_value());
  }
  fs::permissions(folder, fs::perms(0777));
  const auto snapshot = open_snapshot(folder);
  REQUIRE(snapshot.has_value());
  fs::resize_file(folder + "/journal.mdb", 0); // pages of a mapped file would be gone: SIGBUS
  int events = 0;
  REQUIRE((*snapshot)
              ->visit_events(0,
                             [&](std::uint64_t, const event&) {
                               ++events;
                               return true;
                             })
              .has_value());
  CHECK(events == 1);
}

TEST_CASE("a folder that holds other things becomes no state") {
  temporary_folder t;
  const auto refused = [&] {
    check_refused(lock_state(t.path()), "holds other things");
    CHECK_FALSE(t.exists("lock"));
    CHECK_FALSE(t.exists("troupe-state"));
  };
  SUBCASE("a file") {
    t.write("notes.txt", "");
    refused();
  }
  SUBCASE("folders named like a state's") {
    fs::create_directories(t / "logs/2023");
    refused();
  }
  SUBCASE("something hidden") {
    t.write(".profile", "");
    refused();
  }
  SUBCASE("a lock of another program") {
    t.write("logs/1/x", "");
    t.write("lock", "4711\n");
    check_refused(lock_state(t.path()), "holds other things");
    CHECK(t.read("lock") == "4711\n");
  }
}

TEST_CASE("what is a state's, or was, becomes one again and is marked") {
  temporary_folder t;
  system_clock clock;
  const auto folder = t / "state";
  SUBCASE("of before there were marks, with a journal") {
    REQUIRE(open_journal(folder, {}, clock).has_value());
    fs::remove(folder + "/troupe-state");
  }
  SUBCASE("of before there were marks, its journal removed as a message said") {
    REQUIRE(open_journal(folder, {}, clock).has_value());
    fs::remove(folder + "/troupe-state");
    fs::remove(folder + "/journal.mdb");
    fs::create_directories(folder + "/logs/3");
    t.write("state/lock", "pid 1\nhost there\ncommand troupe run\n"); // as the program of then left it
  }
  SUBCASE("marked, its journal removed") {
    REQUIRE(open_journal(folder, {}, clock).has_value());
    fs::rename(folder + "/journal.mdb", folder + "/journal.mdb.moved");
    t.write("state/of another program", "");
  }
  SUBCASE("begun by a process that was killed") {
    t.write("state/journal.mdb.new", "half");
    t.write("state/lock", "");
  }
  const auto store = open_journal(folder, {}, clock);
  REQUIRE_MESSAGE(store.has_value(), store.error().message);
  CHECK(fs::exists(folder + "/troupe-state"));
}

TEST_CASE_FIXTURE(watched_folder, "an entry that is no regular file is said, neither followed nor waited for") {
  const auto path = t / "state/entry";
  std::string words;
  SUBCASE("a link") {
    fs::create_symlink("../precious", path);
    words = "its entry is a symbolic link";
  }
  SUBCASE("a link that leads nowhere") {
    fs::create_symlink("../made", path);
    words = "its entry is a symbolic link";
  }
  SUBCASE("a FIFO") {
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    words = "its entry is a FIFO";
  }
  SUBCASE("a folder") {
    fs::create_directory(path);
    words = "its entry is a folder";
  }
  SUBCASE("a device") {
    if (::mknod(path.c_str(), S_IFCHR | 0600, makedev(1, 3)) != 0)
      return; // only root can make one
    words = "its entry is a device";
  }
  bool made = false;
  check_refused(dir->open("entry", entry_use::read), words);
  check_refused(dir->open("entry", entry_use::write), words);
  check_refused(dir->open_or_make("entry", made), words);
  check_refused(dir->read("entry", 100), words);
  check_refused(dir->check("entry", entry_use::write), words);
  if (!fs::is_directory(fs::symlink_status(path))) {
    CHECK(dir->write("entry", "new").has_value()); // in its place, not through it
    CHECK(t.read("state/entry") == "new");
    CHECK_FALSE(fs::is_symlink(path));
  } else {
    check_refused(dir->write("entry", "new"), words);
    check_refused(dir->replace("entry", "new"), words);
  }
  CHECK(unharmed());
  CHECK_FALSE(t.exists("made"));
}

TEST_CASE_FIXTURE(watched_folder, "a file with another name is read, neither printed nor written") {
  fs::create_hard_link(t / "precious", t / "state/entry");
  CHECK(dir->read("entry", 100).value() == "precious");
  check_refused(dir->open("entry", entry_use::show), "it is a hard link");
  check_refused(dir->open("entry", entry_use::write), "it is a hard link");
  CHECK(dir->write("entry", "new").has_value());
  CHECK(unharmed());
}

TEST_CASE_FIXTURE(watched_folder, "a file or folder of another user's is not relied upon") {
  if (::geteuid() != 0)
    return; // only root can make one
  t.write("state/entry", "x");
  fs::create_directory(t / "state/part");
  for (const auto* name : {"state/entry", "state/part"})
    REQUIRE(::chown((t / name).c_str(), 23456, 23456) == 0);
  check_refused(dir->open("entry", entry_use::trust), "belongs to user 23456");
  check_refused(dir->open("entry", entry_use::write), "belongs to user 23456");
  check_refused(dir->part("part"), "belongs to user 23456");
  CHECK(dir->read("entry", 100).value() == "x");
}

TEST_CASE_FIXTURE(watched_folder, "what is longer than its limit is not read") {
  t.write("state/entry", std::string(101, 'x'));
  check_refused(dir->read("entry", 100), "larger than the 100 bytes");
}

TEST_CASE_FIXTURE(watched_folder, "a folder in a state is no link, and loses what lets others write in it") {
  fs::create_directory(t / "elsewhere");
  fs::create_symlink("../elsewhere", t / "state/link");
  check_refused(dir->part("link"), "its link is a symbolic link, not a folder");
  check_refused(dir->open_folder("link", entry_use::read), "is a symbolic link");
  t.write("state/file", "");
  check_refused(dir->part("file"), "its file is a file, not a folder");
  CHECK(fs::is_empty(t / "elsewhere"));
  fs::create_directory(t / "state/wide");
  fs::permissions(t / "state/wide", fs::perms(0777));
  REQUIRE(dir->part("wide").has_value());
  CHECK(mode_of(t / "state/wide") == 0755);
}

TEST_CASE("logs that were there before Troupe kept logs are never deleted") {
  temporary_folder t;
  const auto dir = state_dir::open_or_make(t / "state").value();
  t.write("state/logs/2023/app.log", "precious");
  t.write("state/logs/7/a.1.log", "x");
  t.write("state/logs/8/a.1.log", "x");
  t.write("state/logs/007/a.1.log", "precious");
  const auto all = from_unix_ns(std::numeric_limits<std::int64_t>::max());
  const auto never = [] { return false; };
  {
    state_logs logs(dir);
    CHECK(logs.remove_old(all, {}, never) == 0); // without a mark nothing is
    CHECK_FALSE(logs.remove(run_number(7U)));
    REQUIRE(logs.claim([]() -> result<std::set<std::uint32_t>> { return std::set<std::uint32_t>{7, 8}; }).has_value());
  }
  state_logs logs(dir); // another process, later
  int asked = 0;
  REQUIRE(logs.claim([&]() -> result<std::set<std::uint32_t>> {
                ++asked;
                return std::set<std::uint32_t>{2023};
              })
              .has_value());
  CHECK(asked == 0); // the mark is there
  CHECK_FALSE(logs.remove(run_number(2023U)));
  CHECK(logs.remove(run_number(7U)));
  CHECK_FALSE(logs.remove(run_number(7U)));
  CHECK(logs.remove_old(all, run_number(9U), never) == 1);
  CHECK(t.read("state/logs/2023/app.log") == "precious");
  CHECK(t.read("state/logs/007/a.1.log") == "precious");
  CHECK_FALSE(t.exists("state/logs/8"));
}

TEST_CASE_FIXTURE(watched_folder,
                  "logs are made anew in the place of what has their name, and their folders with them") {
  state_logs logs(dir);
  REQUIRE(logs.claim([]() -> result<std::set<std::uint32_t>> { return std::set<std::uint32_t>(); }).has_value());
  const auto make = [&](const std::string& name) {
    const auto file = logs.make(run_number(4U), name);
    REQUIRE_MESSAGE(file.has_value(), file.error().message);
    CHECK(::write(file->get(), "x", 1) == 1);
    CHECK(t.read("state/logs/4/" + name) == "x");
  };
  make("a.1.log");
  fs::remove(t / "state/logs/4/a.1.log");
  fs::create_symlink("../../../precious", t / "state/logs/4/a.1.log");
  make("a.1.log");
  REQUIRE(::mkfifo((t / "state/logs/4/b.1.log").c_str(), 0600) == 0);
  make("b.1.log");
  fs::remove_all(t / "state/logs");
  make("a.1.log");
  fs::create_directory(t / "state/logs/4/c.1.log");
  CHECK_FALSE(logs.make(run_number(4U), "c.1.log").has_value());
  fs::remove_all(t / "state"); // a state that was removed is not made anew by its logs
  CHECK_FALSE(logs.make(run_number(4U), "d.1.log").has_value());
  CHECK_FALSE(t.exists("state"));
  CHECK(unharmed());
}

TEST_CASE("logs that lie behind a link are refused, and nothing behind it is deleted") {
  temporary_folder t;
  const auto dir = state_dir::open_or_make(t / "state").value();
  t.write("photos/2019/1.jpg", "precious");
  const auto all = from_unix_ns(std::numeric_limits<std::int64_t>::max());
  fs::create_symlink("../photos", t / "state/logs");
  state_logs logs(dir);
  check_refused(logs.claim([]() -> result<std::set<std::uint32_t>> { return std::set<std::uint32_t>{2019}; }),
                "its logs is a symbolic link");
  CHECK(logs.remove_old(all, {}, [] { return false; }) == 0);
  CHECK_FALSE(logs.remove(run_number(2019U)));
  CHECK_FALSE(logs.make(run_number(2019U), "a.1.log").has_value());
  fs::remove(t / "state/logs");
  fs::create_directory(t / "state/logs");
  fs::create_symlink("../../photos/2019", t / "state/logs/2019");
  REQUIRE(logs.claim([]() -> result<std::set<std::uint32_t>> { return std::set<std::uint32_t>{2019}; }).has_value());
  CHECK(logs.remove_old(all, {}, [] { return false; }) == 0);
  CHECK_FALSE(logs.remove(run_number(2019U)));
  CHECK_FALSE(logs.make(run_number(2019U), "a.1.log").has_value());
  CHECK(t.read("photos/2019/1.jpg") == "precious");
  CHECK_FALSE(t.exists("photos/2019/a.1.log"));
}

TEST_CASE("a state whose lock file was removed or replaced is held all the same") {
  temporary_folder t;
  const auto folder = t / "state";
  auto held = lock_state(folder);
  REQUIRE(held.has_value());
  fs::remove(folder + "/lock");
  SUBCASE("removed") {
    const auto second = lock_state(folder);
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().code == error_code::state_locked);
    CHECK_MESSAGE(says(second.error().message, "was removed or replaced"), second.error().message);
    CHECK_FALSE(t.exists("state/lock")); // none is left that looks as if nobody held it
  }
  SUBCASE("replaced") {
    t.write("state/lock", "");
    CHECK(lock_state(folder).error().code == error_code::state_locked);
  }
  CHECK(is_held(folder));
  CHECK(is_locked(*state_dir::open(folder).value()));
  CHECK_FALSE(living_holder_of(folder)); // it cannot be said who
  { const auto gone = std::move(*held); }
  CHECK_FALSE(is_held(folder));
  CHECK(lock_state(folder).has_value());
}

TEST_CASE("who only looks at a lock keeps nobody from taking it") {
  temporary_folder t;
  const auto folder = t / "state";
  { REQUIRE(lock_state(folder).has_value()); }
  const unique_fd look(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  CHECK_FALSE(is_held(folder));
  CHECK(lock_state(folder).has_value());
}

TEST_CASE("links and hard links in the place of the lock are refused before anything is written") {
  temporary_folder t;
  const auto folder = t / "state";
  { REQUIRE(lock_state(folder).has_value()); }
  t.write("precious", "precious");
  fs::remove(folder + "/lock");
  SUBCASE("a link") {
    fs::create_symlink("../precious", folder + "/lock");
  }
  SUBCASE("a hard link") {
    fs::create_hard_link(t / "precious", folder + "/lock");
  }
  SUBCASE("a FIFO") {
    REQUIRE(::mkfifo((folder + "/lock").c_str(), 0600) == 0);
  }
  check_refused(lock_state(folder), "its lock ");
  CHECK_FALSE(is_held(folder));
  CHECK(t.read("precious") == "precious");
}

TEST_CASE("an upgrade that a crash cut short leaves the journal two names, and that is no hard link from outside") {
  temporary_folder t;
  system_clock clock;
  const auto folder = t / "state";
  { REQUIRE(open_journal(folder, {}, clock).has_value()); }
  fs::create_hard_link(folder + "/journal.mdb", folder + "/journal.mdb.format1");
  { CHECK(open_journal(folder, {}, clock).has_value()); }
  fs::create_hard_link(folder + "/journal.mdb", t / "outside");
  check_refused(open_journal(folder, {}, clock), "it is a hard link");
  fs::remove(folder + "/journal.mdb.format1");
  check_refused(open_journal(folder, {}, clock), "it is a hard link");
  CHECK(open_snapshot(folder).has_value());
}
