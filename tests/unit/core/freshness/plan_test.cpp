// Run, maybe, fresh: one step an asset.
#include "core/freshness/plan.hpp"
#include "names.hpp"
#include "support/pipeline_builder.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

using namespace troupe_internal;
using test::pipeline_builder;

namespace {

const timestamp run_start{std::chrono::hours(5)};

/// a, b needs a, c needs b, d: judged one by one.
class plan_fixture {
public:
  plan_fixture() {
    pipeline_builder b;
    b.asset("a");
    b.asset("b").deps({"a"});
    b.asset("c").deps({"b"});
    b.asset("d").with([](auto& s) {
      s.always = true;
      s.max_age = std::chrono::hours(1);
    });
    p = b.build();
    diagnostics found;
    graph = asset_graph::build(*p, found);
    made.last.emplace();
    made.attempt = attempt_state::succeeded;
  }
  void start(std::vector<bool> in_run = {true, true, true, true},
             std::vector<bool> forced = {false, false, false, false}) {
    plan.emplace(*p, *graph, std::move(in_run), std::move(forced), run_start, names);
  }
  void judge(const char* name, bool changed) {
    fingerprint now;
    if (changed)
      now.command = quick_digest("changed");
    plan->judge(*p->find(name), made, now, {});
  }
  [[nodiscard]] plan_action action(const char* name) const { return plan->action(*p->find(name)); }

  test::numbered_names names;
  std::unique_ptr<pipeline> p;
  std::optional<asset_graph> graph;
  asset_record made;
  std::optional<planner> plan;
};

} // namespace

TEST_CASE_FIXTURE(plan_fixture, "what has changed runs, what depends on it may run, the rest is fresh") {
  start();
  judge("a", false);
  judge("b", true);
  judge("c", false);
  CHECK(action("a") == plan_action::fresh);
  CHECK(action("b") == plan_action::run);
  CHECK(action("c") == plan_action::maybe);
  REQUIRE(plan->to_do() == 2);
  CHECK(plan->items()[0].reasons == std::vector<reason>{{reason_kind::command_changed, {}}});
  CHECK(plan->items()[1].reasons == std::vector<reason>{{reason_kind::upstream_changed, "b"}});
}

TEST_CASE_FIXTURE(plan_fixture, "a chain of maybes names the neighbour at each step") {
  start();
  judge("a", true);
  judge("b", false);
  judge("c", false);
  CHECK(action("b") == plan_action::maybe);
  CHECK(action("c") == plan_action::maybe);
  CHECK(plan->items()[2].reasons == std::vector<reason>{{reason_kind::upstream_changed, "b"}});
}

TEST_CASE_FIXTURE(plan_fixture, "an asset that is stale by itself runs, whatever its upstreams do") {
  start();
  judge("a", true);
  judge("b", true);
  CHECK(action("b") == plan_action::run);
  CHECK(plan->items()[1].reasons.size() == 1);
}

TEST_CASE_FIXTURE(plan_fixture, "what lies outside the run is taken as last materialized") {
  start({false, true, true, false});
  judge("b", false);
  judge("c", false);
  CHECK(plan->to_do() == 0);
  CHECK_FALSE(plan->in_run(*p->find("a")));
  CHECK(action("a") == plan_action::fresh);
}

TEST_CASE_FIXTURE(plan_fixture, "forced assets run, and what depends on them may") {
  start({true, true, true, true}, {true, false, false, false});
  judge("a", false);
  judge("b", false);
  CHECK(action("a") == plan_action::run);
  CHECK(plan->items()[0].reasons == std::vector<reason>{{reason_kind::forced, {}}});
  CHECK(action("b") == plan_action::maybe);
}

TEST_CASE_FIXTURE(plan_fixture, "the policy of an asset is its settings and the start of the run") {
  start({true, true, true, true}, {false, true, false, false});
  const auto d = plan->policy_of(*p->find("d"));
  CHECK(d.always);
  CHECK(d.max_age == std::chrono::hours(1));
  CHECK(d.now == run_start);
  CHECK_FALSE(d.forced);
  CHECK_FALSE(d.source);
  CHECK(plan->policy_of(*p->find("b")).forced);
}

namespace {

/// "a" makes path-1, "b" reads it; "src" is the source of path-2, "c" reads it; "g" reads the glob path-*.
class files_fixture {
public:
  files_fixture() {
    pipeline_builder b;
    b.asset("a").outputs({"path-1"});
    b.asset("src").source().outputs({"path-2"});
    b.asset("b").inputs({"path-1"});
    b.asset("c").inputs({"path-2"});
    b.asset("g").inputs({"path-*"});
    p = b.build();
    diagnostics found;
    graph = asset_graph::build(*p, found);
    made.last.emplace();
    made.attempt = attempt_state::succeeded;
    plan.emplace(*p, *graph, std::vector<bool>(5, true), std::vector<bool>(5, false), timestamp{}, names);
    changed.command = quick_digest("changed");
  }
  /// The last item of the plan, after `asset` was judged, made from `before` and standing at `now`.
  planner::item judge(const char* asset, const fingerprint& before, const fingerprint& now) {
    made.last->made_from = before;
    plan->judge(*p->find(asset), made, now, {});
    return plan->items().empty() ? planner::item{} : plan->items().back();
  }
  static fingerprint reading(std::vector<file_version> files) {
    fingerprint f;
    f.inputs = std::move(files);
    return f;
  }

  test::numbered_names names;
  std::unique_ptr<pipeline> p;
  std::optional<asset_graph> graph;
  asset_record made;
  std::optional<planner> plan;
  fingerprint changed;
  const digest one = quick_digest("1"), other = quick_digest("2");
  const path_id first{1U}, second{2U};
};

} // namespace

TEST_CASE_FIXTURE(files_fixture, "an input that is made again first may come out as it was: its reader may run") {
  judge("a", {}, changed);
  judge("b", reading({{first, one}}), reading({{first, absent_file}}));
  CHECK(plan->action(*p->find("b")) == plan_action::maybe);
  CHECK(plan->items().back().reasons == std::vector<reason>{{reason_kind::upstream_changed, "a"}});
  judge("g", reading({{first, one}}), reading({})); // the glob matched it
  CHECK(plan->action(*p->find("g")) == plan_action::maybe);
}

TEST_CASE_FIXTURE(files_fixture, "a changed input that nothing makes again runs its reader") {
  judge("a", {}, {});
  CHECK(judge("b", reading({{first, one}}), reading({{first, other}})).reasons ==
        std::vector<reason>{{reason_kind::input_changed, "path-1"}});
  CHECK(plan->action(*p->find("b")) == plan_action::run);
}

TEST_CASE_FIXTURE(files_fixture, "a source that changed does not change back: its reader runs") {
  judge("src", {}, changed);
  judge("c", reading({{second, one}}), reading({{second, other}}));
  CHECK(plan->action(*p->find("c")) == plan_action::run);
}

TEST_CASE_FIXTURE(files_fixture, "what is stale by its definition too runs, and tells all reasons") {
  judge("a", {}, changed);
  auto now = reading({{first, other}});
  now.command = changed.command;
  CHECK(judge("b", reading({{first, one}}), now).reasons ==
        std::vector<reason>{{reason_kind::command_changed, {}}, {reason_kind::input_changed, "path-1"}});
  CHECK(plan->action(*p->find("b")) == plan_action::run);
}

TEST_CASE_FIXTURE(files_fixture, "an input that was added or dropped by the definition runs its reader") {
  judge("a", {}, changed);
  judge("b", reading({}), reading({{first, one}}));
  CHECK(plan->action(*p->find("b")) == plan_action::run);
  judge("b", reading({{first, one}, {second, one}}), reading({{first, one}}));
  CHECK(plan->action(*p->find("b")) == plan_action::run);
}
