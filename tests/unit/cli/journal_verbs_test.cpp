// `troupe journal` on journals that are there, empty, or none.
#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/journal/state_lock.hpp"
#include "adapters/system/system_clock.hpp"
#include "support/temporary_folder.hpp"
#include "verb_fixtures.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace troupe_internal;
using test::engine;
using test::has;
using test::troupe_cli;
namespace bj = boost::json;

TEST_CASE("where there is no state the journal is empty, and nothing is wrong with it") {
  test::reset();
  const temporary_folder folder;
  engine().state_folder = [&](const project_options&) { return result<std::string>(folder / "none"); };
  CHECK(has(troupe_cli({"journal", "verify"}).out, "ok: 0 events"));
  CHECK(has(troupe_cli({"journal", "stats"}).out, "events      none"));
  CHECK(troupe_cli({"journal", "dump"}).out.empty());
  CHECK(bj::parse(troupe_cli({"journal", "verify", "--json"}).out).at("ok") == true);
  CHECK(bj::parse(troupe_cli({"journal", "stats", "--json"}).out).at("runs") == 0);
  for (const auto* verb : {"verify", "stats", "dump"})
    CHECK(troupe_cli({"journal", verb}).status == 0);
  engine().state_folder = [&](const project_options&) { return result<std::string>(fail(error_code::io, "no")); };
  for (const auto* verb : {"verify", "stats", "dump"})
    CHECK(troupe_cli({"journal", verb}).status == 2);
}

TEST_CASE("what is no journal is refused with exit status 3") {
  test::reset();
  const temporary_folder folder;
  folder.write("journal.mdb", "this is no journal");
  engine().state_folder = [&](const project_options&) { return result<std::string>(folder.path()); };
  for (const auto* verb : {"stats", "dump", "rebuild"}) {
    const auto done = troupe_cli({"journal", verb});
    CHECK(done.status == 3);
    CHECK(has(done.err, "error: "));
  }
  CHECK(troupe_cli({"journal", "verify"}).status == 3);
}

TEST_CASE("a journal with events is counted, dumped and verified") {
  test::reset();
  const temporary_folder folder;
  engine().state_folder = [&](const project_options&) { return result<std::string>(folder / "state"); };
  {
    system_clock time;
    auto store = open_journal(folder / "state", {}, time);
    REQUIRE(store.has_value());
    const std::vector<event> events{writer_opened{test::at(0), "boot", 7}, names_interned{asset_id(0U), {"demo/clean"}},
                                    paths_interned{path_id(0U), {"demo/raw.txt"}}, writer_closed{test::at(1)}};
    REQUIRE((*store)->append(events).has_value());
  }
  CHECK(has(troupe_cli({"journal", "verify"}).out, "ok: 4 events"));
  CHECK(has(troupe_cli({"journal", "stats"}).out, "events      1 to 4"));
  CHECK(has(troupe_cli({"journal", "stats"}).out, "writer_opened"));
  CHECK(bj::parse(troupe_cli({"journal", "stats", "--json"}).out).at("types").at("names_interned").at("events") == 1);
  const auto dumped = troupe_cli({"journal", "dump", "--from", "3"}).out;
  CHECK(bj::parse(dumped.substr(0, dumped.find('\n'))).at("seq") == 3);
  CHECK(std::count(dumped.begin(), dumped.end(), '\n') == 2);
}

TEST_CASE("a rebuild says what was otherwise before") {
  test::reset();
  const temporary_folder folder;
  engine().state_folder = [&](const project_options&) { return result<std::string>(folder / "state"); };
  CHECK(has(troupe_cli({"journal", "rebuild"}).out, "there is no state yet"));
  CHECK(bj::parse(troupe_cli({"journal", "rebuild", "--json"}).out).at("events") == 0);
  {
    system_clock time;
    auto store = open_journal(folder / "state", {}, time);
    REQUIRE(store.has_value());
    const std::vector<event> events{writer_opened{test::at(0), "boot", 7}, names_interned{asset_id(0U), {"demo/clean"}},
                                    writer_closed{test::at(1)}};
    REQUIRE((*store)->append(events).has_value());
  }
  CHECK(has(troupe_cli({"journal", "rebuild"}).out, "made again from 3 events; nothing was otherwise before"));
  const auto document = bj::parse(troupe_cli({"journal", "rebuild", "--json"}).out);
  CHECK(document.at("events") == 3);
  CHECK(document.at("differences").as_array().empty());
  const auto dropped = troupe_cli({"journal", "rebuild", "--drop-history"});
  CHECK(dropped.status == 0);
  CHECK(has(dropped.out, "without history"));
  CHECK(bj::parse(troupe_cli({"journal", "rebuild", "--json"}).out).at("events") == 0);
  {
    const auto held = lock_state(folder / "state");
    CHECK(troupe_cli({"journal", "rebuild"}).status == 3);
  }
}

TEST_CASE("compacting hands over what the pipelines named ask for, and says what went") {
  test::reset();
  retention_rule asked;
  duration logs{};
  engine().compact = [&](const std::string& state, const retention_rule& rule, duration keep_logs) {
    CHECK(state == "/pipeline/.troupe");
    asked = rule;
    logs = keep_logs;
    return result<state_compaction>(state_compaction{120, 3, 2, 1'200'000, 300'000});
  };
  const auto done = troupe_cli({"journal", "compact"});
  CHECK(done.status == 0);
  CHECK(
      has(done.out, "compacted: 1.2 MB before, 300.0 KB now; dropped 3 runs with 120 events, and the logs of 2 runs"));
  CHECK(asked.of_pipeline.size() == 1);
  CHECK(asked.of_pipeline.begin()->second == 1000);
  CHECK(logs == std::chrono::hours(24 * 30));
  const auto document = bj::parse(troupe_cli({"journal", "compact", "--json"}).out);
  CHECK(document.at("format") == 1);
  CHECK(document.at("runs_dropped") == 3);
  CHECK(document.at("bytes_after") == 300'000);

  engine().open = [&](const project_options& options, diagnostics&) {
    if (options.file == "bad.json")
      return result<project>(fail(error_code::invalid_input, "bad.json: 1 mistake; nothing was run"));
    auto on = test::make_project();
    if (options.file == "elsewhere.json")
      on.state_folder = "/elsewhere";
    return result<project>(std::move(on));
  };
  CHECK(troupe_cli({"journal", "compact", "a.json", "b.json"}).status == 0);
  CHECK(troupe_cli({"journal", "compact", "a.json", "bad.json"}).status == 2);
  const auto elsewhere = troupe_cli({"journal", "compact", "a.json", "elsewhere.json"});
  CHECK(elsewhere.status == 2);
  CHECK(has(elsewhere.err, "elsewhere.json keeps its state in /elsewhere"));
  CHECK(troupe_cli({"journal", "compact", "-f", "bad.json"}).status == 2);
  asked = {};
  engine().open = [](const project_options&, diagnostics&) {
    return result<project>(fail(error_code::invalid_input, "troupe.json: 1 mistake; nothing was run"));
  };
  CHECK(troupe_cli({"journal", "compact"}).status == 2);
  const auto by_default = troupe_cli({"journal", "compact", "--state", "/pipeline/.troupe"});
  CHECK(by_default.status == 0);
  CHECK(has(by_default.err, "what a state keeps by default is kept"));
  CHECK(asked.keep_runs == 1000);
  CHECK(asked.of_pipeline.empty());

  engine().open = nullptr;
  engine().compact = [](const std::string&, const retention_rule&, duration) {
    return result<state_compaction>(fail(error_code::not_found, "there is no state"));
  };
  CHECK(has(troupe_cli({"journal", "compact"}).out, "there is no state yet"));
  engine().compact = [](const std::string&, const retention_rule&, duration) {
    return result<state_compaction>(fail(error_code::state_locked, "in use"));
  };
  CHECK(troupe_cli({"journal", "compact"}).status == 3);
}
