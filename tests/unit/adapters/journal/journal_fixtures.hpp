// The journal stores under test, each behind the same few calls, and the comparison of a snapshot with a replay.
#pragma once

#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/journal/lmdb_remake.hpp"
#include "adapters/system/system_clock.hpp"
#include "core/journal/memory_tables.hpp"
#include "core/model/retention.hpp"
#include "support/memory_journal_store.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

namespace troupe_internal::test {

class memory_fixture {
public:
  journal_store& store() { return store_; }
  void reopen() { store_.crash(); }

private:
  memory_journal_store store_;
};

class lmdb_fixture {
public:
  /// Without waiting for the disk, unless a test is about that.
  explicit lmdb_fixture(durability d = durability::none, std::size_t map_bytes = 0) : settings_{d, map_bytes} {
    reopen();
  }
  journal_store& store() { return *store_; }
  void close() { store_.reset(); }
  void reopen() {
    store_.reset();
    auto opened = open_journal(folder(), settings_, clock_);
    REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
    store_ = std::move(*opened);
  }
  [[nodiscard]] std::string folder() const { return temporary_ / "state"; }
  system_clock& clock() { return clock_; }

private:
  temporary_folder temporary_;
  system_clock clock_;
  journal_settings settings_;
  std::unique_ptr<journal_store> store_;
};

/// What a state should be: every event ever appended, and how many of them were folded into the base.
struct expected_state {
  memory_tables tables;
  std::vector<event> events;
  std::uint64_t dropped = 0;

  void add(std::span<const event> batch) {
    projector fold(tables);
    for (const auto& e : batch) {
      REQUIRE(fold.apply(tables.state.last_seq + 1, e).has_value());
      events.push_back(e);
    }
  }
  void drop(const retention_step& step) {
    dropped += step.events_dropped;
    tables.state.first_seq += step.events_dropped;
    for (const auto run : step.runs_dropped)
      tables.runs.erase(run);
  }
};

inline void check_same(const journal_snapshot& snapshot, const expected_state& expected) {
  auto info = snapshot.info();
  info.id = expected.tables.state.id;
  info.writers = expected.tables.state.writers;
  CHECK(info == expected.tables.state);
  const auto all_equal = [](const auto& wanted, const auto& visit) {
    auto at = wanted.begin();
    bool same = true;
    const auto done = visit([&](const auto& key, const auto& value) {
      same = same && at != wanted.end() && at->first == key && at->second == value;
      ++at;
      return same;
    });
    REQUIRE_MESSAGE(done.has_value(), done.error().message);
    return same && at == wanted.end();
  };
  const auto& t = expected.tables;
  CHECK(all_equal(t.asset_names, [&](auto visit) { return snapshot.visit_asset_names(visit); }));
  CHECK(all_equal(t.paths, [&](auto visit) { return snapshot.visit_paths(visit); }));
  CHECK(all_equal(t.assets, [&](auto visit) { return snapshot.visit_assets(visit); }));
  CHECK(all_equal(t.files, [&](auto visit) { return snapshot.visit_files(visit); }));
  for (const auto& [id, record] : t.assets) {
    asset_definition text;
    const auto kept = t.definitions.find(definition_key(record.definition));
    const bool expected_text = kept != t.definitions.end() && kept->second.has_text;
    CHECK(snapshot.read_definition(record.definition, text).value() == expected_text);
    CHECK(text == (expected_text ? kept->second.text : asset_definition{}));
  }
  std::vector<run_record> runs;
  REQUIRE(snapshot
              .visit_runs_newest_first([&](const run_record& run) {
                runs.insert(runs.begin(), run);
                return true;
              })
              .has_value());
  std::vector<run_record> wanted_runs;
  for (const auto& [number, run] : t.runs) {
    wanted_runs.push_back(run);
    CHECK(snapshot.read_run(number).value() == run);
  }
  CHECK(runs == wanted_runs);
  std::vector<open_attempt> wanted_open;
  for (const auto& [key, attempt] : t.open_attempts)
    wanted_open.push_back(attempt);
  CHECK(snapshot.open_attempts().value() == wanted_open);
  asset_record record;
  for (const auto& [id, wanted] : t.assets) {
    REQUIRE(snapshot.read_asset(id, record).value());
    CHECK(record == wanted);
  }
  for (auto at = t.assets.rbegin(); at != t.assets.rend(); ++at) { // in any order
    CHECK_FALSE(snapshot.read_asset(asset_id(0xFFFFFFFEU), record).value());
    REQUIRE(snapshot.read_asset(at->first, record).value());
    CHECK(record == at->second);
  }
  auto seq = t.state.first_seq;
  bool same = true;
  const auto done = snapshot.visit_events(0, [&](std::uint64_t at, const event& e) {
    same = same && at == seq && e == expected.events[at - 1];
    ++seq;
    return same;
  });
  REQUIRE_MESSAGE(done.has_value(), done.error().message);
  CHECK(same);
  CHECK(seq == t.state.last_seq + 1);
}

/// Compacts a state that nobody has open.
inline result<journal_compaction> compact_journal(const std::string& folder, const retention_rule& rule, clock& time) {
  auto lock = lock_journal(folder);
  if (!lock)
    return lock.error();
  const auto dir = lock->dir();
  const auto store = open_journal(std::move(*lock), {}, time); // holds the lock to the end
  if (!store)
    return store.error();
  return troupe_internal::compact_journal(**store, dir, rule);
}

} // namespace troupe_internal::test
