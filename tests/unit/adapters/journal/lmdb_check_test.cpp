// verify and stats: sound journals pass, every kind of damage is found, and none of it brings the process down.
#include "adapters/journal/lmdb_journal_check.hpp"
#include "adapters/journal/lmdb_open.hpp"
#include "adapters/journal/lmdb_pages.hpp"
#include "adapters/journal/lmdb_remake.hpp"
#include "adapters/journal/lmdb_snapshot.hpp"
#include "child_process.hpp"
#include "core/run/run_state.hpp"
#include "journal_fixtures.hpp"
#include "support/history.hpp"

#include <filesystem>
#include <fstream>
#include <random>

using namespace troupe_internal;
using namespace troupe_internal::test;
namespace fs = std::filesystem;

namespace {

/// A state with history, a base and a checkpoint; closed.
struct checked_state {
  lmdb_fixture f;
  expected_state expected;
  run_number open_run;
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
    auto more = history.big_run(300);
    std::get<run_started>(more.back()).request.selection.assign(500, "a selection that takes pages of its own");
    REQUIRE(f.store().append(more).has_value());
    expected.add(more);
    open_run = history.last_run();
    REQUIRE(f.store()
                .write_checkpoint(open_run, {expected.tables.state.last_seq, history.checkpoint_of(open_run)})
                .has_value());
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
    definition_record definition;
    definition.of = state.expected.tables.definitions.begin()->second.of;
    REQUIRE(access.write(lmdb_table::definitions, definition_key(definition.of), definition).has_value());
    REQUIRE(access.write(lmdb_table::base_definitions, 77, definition).has_value());
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
  const auto named = std::to_string(state.expected.tables.definitions.begin()->first);
  CHECK(mentions(found, "definition " + named + " differs from what a replay makes"));
  CHECK(mentions(found, "base definition 77 is of another definition"));
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

TEST_CASE("what the state says of itself is held against the tables before anything is made of it") {
  const checked_state state;
  const auto refused = [&](std::uint64_t which, const auto& change, const char* words) {
    state.tamper([&](lmdb_access& access) {
      state_info info;
      REQUIRE(access.read(lmdb_table::meta, which, info).value());
      change(info);
      REQUIRE(access.write(lmdb_table::meta, which, info).has_value());
    });
    CHECK(mentions(state.verify(), words));
    const auto opened = open_snapshot(state.folder());
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == error_code::state_unusable);
    CHECK_MESSAGE(opened.error().message.find(words) != std::string::npos, opened.error().message);
  };
  SUBCASE("more assets than have names") {
    refused(
        0, [](state_info& info) { info.asset_count = 4'294'967'295U; }, "counts 4294967295 ids");
  }
  SUBCASE("fewer") {
    refused(
        0, [](state_info& info) { --info.asset_count; }, "which is not what the table \"asset_names\" holds");
  }
  SUBCASE("more paths than have texts") {
    refused(
        0, [](state_info& info) { info.path_count = 4'000'000'000U; }, "counts 4000000000 ids");
  }
  SUBCASE("events without end") {
    refused(
        0, [](state_info& info) { info.last_seq = ~std::uint64_t{0}; }, "a number that cannot be");
  }
  SUBCASE("no number left for the next run") {
    refused(
        0, [](state_info& info) { info.last_run = run_number(4'294'967'295U); }, "a number that cannot be");
  }
  SUBCASE("a base that ends elsewhere") {
    refused(
        1, [](state_info& info) { --info.last_seq; }, "does not fit the state record");
  }
  SUBCASE("a base with more assets than the state") {
    refused(
        1, [](state_info& info) { info.asset_count += 1'000; }, "does not fit the state record");
  }
  SUBCASE("a name under an id beyond the others") {
    state.tamper([&](lmdb_access& access) {
      REQUIRE(access.erase(lmdb_table::asset_names, 0).has_value());
      access.start_record() += "demo/far";
      REQUIRE(access.put(lmdb_table::asset_names, 4'294'967'294U).has_value());
    });
    refused(
        0, [](state_info&) {}, "which is not what the table \"asset_names\" holds");
  }
}

TEST_CASE("a rebuild without history makes no names for ids that the journal cannot hold") {
  const checked_state state;
  state.tamper([&](lmdb_access& access) {
    state_info info;
    REQUIRE(access.read(lmdb_table::meta, 0, info).value());
    info.asset_count = 4'000'000'000U;
    REQUIRE(access.write(lmdb_table::meta, 0, info).has_value());
  });
  const auto rebuilt = rebuild_journal(state.folder(), true);
  REQUIRE_FALSE(rebuilt.has_value());
  CHECK(rebuilt.error().message.find("counts more names than its journal can hold") != std::string::npos);
}

TEST_CASE("a checkpoint that is not what the events make is named, and a rebuild leaves it out") {
  const checked_state state;
  auto forged =
      run_state::decode(open_snapshot(state.folder()).value()->read_checkpoint(state.open_run).value()->bytes);
  REQUIRE(forged);
  REQUIRE(forged->try_apply(asset_found_fresh{state.open_run, forged->id_at(0), {}}, 4'000) == nullptr);
  state.tamper([&](lmdb_access& access) {
    std::string_view kept;
    REQUIRE(access.get(lmdb_table::checkpoints, state.open_run.value, kept).value());
    const std::string bytes = std::string(kept.substr(0, 8)) + forged->encode();
    access.start_record() += bytes;
    REQUIRE(access.put(lmdb_table::checkpoints, state.open_run.value).has_value());
  });
  CHECK(mentions(state.verify(),
                 "checkpoint " + std::to_string(state.open_run.value) + " is not what the events up to it make"));
  REQUIRE(rebuild_journal(state.folder(), false).has_value());
  CHECK(state.verify().ok());
  CHECK_FALSE(open_snapshot(state.folder()).value()->read_checkpoint(state.open_run).value());
}

TEST_CASE("events in an order that cannot be are named, and not rebuilt") {
  lmdb_fixture f;
  constexpr run_number run(1U);
  constexpr asset_id a(0U);
  run_started start{run};
  start.waiting = {{a, a}};
  attempt_finished end{run, a, 1, {}, outcome_kind::exited, 1};
  run_finished over{run, {}, run_status::failed};
  over.counts[static_cast<std::size_t>(asset_status::failed)] = 1;
  std::vector<event> events = {writer_opened{}, names_interned{a, {"demo/a"}, {}}, start};
  std::string words;
  SUBCASE("a second first attempt") {
    events.insert(events.end(), {attempt_started{run, a}, attempt_started{run, a}});
    words = "event 5: attempts of an asset overlap";
  }
  SUBCASE("an end without a start") {
    events.emplace_back(end);
    words = "event 4: an attempt ended that is not open";
  }
  SUBCASE("an event after the end") {
    events.insert(events.end(), {attempt_started{run, a}, end, over, run_stopping{run}});
    words = "event 7: its run has ended before it";
  }
  SUBCASE("an end with other counts") {
    over.counts = {};
    events.insert(events.end(), {attempt_started{run, a}, end, over});
    words = "event 6: its counts are not those of the run's assets";
  }
  SUBCASE("an asset that is fresh while it runs") {
    events.insert(events.end(), {attempt_started{run, a}, asset_found_fresh{run, a}});
    words = "event 5: an asset's status cannot become";
  }
  REQUIRE(f.store().append(events).has_value()); // the fold into tables knows no order within a run
  f.close();
  CHECK(mentions(*verify_journal(f.folder()), words));
  const auto rebuilt = rebuild_journal(f.folder(), false);
  REQUIRE_FALSE(rebuilt.has_value());
  CHECK(rebuilt.error().message.find(words) != std::string::npos);
  REQUIRE(rebuild_journal(f.folder(), true).has_value());
  CHECK(verify_journal(f.folder())->ok());
}
