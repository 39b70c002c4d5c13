// Pictures of graphs: what they show, that hostile names stay text, and that Graphviz and XML accept them.
#include "adapters/process/text_filter.hpp"
#include "core/pipeline/selection.hpp"
#include "support/pipeline_builder.hpp"
#include "views/graph_view.hpp"
#include "views/view_model.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace troupe_internal;
using troupe_internal::test::pipeline_builder;
using namespace std::chrono_literals;

namespace {

struct world {
  std::unique_ptr<pipeline> p;
  std::optional<asset_graph> graph;

  explicit world(const pipeline_builder& b) : p(b.build()) {
    diagnostics found;
    graph = asset_graph::build(*p, found);
    REQUIRE(graph);
  }
  [[nodiscard]] graph_view view(const std::vector<std::string>& arguments = {}) const {
    return {*p, *graph, select_assets(*p, *graph, arguments).value(), {}};
  }
};

/// raw -> n[x], n[y], n[z] -> all; raw -> all by name too, which is implied
world example() {
  pipeline_builder b("demo");
  b.asset("raw").source().outputs({"raw/a.txt"}).group("ingest").tags({"t1", "t2"}).description("what comes in");
  b.asset("n").matrix("s", {"x", "y", "z"}).inputs({"raw/a.txt"}).outputs({"out/{{ matrix.s }}.n"}).group("counts");
  b.asset("all").inputs({"out/*.n"}).deps({"raw"}).outputs({"report"});
  return world(b);
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size()))
    ++n;
  return n;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool installed(const char* program) {
  return run_text_filter({program, "-V"}, "", 60s).has_value();
}

/// Whether an XML parser accepts it.
bool well_formed(const std::string& xml) {
  return run_text_filter({"python3", "-c", "import sys, xml.dom.minidom as m; m.parseString(sys.stdin.buffer.read())"},
                         xml, 60s)
      .has_value();
}

const std::vector<std::string> hostile = {
    "a\"b",      "a\\",          "\\N",   "a\\\"b", "<b>&amp;", "];}",          "end",     "`code`",      "#quot;",
    "%%",        "-->",          "a b",   "{{x}}",  "é",        "\xFF\xFE",     "\x1b[2J", "\n",          "</title>",
    "<![CDATA[", "\xE2\x80\xAE", "::: x", "|x|",    "$(x)",     "\xEF\xBF\xBF", "'",       "--><script>", "&#45;&gt;",
};

world hostile_world() {
  pipeline_builder b("demo");
  b.asset("m").matrix("v", hostile).group("g\"<&>\\").description("<i>]]>\"").outputs({"out/{{ matrix.v }}"});
  b.asset("after").deps({"m"});
  return world(b);
}

} // namespace

TEST_CASE("a view has the selected assets in levels, the edges between them, and their groups") {
  const auto w = example();
  const view_model model(w.view());
  REQUIRE(model.nodes.size() == 5);
  CHECK(model.levels == 3);
  CHECK(model.nodes[0].look == node_look::source);
  CHECK(model.nodes[4].level == 2);
  REQUIRE(model.edges.size() == 7);
  CHECK(std::count_if(model.edges.begin(), model.edges.end(), [](const auto& e) { return e.implied; }) == 1);
  CHECK(model.edges[3].implied);
  CHECK(model.name(model.edges[3].from) == "raw");
  CHECK(model.name(model.edges[3].to) == "all");
  REQUIRE(model.groups.size() == 3);
  CHECK(model.groups[0].name == "ingest");
  CHECK(model.groups[2].name.empty());
  CHECK(model.summary() == "demo: 5 assets, 7 dependencies; 1 source");

  const view_model part(w.view({"n[x]", "all"}));
  CHECK(part.nodes.size() == 2);
  CHECK(part.edges.size() == 1);
  CHECK(part.summary() == "demo: 2 assets, 1 dependency");
  CHECK(part.nodes[0].level == 0);
}

TEST_CASE("statuses become looks, but a source is a source") {
  const auto w = example();
  auto view = w.view();
  view.status = {node_status::stale, node_status::fresh, node_status::maybe, node_status::running, node_status::failed};
  const view_model model(view);
  const node_look expected[] = {node_look::source, node_look::fresh, node_look::maybe, node_look::running,
                                node_look::failed};
  for (std::size_t n = 0; n < model.nodes.size(); ++n)
    CHECK(model.nodes[n].look == expected[n]);
  CHECK(model.summary() == "demo: 5 assets, 7 dependencies; 1 failed, 1 running, 1 maybe stale, 1 fresh, 1 source");
}

TEST_CASE("as text: a line an asset, by level, whole matrices in one word") {
  const auto w = example();
  auto view = w.view();
  view.status = {node_status::fresh, node_status::fresh, node_status::fresh, node_status::failed, node_status::stale};
  CHECK(graph_as_text(view, {}) == "demo: 5 assets, 7 dependencies; 1 failed, 1 stale, 2 fresh, 1 source\n"
                                   "\n"
                                   "1  ▫ raw   source  ingest\n"
                                   "2  ● n[x]  fresh   counts  ← raw\n"
                                   "   ● n[y]  fresh   counts  ← raw\n"
                                   "   ✗ n[z]  failed  counts  ← raw\n"
                                   "3  ○ all   stale           ← raw, n[*]\n");
  CHECK(graph_as_text(w.view({"n"}), {}) == "demo: 3 assets, 0 dependencies\n"
                                            "\n"
                                            "1  · n[x]  counts\n"
                                            "   · n[y]  counts\n"
                                            "   · n[z]  counts\n");
  CHECK(has(graph_as_text(w.view({"n[x]", "n[y]", "all"}), {}), "all           ← n[x], n[y]\n"));
}

TEST_CASE("as text: colour only where asked for, and lines fit where there is a limit") {
  pipeline_builder b("wide");
  auto& all = b.asset("all");
  for (int i = 0; i < 50; ++i) {
    b.asset("upstream_" + std::to_string(i));
    all.deps({"upstream_" + std::to_string(i)});
  }
  const world w(b);
  CHECK_FALSE(has(graph_as_text(w.view(), {}), "\x1b"));
  CHECK(has(guarded(graph_as_text(w.view(), {.colour = true}), true),
            "\x1b[1mwide: 51 assets, 50 dependencies\x1b[0m\n"));
  const auto narrow = graph_as_text(w.view(), {.columns = 60});
  CHECK(has(narrow, "← upstream_0, upstream_1, upstream_2, +47\n"));
  std::size_t start = 0;
  for (auto end = narrow.find('\n'); end != std::string::npos; start = end + 1, end = narrow.find('\n', start))
    CHECK(character_count(narrow.substr(start, end - start)) <= 60);
}

TEST_CASE("texts are made safe to show, and long ones lose their middle") {
  CHECK(shortened("abcdefghij", 10) == "abcdefghij");
  CHECK(shortened("abcdefghijk", 10) == "abcdefg…jk");
  CHECK(shortened("äöüäöüäöüäöü", 9) == "äöüäöü…öü");
  CHECK(xml_escaped("<a b=\"c\">&") == "&lt;a b=&quot;c&quot;&gt;&amp;");
}

TEST_CASE("as dot: groups are clusters, status is colour and shape") {
  const auto w = example();
  auto view = w.view();
  view.status = {node_status::fresh, node_status::maybe, node_status::running, node_status::failed, node_status::stale};
  const auto dot = graph_as_dot(view);
  CHECK(dot.starts_with("digraph \"demo\" {\n"));
  CHECK(count(dot, "subgraph cluster_") == 2);
  CHECK(has(dot, "label=\"ingest\""));
  CHECK(has(dot, "n0 [label=\"raw\" class=\"source\""));
  CHECK(has(dot, "shape=note"));
  CHECK(has(dot, "dotted"));
  CHECK(has(dot, "dashed"));
  CHECK(has(dot, "diagonals"));
  CHECK(has(dot, "  n0 -> n1;\n"));
  CHECK(has(dot, "  n0 -> n4 [class=\"implied\""));
  CHECK(count(dot, " -> ") == 7);
}

TEST_CASE("as mermaid: groups are subgraphs, status is colour and shape") {
  const auto w = example();
  auto view = w.view();
  view.status = {node_status::fresh, node_status::fresh, node_status::running, node_status::failed, node_status::stale};
  const auto text = graph_as_mermaid(view);
  CHECK(text.starts_with("flowchart LR\n  subgraph g0[\"ingest\"]\n    n0[(\"raw\")]:::source\n  end\n"));
  CHECK(has(text, "n1(\"n#91;x#93;\"):::fresh\n"));
  CHECK(has(text, "n2[[\"n#91;y#93;\"]]:::running\n"));
  CHECK(has(text, "n3{{\"n#91;z#93;\"}}:::failed\n"));
  CHECK(has(text, "n4[\"all\"]:::stale\n"));
  CHECK(has(text, "  n0 --> n1\n"));
  CHECK(has(text, "  n0 -.-> n4\n"));
  CHECK(has(text, "  classDef stale fill:#"));
  CHECK_FALSE(has(text, "classDef unknown"));
}

TEST_CASE("as mermaid: no name is syntax") {
  const auto text = graph_as_mermaid(hostile_world().view());
  for (std::size_t start = 0, end = 0; (end = text.find('\n', start)) != std::string::npos; start = end + 1) {
    const auto line = text.substr(start, end - start);
    const auto open = line.find('"');
    if (open == std::string::npos)
      continue;
    const auto label = line.substr(open + 1, line.rfind('"') - open - 1);
    for (const char c : label)
      CHECK((std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ' ' || c == '#' || c == ';' ||
             static_cast<unsigned char>(c) >= 0x80));
  }
  CHECK(count(text, ":::") == hostile.size() + 1);
}

TEST_CASE("as json: nodes with what they declare, edges with what makes them") {
  const auto w = example();
  auto view = w.view({"raw", "n[x]", "all"});
  CHECK(graph_as_json(view) ==
        "{\"format\":1,\"pipeline\":\"demo\",\"nodes\":["
        "{\"name\":\"raw\",\"asset\":\"raw\",\"matrix\":{},\"group\":\"ingest\",\"tags\":[\"t1\",\"t2\"],"
        "\"kind\":\"source\",\"status\":\"source\",\"description\":\"what comes in\",\"inputs\":[],"
        "\"outputs\":[\"raw/a.txt\"]},"
        "{\"name\":\"n[x]\",\"asset\":\"n\",\"matrix\":{\"s\":\"x\"},\"group\":\"counts\",\"tags\":[],"
        "\"kind\":\"command\",\"status\":\"unknown\",\"description\":\"\",\"inputs\":[\"raw/a.txt\"],"
        "\"outputs\":[\"out/x.n\"]},"
        "{\"name\":\"all\",\"asset\":\"all\",\"matrix\":{},\"group\":null,\"tags\":[],\"kind\":\"command\","
        "\"status\":\"unknown\",\"description\":\"\",\"inputs\":[\"out/*.n\"],\"outputs\":[\"report\"]}],"
        "\"edges\":[{\"from\":\"raw\",\"to\":\"n[x]\",\"kind\":\"file\",\"via\":\"raw/a.txt\"},"
        "{\"from\":\"raw\",\"to\":\"all\",\"kind\":\"name\",\"via\":null},"
        "{\"from\":\"n[x]\",\"to\":\"all\",\"kind\":\"glob\",\"via\":\"out/*.n\"}]}\n");
}

TEST_CASE("as json: each kind of edge has its word") {
  pipeline_builder b;
  b.asset("folder").outputs({"data"});
  b.asset("file").outputs({"out/f"});
  b.asset("beneath").inputs({"data/x"});
  b.asset("contains").inputs({"out"});
  b.asset("glob_beneath").inputs({"data/*.txt"});
  const world w(b);
  const auto json = graph_as_json(w.view());
  CHECK(has(json, "\"to\":\"beneath\",\"kind\":\"beneath\",\"via\":\"data/x\""));
  CHECK(has(json, "\"to\":\"contains\",\"kind\":\"contains\",\"via\":\"out\""));
  CHECK(has(json, "\"to\":\"glob_beneath\",\"kind\":\"glob_beneath\",\"via\":\"data/*.txt\""));
}

TEST_CASE("as json: any name makes valid JSON") {
  const auto json = graph_as_json(hostile_world().view());
  const auto checked = run_text_filter(
      {"python3", "-c", "import sys, json; d = json.load(sys.stdin); print(len(d['nodes']), len(d['edges']))"}, json,
      60s);
  REQUIRE(checked.has_value());
  CHECK(*checked == std::to_string(hostile.size() + 1) + " " + std::to_string(hostile.size()) + "\n");
}

TEST_CASE("as svg: stands alone, with colours for light and dark, tooltips and a legend" *
          doctest::skip(!installed("dot"))) {
  const auto w = example();
  auto view = w.view();
  view.status = {node_status::fresh, node_status::fresh, node_status::maybe, node_status::failed, node_status::stale};
  const auto made = graph_as_svg(view);
  REQUIRE(made.has_value());
  CHECK(made->starts_with("<svg xmlns="));
  CHECK(made->ends_with("</svg>\n"));
  CHECK(well_formed(*made));
  CHECK_FALSE(has(*made, "<!DOCTYPE"));
  CHECK(has(*made, "@media (prefers-color-scheme:dark)"));
  CHECK(has(*made, "<title>raw (source)\nwhat comes in\noutputs: raw/a.txt</title>"));
  CHECK(has(*made, "<title>n[x] needs raw: its input raw/a.txt is an output of raw</title>"));
  CHECK(has(*made, "<title>all needs n[z]: its input out/*.n matches out/z.n, an output of n[z]</title>"));
  CHECK(has(*made, "<title>ingest</title>"));
  CHECK(has(*made, "class=\"node failed\""));
  CHECK(has(*made, "class=\"edge implied\""));
  CHECK(has(*made, ">maybe stale</text>"));
  CHECK_FALSE(has(graph_as_svg(w.view({"n"})).value(), "legend\">"));
}

TEST_CASE("as svg: no name is markup, and none is lost" * doctest::skip(!installed("dot"))) {
  const auto made = graph_as_svg(hostile_world().view());
  REQUIRE(made.has_value());
  CHECK(well_formed(*made));
  CHECK_FALSE(has(*made, "<script"));
  CHECK(has(*made, ">m[a&quot;b]</text>"));
  CHECK(has(*made, ">m[a\\]</text>"));
  CHECK(has(*made, ">m[\\N]</text>"));
  CHECK(has(*made, ">m[&lt;b&gt;&amp;amp;]</text>"));
  CHECK(count(*made, "class=\"node") == hostile.size() + 1);
}

TEST_CASE("as svg: an empty selection is an empty picture" * doctest::skip(!installed("dot"))) {
  const auto w = example();
  const auto made = graph_as_svg({*w.p, *w.graph, {}, {}});
  REQUIRE(made.has_value());
  CHECK(well_formed(*made));
}

TEST_CASE("as svg: without Graphviz the error says how to get it") {
  const auto w = example();
  const auto missing = graph_as_svg(w.view(), {.program = "no-such-dot"});
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == error_code::not_found);
  CHECK(has(missing.error().message, "apt-get install graphviz"));
}

TEST_CASE("as svg: a Graphviz that fails, or answers nonsense, is an error") {
  const auto w = example();
  const auto failed = graph_as_svg(w.view(), {.program = "false"});
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().code == error_code::io);
  CHECK(has(failed.error().message, "Graphviz could not draw the graph: false failed with exit status 1"));
  const auto nonsense = graph_as_svg(w.view(), {.program = "true"});
  REQUIRE_FALSE(nonsense.has_value());
  CHECK(has(nonsense.error().message, "no SVG that could be understood"));
}

TEST_CASE("formats have names") {
  CHECK(graph_format_from("text") == graph_format::text);
  CHECK(graph_format_from("dot") == graph_format::dot);
  CHECK(graph_format_from("mermaid") == graph_format::mermaid);
  CHECK(graph_format_from("svg") == graph_format::svg);
  CHECK(graph_format_from("json") == graph_format::json);
  CHECK_FALSE(graph_format_from("png"));
}

TEST_CASE("property: an edge is implied exactly when another way leads along") {
  CHECK(rc::check([] {
    pipeline_builder b;
    const auto size = *rc::gen::inRange(1, 12);
    for (int i = 0; i < size; ++i) {
      auto& a = b.asset("n" + std::to_string(i));
      for (int d = 0; d < i; ++d)
        if (*rc::gen::inRange(0, 3) == 0)
          a.deps({"n" + std::to_string(d)});
    }
    const world w(b);
    const view_model model(w.view());
    // longest[i][k]: edges on the longest way from i to k; 0: none
    std::vector<std::vector<int>> longest(model.nodes.size(), std::vector<int>(model.nodes.size(), 0));
    for (std::uint32_t k = 0; k < model.nodes.size(); ++k)
      for (const auto& e : model.edges)
        if (e.to == k)
          for (std::uint32_t i = 0; i < model.nodes.size(); ++i)
            if (i == e.from || longest[i][e.from] > 0)
              longest[i][k] = std::max(longest[i][k], longest[i][e.from] + 1);
    for (const auto& e : model.edges)
      RC_ASSERT(e.implied == (longest[e.from][e.to] > 1));
  }));
}
