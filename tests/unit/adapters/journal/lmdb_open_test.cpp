// Opening states: what is made, who is told what, and what is refused untouched.
#include "adapters/journal/state_lock.hpp"
#include "adapters/state/state_folder.hpp"
#include "child_process.hpp"
#include "journal_fixtures.hpp"
#include "support/history.hpp"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <thread>

using namespace troupe_internal;
using namespace troupe_internal::test;
namespace fs = std::filesystem;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Content and modification time of everything in a folder, but for LMDB's table of readers.
std::map<std::string, std::string> picture_of(const std::string& folder) {
  std::map<std::string, std::string> picture;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename() != "journal.mdb-lock")
      picture[entry.path().filename()] =
          read_file(entry.path()) + std::to_string(entry.last_write_time().time_since_epoch().count());
  return picture;
}

/// A state with some history, closed.
struct made_state {
  lmdb_fixture f;
  made_state() {
    history_maker history(77);
    for (int i = 0; i < 20; ++i)
      REQUIRE(f.store().append(history.next_batch()).has_value());
    f.close();
  }
  [[nodiscard]] std::string folder() const { return f.folder(); }
  [[nodiscard]] std::string journal() const { return f.folder() + "/journal.mdb"; }
};

/// Refused by writer and reader alike, with the words given, and untouched.
void check_refused(made_state& state, const std::string& words) {
  const auto before = read_file(state.journal());
  const auto writing = open_journal(state.folder(), {}, state.f.clock());
  REQUIRE_FALSE(writing.has_value());
  CHECK(writing.error().code == error_code::state_unusable);
  CHECK_MESSAGE(contains(writing.error().message, words), writing.error().message);
  const auto reading = open_snapshot(state.folder());
  REQUIRE_FALSE(reading.has_value());
  CHECK(reading.error().code == error_code::state_unusable);
  CHECK_MESSAGE(contains(reading.error().message, words), reading.error().message);
  CHECK(read_file(state.journal()) == before);
}

} // namespace

TEST_CASE("a new state is a folder of its owner's that git ignores") {
  temporary_folder t;
  system_clock clock;
  const auto folder = t / "deep/er/.troupe";
  const auto store = open_journal(folder, {}, clock);
  REQUIRE_MESSAGE(store.has_value(), store.error().message);
  struct stat st {};
  REQUIRE(::stat(folder.c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0700);
  CHECK(read_file(folder + "/.gitignore") == "*\n");
  REQUIRE(::stat((folder + "/journal.mdb").c_str(), &st) == 0);
  CHECK((st.st_mode & 0777) == 0600);
  CHECK_FALSE(fs::exists(folder + "/journal.mdb.new"));
  CHECK_FALSE(fs::exists(folder + "/journal.mdb.new-lock"));
}

TEST_CASE("a state's id is made once") {
  lmdb_fixture f;
  const auto id = f.store().snapshot().value()->info().id;
  CHECK(id != uuid{});
  f.reopen();
  CHECK(f.store().snapshot().value()->info().id == id);
  lmdb_fixture other;
  CHECK(other.store().snapshot().value()->info().id != id);
}

TEST_CASE("an empty folder becomes a state like a new one; what it lets others do stays as it was") {
  temporary_folder t;
  system_clock clock;
  fs::create_directory(t / "state");
  fs::permissions(t / "state", fs::perms(0755));
  REQUIRE(open_journal(t / "state", {}, clock).has_value());
  CHECK(read_file(t / "state/.gitignore") == "*\n");
  CHECK(fs::status(t / "state").permissions() == fs::perms(0755));
}

TEST_CASE("what a crash left of making a state's folder is used up by the next") {
  temporary_folder t;
  system_clock clock;
  for (const std::string left : {"nothing", "an empty file", "a whole file"}) {
    const auto folder = t / left;
    REQUIRE(::mkdir(folder.c_str(), 0700) == 0);
    if (left != "nothing")
      std::ofstream(folder + "/.gitignore") << (left == "a whole file" ? "*\n" : "");
    REQUIRE(open_journal(folder, {}, clock).has_value());
    CHECK(read_file(folder + "/.gitignore") == "*\n");
    CHECK(fs::exists(folder + "/troupe-state"));
  }
}

TEST_CASE("the second writer is told who holds the state; afterwards it is free") {
  temporary_folder t;
  const auto folder = t / "state";
  CHECK_FALSE(holder_of(folder));
  {
    const auto held = lock_state(folder);
    REQUIRE(held.has_value());
    CHECK(held->folder() == folder);
    system_clock clock;
    const auto second = open_journal(folder, {}, clock);
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().code == error_code::state_locked);
    CHECK_MESSAGE(contains(second.error().message, "process " + std::to_string(::getpid()) + " ("),
                  second.error().message);
    CHECK(contains(second.error().message, "(troupe)"));
    const auto holder = holder_of(folder);
    REQUIRE(holder);
    CHECK(holder->pid == ::getpid());
    CHECK(holder->start_ticks > 0);
    CHECK(holder->command == "troupe"); // nothing of the command line, which may hold a secret
    CHECK(holder->since > from_unix_ns(0));
  }
  CHECK_FALSE(holder_of(folder));
  const auto words = [&] {
    std::ifstream file(folder + "/lock");
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  CHECK(words().empty()); // a holder that leaves in order leaves no words
  {
    const auto again = lock_state(folder).value();
    CHECK(again.words_before().empty());
    CHECK(words().starts_with("pid " + std::to_string(::getpid()) + "\n"));
    put_back_words(*again.dir(), "pid " + std::to_string(::getpid()) + "\ncommand of another namespace\n");
  }
  CHECK(words() == "pid " + std::to_string(::getpid()) + "\ncommand of another namespace\n");
}

TEST_CASE("a lock moves with its owner and dies with its process") {
  temporary_folder t;
  const auto folder = t / "state";
  {
    auto one = lock_state(folder).value();
    auto two = std::move(one);
    CHECK(holder_of(folder));
    auto other = lock_state(t / "other").value();
    other = std::move(two);
    CHECK(holder_of(folder));
  }
  signal_pipe locked;
  child_process child([&] {
    const auto held = lock_state(folder);
    locked.notify();
    ::pause();
    return 0;
  });
  REQUIRE(locked.await());
  CHECK(holder_of(folder));
  child.kill();
  CHECK(child.wait() == -SIGKILL);
  CHECK_FALSE(holder_of(folder));
}

TEST_CASE("what a killed holder was starting keeps the lock until it runs or ends, and is waited for") {
  temporary_folder t;
  const auto folder = t / "state";
  signal_pipe locked;
  signal_pipe release;
  child_process holder([&] {
    const auto held = lock_state(folder);
    child_process started([&] {
      ::alarm(60);
      locked.notify();
      return release.await() ? 0 : 1;
    });
    ::pause();
    return 0;
  });
  REQUIRE(locked.await());
  CHECK(lock_state(folder).error().code == error_code::state_locked);
  CHECK(is_held(folder));
  holder.kill();
  CHECK(holder.wait() == -SIGKILL);
  const auto refused = lock_state(folder, {std::chrono::milliseconds(20), {}});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == error_code::state_locked);
  CHECK_MESSAGE(contains(refused.error().message, "still held by a command that process "), refused.error().message);
  CHECK_MESSAGE(contains(refused.error().message, "`fuser " + folder + "/lock` tells"), refused.error().message);
  int looks = 0;
  CHECK_FALSE(lock_state(folder, {std::chrono::hours(1), [&] { return ++looks == 3; }}).has_value());
  CHECK(looks == 3);
  CHECK_FALSE(is_held(folder)); // by none who writes
  CHECK(is_locked(*state_dir::open(folder).value()));
  CHECK_FALSE(holder_of(folder));
  const auto words = read_file(folder + "/lock");
  const auto place = words.substr(words.find("where "), words.find("command ") - words.find("where "));
  CHECK(place.size() > 40);
  auto elsewhere = words; // another boot, pid or time namespace
  elsewhere.replace(words.find(place), place.size(), "where " + std::string(place.size() - 7, 'x') + "\n");
  t.write("state/lock", elsewhere);
  CHECK(is_held(folder)); // nothing proves that it has ended
  CHECK(contains(lock_state(folder).error().message, "is in use by process "));
  t.write("state/lock", words);
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    release.notify();
  });
  const auto taken = lock_state(folder, {std::chrono::seconds(60), {}});
  later.join();
  CHECK(taken.has_value());
  CHECK(holder_of(folder)->pid == ::getpid());
}

TEST_CASE("a lock whose words are missing is held all the same") {
  temporary_folder t;
  const auto folder = t / "state";
  const auto held = lock_state(folder);
  t.write("state/lock", "rubbish\npid\n");
  const auto second = lock_state(folder);
  REQUIRE_FALSE(second.has_value());
  CHECK(contains(second.error().message, "in use by another process"));
  CHECK(holder_of(folder)->pid == 0);
}

TEST_CASE("without a state there is nothing to read, and reading makes nothing") {
  temporary_folder t;
  CHECK(open_snapshot(t / "nowhere").error().code == error_code::not_found);
  CHECK(open_snapshot(t.path()).error().code == error_code::not_found);
  CHECK(fs::is_empty(t.path()));
}

TEST_CASE("where no state can come to be is no empty history: reading says so, as writing does") {
  temporary_folder t;
  std::ofstream(t / "file") << "hi";
  CHECK(open_snapshot(t / "file").error().code == error_code::state_unusable);
  CHECK(contains(open_snapshot(t / "file").error().message, "it is a file, not a folder"));
  CHECK(open_snapshot((t / "file") + "/state").error().code == error_code::state_unusable);
  fs::create_symlink("nowhere", t / "link");
  CHECK(open_snapshot(t / "link").error().code == error_code::state_unusable);
  CHECK(contains(open_snapshot(t / "link").error().message, "it is a link that leads nowhere"));
}

TEST_CASE("a state that may not be looked at is not an empty history") {
  temporary_folder t;
  fs::create_symlink("loop", t / "loop");
  const auto s = open_snapshot(t / "loop"); // like a folder of somebody else's, which tests run as root could enter
  REQUIRE_FALSE(s.has_value());
  CHECK(s.error().code == error_code::state_unusable);
  CHECK(contains(s.error().message, "cannot be read"));
}

TEST_CASE("reading changes nothing, beside a writer and without one") {
  made_state state;
  const auto before = picture_of(state.folder());
  {
    const auto s = open_snapshot(state.folder());
    REQUIRE(s.has_value());
    CHECK(s.value()->info().last_seq > 0);
  }
  CHECK(picture_of(state.folder()) == before);
  state.f.reopen();
  const auto held = picture_of(state.folder());
  CHECK(open_snapshot(state.folder()).has_value()); // in this process: what is open is shared
  child_process child([&] { return open_snapshot(state.folder()).has_value() ? 0 : 1; });
  CHECK(child.wait() == 0);
  CHECK(picture_of(state.folder()) == held);
}

TEST_CASE("a state can be read by who may not write it, unless somebody is writing") {
  made_state state;
  fs::permissions(fs::path(state.folder()).parent_path(), fs::perms(0755));
  fs::permissions(state.folder(), fs::perms(0555));
  for (const auto& entry : fs::directory_iterator(state.folder()))
    fs::permissions(entry, fs::perms(0444));
  const auto read_as_another = [&] {
    child_process child([&] {
      if (::geteuid() == 0 && ::setuid(65534) != 0)
        return 2;
      const auto s = open_snapshot(state.folder());
      return s.has_value() && s.value()->info().last_seq > 0 ? 0 : 1;
    });
    return child.wait();
  };
  CHECK(read_as_another() == 0);
  fs::remove(state.journal() + "-lock");
  CHECK(read_as_another() == 0);
  if (::geteuid() != 0)
    return;
  const auto held = lock_state(state.folder());
  CHECK(read_as_another() == 1);
}

TEST_CASE("one process opens a state to write once, and not while it reads it") {
  made_state state;
  const auto s = open_snapshot(state.folder());
  CHECK(open_journal(state.folder(), {}, state.f.clock()).error().code == error_code::internal);
}

TEST_CASE("no child inherits the journal") {
  lmdb_fixture f;
  const auto journal = fs::canonical(f.folder() + "/journal.mdb");
  int found = 0;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const auto target = fs::read_symlink(entry, gone);
    if (!contains(target.string(), fs::canonical(f.folder()).string()))
      continue;
    ++found;
    CHECK((::fcntl(std::stoi(entry.path().filename()), F_GETFD) & FD_CLOEXEC) != 0);
  }
  CHECK(found >= 3); // data file, its lock file, the state's lock
}

TEST_CASE("a journal of a newer format is refused, untouched") {
  made_state state;
  MDB_env* env = nullptr;
  REQUIRE(mdb_env_create(&env) == 0);
  REQUIRE(mdb_env_set_maxdbs(env, 4) == 0);
  REQUIRE(mdb_env_open(env, state.journal().c_str(), MDB_NOSUBDIR, 0600) == 0);
  MDB_txn* txn = nullptr;
  REQUIRE(mdb_txn_begin(env, nullptr, 0, &txn) == 0);
  MDB_dbi meta = 0;
  REQUIRE(mdb_dbi_open(txn, "meta", 0, &meta) == 0);
  char name[] = "format";
  std::uint32_t format = 3;
  MDB_val key{6, name};
  MDB_val value{sizeof format, &format};
  REQUIRE(mdb_put(txn, meta, &key, &value, 0) == 0);
  REQUIRE(mdb_txn_commit(txn) == 0);
  mdb_env_close(env);
  check_refused(state, "journal format 3, and this version of Troupe reads up to 2");
}

TEST_CASE("what is no journal is refused, untouched") {
  made_state state;
  SUBCASE("an empty file") {
    fs::resize_file(state.journal(), 0);
  }
  SUBCASE("text") {
    std::ofstream(state.journal()) << std::string(20'000, 'x');
  }
  SUBCASE("a journal whose first two pages were overwritten") {
    std::fstream file(state.journal(), std::ios::in | std::ios::out | std::ios::binary);
    file.write(std::string(8192, '\xFF').data(), 8192);
  }
  SUBCASE("a few bytes") {
    fs::resize_file(state.journal(), 100);
  }
  check_refused(state, "is not a journal of Troupe, or is damaged at its beginning");
}

TEST_CASE("a journal whose first page was overwritten is refused as damaged, untouched") {
  made_state state;
  std::fstream file(state.journal(), std::ios::in | std::ios::out | std::ios::binary);
  file.write(std::string(4096, '\xFF').data(), 4096);
  file.close();
  check_refused(state, "page 0, which says where everything is, is damaged");
}

TEST_CASE("an LMDB file of another program is refused, untouched") {
  made_state state;
  fs::remove(state.journal());
  MDB_env* env = nullptr;
  REQUIRE(mdb_env_create(&env) == 0);
  REQUIRE(mdb_env_open(env, state.journal().c_str(), MDB_NOSUBDIR, 0600) == 0);
  mdb_env_close(env);
  check_refused(state, "is an LMDB file, but not a journal of Troupe");
}

TEST_CASE("a journal that is cut off is refused, untouched") {
  made_state state;
  fs::resize_file(state.journal(), 12'288);
  check_refused(state, "its journal is damaged: it is cut off, or page");
}

TEST_CASE("a folder that is a file, or cannot be made, is an error with its name") {
  temporary_folder t;
  t.write("file", "");
  system_clock clock;
  CHECK(contains(open_journal(t / "file", {}, clock).error().message, "file: cannot use it: Not a directory"));
  const auto beneath = open_journal(t / "file/state", {}, clock);
  CHECK(beneath.error().code == error_code::state_unusable);
}

TEST_CASE("what a crash left half made is no obstacle") {
  temporary_folder t;
  system_clock clock;
  t.write("state/journal.mdb.new", "half a journal");
  t.write("state/journal.mdb.new-lock", "");
  t.write("state/lock", "");
  CHECK(open_snapshot(t / "state").error().code == error_code::not_found);
  REQUIRE(open_journal(t / "state", {}, clock).has_value());
  CHECK(open_snapshot(t / "state").has_value());
  CHECK_FALSE(t.exists("state/journal.mdb.new"));
}

TEST_CASE("network file systems are known by their numbers") {
  CHECK(std::string(network_file_system(0x6969)) == "NFS");
  CHECK(std::string(network_file_system(0xFFFFFFFFFF534D42)) == "CIFS"); // as a negative 32-bit number
  CHECK(network_file_system(0xEF53) == nullptr);                         // ext4
  CHECK(network_file_system(0x01021994) == nullptr);                     // tmpfs
  const temporary_folder t;
  CHECK(require_local(*state_dir::open(t.path()).value()).has_value());
}

TEST_CASE("durability none leaves a mark while it is open, and a clean end takes it away") {
  lmdb_fixture f;
  const auto mark = f.folder() + "/unsynced";
  CHECK(read_file(mark) == current_boot_id() + "\n");
  history_maker history(3);
  expected_state expected;
  const auto batch = history.next_batch();
  REQUIRE(f.store().append(batch).has_value());
  expected.add(batch);
  CHECK(open_snapshot(f.folder()).has_value());
  f.close();
  CHECK_FALSE(fs::exists(mark));
  f.reopen();
  check_same(*f.store().snapshot().value(), expected);
}

TEST_CASE("durability none: the mark is there as a whole or as it was, whenever the process is killed") {
  lmdb_fixture f;
  const auto mark = f.folder() + "/unsynced";
  const auto inode = [&] {
    struct stat st {};
    return ::stat(mark.c_str(), &st) == 0 ? st.st_ino : ino_t{};
  };
  const auto before = inode();
  REQUIRE(before != 0);
  std::ofstream(f.folder() + "/unsynced.new") << ""; // of one that was killed
  REQUIRE(mark_unsynced(*state_dir::open(f.folder()).value()).has_value());
  CHECK(inode() != before); // another file took its place: nobody has seen it empty
  CHECK(read_file(mark) == current_boot_id() + "\n");
  CHECK_FALSE(fs::exists(f.folder() + "/unsynced.new"));
}

TEST_CASE("durability none: after a killed process the state is good, after a reboot it is refused with the way out") {
  made_state state;
  const auto mark = state.folder() + "/unsynced";
  {
    std::ofstream(mark) << current_boot_id() << "\n"; // as a killed process leaves it
    const auto store = open_journal(state.folder(), {}, state.f.clock());
    REQUIRE_MESSAGE(store.has_value(), store.error().message);
    CHECK_FALSE(fs::exists(mark)); // strict and pipelined brought all to disk
  }
  std::ofstream(mark) << "11111111-2222-3333-4444-555555555555\n";
  check_refused(state, "was written with durability none, and the machine went down before it was closed");
  fs::remove(mark);
  fs::remove(state.journal());
  CHECK(open_journal(state.folder(), {}, state.f.clock()).has_value());
}
