// The LMDB store under pressure: crashes, full disks, little address space, readers in other threads and processes.
#include "adapters/journal/lmdb_journal_check.hpp"
#include "adapters/journal/lmdb_open.hpp"
#include "adapters/journal/lmdb_tables.hpp"
#include "child_process.hpp"
#include "journal_fixtures.hpp"
#include "support/history.hpp"

#include <sys/resource.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

using namespace troupe_internal;
using namespace troupe_internal::test;

namespace {

void limit(int what, rlim_t bytes) {
  const rlimit both{bytes, bytes};
  ::setrlimit(static_cast<__rlimit_resource_t>(what), &both);
}

/// About a megabyte of names.
names_interned many_names(std::uint32_t first) {
  names_interned e{asset_id(first), {}};
  for (std::uint32_t i = 0; i < 1'000; ++i)
    e.names.push_back("demo/" + std::to_string(first + i) + std::string(1'000, 'x'));
  return e;
}

} // namespace

TEST_CASE(
    "after SIGKILL at any moment the journal holds a prefix of what was appended, and all that was acknowledged") {
  std::mt19937_64 random(4711);
  lmdb_fixture f;
  history_maker history(8);
  expected_state expected;
  std::vector<std::vector<event>> batches;
  for (int i = 0; i < 4'000; ++i)
    batches.push_back(history.next_batch());
  std::size_t added = 0; // batches known to be in the journal
  for (int kill = 0; kill < 20; ++kill) {
    f.close();
    auto acknowledged_batches = added;
    int acknowledged[2];
    REQUIRE(::pipe(acknowledged) == 0);
    {
      child_process child([&] {
        system_clock clock;
        auto store = open_journal(f.folder(), {}, clock);
        if (!store)
          return 1;
        for (auto i = added; i < batches.size(); ++i)
          if (!store.value()->append(batches[i]) || ::write(acknowledged[1], "x", 1) != 1)
            return 1;
        return 0;
      });
      ::close(acknowledged[1]);
      char byte = 0;
      if (kill % 8 != 0) // else: at once, perhaps before the journal is open
        static_cast<void>(::read(acknowledged[0], &byte, 1));
      ::usleep(static_cast<useconds_t>(random() % 3'000));
      child.kill();
      child.wait();
      acknowledged_batches += static_cast<std::size_t>(byte != 0);
    }
    char more[4096];
    for (ssize_t n = 0; (n = ::read(acknowledged[0], more, sizeof more)) > 0;)
      acknowledged_batches += static_cast<std::size_t>(n);
    ::close(acknowledged[0]);
    // What was acknowledged, and at most one batch more.
    while (added < acknowledged_batches)
      expected.add(batches[added++]);
    f.reopen();
    const auto last = f.store().snapshot().value()->info().last_seq;
    if (last != expected.tables.state.last_seq)
      expected.add(batches[added++]);
    REQUIRE(last == expected.tables.state.last_seq);
    check_same(*f.store().snapshot().value(), expected);
  }
  CHECK(added >= 17); // all but the three that were killed at once had one acknowledged
  const auto verified = verify_journal(f.folder());
  REQUIRE(verified.has_value());
  CHECK(verified->problems == std::vector<std::string>());
}

TEST_CASE("a full disk fails the append with the way out; what was acknowledged is there") {
  lmdb_fixture f;
  f.close();
  child_process child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    system_clock clock;
    auto store = open_journal(f.folder(), {}, clock);
    limit(RLIMIT_FSIZE, 3'000'000);
    for (std::uint32_t i = 0; i < 20; ++i) {
      const auto done = store.value()->append(std::vector<event>{many_names(i * 1'000)});
      if (done)
        continue;
      const auto& message = done.error().message;
      const auto again = store.value()->append(std::vector<event>{writer_closed{}});
      const bool good = done.error().code == error_code::state_unusable &&
                        message.find("nothing recorded was lost") != std::string::npos && !again &&
                        again.error().message == message && !store.value()->write_checkpoint(run_number(1U), {}) &&
                        !store.value()->retain(1, 1) && i > 0;
      return good ? static_cast<int>(i) : 101;
    }
    return 102;
  });
  const auto acknowledged = child.wait();
  REQUIRE(acknowledged > 0);
  REQUIRE(acknowledged < 20);
  f.reopen();
  CHECK(f.store().snapshot().value()->info().last_seq == static_cast<std::uint64_t>(acknowledged));
  CHECK(verify_journal(f.folder())->ok());
  CHECK(f.store().append(std::vector<event>{many_names(static_cast<std::uint32_t>(acknowledged) * 1'000)}).has_value());
}

TEST_CASE("what is written to a journal that was removed or replaced is not taken for recorded") {
  lmdb_fixture f;
  REQUIRE(f.store().append(std::vector<event>{many_names(0)}).has_value());
  const auto journal = f.folder() + "/journal.mdb";
  SUBCASE("removed") {
    std::filesystem::remove(journal);
  }
  SUBCASE("replaced by a copy") {
    std::filesystem::copy_file(journal, journal + ".copy");
    std::filesystem::rename(journal + ".copy", journal);
  }
  SUBCASE("moved away with its folder") {
    std::filesystem::rename(f.folder(), f.folder() + ".moved");
  }
  const auto done = f.store().append(std::vector<event>{many_names(1'000)});
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().code == error_code::state_unusable);
  CHECK(done.error().message.find("removed or replaced") != std::string::npos);
  CHECK_FALSE(f.store().append(std::vector<event>{many_names(1'000)}).has_value());
}

TEST_CASE("the map grows when it is full, also while readers come and go") {
  lmdb_fixture f(durability::none, 1); // 16 MB more than the file
  std::atomic<bool> stop = false;
  std::atomic<int> seen = 0;
  std::thread reader([&] {
    while (!stop) {
      const auto s = f.store().snapshot();
      std::uint64_t names = 0;
      static_cast<void>(s.value()->visit_asset_names([&](asset_id, std::string_view) { return ++names < 100'000; }));
      if (names == s.value()->info().asset_count)
        ++seen;
    }
  });
  expected_state expected;
  for (std::uint32_t i = 0; i < 24; ++i) {
    const std::vector<event> batch = {many_names(i * 1'000)};
    const auto done = f.store().append(batch);
    REQUIRE_MESSAGE(done.has_value(), done.error().message);
    expected.add(batch);
  }
  while (seen == 0)
    std::this_thread::yield();
  stop = true;
  reader.join();
  check_same(*f.store().snapshot().value(), expected);
}

TEST_CASE("a reader follows a journal that another process has made larger than its map") {
  lmdb_fixture f;
  signal_pipe opened;
  signal_pipe grown;
  f.close();
  child_process child([&] {
    lmdb_open_options options;
    options.dir = state_dir::open(f.folder()).value();
    options.map_bytes = 1;
    const auto env = lmdb_env::open(options, open_journal_tables);
    opened.notify();
    if (!env || !grown.await())
      return 1;
    const auto txn = (*env)->begin_read();
    if (!txn)
      return 2;
    std::string_view text;
    lmdb_access access(*txn, (*env)->tables(), (*env)->folder());
    const auto found = access.get(lmdb_table::asset_names, 23'999, text);
    return found && *found ? 0 : 3;
  });
  REQUIRE(opened.await());
  f.reopen();
  for (std::uint32_t i = 0; i < 24; ++i)
    REQUIRE(f.store().append(std::vector<event>{many_names(i * 1'000)}).has_value());
  grown.notify();
  CHECK(child.wait() == 0);
}

TEST_CASE("readers that were killed take no place from others, and keep no old pages while the writer goes on") {
  lmdb_fixture f;
  f.close();
  signal_pipe opened;
  signal_pipe go;
  signal_pipe gone_on;
  child_process writer([&] {
    system_clock clock;
    auto store = open_journal(f.folder(), {durability::none, 0}, clock);
    opened.notify();
    bool good = store.has_value() && go.await();
    for (int i = 0; i < 2'000 && good; ++i)
      good = (*store)->append(std::vector<event>{writer_opened{}}).has_value();
    gone_on.notify();
    return good && go.await() ? 0 : 1;
  });
  REQUIRE(opened.await());
  const auto die_reading = [&] {
    child_process reader([&] {
      const auto snapshot = open_snapshot(f.folder());
      return snapshot ? ::kill(::getpid(), SIGKILL) : 1;
    });
    return reader.wait();
  };
  int refused = 0;
  for (int i = 0; i < 600; ++i) // the table has 512 places
    refused += die_reading() == -SIGKILL ? 0 : 1;
  CHECK(refused == 0);
  CHECK(open_snapshot(f.folder()).has_value());
  CHECK(die_reading() == -SIGKILL);
  const auto before = std::filesystem::file_size(f.folder() + "/journal.mdb");
  go.notify();
  REQUIRE(gone_on.await());
  const auto grown = std::filesystem::file_size(f.folder() + "/journal.mdb") - before;
  CHECK(grown < 12'000'000); // with the dead reader's pages kept alive: 48 MB
  go.notify();
  CHECK(writer.wait() == 0);
}

TEST_CASE("a journal opens and works where address space is scarce") {
  lmdb_fixture f;
  f.close();
  child_process child([&] {
    limit(RLIMIT_AS, rlim_t{512} << 20U);
    system_clock clock;
    auto store = open_journal(f.folder(), {}, clock);
    return store && store.value()->append(std::vector<event>{many_names(0)}) ? 0 : 1;
  });
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  child.wait(); // the sanitizer itself needs more than that
#else
  CHECK(child.wait() == 0);
  f.reopen();
  CHECK(f.store().snapshot().value()->info().asset_count == 1'000);
#endif
}

TEST_CASE("snapshots of several threads see whole appends only") {
  lmdb_fixture f;
  std::atomic<bool> stop = false;
  std::atomic<int> torn = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      while (!stop) {
        const auto s = f.store().snapshot().value();
        if (s->info().last_seq % 3 != 0 || s->info().asset_count != s->info().last_seq / 3)
          ++torn;
        std::uint64_t last = 0;
        static_cast<void>(s->visit_events(s->info().last_seq, [&](std::uint64_t seq, const event&) {
          last = seq;
          return true;
        }));
        if (last != s->info().last_seq)
          ++torn;
      }
    });
  for (std::uint32_t i = 0; i < 500; ++i) {
    const std::vector<event> three = {writer_opened{}, names_interned{asset_id(i), {"demo/a"}}, writer_closed{}};
    REQUIRE(f.store().append(three).has_value());
  }
  stop = true;
  for (auto& reader : readers)
    reader.join();
  CHECK(torn == 0);
}

TEST_CASE("the twin of a snapshot is of the same version, or there is none") {
  lmdb_fixture f;
  REQUIRE(f.store().append(std::vector<event>{many_names(0)}).has_value());
  const auto snapshot = f.store().snapshot().value();
  const auto twin = snapshot->twin();
  REQUIRE(twin);
  std::uint64_t seen = 0;
  std::thread other(
      [&] { REQUIRE(twin->visit_asset_names([&](asset_id, std::string_view) { return ++seen > 0; }).has_value()); });
  CHECK(snapshot->visit_asset_names([](asset_id, std::string_view) { return true; }).has_value());
  other.join();
  CHECK(seen == 1'000);
  CHECK(twin->info().last_seq == snapshot->info().last_seq);
  REQUIRE(f.store().append(std::vector<event>{many_names(1'000)}).has_value());
  CHECK_FALSE(snapshot->twin());
}

TEST_CASE("a re-run costs the events table less than 250 bytes an asset, committed one event at a time") {
  lmdb_fixture f;
  constexpr std::uint32_t assets = 300;
  names_interned names{asset_id(0U), {}};
  paths_interned paths{path_id(0U), {}};
  for (std::uint32_t i = 0; i < assets; ++i) {
    names.names.push_back("demo/asset_" + std::to_string(i));
    paths.paths.push_back("demo/raw/input_" + std::to_string(i));
    paths.paths.push_back("demo/out/output_" + std::to_string(i));
  }
  REQUIRE(f.store().append(std::vector<event>{writer_opened{}, names, paths}).has_value());
  const auto now = system_clock().now();
  const auto events_bytes = [&] {
    for (const auto& table : journal_stats(f.folder()).value().tables)
      if (table.name == "events")
        return table.bytes;
    return std::uint64_t{0};
  };
  std::uint64_t before = 0;
  for (std::uint32_t n = 1; n <= 3; ++n) {
    before = events_bytes();
    const run_number run(n);
    REQUIRE(f.store().append(std::vector<event>{run_started{run, {}, now, "demo"}}).has_value());
    for (std::uint32_t i = 0; i < assets; ++i) {
      const asset_id a(i);
      asset_record record;
      static_cast<void>(f.store().snapshot().value()->read_asset(a, record).value());
      fingerprint from;
      from.command = quick_digest("command");
      from.inputs = {{path_id(i * 2), quick_digest("in" + std::to_string(n))}};
      production made;
      made.outputs = {{path_id(i * 2 + 1), quick_digest("out" + std::to_string(n))}};
      made.data_version = quick_digest("version" + std::to_string(n));
      const auto ns = to_unix_ns(now);
      const file_record seen{{file_kind::file, 123'456, ns, ns + 3'000'000, 7'654'321}, made.outputs[0].content};
      attempt_finished end{run, a, 1, now + std::chrono::seconds(3)};
      end.made = make_delta(record.last ? &*record.last : nullptr, from, made, std::chrono::milliseconds(1'234));
      end.resources = {std::chrono::microseconds(987'654), std::chrono::microseconds(87'654), 123'456, false, 0, 64};
      const std::vector<std::vector<event>> appends = {
          {attempt_started{run, a, 1, now, {{reason_kind::input_changed, "raw/input_" + std::to_string(i)}}}},
          {attempt_spawned{run, a, 1, 1'234'567, 98'765'432}},
          {files_observed{{{path_id(i * 2 + 1), seen}}}, end}};
      for (const auto& events : appends)
        REQUIRE(f.store().append(events).has_value());
    }
    REQUIRE(f.store().append(std::vector<event>{run_finished{run}}).has_value());
  }
  const auto per_asset = static_cast<double>(events_bytes() - before) / assets;
  CHECK(per_asset < 240);
  const auto stats = journal_stats(f.folder()).value();
  CHECK(stats.runs == 3);
  CHECK(stats.attempts == 3 * assets);
  CHECK(stats.event_bytes_per_attempt() < 300);
  asset_record record;
  REQUIRE(f.store().snapshot().value()->read_asset(asset_id(7U), record).value());
  std::string bytes;
  encode(record, bytes);
  CHECK(bytes.size() < 180); // of the 200 a projection may cost, LMDB and the check value take 18
}

TEST_CASE("a long table is visited whole, though memory is let go of on the way") {
  lmdb_fixture f;
  constexpr std::uint32_t count = 20'000;
  paths_interned paths;
  files_observed files;
  for (std::uint32_t i = 0; i < count; ++i) {
    paths.paths.push_back("demo/" + std::to_string(i));
    files.files.push_back({path_id(i), {{file_kind::file, i, 1, 2, 3}, quick_digest(std::to_string(i))}});
  }
  REQUIRE(f.store().append(std::vector<event>{writer_opened{}, paths, files}).has_value());
  const auto s = f.store().snapshot().value();
  std::uint32_t next = 0;
  REQUIRE(s->visit_paths([&](path_id id, std::string_view text) {
             return id.value == next && text == "demo/" + std::to_string(next++);
           }).has_value());
  CHECK(next == count);
  next = 0;
  REQUIRE(s->visit_files([&](path_id id, const file_record& record) {
             return id.value == next && record.content == quick_digest(std::to_string(next++));
           }).has_value());
  CHECK(next == count);
}
