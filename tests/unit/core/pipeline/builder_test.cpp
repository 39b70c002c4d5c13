// The builder the tests of pipelines stand on.
#include "support/pipeline_builder.hpp"

#include <doctest/doctest.h>

using namespace troupe_internal;
using troupe_internal::test::pipeline_builder;

TEST_CASE("the builder describes a pipeline in memory") {
  pipeline_builder b("demo");
  b.param("top", "20", param_value::type::number).engine([](engine_settings& e) { e.workers = 3; });
  b.asset("raw").source().outputs({"raw/a.txt"});
  b.asset("n")
      .matrix("s", {"x", "y"})
      .matrix("k", {"1", "2"})
      .inputs({"raw/*.txt", "raw/a.txt"})
      .literal_input("odd*name")
      .outputs({"out/{{ matrix.s }}{{ matrix.k }}.n"})
      .deps({"late", "raw", "raw"})
      .command("wc {{ inputs }}")
      .pool("db", 2)
      .group("g");
  b.asset("late").argv({"echo", "{{ params.top }}"}).tags({"t"}).priority(5);
  b.asset("all").deps({"n", "n[x,1]"});
  const auto p = b.build();
  CHECK(p->name == "demo");
  CHECK(p->engine.workers == 3);
  CHECK(p->params.at("top").text == "20");
  REQUIRE(p->assets.size() == 7);
  REQUIRE(p->declarations.size() == 4);
  CHECK(p->is_source(asset_index(0U)));
  const auto& second = p->asset(asset_index(2U));
  CHECK(second.name == "n[x,2]");
  CHECK(p->find("n[x,2]") == asset_index(2U));
  CHECK(second.matrix[1].variable == "k");
  CHECK(p->path(second.outputs[0]) == "out/x2.n");
  REQUIRE(second.inputs.size() == 3);
  CHECK(second.inputs[0].glob);
  CHECK_FALSE(second.inputs[1].glob);
  CHECK_FALSE(second.inputs[2].glob);
  CHECK(second.inputs[1].path == p->asset(asset_index(0U)).outputs[0]);
  REQUIRE(second.deps.size() == 2);
  CHECK(second.deps[0] == asset_index(5U));
  CHECK(p->asset(asset_index(6U)).deps.size() == 4);
  CHECK(second.input_places[1].line == 22);
  CHECK(second.output_places[0].column == 10);
  CHECK(p->declaration(asset_index(5U)).where.line == 30);
  CHECK(p->declaration(asset_index(5U)).command[1] == "{{ params.top }}");
  CHECK(p->settings_of(asset_index(2U)).pools.at("db") == 2);
  CHECK(p->settings_of(asset_index(5U)).priority == 5);
  CHECK(&p->settings_of(asset_index(0U)) == &p->settings_of(asset_index(6U)));
}
