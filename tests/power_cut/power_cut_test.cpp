// What the images rest on, and single cases that were wrong once. Each records in a process of its own, as histories
// do.
#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/state/state_folder.hpp"
#include "adapters/system/system_clock.hpp"
#include "disk_model.hpp"
#include "disk_recorder.hpp"
#include "power_cut_images.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <set>

using namespace troupe_internal;
using namespace troupe_internal::test;

namespace {

/// What a process did to the disk beneath `root`; it has to return true. `log` knows the files made before.
std::vector<disk_op> recorded(disk_log& log, const std::string& root, const std::function<bool()>& body) {
  const auto before = static_cast<std::ptrdiff_t>(log.size());
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    record_disk(log, root);
    ::_exit(body() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  auto ops = log.read();
  ops.erase(ops.begin(), ops.begin() + before);
  return ops;
}

bool open_and_append(const std::string& folder, durability how) {
  system_clock clock;
  const auto store = open_journal(folder, {how, 0}, clock);
  return store && (*store)->append(std::vector<event>{writer_opened{}, writer_closed{}});
}

bool write_text(const std::string& path, std::string_view text, int flags) {
  const int fd = ::open(path.c_str(), O_WRONLY | flags | O_CLOEXEC, 0600);
  const bool good = fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return good;
}

/// All that a file may hold, in many images; "(none)" where it is not there.
std::set<std::string> possible_contents(const disk_model& disk, const std::string& name) {
  std::set<std::string> contents;
  for (unsigned seed = 0; seed < 150; ++seed) {
    const temporary_folder image;
    std::mt19937_64 random(seed);
    disk.make_image(random, image.path());
    contents.insert(image.exists(name) ? image.read(name) : "(none)");
  }
  return contents;
}

} // namespace

TEST_CASE("the same seed records the same history, and makes the same images") {
  const temporary_folder t;
  const auto words = [](const recorded_history& history) {
    std::string all;
    for (const auto& op : history.ops()) {
      all += std::to_string(static_cast<int>(op.what)) + " " + std::to_string(op.file) + " " + op.path + " " + op.to;
      if (op.what != disk_op::kind::make_file) // whose number is the kernel's
        all += " " + std::to_string(op.number);
      if (op.bytes.starts_with("pid ")) // the lock names the process
        continue;
      all += " " + op.bytes;
    }
    return all;
  };
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const recorded_history one(seed, t / "one", {});
    const recorded_history other(seed, t / "other", {});
    CHECK(one.ops().size() > 30);
    CHECK(words(one) == words(other));
  }
}

TEST_CASE("a disk keeps what was synced, and any part of what was not") {
  const temporary_folder t;
  const auto file = t / "file";
  const auto one = std::string(sector_bytes, 'a');
  const auto two = std::string(sector_bytes, 'b');
  disk_log log;
  const auto ops = recorded(log, t.path(), [&] {
    bool good = write_text(file, one + one, O_CREAT);
    const int fd = ::open(file.c_str(), O_WRONLY);
    good = good && ::fsync(fd) == 0;
    const int folder = ::open(t.path().c_str(), O_RDONLY | O_DIRECTORY);
    good = good && ::fsync(folder) == 0;
    return good && write_text(file, two + two, 0);
  });
  REQUIRE(ops.size() == 5); // made, written, both synced, written
  disk_model disk;
  disk.apply(ops[0]);
  disk.apply(ops[1]);
  CHECK(possible_contents(disk, "file").contains("(none)"));
  CHECK(possible_contents(disk, "file").contains(""));
  disk.apply(ops[2]);
  CHECK(possible_contents(disk, "file") == std::set<std::string>{"(none)", one + one});
  disk.apply(ops[3]);
  CHECK(possible_contents(disk, "file") == std::set<std::string>{one + one});
  disk.apply(ops[4]);
  auto contents = possible_contents(disk, "file");
  for (const auto& expected : {one + one, one + two, two + one, two + two})
    CHECK(contents.contains(expected));
}

TEST_CASE("a rename is there or not, and never without what it moved") {
  const temporary_folder t;
  disk_log log;
  const auto ops = recorded(log, t.path(), [&] {
    return write_text(t / "new", "x", O_CREAT) && ::rename((t / "new").c_str(), (t / "name").c_str()) == 0;
  });
  disk_model disk;
  for (const auto& op : ops)
    disk.apply(op);
  for (unsigned seed = 0; seed < 100; ++seed) {
    const temporary_folder image;
    std::mt19937_64 random(seed);
    disk.make_image(random, image.path());
    CHECK_FALSE((image.exists("new") && image.exists("name")));
  }
}

TEST_CASE("the whole way to a new state is on disk before its first event is acknowledged") {
  const temporary_folder t;
  const auto state = t / "deep/er/state";
  const auto synced = [&](const std::vector<disk_op>& ops) {
    std::set<std::string> folders;
    for (const auto& op : ops)
      if (op.what == disk_op::kind::sync_folder)
        folders.insert(op.path);
    return folders;
  };
  const std::set<std::string> whole = {"", "deep", "deep/er", "deep/er/state"};
  disk_log log;
  CHECK(synced(recorded(log, t.path(), [&] { return open_and_append(state, {}); })) == whole);
  // A state with events was brought to disk by whoever acknowledged them.
  CHECK(synced(recorded(log, t.path(), [&] { return open_and_append(state, {}); })).empty());
}

TEST_CASE("the way to a state that a killed process half made is brought to disk by the next one") {
  const temporary_folder t;
  const temporary_folder undisturbed;
  disk_log other;
  const auto all = recorded(other, undisturbed.path(), [&] { return open_and_append(undisturbed / "state", {}); });
  const auto named = std::find_if(all.begin(), all.end(), [](const auto& op) { return op.to == "state/journal.mdb"; });
  REQUIRE(named != all.end());
  disk_log log;
  recorded(log, t.path(), [&] {
    die_after_calls(static_cast<std::uint64_t>(named - all.begin())); // the journal has its name; nobody synced that
    return open_and_append(t / "state", {});
  });
  REQUIRE(t.exists("state/journal.mdb"));
  const auto ops = recorded(log, t.path(), [&] { return open_and_append(t / "state", {}); });
  const auto at = std::find_if(ops.begin(), ops.end(), [](const disk_op& op) {
    return op.what == disk_op::kind::sync_folder && op.path == "state";
  });
  const auto write = std::find_if(ops.begin(), ops.end(), [](const disk_op& op) {
    return op.what == disk_op::kind::write && op.through; // a commit's last
  });
  REQUIRE(at != ops.end());
  CHECK(at < write);
}

TEST_CASE("a mark that the power left half made is no reason to refuse a good state") {
  const temporary_folder t;
  REQUIRE(open_and_append(t / "state", {}));
  t.write("state/unsynced.new", "");
  REQUIRE(open_snapshot(t / "state").has_value());
  REQUIRE(open_and_append(t / "state", {}));
  REQUIRE(open_and_append(t / "state", durability::none));
  CHECK_FALSE(t.exists("state/unsynced"));
}

TEST_CASE("durability none: what the disk then refuses to keep is not trusted again, in the same boot neither") {
  const temporary_folder t;
  const auto state = t / "state";
  REQUIRE(open_and_append(state, {}));
  SUBCASE("when the state is closed") {
    fail_syncs(false);
    system_clock clock;
    auto store = open_journal(state, {durability::none, 0}, clock);
    REQUIRE(store.has_value());
    REQUIRE((*store)->append(std::vector<event>{writer_opened{}, writer_closed{}}).has_value());
    fail_syncs(true);
    store->reset();
  }
  SUBCASE("when the next writer brings to disk what a killed one left") {
    t.write("state/unsynced", current_boot_id() + "\n");
    fail_syncs(true);
    CHECK_FALSE(open_and_append(state, {}));
  }
  fail_syncs(false);
  const auto refused = open_snapshot(state);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == error_code::state_unusable);
  CHECK(refused.error().message.find("could not be brought to disk") != std::string::npos);
  CHECK(refused.error().message.find("Remove ") != std::string::npos);
  CHECK_FALSE(open_and_append(state, {}));
  ::unlink((state + "/journal.mdb").c_str());
  ::unlink((state + "/unsynced").c_str());
  CHECK(open_and_append(state, {}));
}
