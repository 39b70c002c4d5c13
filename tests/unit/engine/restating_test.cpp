// Records of the old rule: judged by it, and written by the newer one by the first run that finds them fresh.
#include "adapters/system/system_clock.hpp"
#include "core/model/delta.hpp"
#include "engine/planning.hpp"
#include "support/memory_journal_store.hpp"
#include "support/pipeline_builder.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

using namespace troupe_internal;
using test::pipeline_builder;

namespace {

constexpr run_number first_run(1U);

project project_of(const pipeline_builder& b, const temporary_folder& folder) {
  std::shared_ptr<const pipeline> p = b.build();
  diagnostics found;
  auto graph = std::make_shared<const asset_graph>(std::move(*asset_graph::build(*p, found)));
  return {p, graph, folder / ".troupe"};
}

std::unique_ptr<planning> plan_of(const project& on, const test::memory_journal_store& store, bool restates) {
  static system_clock time;
  run_scope scope{std::vector<bool>(on.p->assets.size(), true), std::vector<bool>(on.p->assets.size(), false)};
  scope.restates = restates;
  const auto snapshot = store.snapshot().value();
  return planning::make(
             on, [&](const project&) { return result<run_scope>(scope); }, snapshot.get(), time, false)
      .value();
}

/// All that the asset is made from and makes, as a program of rule 0 recorded it.
void make_by_rule_0(const project& on, test::memory_journal_store& store) {
  const auto plan = plan_of(on, store, false);
  auto events = plan->names->take_new_names();
  events.emplace_back(run_started{first_run});
  for (const auto asset : on.graph->topological_order()) {
    const auto id = plan->names->id_of(asset);
    findings found;
    plan->looks->examine(
        asset, {}, [](asset_index) { return digest(); }, look::anew, found);
    define_as_declared(
        *on.p, asset, [](const env_entry&) { return std::nullopt; }, found.now);
    found.now.rule = 0;
    for (auto* files : {&found.now.inputs, &found.outputs}) // links in folders counted by their text
      for (auto& file : *files)
        if (file.as_text != digest{})
          file.content = file.as_text;
    production made;
    made.outputs = found.outputs;
    made.data_version = version_of_outputs(made.outputs, *plan->names);
    events.emplace_back(attempt_started{first_run, id});
    attempt_finished finished{first_run, id};
    finished.made = make_delta(nullptr, found.now, made, std::chrono::seconds(1));
    events.emplace_back(std::move(finished));
  }
  events.emplace_back(run_finished{first_run});
  store.append(events).value();
}

asset_record record_of(const test::memory_journal_store& store, asset_id id) {
  asset_record record;
  store.snapshot().value()->read_asset(id, record).value();
  return record;
}

} // namespace

TEST_CASE("a record of rule 0 stays fresh, and only a run restates it, with its run, attempt and time") {
  const temporary_folder folder;
  folder.write("a", "A");
  folder.write("b", "B");
  folder.write("out", "AB");
  pipeline_builder b("test", folder.path());
  b.param("x", "1");
  b.asset("one").command("echo {{ params.x }}");
  b.asset("two").command("cat {{ inputs }} > {{ outputs }}").inputs({"a", "b"}).outputs({"out"}).with([](auto& s) {
    s.env = {{"E", env_source::literal, "{{ params.x }}", false}};
  });
  b.asset("source").source().outputs({"a"});
  const auto on = project_of(b, folder);
  test::memory_journal_store store;
  make_by_rule_0(on, store);
  const auto looked = plan_of(on, store, false);
  CHECK(looked->plan->to_do() == 0);
  CHECK(looked->restated.empty());

  const auto ran = plan_of(on, store, true);
  CHECK(ran->plan->to_do() == 0);
  REQUIRE(ran->restated.size() == 3);
  const auto id = ran->names->id_of(*on.p->find("two"));
  const auto before = record_of(store, id);
  store.append(ran->restated).value();
  const auto after = record_of(store, id);
  CHECK(before.last->made_from.rule == 0);
  CHECK(after.last->made_from.rule == 1);
  CHECK(after.last->made_from.command != before.last->made_from.command);
  CHECK(after.last->made_from.inputs == before.last->made_from.inputs);
  auto made = after.last->made; // says now which file declared the outputs
  CHECK(made.pipeline_file.has_value());
  made.pipeline_file = before.last->made.pipeline_file;
  CHECK(made == before.last->made);
  CHECK(after.last->run == before.last->run);
  CHECK(after.last->attempt == before.last->attempt);
  CHECK(after.last->finished_at == before.last->finished_at);
  CHECK(after.last->took == before.last->took);

  const auto again = plan_of(on, store, true);
  CHECK(again->plan->to_do() == 0);
  CHECK(again->restated.empty());
}

TEST_CASE(
    "folders with links, made or read by rule 0, stay fresh when they are restated, and count as today from then on") {
  const temporary_folder folder;
  for (const auto* name : {"far/f", "tree/x", "made/x", "source/x"})
    folder.write(name, name);
  for (const auto* link : {"tree/l", "made/l", "source/l"})
    std::filesystem::create_symlink("../far/f", folder / link);
  std::filesystem::create_symlink("x", folder / "made/inner");
  pipeline_builder b("test", folder.path());
  b.asset("source").source().outputs({"source"});
  b.asset("one").command("x").inputs({"tree", "source"}).outputs({"made"});
  b.asset("two").command("y").inputs({"made"});
  const auto on = project_of(b, folder);
  test::memory_journal_store store;
  make_by_rule_0(on, store);
  const auto ran = plan_of(on, store, true);
  CHECK(ran->plan->to_do() == 0);
  REQUIRE(ran->restated.size() == 3);
  store.append(ran->restated).value();
  CHECK(plan_of(on, store, true)->plan->to_do() == 0);
  CHECK(plan_of(on, store, true)->restated.empty());
  folder.write("far/f", "changed");
  CHECK(plan_of(on, store, true)->plan->to_do() == 3);
}

TEST_CASE("a record of rule 0 is stale by what that rule says, and where the same texts execute something else") {
  const temporary_folder folder;
  for (const auto* name : {"a", "-n", "sub/in"})
    folder.write(name, name);
  const auto built = [&](const std::function<void(test::asset_builder&)>& change) {
    pipeline_builder b("test", folder.path());
    b.param("x", "-1");
    auto& a = b.asset("one").command("x");
    change(a);
    return project_of(b, folder);
  };
  // What the plan says of the asset changed since it was made, which may be nothing.
  const auto reasons = [&](const std::function<void(test::asset_builder&)>& before,
                           const std::function<void(test::asset_builder&)>& now) {
    test::memory_journal_store store;
    make_by_rule_0(built(before), store);
    const auto plan = plan_of(built(now), store, true);
    CHECK(plan->restated.size() == (plan->plan->to_do() == 0 ? 1 : 0));
    std::vector<reason_kind> kinds;
    for (const auto& item : plan->plan->items())
      for (const auto& why : item.reasons)
        kinds.push_back(why.kind);
    return kinds;
  };
  const auto same = [&](const std::function<void(test::asset_builder&)>& one) { return reasons(one, one); };
  using kinds = std::vector<reason_kind>;
  const auto cwd = [](asset_settings& s) { s.cwd = "sub"; };

  CHECK(same([](auto& a) { a.command("cat {{ inputs }} {{ params.x }}").inputs({"a"}); }).empty());
  CHECK(reasons([](auto& a) { a.command("cat {{ inputs }}").inputs({"a"}); },
                [](auto& a) { a.command("cat {{inputs}}").inputs({"a"}); }) == kinds{reason_kind::command_changed});
  SUBCASE("a path like an option") {
    CHECK(same([](auto& a) { a.command("cat {{ inputs }}").inputs({"-n"}); }) == kinds{reason_kind::command_changed});
    CHECK(same([](auto& a) { a.argv({"cat", "{{ inputs }}"}).inputs({"-*"}); }) == kinds{reason_kind::command_changed});
    CHECK(same([](auto& a) {
            a.inputs({"-n"}).with([](auto& s) { s.env = {{"E", env_source::literal, "{{ inputs }}", false}}; });
          }) == kinds{reason_kind::command_changed});
    CHECK(same([](auto& a) { a.command("cat x{{ inputs[0] }}").inputs({"-n"}); }).empty());
    CHECK(same([](auto& a) { a.command("cat -*").inputs({"-n"}); }).empty());
  }
  SUBCASE("a path under cwd") {
    CHECK(same([&](auto& a) { a.command("cat {{ inputs }}").inputs({"sub/in"}).with(cwd); }) ==
          kinds{reason_kind::command_changed});
    CHECK(same([&](auto& a) { a.command("cat in {{ params.x }}").inputs({"sub/in"}).with(cwd); }).empty());
    CHECK(same([&](auto& a) { a.command("cat {{ inputs }}").literal_input(folder / "a").with(cwd); }).empty());
  }
}
