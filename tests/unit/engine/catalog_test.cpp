// Ids of a state and those of the pipeline in memory: given out once, in topological order, found again later.
#include "engine/catalog.hpp"
#include "support/memory_journal_store.hpp"
#include "support/pipeline_builder.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

using namespace troupe_internal;
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

namespace {

pipeline_builder matrix_of(const std::vector<std::pair<std::string, std::vector<std::string>>>& variables) {
  pipeline_builder b("test");
  auto& m = b.asset("m");
  for (const auto& [name, values] : variables)
    m.matrix(name, values);
  b.asset("plain").deps({"m"});
  b.asset("one").matrix("v", {"x", "y"});
  return b;
}

std::vector<event> known(test::memory_journal_store& store, const pipeline_builder& b) {
  const loaded l(b, &store);
  auto events = l.names->take_new_names();
  store.append(events).value();
  return events;
}

} // namespace

TEST_CASE("an asset of a matrix is the same one in whatever order its variables are written") {
  test::memory_journal_store store;
  const auto written = matrix_of({{"size", {"s", "l"}}, {"fmt", {"png", "webp"}}});
  const auto first = known(store, written);
  REQUIRE(first.size() == 1);
  const auto& interned = std::get<names_interned>(first[0]);
  CHECK(interned.names.front() == "test/m[s,png]");
  CHECK(interned.identities.front() == "test/m[fmt=png,size=s]");
  CHECK(interned.identities.back() == ""); // one[y]: its name says it
  CHECK(known(store, written).empty());

  const auto turned = matrix_of({{"fmt", {"webp", "png"}}, {"size", {"l", "s"}}});
  {
    const loaded before(written, &store);
    const loaded after(turned, &store);
    CHECK(after.id("m[png,s]") == before.id("m[s,png]"));
    CHECK(after.id("m[webp,l]") == before.id("m[l,webp]"));
    CHECK(after.id("plain") == before.id("plain"));
    CHECK(after.id("one[y]") == before.id("one[y]"));
    CHECK(after.names->asset_name(before.id("m[s,png]")) == "m[png,s]");
  }
  const auto events = known(store, turned);
  REQUIRE(events.size() == 4);
  CHECK(std::get<asset_renamed>(events[0]) == asset_renamed{asset_id(0U), "test/m[png,s]", "test/m[fmt=png,size=s]"});
  CHECK(known(store, turned).empty());
}

TEST_CASE("values that change places between variables are not taken for each other") {
  test::memory_journal_store store;
  static_cast<void>(known(store, matrix_of({{"a", {"x", "y"}}, {"b", {"x", "y"}}})));
  const loaded before(matrix_of({{"a", {"x", "y"}}, {"b", {"x", "y"}}}), &store);
  const auto turned = matrix_of({{"b", {"x", "y"}}, {"a", {"x", "y"}}});
  {
    const loaded after(turned, &store);
    CHECK(after.id("m[y,x]") == before.id("m[x,y]"));
    CHECK(after.id("m[x,y]") == before.id("m[y,x]"));
    CHECK(after.id("m[x,x]") == before.id("m[x,x]"));
  }
  CHECK(known(store, turned).size() == 2);
  SUBCASE("what is gone does not keep a name that another has now") {
    const auto fewer = matrix_of({{"a", {"x"}}, {"b", {"y"}}});
    const auto events = known(store, fewer); // it has to be m[x,y] again, which is the other one's name by now
    REQUIRE(events.size() == 2);
    CHECK(std::get<asset_renamed>(events[0]) == asset_renamed{before.id("m[x,y]"), "test/m[x,y]", "test/m[a=x,b=y]"});
    CHECK(std::get<asset_renamed>(events[1]) ==
          asset_renamed{before.id("m[y,x]"), "test/m[a=y,b=x]", "test/m[a=y,b=x]"});
    CHECK(known(store, fewer).empty());
    const loaded again(matrix_of({{"a", {"x", "y"}}, {"b", {"x", "y"}}}), &store);
    CHECK(again.id("m[y,x]") == before.id("m[y,x]"));
  }
}

TEST_CASE("a state that knows no identities is matched by name, and told them") {
  test::memory_journal_store store;
  const std::vector<event> old{
      names_interned{asset_id(0U), {"test/m[s,png]", "test/plain", "test/m[l,png]", "test/gone[a,b]"}, {}}};
  store.append(old).value();
  const auto written = matrix_of({{"size", {"s", "l"}}, {"fmt", {"png"}}});
  {
    const loaded l(written, &store);
    CHECK(l.id("m[s,png]") == asset_id(0U));
    CHECK(l.id("plain") == asset_id(1U));
    CHECK(l.id("m[l,png]") == asset_id(2U));
  }
  const auto events = known(store, written);
  REQUIRE(events.size() == 3);
  CHECK(std::get<names_interned>(events[0]).names == std::vector<std::string>{"test/one[x]", "test/one[y]"});
  CHECK(std::get<names_interned>(events[0]).identities.empty());
  CHECK(std::get<asset_renamed>(events[1]) == asset_renamed{asset_id(0U), "test/m[s,png]", "test/m[fmt=png,size=s]"});
  CHECK(std::get<asset_renamed>(events[2]) == asset_renamed{asset_id(2U), "test/m[l,png]", "test/m[fmt=png,size=l]"});
  CHECK(known(store, written).empty());
}

TEST_CASE("variables that have other names now leave an asset what it was") {
  test::memory_journal_store store;
  static_cast<void>(known(store, matrix_of({{"size", {"s"}}, {"fmt", {"png"}}})));
  const auto renamed = matrix_of({{"width", {"s"}}, {"fmt", {"png"}}});
  const loaded l(renamed, &store);
  CHECK(l.id("m[s,png]") == asset_id(0U));
  CHECK(std::get<asset_renamed>(l.names->take_new_names().front()) ==
        asset_renamed{asset_id(0U), "test/m[s,png]", "test/m[fmt=png,width=s]"});
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

TEST_CASE("of a large state, paths are read on a thread of their own beside the assets") {
  pipeline_builder b("test");
  std::vector<std::string> outputs;
  for (int i = 0; i < 12'000; ++i)
    outputs.push_back("out/" + std::to_string(i));
  b.asset("many").outputs(outputs);
  b.asset("one").inputs({"out/11999"}).outputs({"last"});
  const loaded first(b);
  test::memory_journal_store store;
  REQUIRE(store.append(first.names->take_new_names()).has_value());
  const auto snapshot = store.snapshot().value();
  const auto beside = catalog::load(*first.p, *first.graph, snapshot.get(), nullptr, true).value();
  CHECK(beside->take_new_names().empty());
  CHECK(beside->asset_ids() == first.names->asset_ids());
  std::size_t same = 0;
  for (const auto& path : outputs)
    same += beside->id_of(beside->slot_of(path)) == first.path(path) ? 1U : 0U;
  CHECK(same == outputs.size());
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
