// Content decides, stat saves reading: when files are read, when not, and when what was read may be trusted.
#include "core/freshness/freshness.hpp"
#include "engine/file_table.hpp"
#include "support/memory_file_system.hpp"
#include "support/memory_journal_store.hpp"
#include "support/pipeline_builder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

/// Stands still, or goes on by a step each time it is asked. Any thread, as clocks are.
class stepping_clock final : public clock {
public:
  timestamp now() const override {
    const std::lock_guard lock(mutex_);
    return now_ += step;
  }
  duration monotonic() const override { return {}; }
  std::uint64_t random() override { return 0; }
  mutable std::mutex mutex_;
  mutable timestamp now_;
  duration step{};
};

/// Real time, moved.
class running_clock final : public clock {
public:
  timestamp now() const override { return origin + (std::chrono::steady_clock::now() - started_); }
  duration monotonic() const override { return {}; }
  std::uint64_t random() override { return 0; }
  timestamp origin;

private:
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

/// Files of which one is not read before it is let go.
class slow_file_system final : public file_system {
public:
  explicit slow_file_system(const file_system& of, std::string slow) : of_(of), slow_(std::move(slow)) {}
  result<file_stat> stat(std::string_view path, link_rule links) const override { return of_.stat(path, links); }
  result<file_stat> glance(std::string_view path) const override { return of_.glance(path); }
  result<file_record> read(std::string_view path, link_rule links,
                           std::vector<folder_listing>* listings) const override {
    if (path == slow_) {
      reading.set_value();
      go_on.get_future().wait();
    }
    return of_.read(path, links, listings);
  }
  result<std::vector<std::string>> glob(std::string_view pattern, const std::vector<std::string>& skip,
                                        glob_remarks* remarks) const override {
    return of_.glob(pattern, skip, remarks);
  }
  result<void> make_parent(std::string_view path) const override { return of_.make_parent(path); }
  result<void> remove(std::string_view path) const override { return of_.remove(path); }
  result<std::string> read_text(std::string_view path, std::uint64_t limit) const override {
    return of_.read_text(path, limit);
  }
  mutable std::promise<void> reading;
  mutable std::promise<void> go_on;

private:
  const file_system& of_;
  std::string slow_;
};

/// A pipeline with a.txt and b.txt, its files and its table; reopen() is the next run.
class table_fixture {
public:
  table_fixture() {
    test::pipeline_builder b;
    b.asset("x").inputs({"a.txt", "b.txt"});
    p = b.build();
    diagnostics found;
    graph = std::make_unique<asset_graph>(std::move(*asset_graph::build(*p, found)));
    files.advance(123'456'789ns); // a file system that counts in nanoseconds
    time.now_ = files.now();
    reopen();
  }
  void reopen() {
    if (table)
      record();
    const auto snapshot = store.snapshot().value();
    names = catalog::load(*p, *graph, snapshot.get()).value();
    store.append(names->take_new_names()).value();
    table = std::make_unique<file_table>(files, time, *names);
    REQUIRE(table->load(*snapshot).has_value());
  }
  /// What a run appends of files.
  std::size_t record() {
    auto observed = table->take_observed();
    const auto count = observed.size();
    if (count > 0)
      store.append(std::vector<event>{files_observed{std::move(observed)}}).value();
    return count;
  }
  void pass(duration d) {
    files.advance(d);
    time.now_ = files.now();
  }
  digest look(std::string_view path) { return table->observe(names->slot_of(path)).value().content; }

  std::unique_ptr<pipeline> p;
  std::unique_ptr<asset_graph> graph;
  memory_file_system files;
  stepping_clock time;
  test::memory_journal_store store;
  std::unique_ptr<catalog> names;
  std::unique_ptr<file_table> table;
};

} // namespace

TEST_CASE_FIXTURE(table_fixture, "the executable bit is that of the look, also where the content is remembered") {
  files.write("a.txt", "one", true);
  pass(1s);
  const auto bit = [&] { return table->observe(names->slot_of("a.txt")).value().executable; };
  CHECK(bit() == executable_bit::yes);
  reopen(); // from here on the stat vouches for the content, and no stat that is recorded has a bit
  const auto reads = files.reads();
  const auto slot = names->slot_of("a.txt");
  table->observe_all(std::array{slot}, 1);
  CHECK(table->remembered(slot).value().executable == executable_bit::yes);
  table->observe_all(std::array{slot}, 1, std::array{files.stat("a.txt").value(), file_stat{}});
  CHECK(table->remembered(slot).value().executable == executable_bit::yes);
  table->forget();
  CHECK(bit() == executable_bit::yes);
  CHECK(files.reads() == reads);
}

TEST_CASE_FIXTURE(table_fixture, "a file is read once, and not again while its stat is the same, by any run") {
  files.write("a.txt", "one");
  pass(1s);
  const auto content = look("a.txt");
  CHECK(content == content_digest("one"));
  CHECK(look("a.txt") == content);
  CHECK(table->reads() == 1);
  reopen();
  CHECK(look("a.txt") == content);
  CHECK(table->reads() == 0);
  CHECK(record() == 0);
}

TEST_CASE_FIXTURE(table_fixture, "a file that was touched is read, and its content is what it was") {
  files.write("a.txt", "one");
  pass(1s);
  const auto content = look("a.txt");
  reopen();
  pass(1s);
  files.touch("a.txt", files.now());
  pass(1s);
  CHECK(look("a.txt") == content);
  CHECK(table->reads() == 1);
  reopen();
  CHECK(look("a.txt") == content);
  CHECK(table->reads() == 0);
}

TEST_CASE_FIXTURE(table_fixture, "a change is seen though size and modification time are put back") {
  files.write("a.txt", "one");
  const auto written = files.now();
  pass(1s);
  CHECK(look("a.txt") == content_digest("one"));
  reopen();
  files.write("a.txt", "two");
  files.touch("a.txt", written);
  pass(1s);
  CHECK(look("a.txt") == content_digest("two"));
}

TEST_CASE_FIXTURE(table_fixture, "what is not there is absent, costs no reading, and is seen when it comes") {
  CHECK(look("a.txt") == absent_file);
  CHECK(table->reads() == 0);
  files.write("a.txt", "one");
  pass(1s);
  CHECK(look("a.txt") == content_digest("one"));
  files.remove("a.txt");
  CHECK(look("a.txt") == absent_file);
}

TEST_CASE_FIXTURE(table_fixture, "a file read within the clock's granularity of its change is read again") {
  files.write("a.txt", "one");
  CHECK(look("a.txt") == content_digest("one"));
  SUBCASE("so that a change within the same tick is not missed") {
    files.write("a.txt", "two"); // same size, same times
    CHECK(look("a.txt") == content_digest("two"));
  }
  SUBCASE("and it is not recorded as known") {
    CHECK(record() == 0);
    reopen();
    pass(1s);
    CHECK(look("a.txt") == content_digest("one"));
    CHECK(table->reads() == 1);
  }
}

TEST_CASE_FIXTURE(table_fixture, "racy files are settled: read once more when a change could no longer hide") {
  files.write("a.txt", "one");
  static_cast<void>(look("a.txt"));
  time.step = 50ms;
  table->settle();
  CHECK(table->reads() == 2);
  CHECK(record() == 1);
  time.step = {};
  reopen();
  pass(1s);
  CHECK(look("a.txt") == content_digest("one"));
  CHECK(table->reads() == 0);
}

TEST_CASE_FIXTURE(table_fixture, "settling sees what changed since") {
  files.write("a.txt", "one");
  static_cast<void>(look("a.txt"));
  files.write("a.txt", "two");
  time.step = 50ms;
  table->settle();
  time.step = {};
  reopen();
  CHECK(look("a.txt") == content_digest("two"));
  CHECK(table->reads() == 0);
}

TEST_CASE_FIXTURE(table_fixture,
                  "a file from the future, after the clock was set back, stays racy and is not waited for") {
  files.write("a.txt", "one");
  time.now_ -= 1h;
  CHECK(look("a.txt") == content_digest("one"));
  table->settle(); // an hour's wait would be noticed
  CHECK(record() == 0);
  reopen();
  CHECK(look("a.txt") == content_digest("one"));
  CHECK(table->reads() == 1);
}

TEST_CASE_FIXTURE(table_fixture, "on a file system that counts in seconds a change may hide for two") {
  files.set_now(from_unix_ns(1'800'000'000'000'000'000));
  time.now_ = files.now();
  files.write("a.txt", "one");
  time.now_ += 1s;
  static_cast<void>(look("a.txt"));
  CHECK(record() == 0);
  time.now_ += 2s;
  static_cast<void>(look("a.txt"));
  CHECK(table->reads() == 2);
  CHECK(record() == 1);
}

TEST_CASE_FIXTURE(table_fixture, "a large racy file is waited for, and read once") {
  running_clock running;
  running.origin = files.now();
  files.write("a.txt", std::string(1'000'001, 'x'));
  file_table patient(files, running, *names);
  CHECK(patient.observe(names->slot_of("a.txt")).has_value());
  CHECK(patient.observe(names->slot_of("a.txt")).has_value());
  CHECK(patient.reads() == 1);
  CHECK(patient.take_observed().size() == 1);
}

TEST_CASE_FIXTURE(table_fixture, "a file that cannot be looked at or read is an error, each time, until it can") {
  files.fail_at("a.txt", {error_code::io, "permission denied"});
  for (int i = 0; i < 2; ++i) {
    const auto seen = table->observe(names->slot_of("a.txt"));
    REQUIRE(seen.has_error());
    CHECK(seen.error().message == "permission denied");
  }
  files.heal("a.txt");
  CHECK(look("a.txt") == absent_file);
  files.make_other("b.txt");
  CHECK(table->observe(names->slot_of("b.txt")).has_error());
}

TEST_CASE_FIXTURE(table_fixture, "many are observed by several threads as by one; failures are left for who asks") {
  std::vector<path_slot> slots;
  for (int i = 0; i < 1000; ++i) {
    const auto name = "dir/" + std::to_string(i);
    files.write(name, name);
    slots.push_back(names->slot_of(name));
  }
  files.fail_at("dir/7", {error_code::io, "unreadable"});
  static_cast<void>(names->take_new_names());
  pass(1s);
  table->observe_all(slots, 4);
  CHECK(table->reads() == 999);
  CHECK(look("dir/500") == content_digest("dir/500"));
  CHECK(table->reads() == 999);
  CHECK(table->observe(slots[7]).has_error());
  CHECK(table->take_observed().size() == 999);
}

TEST_CASE_FIXTURE(table_fixture, "a stat taken earlier vouches for what is recorded and contradicts nothing") {
  files.write("a.txt", "one");
  files.write("b.txt", "two");
  pass(1s);
  look("a.txt");
  look("b.txt");
  reopen();
  const std::vector<path_slot> slots{names->slot_of("a.txt"), names->slot_of("b.txt")};
  std::vector<file_stat> seen(2);
  const auto observe = [&] {
    table->observe_all(slots, 1, seen);
    return std::pair(table->remembered(slots[0]).value().content, table->remembered(slots[1]).value().content);
  };
  for (std::size_t i = 0; i < 2; ++i)
    seen[slots[i].value] = files.stat(i == 0 ? "a.txt" : "b.txt").value();
  files.fail_at("a.txt", {error_code::io, "looked at"}); // not a second time
  CHECK(observe() == std::pair(content_digest("one"), content_digest("two")));
  files.heal("a.txt");

  seen[slots[0].value] = {};      // not looked at, or not there then
  seen[slots[1].value].size += 1; // there with other content then
  CHECK(observe() == std::pair(content_digest("one"), content_digest("two")));
  CHECK(table->reads() == 0);

  seen[slots[0].value] = files.stat("a.txt").value();
  files.write("b.txt", "three");
  pass(1s);
  seen[slots[1].value] = files.stat("b.txt").value();
  CHECK(observe() == std::pair(content_digest("one"), content_digest("three")));
  CHECK(table->reads() == 1);
}

TEST_CASE_FIXTURE(table_fixture, "a stat taken earlier does not vouch for a racy file") {
  files.write("a.txt", "one");
  look("a.txt"); // at once: it may change again without a sign
  const std::vector<path_slot> slots{names->slot_of("a.txt")};
  std::vector<file_stat> seen(slots[0].value + 1U);
  seen[slots[0].value] = files.stat("a.txt").value();
  table->observe_all(slots, 1, seen);
  CHECK(table->reads() == 2);
}

TEST_CASE_FIXTURE(table_fixture, "a folder counts as a whole") {
  files.write("out/x", "1");
  pass(1s);
  const auto before = look("out");
  CHECK(look("out") == before);
  CHECK(table->reads() == 1);
  files.write("out/y", "2");
  pass(1s);
  CHECK(look("out") != before);
}

TEST_CASE_FIXTURE(table_fixture, "how much a look would read is told without reading") {
  recent_glances seen;
  const auto slot = [this](std::string_view path) { return names->slot_of(path); };
  CHECK(table->bytes_to_read(slot("a.txt"), seen) == 0);
  files.write("a.txt", "four");
  pass(1s);
  CHECK(table->bytes_to_read(slot("a.txt"), seen) == 4);
  static_cast<void>(look("a.txt"));
  CHECK(table->bytes_to_read(slot("a.txt"), seen) == 0); // its stat vouches for it
  files.write("a.txt", "fives");
  CHECK(table->bytes_to_read(slot("a.txt"), seen) == 5);
  static_cast<void>(look("a.txt"));
  CHECK(table->bytes_to_read(slot("a.txt"), seen) == 5); // racy: it would be read again
  files.write("out/x", "1");
  CHECK_FALSE(table->bytes_to_read(slot("out"), seen).has_value());
  CHECK(table->reads() == 2);
}

TEST_CASE_FIXTURE(table_fixture, "what was seen a moment ago is not looked at once more") {
  files.write("a.txt", "one");
  pass(1s);
  const auto a = names->slot_of("a.txt");
  static_cast<void>(look("a.txt"));
  recent_glances seen;
  CHECK(seen.find(a) == nullptr);
  CHECK(table->bytes_to_read(a, seen) == 0);
  REQUIRE(seen.find(a) != nullptr);
  files.write("a.txt", "two");
  pass(1s);
  CHECK(table->observe(a, seen.find(a)).value().content == content_digest("one")); // as it was seen
  CHECK(table->observe(a).value().content == content_digest("two"));
  // What is read is what is there now, whatever was seen.
  recent_glances later;
  files.write("a.txt", "three");
  pass(1s);
  CHECK(table->bytes_to_read(a, later) == 5);
  files.write("a.txt", "four!!");
  pass(1s);
  CHECK(table->observe(a, later.find(a)).value().content == content_digest("four!!"));
  CHECK(table->observe(a).value().content == content_digest("four!!"));
  CHECK(table->reads() == 3);
}

TEST_CASE_FIXTURE(table_fixture, "an empty file cannot hide a change: any content makes it longer") {
  files.write("a.txt", "");
  files.write("b.txt", "b");
  CHECK(look("a.txt") == content_digest(""));
  CHECK(look("a.txt") == content_digest(""));
  CHECK(table->reads() == 1);
  static_cast<void>(look("b.txt"));
  static_cast<void>(look("b.txt"));
  CHECK(table->reads() == 3); // racy
  CHECK(table->take_observed().size() == 1);
  const auto at = time.now_;
  files.write("a.txt", "x");
  CHECK(look("a.txt") == content_digest("x"));
  CHECK(time.now_ == at);
}

TEST_CASE("who reads a large file keeps nobody waiting who asks for another") {
  test::pipeline_builder b;
  std::vector<std::string> paths;
  for (int i = 0; i < 200; ++i)
    paths.push_back("file" + std::to_string(i));
  auto& x = b.asset("x");
  for (const auto& path : paths)
    x.inputs({path});
  const auto p = b.build();
  diagnostics found;
  const auto graph = asset_graph::build(*p, found);
  memory_file_system files;
  files.advance(123'456'789ns);
  for (const auto& path : paths)
    files.write(path, path == "file0" ? std::string(100'000, 'x') : path);
  files.advance(1s);
  const slow_file_system slow(files, "file0");
  stepping_clock time;
  time.now_ = files.now();
  test::memory_journal_store store;
  const auto snapshot = store.snapshot().value();
  const auto names = catalog::load(*p, *graph, snapshot.get()).value();
  file_table table(slow, time, *names);
  std::thread reader([&] {
    CHECK(table.observe(names->slot_of("file0")).value().content == content_digest(std::string(100'000, 'x')));
  });
  slow.reading.get_future().wait();
  for (std::size_t i = 1; i < paths.size(); ++i) {
    const auto slot = names->slot_of(paths[i]);
    recent_glances seen;
    CHECK(table.bytes_to_read(slot, seen) == paths[i].size());
    CHECK(table.observe(slot, seen.find(slot)).value().content == content_digest(paths[i]));
  }
  CHECK(table.take_observed().size() == paths.size() - 1);
  slow.go_on.set_value();
  reader.join();
  CHECK(table.take_observed().size() == 1);
}
