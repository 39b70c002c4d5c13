// Ids of a state and those of the pipeline in memory: given out once, in topological order, found again later.
#include "app/engine/catalog.hpp"
#include "support/memory_journal_store.hpp"
#include "support/pipeline_builder.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

using namespace troupe;
using test::pipeline_builder;

namespace {

struct loaded {
  loaded(const pipeline_builder& b, const test::memory_journal_store* store = nullptr) : p(b.build()) {
    diagnostics found;
    graph = std::make_unique<asset_graph>(std::move(*asset_graph::build(*p, found)));
    if (store != nullptr)
      snapshot = store->snapshot().value();
    names = catalog::load(*p, *graph, snapshot.get()).value();
  }
  [[nodiscard]] asset_id id(std::string_view asset) const { return names->id_of(*p->find(asset)); }
  [[nodiscard]] path_id path(std::string_view text) const { return names->id_of(names->slot_of(text)); }

  std::unique_ptr<pipeline> p;
  std::unique_ptr<asset_graph> graph;
  std::unique_ptr<journal_snapshot> snapshot;
  std::unique_ptr<catalog> names;
};

/// late is declared first, but needs early.
pipeline_builder two(const std::string& pipeline = "test") {
  pipeline_builder b(pipeline);
  b.asset("late").inputs({"mid.txt", "glob/*.txt"}).outputs({"out.txt"});
  b.asset("early").inputs({"in.txt"}).outputs({"mid.txt"});
  return b;
}

} // namespace

TEST_CASE("ids are given in topological order, paths by first use, and are to be recorded once") {
  const loaded l(two());
  CHECK(l.id("early") == asset_id(0U));
  CHECK(l.id("late") == asset_id(1U));
  CHECK_FALSE(l.names->was_known(asset_id(0U)));
  const auto events = l.names->take_new_names();
  REQUIRE(events.size() == 2);
  CHECK(std::get<names_interned>(events[0]) == names_interned{asset_id(0U), {"test/early", "test/late"}});
  CHECK(std::get<paths_interned>(events[1]) ==
        paths_interned{path_id(0U), {"test/in.txt", "test/mid.txt", "test/out.txt"}});
  CHECK(l.names->take_new_names().empty());
  CHECK(l.names->asset_name(asset_id(1U)) == "late");
  CHECK(l.names->path_text(path_id(1U)) == "mid.txt");
}

TEST_CASE("a state's ids are kept, whatever the pipeline has become; new ones follow") {
  test::memory_journal_store store;
  {
    const loaded first(two());
    store.append(first.names->take_new_names()).value();
  }
  pipeline_builder b("test");
  b.asset("brand_new").outputs({"new.txt"});
  b.asset("late").inputs({"in.txt"}).outputs({"out.txt"});
  const loaded l(b, &store);
  CHECK(l.id("late") == asset_id(1U));
  CHECK(l.id("brand_new") == asset_id(2U));
  CHECK(l.names->was_known(asset_id(1U)));
  CHECK_FALSE(l.names->was_known(asset_id(2U)));
  CHECK(l.path("in.txt") == path_id(0U));
  SUBCASE("what the pipeline no longer has keeps its name") {
    CHECK(l.names->asset_name(asset_id(0U)) == "early");
    CHECK(l.names->path_text(path_id(1U)) == "mid.txt");
  }
  const auto events = l.names->take_new_names();
  REQUIRE(events.size() == 2);
  CHECK(std::get<names_interned>(events[0]) == names_interned{asset_id(2U), {"test/brand_new"}});
  CHECK(std::get<paths_interned>(events[1]) == paths_interned{path_id(3U), {"test/new.txt"}});
  CHECK(store.append(events).has_value());
}

TEST_CASE("pipelines of one state do not see each other's assets and paths") {
  test::memory_journal_store store;
  {
    const loaded other(two("other"));
    store.append(other.names->take_new_names()).value();
  }
  const loaded l(two(), &store);
  CHECK(l.id("early") == asset_id(2U));
  CHECK(l.path("in.txt") == path_id(3U));
  CHECK(l.names->asset_name(asset_id(0U)) == "(another pipeline's asset)");
  CHECK(l.names->path_text(path_id(0U)) == "(another pipeline's path)");
  CHECK_FALSE(l.names->slot_of(path_id(0U)).has_value());
  CHECK_FALSE(l.names->slot_of(path_id(99U)).has_value());
}

TEST_CASE("paths found while running get ids after all others, once each") {
  const loaded l(two());
  static_cast<void>(l.names->take_new_names());
  const auto before = l.names->slots();
  const auto slot = l.names->slot_of("glob/a.txt");
  CHECK(l.names->slot_of("glob/a.txt") == slot);
  CHECK(l.names->slots() == before + 1);
  CHECK(l.names->text(slot) == "glob/a.txt");
  CHECK(l.names->id_of(slot) == path_id(3U));
  CHECK(l.names->slot_of(path_id(3U)) == slot);
  CHECK(l.names->slot_of("mid.txt").value == l.p->paths.find("mid.txt"));
  const auto events = l.names->take_new_names();
  REQUIRE(events.size() == 1);
  CHECK(std::get<paths_interned>(events[0]) == paths_interned{path_id(3U), {"test/glob/a.txt"}});
}

TEST_CASE("many names are recorded in pieces, in order") {
  pipeline_builder b("test");
  for (int i = 0; i < 600; ++i)
    b.asset("a" + std::to_string(i));
  const loaded l(b);
  test::memory_journal_store store;
  const auto events = l.names->take_new_names();
  CHECK(events.size() == 3);
  CHECK(store.append(events).has_value()); // the fold refuses gaps
  const loaded again(b, &store);
  for (const auto* asset : {"a0", "a255", "a256", "a599"})
    CHECK(again.id(asset) == l.id(asset));
  CHECK(again.names->take_new_names().empty());
}

TEST_CASE("a folder without what is taken out of it has a name of its own, and is shown as the folder") {
  test::memory_journal_store store;
  pipeline_builder b("test");
  b.asset("part").inputs({"assets", "!assets/tmp"});
  b.asset("same").inputs({"!assets/tmp", "assets"});
  b.asset("other").inputs({"assets", "!assets/*~"});
  b.asset("whole").inputs({"assets", "!elsewhere"});
  const loaded l(b);
  const auto slot = [&](const loaded& in, const char* asset) { return in.names->input_slot(*in.p->find(asset), 0); };
  CHECK(slot(l, "part") == slot(l, "same"));
  CHECK(slot(l, "part") != slot(l, "other"));
  CHECK(slot(l, "part") != slot(l, "whole"));
  CHECK(slot(l, "whole") == path_slot(*l.p->paths.find("assets")));
  CHECK(l.names->path_text(l.names->id_of(slot(l, "part"))) == "assets");
  CHECK(l.names->text(slot(l, "part")).size() > std::string_view("assets").size());
  store.append(l.names->take_new_names()).value();
  const loaded again(b, &store);
  CHECK(again.names->id_of(slot(again, "part")) == l.names->id_of(slot(l, "part")));
  CHECK(again.names->take_new_names().empty());
}
