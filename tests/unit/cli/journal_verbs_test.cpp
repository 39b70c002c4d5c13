// `troupe journal` on journals that are there, empty, or none.
#include "adapters/lmdb_journal_store.hpp"
#include "adapters/system_clock.hpp"
#include "support/temporary_folder.hpp"
#include "verb_fixtures.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace troupe;
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
  for (const auto* verb : {"stats", "dump"}) {
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
