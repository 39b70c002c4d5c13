// rebuild and compact: what is true stays true, what was damaged is made again, readers go on.
#include "adapters/journal/lmdb_journal_check.hpp"
#include "adapters/journal/lmdb_open.hpp"
#include "adapters/journal/lmdb_remake.hpp"
#include "adapters/journal/lmdb_snapshot.hpp"
#include "child_process.hpp"
#include "journal_fixtures.hpp"
#include "support/history.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

using namespace troupe_internal;
using namespace troupe_internal::test;
namespace fs = std::filesystem;

namespace {

/// A state with history, a base and a checkpoint; closed.
struct aged_state {
  lmdb_fixture f;
  expected_state expected;
  run_number open_run;
  std::string kept; ///< its checkpoint
  explicit aged_state(int batches = 120) {
    history_maker history(21);
    for (int i = 0; i < batches; ++i)
      add(history.next_batch());
    const auto step = f.store().retain(3, 50).value();
    REQUIRE(step.events_dropped > 0);
    expected.drop(step);
    add(history.big_run(300));
    open_run = history.last_run();
    kept = history.checkpoint_of(open_run);
    REQUIRE(f.store().write_checkpoint(open_run, {expected.tables.state.last_seq, kept}).has_value());
    f.close();
  }
  void add(const std::vector<event>& batch) {
    REQUIRE(f.store().append(batch).has_value());
    expected.add(batch);
  }
  [[nodiscard]] std::string folder() const { return f.folder(); }
  [[nodiscard]] std::string journal() const { return f.folder() + "/journal.mdb"; }
  template <class Change>
  void tamper(const Change& change) const {
    lmdb_open_options options;
    options.dir = state_dir::open(folder()).value();
    options.read_only = false;
    const auto env = lmdb_env::open(options, open_journal_tables);
    REQUIRE(env.has_value());
    auto txn = (*env)->begin_write();
    REQUIRE(txn.has_value());
    lmdb_access access(*txn, (*env)->tables(), folder());
    change(access);
    REQUIRE(txn->commit() == 0);
  }
  void check_as_it_was() {
    const auto verified = verify_journal(folder());
    REQUIRE_MESSAGE(verified.has_value(), verified.error().message);
    CHECK(verified->problems == std::vector<std::string>());
    check_same(*open_snapshot(folder()).value(), expected);
    f.reopen();
    add({writer_closed{}});
    f.close();
  }
};

std::string bytes_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace

TEST_CASE("a rebuilt journal is what it was, checkpoint of the open run included") {
  aged_state state;
  const auto rebuilt = rebuild_journal(state.folder(), false);
  REQUIRE_MESSAGE(rebuilt.has_value(), rebuilt.error().message);
  CHECK(rebuilt->differences == std::vector<std::string>());
  CHECK(rebuilt->complete);
  CHECK(rebuilt->events == state.expected.tables.state.last_seq + 1 - state.expected.tables.state.first_seq);
  const auto kept = open_snapshot(state.folder()).value()->read_checkpoint(state.open_run).value();
  REQUIRE(kept);
  CHECK(kept->bytes == state.kept);
  state.check_as_it_was();
}

TEST_CASE("a rebuild says what was otherwise, and makes it as the events say") {
  aged_state state;
  state.tamper([&](lmdb_access& access) {
    asset_record record;
    const auto asset = state.expected.tables.assets.begin()->first.value;
    REQUIRE(access.read(lmdb_table::assets, asset, record).value());
    ++record.attempt_number;
    REQUIRE(access.write(lmdb_table::assets, asset, record).has_value());
    REQUIRE(access.write(lmdb_table::assets, 4'000, record).has_value());
    REQUIRE(access.erase(lmdb_table::files, state.expected.tables.files.begin()->first.value).has_value());
    access.start_record() += "nonsense";
    REQUIRE(access.put(lmdb_table::runs, state.open_run.value).has_value());
    access.start_record() += "short";
    REQUIRE(access.put(lmdb_table::checkpoints, 1).has_value());
  });
  const auto rebuilt = rebuild_journal(state.folder(), false);
  REQUIRE_MESSAGE(rebuilt.has_value(), rebuilt.error().message);
  CHECK(rebuilt->differences.size() >= 5);
  state.check_as_it_was();
}

TEST_CASE("a rebuild whose events are damaged is refused untouched, and keeps what is true without them if asked to") {
  aged_state state;
  state.tamper([&](lmdb_access& access) {
    REQUIRE(access.erase(lmdb_table::events, state.expected.tables.state.first_seq).has_value());
  });
  const auto before = bytes_of_file(state.journal());
  const auto refused = rebuild_journal(state.folder(), false);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == error_code::state_unusable);
  CHECK(refused.error().message.find("--drop-history") != std::string::npos);
  CHECK(bytes_of_file(state.journal()) == before);
  CHECK_FALSE(fs::exists(state.journal() + ".new"));

  const auto kept = rebuild_journal(state.folder(), true);
  REQUIRE_MESSAGE(kept.has_value(), kept.error().message);
  CHECK(kept->events == 0);
  auto& tables = state.expected.tables;
  tables.state.first_seq = tables.state.last_seq + 1;
  tables.runs.clear();
  state.expected.dropped = tables.state.last_seq;
  state.check_as_it_was();
}

TEST_CASE("without history, a record that is damaged is lost alone, and a lost name is never given out again") {
  aged_state state;
  state.tamper([&](lmdb_access& access) {
    for (const auto table : {lmdb_table::asset_names, lmdb_table::assets}) {
      char rubbish[] = "rubbish";
      std::uint32_t id = 1;
      MDB_val k{sizeof id, &id};
      MDB_val v{7, rubbish};
      REQUIRE(mdb_put(access.txn(), access.tables()[table], &k, &v, 0) == 0);
    }
  });
  const auto kept = rebuild_journal(state.folder(), true);
  REQUIRE_MESSAGE(kept.has_value(), kept.error().message);
  CHECK(kept->differences.size() >= 2);
  auto& tables = state.expected.tables;
  tables.state.first_seq = tables.state.last_seq + 1;
  tables.runs.clear();
  tables.assets.erase(asset_id(1U));
  tables.asset_names[asset_id(1U)] = "(lost)/1";
  state.check_as_it_was();
}

TEST_CASE("a compacted journal is what retention leaves, in a smaller file") {
  aged_state state(400);
  system_clock clock;
  const auto size = fs::file_size(state.journal());
  const auto done = compact_journal(state.folder(), 2, clock);
  REQUIRE_MESSAGE(done.has_value(), done.error().message);
  CHECK(done->bytes_before == size);
  CHECK(done->bytes_after == fs::file_size(state.journal()));
  CHECK(done->bytes_after < size);
  CHECK(done->events_dropped > 0);
  CHECK_FALSE(done->runs_dropped.empty());
  state.expected.drop({done->events_dropped, done->runs_dropped, false});
  state.check_as_it_was();
  const auto again = compact_journal(state.folder(), 2, clock).value();
  CHECK(again.events_dropped == 0);
  state.check_as_it_was();
}

TEST_CASE("compacting keeps as many runs of each pipeline as it asks for") {
  lmdb_fixture f;
  std::vector<event> events = {writer_opened{}, names_interned{asset_id(0U), {"a/x", "b/x"}}};
  for (std::uint32_t n = 1; n <= 12; ++n) {
    const bool often = n % 4 != 0;
    run_started start{run_number(n)};
    start.pipeline = often ? "often" : "seldom";
    events.emplace_back(start);
    events.emplace_back(attempt_started{start.run, asset_id(often ? 0U : 1U)});
    events.emplace_back(run_finished{start.run});
  }
  REQUIRE(f.store().append(events).has_value());
  f.close();
  const auto first_run_after = [&](const retention_rule& rule) {
    REQUIRE(compact_journal(f.folder(), rule, f.clock()).has_value());
    run_number oldest;
    REQUIRE(open_snapshot(f.folder())
                .value()
                ->visit_runs_newest_first([&](const run_record& run) {
                  oldest = run.run;
                  return true;
                })
                .has_value());
    return oldest.value;
  };
  CHECK(first_run_after({"often", 2}) == 4); // nothing is known of the other one: its runs stay
  retention_rule both("often", 2);
  both.of_pipeline["seldom"] = 2;
  CHECK(first_run_after(both) == 8);
  both.of_pipeline["seldom"] = 1;
  CHECK(first_run_after(both) == 10);
  CHECK(first_run_after(1) == 12); // a number counts all runs alike
}

TEST_CASE("who has the old journal open goes on reading it, and who opens it afterwards sees the new one") {
  aged_state state;
  signal_pipe opened, replaced, read_on;
  child_process reader([&] {
    const auto s = open_snapshot(state.folder());
    opened.notify();
    if (!s || !replaced.await())
      return 1;
    std::uint64_t seen = 0;
    const auto visited = s.value()->visit_events(0, [&](std::uint64_t, const event&) { return ++seen > 0; });
    const auto wanted = s.value()->info().last_seq + 1 - s.value()->info().first_seq;
    const auto anew = open_snapshot(state.folder());
    const bool good = visited && seen == wanted && anew && anew.value()->info().first_seq > s.value()->info().first_seq;
    read_on.notify();
    ::pause(); // holds the old file and its lock file
    return good ? 0 : 2;
  });
  REQUIRE(opened.await());
  system_clock clock;
  const auto done = compact_journal(state.folder(), 1, clock);
  REQUIRE_MESSAGE(done.has_value(), done.error().message);
  state.expected.drop({done->events_dropped, done->runs_dropped, false});
  replaced.notify();
  REQUIRE(read_on.await());
  state.check_as_it_was(); // a writer, beside the old reader
  REQUIRE(rebuild_journal(state.folder(), false).has_value());
  state.check_as_it_was();
}

TEST_CASE("a lock file that was made for another journal is not believed, by readers or by the next writer") {
  aged_state state;
  aged_state other(5);
  fs::copy_file(other.journal(), state.journal() + ".other");
  signal_pipe opened;
  child_process reader([&] {
    const auto s = open_snapshot(state.folder());
    opened.notify();
    ::pause();
    return s ? 0 : 1;
  });
  REQUIRE(opened.await());
  // As a crash between the rename and the removal of the lock file leaves it.
  fs::rename(state.journal() + ".other", state.journal());
  child_process second([&] {
    const auto s = open_snapshot(state.folder());
    return s && s.value()->info().last_seq == other.expected.tables.state.last_seq ? 0 : 1;
  });
  CHECK(second.wait() == 0);
  state.f.reopen();
  check_same(*state.f.store().snapshot().value(), other.expected);
  REQUIRE(state.f.store().append(std::vector<event>{writer_closed{}}).has_value());
  state.f.close();
  CHECK(verify_journal(state.folder())->ok());
}

TEST_CASE("rebuild and compact need a state, its lock, and nothing left half made is in their way") {
  temporary_folder t;
  system_clock clock;
  CHECK(rebuild_journal(t / "none", false).error().code == error_code::not_found);
  CHECK(compact_journal(t / "none", 1, clock).error().code == error_code::not_found);
  CHECK_FALSE(fs::exists(t / "none"));
  aged_state state(10);
  {
    const auto held = lock_state(state.folder());
    CHECK(rebuild_journal(state.folder(), false).error().code == error_code::state_locked);
    CHECK(compact_journal(state.folder(), 1, clock).error().code == error_code::state_locked);
  }
  std::ofstream(state.journal() + ".new") << "half a journal";
  std::ofstream(state.journal() + ".new-lock") << "";
  REQUIRE(rebuild_journal(state.folder(), false).has_value());
  CHECK_FALSE(fs::exists(state.journal() + ".new"));
  struct stat st {};
  REQUIRE(::stat(state.journal().c_str(), &st) == 0);
  CHECK((st.st_mode & 0777) == 0600);
  state.check_as_it_was();
}
