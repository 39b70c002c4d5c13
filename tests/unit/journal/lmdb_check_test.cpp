// verify and stats: sound journals pass, every kind of damage is found, and none of it brings the process down.
#include "adapters/lmdb_journal_check.hpp"
#include "adapters/lmdb_open.hpp"
#include "adapters/lmdb_pages.hpp"
#include "adapters/lmdb_snapshot.hpp"
#include "child_process.hpp"
#include "journal_fixtures.hpp"
#include "support/history.hpp"

#include <filesystem>
#include <fstream>
#include <random>

using namespace troupe;
using namespace troupe::test;
namespace fs = std::filesystem;

namespace {

/// A state with history, a base and a checkpoint; closed.
struct checked_state {
  lmdb_fixture f;
  expected_state expected;
  explicit checked_state(int batches = 120) {
    history_maker history(99);
    for (int i = 0; i < batches; ++i) {
      const auto batch = history.next_batch();
      REQUIRE(f.store().append(batch).has_value());
      expected.add(batch);
    }
    const auto step = f.store().retain(2, 60);
    REQUIRE(step.has_value());
    REQUIRE(step->events_dropped > 0);
    expected.drop(*step);
    run_started start{run_number(expected.tables.state.last_run.value + 1)};
    start.request.selection.assign(500, "a selection that takes pages of its own");
    const std::vector<event> more = {start};
    REQUIRE(f.store().append(more).has_value());
    expected.add(more);
    REQUIRE(
        f.store().write_checkpoint(start.run, {expected.tables.state.last_seq, std::string(9'000, 'c')}).has_value());
    f.close();
  }
  [[nodiscard]] std::string folder() const { return f.folder(); }
  [[nodiscard]] std::string journal() const { return f.folder() + "/journal.mdb"; }

  /// Changes tables behind the journal's back, with good check values.
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
  [[nodiscard]] journal_verification verify() const {
    auto verified = verify_journal(folder());
    REQUIRE_MESSAGE(verified.has_value(), verified.error().message);
    return *verified;
  }
};

bool mentions(const journal_verification& v, const std::string& what) {
  for (const auto& problem : v.problems)
    if (problem.find(what) != std::string::npos)
      return true;
  for (const auto& problem : v.problems)
    MESSAGE(problem);
  return false;
}

/// Whether all there is to read is as expected; for children, so without doctest.
bool reads_as(const std::string& folder, const expected_state& expected) {
  const auto s = open_snapshot(folder);
  if (!s)
    return false;
  bool same = s.value()->info().last_seq == expected.tables.state.last_seq;
  std::uint64_t seq = expected.tables.state.first_seq;
  const auto events = s.value()->visit_events(0, [&](std::uint64_t number, const event& e) {
    same = same && number == seq++ && e == expected.events[number - 1];
    return same;
  });
  std::size_t assets = 0;
  const auto records = s.value()->visit_assets([&](asset_id id, const asset_record& record) {
    const auto wanted = expected.tables.assets.find(id);
    same = same && wanted != expected.tables.assets.end() && wanted->second == record;
    ++assets;
    return same;
  });
  return events && records && same && assets == expected.tables.assets.size();
}

} // namespace

TEST_CASE("verify tells a state without a journal from what is no state") {
  temporary_folder t;
  CHECK(verify_journal(t / "nowhere").error().code == error_code::not_found);
  fs::create_directory(t / "empty");
  CHECK(verify_journal(t / "empty").error().code == error_code::not_found);
  fs::create_directory(t / "made");
  t.write("made/.gitignore", "*");
  CHECK(verify_journal(t / "made").error().code == error_code::not_found);
  t.write("made/lock", "pid 1\n");
  t.write("made/logs", "");
  CHECK(verify_journal(t / "made").error().code == error_code::not_found); // its journal was removed
  fs::create_directory(t / "other");
  t.write("other/notes.txt", "mine");
  CHECK(verify_journal(t / "other").error().code == error_code::state_unusable);
  CHECK(verify_journal(t / "other/notes.txt").error().code == error_code::state_unusable);
}

TEST_CASE("a sound journal verifies, after every kind of step, closed and beside its writer") {
  lmdb_fixture f;
  history_maker history(31);
  std::uint64_t events = 0;
  for (int round = 0; round < 40; ++round) {
    const auto batch = round % 10 == 9 ? history.reopen(round % 20 == 9) : history.next_batch();
    REQUIRE(f.store().append(batch).has_value());
    events += batch.size();
    if (round % 7 == 0)
      events -= f.store().retain(1, 9).value().events_dropped;
    const auto verified = verify_journal(f.folder());
    REQUIRE(verified.has_value());
    CHECK(verified->problems == std::vector<std::string>());
    CHECK(verified->complete);
    CHECK(verified->events == events);
  }
  child_process other([&] { return verify_journal(f.folder())->ok() ? 0 : 1; });
  CHECK(other.wait() == 0);
  f.close();
  CHECK(verify_journal(f.folder())->ok());
}

TEST_CASE("without a state there is nothing to verify or count") {
  temporary_folder t;
  CHECK(verify_journal(t / "nowhere").error().code == error_code::not_found);
  CHECK(journal_stats(t / "nowhere").error().code == error_code::not_found);
}

TEST_CASE("a projection that differs from the replay is named") {
  const checked_state state;
  state.tamper([&](lmdb_access& access) {
    asset_record record;
    REQUIRE(access.read(lmdb_table::assets, 0, record).value());
    ++record.attempt_number;
    REQUIRE(access.write(lmdb_table::assets, 0, record).has_value());
    REQUIRE(access.write(lmdb_table::assets, 4'000, record).has_value());
    REQUIRE(access.erase(lmdb_table::files, state.expected.tables.files.begin()->first.value).has_value());
    REQUIRE(access.erase(lmdb_table::runs, state.expected.tables.runs.rbegin()->first.value).has_value());
    REQUIRE(access.write(lmdb_table::open_attempts, 9, open_attempt{}).has_value());
    access.start_record() += "demo/another";
    REQUIRE(access.put(lmdb_table::asset_names, 0).has_value());
    state_info info;
    REQUIRE(access.read(lmdb_table::meta, 0, info).value());
    ++info.writer_seq;
    REQUIRE(access.write(lmdb_table::meta, 0, info).has_value());
    access.start_record() += std::string(8, '\x7F');
    REQUIRE(access.put(lmdb_table::checkpoints, 1).has_value());
    access.start_record() += "short";
    REQUIRE(access.put(lmdb_table::checkpoints, 2).has_value());
  });
  const auto found = state.verify();
  CHECK(mentions(found, "asset record 0 differs from what a replay makes"));
  CHECK(mentions(found, "asset record 4000 is there, and after a replay it is not"));
  CHECK(mentions(found,
                 "file record " + std::to_string(state.expected.tables.files.begin()->first.value) + " is missing"));
  CHECK(mentions(found,
                 "run record " + std::to_string(state.expected.tables.runs.rbegin()->first.value) + " is missing"));
  CHECK(mentions(found, "open attempt of run 0, asset 9 is there"));
  CHECK(mentions(found, "state record \"state\" differs"));
  CHECK(mentions(found, "checkpoint 1 is of an event that there is not"));
  CHECK(mentions(found, "checkpoint 2: it ends too early"));
}

TEST_CASE("an event that is missing, cannot be read or breaks a rule is named, and the replay is off") {
  const checked_state state;
  const auto first = state.expected.tables.state.first_seq;
  const auto last = state.expected.tables.state.last_seq;
  const char* words = nullptr;
  SUBCASE("missing") {
    state.tamper([&](lmdb_access& access) { REQUIRE(access.erase(lmdb_table::events, first).has_value()); });
    words = "are missing";
  }
  SUBCASE("missing at the end") {
    state.tamper([&](lmdb_access& access) { REQUIRE(access.erase(lmdb_table::events, last).has_value()); });
    words = "the events end with event";
  }
  SUBCASE("unreadable") {
    state.tamper([&](lmdb_access& access) {
      access.start_record() += "\x1E";
      REQUIRE(access.put(lmdb_table::events, last).has_value());
    });
    words = "type 30 is unknown";
  }
  SUBCASE("breaking a rule") {
    state.tamper([&](lmdb_access& access) {
      event_encoder record;
      record.add(attempt_started{run_number(1U), asset_id(77'777U)});
      access.start_record() += record.bytes();
      REQUIRE(access.put(lmdb_table::events, last).has_value());
    });
    words = "asset id 77777 was never given out";
  }
  SUBCASE("a base that ends elsewhere") {
    state.tamper([&](lmdb_access& access) {
      state_info base;
      REQUIRE(access.read(lmdb_table::meta, 1, base).value());
      --base.last_seq;
      REQUIRE(access.write(lmdb_table::meta, 1, base).has_value());
    });
    words = "the base ends with event";
  }
  const auto found = state.verify();
  CHECK(mentions(found, words));
  CHECK(mentions(found, "not compared with a replay"));
}

TEST_CASE("a record whose check value does not fit is an error to who reads it, and found by verify") {
  const checked_state state;
  std::string file;
  {
    std::ifstream in(state.journal(), std::ios::binary);
    file.assign(std::istreambuf_iterator<char>(in), {});
  }
  // Every place where the name may lie, old copies of the page included.
  for (auto at = file.find("demo/asset_0"); at != std::string::npos; at = file.find("demo/asset_0", at + 1))
    file[at] = 'D';
  std::ofstream(state.journal(), std::ios::binary) << file;
  const auto s = open_snapshot(state.folder()).value();
  const auto read = s->visit_asset_names([](asset_id, std::string_view) { return true; });
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().code == error_code::state_unusable);
  CHECK(read.error().message.find("asset name 0: its check value does not fit its content") != std::string::npos);
  CHECK(mentions(state.verify(), "asset name 0: its check value does not fit its content"));
}

TEST_CASE("records under a wrong key, too short ones and missing ones are damage to who reads them") {
  const checked_state state;
  const auto last = state.expected.tables.state.last_seq;
  state.tamper([&](lmdb_access& access) {
    for (const auto& [table, key] : {std::pair(lmdb_table::assets, 1U), std::pair(lmdb_table::runs, 0U)}) {
      char three[] = "abc";
      std::uint32_t id = key;
      MDB_val k{sizeof id, &id};
      MDB_val v{3, three};
      REQUIRE(mdb_put(access.txn(), access.tables()[table], &k, &v, 0) == 0);
    }
    REQUIRE(access.erase(lmdb_table::events, last).has_value());
    REQUIRE(access.erase(lmdb_table::assets, 2).has_value());
    access.start_record() += "short";
    REQUIRE(access.put(lmdb_table::checkpoints, 1).has_value());
    access.start_record() += "nonsense";
    REQUIRE(access.put(lmdb_table::open_attempts, 1).has_value());
  });
  const auto s = open_snapshot(state.folder()).value();
  asset_record record;
  CHECK(s->read_asset(asset_id(1U), record).error().message.find("shorter than its check value") != std::string::npos);
  CHECK_FALSE(s->read_asset(asset_id(2U), record).has_value()); // it may lie under its neighbour's damaged key
  CHECK_FALSE(s->visit_assets([](asset_id, const asset_record&) { return true; }).has_value());
  CHECK_FALSE(s->visit_runs_newest_first([](const run_record&) { return true; }).has_value());
  CHECK_FALSE(s->read_run(run_number(0U)).has_value());
  CHECK_FALSE(s->open_attempts().has_value());
  CHECK_FALSE(s->read_checkpoint(run_number(1U)).has_value());
  CHECK(s->visit_events(0, [](std::uint64_t, const event&) { return true; }).error().message.find("it is missing") !=
        std::string::npos);
}

TEST_CASE("any flipped byte or lost page is found or harmless, and never brings verify down") {
  const checked_state state(60);
  std::string sound;
  {
    std::ifstream in(state.journal(), std::ios::binary);
    sound.assign(std::istreambuf_iterator<char>(in), {});
  }
  std::mt19937_64 random(5);
  temporary_folder t;
  fs::create_directory(t / "state");
  int found = 0;
  constexpr int rounds = 200; // 12,000 have been survived
  for (int round = 0; round < rounds; ++round) {
    auto bytes = sound;
    if (round % 10 == 0) {
      bytes.resize(random() % bytes.size());
    } else if (round % 10 == 1) {
      const auto page = random() % (bytes.size() / 4096) * 4096;
      for (std::size_t i = 0; i < 4096; ++i)
        bytes[page + i] = static_cast<char>(round % 20 == 1 ? 0 : random());
    } else {
      // Half of the flips hit page headers and node tables, where they hurt most.
      const auto page = random() % (bytes.size() / 4096) * 4096;
      const auto offset = round % 2 == 0 ? random() % 64 : random() % 4096;
      bytes[page + offset] ^= static_cast<char>(1U << random() % 8);
    }
    std::ofstream(t / "state/journal.mdb", std::ios::binary | std::ios::trunc) << bytes;
    child_process child([&] {
      const auto verified = verify_journal(t / "state");
      if (!verified || !verified->ok())
        return 1;
      static_cast<void>(journal_stats(t / "state"));
      return reads_as(t / "state", state.expected) ? 0 : 2;
    });
    const auto how = child.wait();
    REQUIRE_MESSAGE((how == 0 || how == 1), "round " << round << ": " << how);
    found += how;
  }
  CHECK(found > rounds / 10);
  CHECK(found < rounds); // pages that nobody uses any more
}

TEST_CASE("stats count events, bytes, tables and pages") {
  const checked_state state;
  const auto stats = journal_stats(state.folder()).value();
  const auto& wanted = state.expected.tables;
  CHECK(stats.first_seq == wanted.state.first_seq);
  CHECK(stats.last_seq == wanted.state.last_seq);
  CHECK(stats.file_bytes == fs::file_size(state.journal()));
  CHECK(stats.page_bytes == 4096);
  CHECK(stats.pages * stats.page_bytes >= stats.file_bytes);
  CHECK(stats.map_bytes > stats.file_bytes);
  CHECK(stats.runs == wanted.runs.size());
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  for (const auto& type : stats.types) {
    events += type.events;
    bytes += type.bytes;
  }
  CHECK(events == wanted.state.last_seq - wanted.state.first_seq + 1);
  std::uint64_t used = 0;
  for (const auto& table : stats.tables) {
    used += table.bytes;
    if (table.name == "assets")
      CHECK(table.records == wanted.assets.size());
    if (table.name == "events")
      CHECK(table.bytes >= bytes);
  }
  CHECK(stats.free_pages > 0);
  CHECK(used / 4096 + stats.free_pages < stats.pages);
  CHECK(journal_statistics{}.event_bytes_per_attempt() == 0);
}

TEST_CASE("what is no file, or no journal, is no journal") {
  const checked_state state;
  const auto dir = state_dir::open(state.folder()).value();
  CHECK(lmdb_file::open(*dir, "nothing").error().code == error_code::not_found);
  auto lock = lmdb_file::open(*dir, "lock").value();
  CHECK(lmdb_file_problem(lock, state.folder()).error().code == error_code::state_unusable);
  auto journal = lmdb_file::open(*dir, "journal.mdb").value();
  CHECK(lmdb_file_problem(journal, state.folder()).value().empty());
}

TEST_CASE("a number of pages that wraps around is found before LMDB is let loose on it") {
  const checked_state state(20);
  for (const std::streamoff page : {0, 4096}) { // both meta pages
    std::fstream file(state.journal(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(page + 16 + 24 + 2 * 48);
    file.write("\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    REQUIRE(file.flush().good());
  }
  auto journal = lmdb_file::open(*state_dir::open(state.folder()).value(), "journal.mdb").value();
  CHECK_FALSE(lmdb_file_problem(journal, state.folder()).value().empty());
}
