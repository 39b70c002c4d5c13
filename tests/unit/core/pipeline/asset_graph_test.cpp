// The graph: edges named and inferred, the order, and every mistake it refuses.
#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/edge_reason.hpp"
#include "support/pipeline_builder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace troupe_internal;
using troupe_internal::test::pipeline_builder;

namespace {

struct built {
  std::unique_ptr<pipeline> p;
  diagnostics found;
  std::optional<asset_graph> graph;

  explicit built(const pipeline_builder& b) : p(b.build()), graph(asset_graph::build(*p, found)) {}

  [[nodiscard]] std::string names(std::span<const asset_index> list) const {
    std::string all;
    for (const auto i : list)
      all += (all.empty() ? "" : " ") + std::string(p->asset(i).name);
    return all;
  }
  [[nodiscard]] std::string upstream(std::string_view name) const { return names(graph->upstream(*p->find(name))); }
  [[nodiscard]] std::string downstream(std::string_view name) const { return names(graph->downstream(*p->find(name))); }
  [[nodiscard]] std::string order() const { return names(graph->topological_order()); }
  [[nodiscard]] std::string why(std::string_view needing, std::string_view needed) const {
    const auto reason = explain_edge(*p, *graph, *p->find(needing), *p->find(needed));
    return reason ? in_words(*p, *reason, *p->find(needed)) : "not needed";
  }
};

/// "code line:column message" of the only finding.
std::string only(const built& b) {
  REQUIRE(b.found.items.size() == 1);
  CHECK_FALSE(b.graph);
  const auto& d = b.found.items.front();
  CHECK(d.level == severity::error);
  return d.code + " " + std::to_string(d.where.line) + ":" + std::to_string(d.where.column) + " " + d.message;
}

} // namespace

TEST_CASE("an empty pipeline has an empty graph") {
  const built g{pipeline_builder()};
  REQUIRE(g.graph);
  CHECK(g.graph->size() == 0);
  CHECK(g.graph->topological_order().empty());
}

TEST_CASE("edges come from names and from files, each once, and are seen from both ends") {
  pipeline_builder b;
  b.asset("report").inputs({"out/n.txt", "out/n.txt"}).deps({"count", "raw"});
  b.asset("count").inputs({"raw/a.txt", "script.sh"}).outputs({"out/n.txt"});
  b.asset("raw").source().outputs({"raw/a.txt"});
  const built g(b);
  REQUIRE(g.graph);
  CHECK(g.upstream("report") == "count raw");
  CHECK(g.upstream("count") == "raw");
  CHECK(g.upstream("raw") == "");
  CHECK(g.downstream("raw") == "report count");
  CHECK(g.downstream("report") == "");
  CHECK(g.order() == "raw count report");
  CHECK(g.graph->producer(path_index(*g.p->paths.find("out/n.txt"))) == g.p->find("count"));
  CHECK_FALSE(g.graph->producer(path_index(*g.p->paths.find("script.sh"))));
  CHECK_FALSE(g.graph->producer(path_index(12345U)));
  CHECK(g.why("report", "count") == "named in its deps");
  CHECK(g.why("count", "raw") == "its input raw/a.txt is an output of raw");
  CHECK(g.why("raw", "count") == "not needed");
}

TEST_CASE("an input beneath a folder output depends on its maker, at any depth") {
  pipeline_builder b;
  b.asset("near").inputs({"data/x"});
  b.asset("deep").inputs({"data/x/y/z.txt"});
  b.asset("not").inputs({"database/x"});
  b.asset("maker").outputs({"data"});
  b.asset("absolute").inputs({"/srv/in/a/b"});
  b.asset("mount").outputs({"/srv/in"});
  const built g(b);
  REQUIRE(g.graph);
  CHECK(g.upstream("near") == "maker");
  CHECK(g.upstream("deep") == "maker");
  CHECK(g.upstream("not") == "");
  CHECK(g.upstream("absolute") == "mount");
  CHECK(g.why("deep", "maker") == "its input data/x/y/z.txt lies in data, an output of maker");
}

TEST_CASE("a folder as input depends on the makers of all outputs in it") {
  pipeline_builder b;
  b.asset("pack").inputs({"out"});
  b.asset("a").outputs({"out/a"});
  b.asset("b").outputs({"out/x/y/b", "elsewhere/b"});
  b.asset("c").outputs({"output/c"});
  b.asset("all").inputs({"."});
  b.asset("up").outputs({"../up", "/abs"});
  b.asset("root").inputs({"/"});
  const built g(b);
  REQUIRE(g.graph);
  CHECK(g.upstream("pack") == "a b");
  CHECK(g.upstream("all") == "a b c");
  CHECK(g.upstream("root") == "up");
  CHECK(g.why("all", "a") == "its input . contains out/a, an output of a");
  CHECK(g.why("root", "up") == "its input / contains /abs, an output of up");
  CHECK(g.why("pack", "b") == "its input out contains out/x/y/b, an output of b");
}

TEST_CASE("a glob depends on the makers of the outputs it matches, but not on its own asset") {
  pipeline_builder b;
  b.asset("all").inputs({"out/*.n"}).outputs({"out/all.n"});
  b.asset("deep").inputs({"**/x.n"});
  b.asset("n").matrix("s", {"x", "y"}).outputs({"out/{{ matrix.s }}.n"});
  b.asset("other").outputs({"out/sub/x.n", "out/o.txt"});
  b.asset("same_glob").inputs({"out/*.n"});
  const built g(b);
  REQUIRE(g.graph);
  CHECK(g.upstream("all") == "n[x] n[y]");
  CHECK(g.upstream("deep") == "n[x] other");
  CHECK(g.upstream("same_glob") == "all n[x] n[y]");
  CHECK(g.why("all", "n[y]") == "its input out/*.n matches out/y.n, an output of n[y]");
  std::string matching;
  const auto glob = g.p->asset(*g.p->find("deep")).inputs[0].path;
  for (const auto& path : g.graph->outputs_taken(*g.p, *g.p->find("deep"), glob))
    matching += path + " ";
  CHECK(matching == "out/sub/x.n out/x.n ");
}

TEST_CASE("a glob that looks into a folder output depends on its maker") {
  pipeline_builder b;
  b.asset("in").inputs({"data/*.txt"});
  b.asset("below").inputs({"data/x/**/*.txt"});
  b.asset("beside").inputs({"*.txt"});
  b.asset("own").inputs({"mine/*.txt"}).outputs({"mine"});
  b.asset("maker").outputs({"data"});
  const built g(b);
  REQUIRE(g.graph);
  CHECK(g.upstream("in") == "maker");
  CHECK(g.upstream("below") == "maker");
  CHECK(g.upstream("beside") == "");
  CHECK(g.upstream("own") == "");
  CHECK(g.why("below", "maker") == "its input data/x/**/*.txt looks into data, an output of maker");
}

TEST_CASE("a bare name means every asset of a matrix") {
  pipeline_builder b;
  b.asset("n").matrix("s", {"x", "y"});
  b.asset("one").deps({"n[y]"});
  b.asset("all").deps({"n"});
  const built g(b);
  REQUIRE(g.graph);
  CHECK(g.upstream("one") == "n[y]");
  CHECK(g.upstream("all") == "n[x] n[y]");
}

TEST_CASE("of the assets that are ready, the first declared comes first") {
  pipeline_builder b;
  b.asset("e").deps({"c"});
  b.asset("a");
  b.asset("d").deps({"b"});
  b.asset("b").deps({"a"});
  b.asset("c");
  const built g(b);
  CHECK(g.order() == "a b d c e");
}

TEST_CASE("reasons of all edges of an asset come in the order of its upstream") {
  pipeline_builder b;
  b.asset("a").outputs({"a.txt"});
  b.asset("b").outputs({"b"});
  b.asset("c").outputs({"in/c"});
  b.asset("d").outputs({"d.x"});
  b.asset("e").outputs({"e.txt"});
  b.asset("z").inputs({"b/1", "a.txt", "e.txt", "in", "*.x"}).deps({"a"});
  const built g(b);
  REQUIRE(g.graph);
  const auto reasons = explain_upstream(*g.p, *g.graph, *g.p->find("z"));
  REQUIRE(reasons.size() == 5);
  const edge_kind expected[] = {edge_kind::name, edge_kind::beneath, edge_kind::contains, edge_kind::glob,
                                edge_kind::file};
  for (std::size_t k = 0; k < reasons.size(); ++k)
    CHECK(reasons[k].kind == expected[k]);
  CHECK(g.p->path(reasons[1].input) == "b/1");
  CHECK(g.p->path(reasons[3].output) == "d.x");
}

TEST_CASE("two assets with one output are refused, at the second") {
  pipeline_builder b;
  b.asset("a").outputs({"x", "out"});
  b.asset("b").outputs({"y", "out"});
  CHECK(only(built(b)) ==
        "duplicate_output 23:11 out is an output of b and of a: a file has one maker (a is declared at line 10)");
}

TEST_CASE("an output that is listed twice is refused") {
  pipeline_builder b;
  b.asset("a").outputs({"out", "out"});
  CHECK(only(built(b)) == "duplicate_output 13:11 out stands twice among the outputs of a");
}

TEST_CASE("a matrix whose output forgets the variable is told once, with the way out") {
  pipeline_builder b;
  b.asset("n").matrix("s", {"x", "y", "z"}).outputs({"out.n"});
  CHECK(only(built(b)) == "duplicate_output 13:10 out.n is an output of n[y] and of n[x]: a file has one maker; name "
                          "the matrix variables in the output, as in out/{{ matrix.s }}");
}

TEST_CASE("an output that lies in another is refused") {
  pipeline_builder b;
  b.asset("a").outputs({"out/x/y"});
  b.asset("b").outputs({"out"});
  CHECK(only(built(b)) == "output_prefix 13:10 out/x/y, an output of a, lies in out, an output of b: one output cannot "
                          "be part of another");
  pipeline_builder same;
  same.asset("a").outputs({"out", "out/x"});
  CHECK(only(built(same)) == "output_prefix 13:11 out/x, an output of a, lies in out, an output of the same asset: one "
                             "output cannot be part of another");
}

TEST_CASE("an asset that names itself is refused") {
  pipeline_builder b;
  b.asset("a").deps({"a"});
  CHECK(only(built(b)) == "self_dependency 10:5 a names itself in its deps");
}

TEST_CASE("an asset that reads what it writes is refused") {
  const std::string why =
      ": every run would change what it reads, so it would never be fresh; leave it out of the inputs";
  pipeline_builder file;
  file.asset("a").inputs({"x", "f"}).outputs({"f"});
  CHECK(only(built(file)) == "self_dependency 12:11 f is both an input and an output of a" + why);
  pipeline_builder beneath;
  beneath.asset("a").inputs({"out/f"}).outputs({"out"});
  CHECK(only(built(beneath)) == "self_dependency 12:10 out/f, an input of a, lies in its output out" + why);
  pipeline_builder contains;
  contains.asset("a").inputs({"data"}).outputs({"data/f", "data/g"});
  CHECK(only(built(contains)) == "self_dependency 12:10 data, an input of a, contains an output of it" + why);
}

TEST_CASE("a cycle is told whole, in order from its first declared asset, with what makes each edge") {
  pipeline_builder b;
  b.asset("before");
  b.asset("c").deps({"a", "before"}).outputs({"c.txt"});
  b.asset("after").deps({"c"});
  b.asset("b").inputs({"c.txt"}).outputs({"out/b"});
  b.asset("a").inputs({"out/*"});
  CHECK(only(built(b)) == "cycle 20:5 these assets need each other: c -> a -> b -> c; c needs a: named in its deps; a "
                          "needs b: its input out/* matches out/b, an output of b; b needs c: its input c.txt is an "
                          "output of c; if a does not read out/b, write \"!out/b\" in its inputs");
}

TEST_CASE("of a knot of cycles a shortest is told, and every knot is told") {
  pipeline_builder b;
  b.asset("a").deps({"b", "d"});
  b.asset("b").deps({"c"});
  b.asset("c").deps({"a"});
  b.asset("d").deps({"a"});
  b.asset("x").deps({"y"});
  b.asset("y").deps({"x", "a"});
  const built g(b);
  REQUIRE(g.found.items.size() == 2);
  CHECK(g.found.items[0].message.starts_with("these assets need each other: a -> d -> a; "));
  CHECK(g.found.items[1].message.starts_with("these assets need each other: x -> y -> x; "));
  CHECK(g.found.items[1].where.line == 50);
}

TEST_CASE("a long cycle is told whole, the reasons of its first edges only") {
  pipeline_builder b;
  for (int i = 0; i < 100; ++i)
    b.asset("n" + std::to_string(i)).deps({"n" + std::to_string((i + 1) % 100)});
  const auto told = only(built(b));
  CHECK(told.find(" n98 -> n99 -> n0;") != std::string::npos);
  CHECK(told.find("n29 needs n30: named in its deps; and so on") != std::string::npos);
}

TEST_CASE("all mistakes are told at once") {
  pipeline_builder b;
  b.asset("a").outputs({"x"}).deps({"a"});
  b.asset("b").outputs({"x", "x/y"});
  b.asset("c").deps({"d"});
  b.asset("d").deps({"c"});
  const built g(b);
  std::string codes;
  for (const auto& d : g.found.items)
    codes += d.code + " ";
  CHECK(codes == "duplicate_output output_prefix self_dependency cycle ");
}

TEST_CASE("mistakes found before do not matter to the graph") {
  pipeline_builder b;
  b.asset("a");
  const auto p = b.build();
  diagnostics found;
  found.error({1, 1}, "unknown_key", "before");
  CHECK(asset_graph::build(*p, found));
  CHECK(found.items.size() == 1);
}

TEST_CASE("a chain of 100,000 assets, declared in either order, needs no stack") {
  for (const bool reversed : {false, true}) {
    constexpr int count = 100'000;
    pipeline_builder b;
    for (int i = 0; i < count; ++i) {
      const int n = reversed ? count - 1 - i : i;
      auto& a = b.asset("n" + std::to_string(n)).outputs({"out/" + std::to_string(n)});
      if (n > 0)
        a.inputs({"out/" + std::to_string(n - 1)});
    }
    const built g(b);
    REQUIRE(g.graph);
    CHECK(g.p->asset(g.graph->topological_order().front()).name == "n0");
    CHECK(g.p->asset(g.graph->topological_order().back()).name == "n" + std::to_string(count - 1));
  }
}

TEST_CASE("a cycle of 100,000 assets is found without recursion") {
  constexpr int count = 100'000;
  pipeline_builder b;
  for (int i = 0; i < count; ++i)
    b.asset("n" + std::to_string(i)).deps({"n" + std::to_string((i + 1) % count)});
  const built g(b);
  REQUIRE(g.found.items.size() == 1);
  CHECK(g.found.items.front().message.find(" n99999 -> n0;") != std::string::npos);
}

TEST_CASE("a glob that can reach into another asset's folder depends on its maker") {
  pipeline_builder b;
  b.asset("summary").inputs({"out/*/metrics.txt"});
  b.asset("deep").inputs({"out/**/metrics.txt"});
  b.asset("flat").inputs({"out/*.txt"});
  b.asset("middle").inputs({"*/b/x"});
  b.asset("hidden").inputs({"out/*/x"});
  b.asset("exp").matrix("x", {"a", "b"}).outputs({"out/{{ matrix.x }}"});
  b.asset("dot").outputs({"out/.cache"});
  const built g(b);
  REQUIRE(g.graph);
  CHECK(g.upstream("summary") == "exp[a] exp[b]");
  CHECK(g.upstream("deep") == "exp[a] exp[b]");
  CHECK(g.upstream("flat") == "");
  CHECK(g.upstream("middle") == "exp[b]");
  CHECK(g.upstream("hidden") == "exp[a] exp[b]");
  CHECK(g.why("summary", "exp[a]") == "its input out/*/metrics.txt looks into out/a, an output of exp[a]");
  CHECK(g.found.items.empty());
}

TEST_CASE("an output is a folder or a file as it is on disk, or else as its name says") {
  const auto upstream_of = [](const std::string& pattern, const std::string& output, file_kind kind) {
    pipeline_builder b;
    b.asset("r").inputs({pattern});
    b.asset("m").outputs({output});
    const auto p = b.build();
    diagnostics found;
    disk_facts facts;
    facts.kind_of = [&](std::string_view) { return kind; };
    const auto graph = asset_graph::build(*p, found, std::move(facts));
    const bool told = graph->glob_if_folder(p->assets[1].outputs[0]).has_value();
    CHECK(graph->upstream(asset_index(0U)).empty() == told); // what is taken for a file can be told later
    return !told;
  };
  CHECK(upstream_of("out/**/x", "out/a.txt", file_kind::folder));
  CHECK_FALSE(upstream_of("out/**/x", "out/a", file_kind::file));
  CHECK(upstream_of("out/**/x", "out/a", file_kind::absent));
  CHECK(upstream_of("out/**/x", "out/v1.2", file_kind::absent));
  CHECK_FALSE(upstream_of("**/*.py", "model.bin", file_kind::absent));
  CHECK(upstream_of("out/*/part-*", "out/t.parquet", file_kind::absent)); // it asks for folders just there
  CHECK_FALSE(upstream_of("out/*/part-*", "out/t.parquet", file_kind::file));
}

TEST_CASE("a folder whose maker needs the reader is left out of its globs, with a warning") {
  pipeline_builder b;
  b.asset("index").inputs({"out/**/*.md"}).outputs({"index.txt"});
  b.asset("report").inputs({"index.txt"}).outputs({"out/report"});
  b.asset("page").outputs({"out/page"});
  const built g(b);
  REQUIRE(g.graph);
  CHECK(g.upstream("index") == "page");
  const auto out = g.graph->left_out(*g.p->find("index"));
  REQUIRE(out.size() == 1);
  CHECK(g.graph->same().text(*g.p, out[0]) == "out/report");
  REQUIRE(g.found.items.size() == 1);
  CHECK(g.found.items[0].level == severity::warning);
  CHECK(g.found.items[0].code == "folder_left_out");
  CHECK(g.found.items[0].where.line == 12);
  CHECK(g.found.items[0].message.find("write \"!out/report\"") != std::string::npos);
}

TEST_CASE("globs that reach into each other's folders are a cycle whose message names the patterns to write") {
  pipeline_builder b;
  b.asset("a").inputs({"out/*/x"}).outputs({"out/a"});
  b.asset("b").inputs({"out/*/y"}).outputs({"out/b"});
  const auto told = only(built(b));
  CHECK(told.starts_with("cycle "));
  CHECK(told.find("if a does not read out/b, write \"!out/b\" in its inputs") != std::string::npos);
  CHECK(told.find("if b does not read out/a, write \"!out/a\" in its inputs") != std::string::npos);
  pipeline_builder mended;
  mended.asset("a").inputs({"out/*/x", "!out/b"}).outputs({"out/a"});
  mended.asset("b").inputs({"out/*/y"}).outputs({"out/b"});
  const built g(mended);
  REQUIRE(g.graph);
  CHECK(g.upstream("b") == "a");
  CHECK(g.upstream("a") == "");
  CHECK(g.found.items.empty());
}

TEST_CASE("a glob that asks for folders depends on all that is made in them, and on the folders made") {
  pipeline_builder b;
  b.asset("r").inputs({"pkgs/*/"}).outputs({"pkgs/list.txt"}); // its own, and a file
  b.asset("filtered").inputs({"pkgs/*/", "!pkgs/one"});
  b.asset("files").inputs({"pkgs/*"});
  b.asset("in_one").outputs({"pkgs/one/deep/f.txt"});
  b.asset("in_hidden").outputs({"pkgs/.two/f.txt"});
  b.asset("folder").outputs({"pkgs/three"});
  b.asset("file")
      .inputs({"pkgs/list.txt"})
      .outputs({"pkgs/sum.txt"}); // needs r: were it a folder, that would be a cycle
  b.asset("beside").outputs({"other/one/f.txt"});
  const built g(b);
  REQUIRE(g.graph);
  CHECK(g.upstream("r") == "in_one folder");
  CHECK(g.upstream("filtered") == "folder");
  CHECK(g.upstream("files") == "r folder file");
  CHECK(g.why("r", "in_one") == "its input pkgs/*/ contains pkgs/one/deep/f.txt, an output of in_one");
  CHECK(g.why("r", "folder") == "its input pkgs/*/ looks into pkgs/three, an output of folder");
  CHECK(g.found.items.empty());
}

TEST_CASE("outputs that are most likely files close no cycle") {
  pipeline_builder b;
  b.asset("a").inputs({"logs/*/x"}).outputs({"logs/a.txt"});
  b.asset("b").inputs({"logs/*/y"}).outputs({"logs/b.txt"});
  const built g(b);
  REQUIRE(g.graph);
  CHECK(g.found.items.empty());
  CHECK(g.graph->left_out(*g.p->find("a")).size() == 1);
}

TEST_CASE("what an exclusion takes out makes no dependency, wherever in the list it stands") {
  pipeline_builder b;
  b.asset("glob").inputs({"!out/b.n", "out/*.n"});
  b.asset("reach").inputs({"res/*/x", "!res/q/**"});
  b.asset("folder").inputs({"out", "!out/c.n"});
  b.asset("n").matrix("s", {"a", "b", "c"}).outputs({"out/{{ matrix.s }}.n"});
  b.asset("r").matrix("s", {"p", "q"}).outputs({"res/{{ matrix.s }}"});
  const built g(b);
  REQUIRE(g.graph);
  CHECK(g.upstream("glob") == "n[a] n[c]");
  CHECK(g.upstream("reach") == "r[p]");
  CHECK(g.upstream("folder") == "n[a] n[b]");
  const auto glob = g.p->asset(*g.p->find("glob")).inputs[0].path;
  CHECK(g.graph->outputs_taken(*g.p, *g.p->find("glob"), glob) == std::vector<std::string>{"out/a.n", "out/c.n"});
}

TEST_CASE("a literal input that an exclusion takes out is refused") {
  pipeline_builder b;
  b.asset("a").inputs({"x/y", "!x"});
  CHECK(only(built(b)) ==
        "excluded_input 12:10 x/y, an input of a, is taken out by \"!x\" of the same list: leave one of the two out");
}

namespace {

/// With what the disk is said to be: (spelling, identity) of files and patterns, and links.
struct linked {
  std::unique_ptr<pipeline> p;
  diagnostics found;
  std::optional<asset_graph> graph;

  using pairs = std::vector<std::pair<std::string, std::string>>;
  linked(const pipeline_builder& b, const pairs& files, const pairs& globs = {}, const pairs& links = {})
      : p(b.build()) {
    path_facts facts;
    facts.root = "/w/p";
    const auto fill = [&](const pairs& from, path_facts::texts& to) {
      for (const auto& [path, identity] : from)
        to.emplace_back(path_index(*p->paths.find(path)), identity);
      std::stable_sort(to.begin(), to.end(), [](const auto& a, const auto& c) { return a.first < c.first; });
    };
    fill(files, facts.files);
    fill(globs, facts.globs);
    fill(links, facts.links);
    graph = asset_graph::build(*p, found, {path_identities(*p, std::move(facts)), {}});
  }
  [[nodiscard]] std::string upstream(std::string_view name) const {
    std::string all;
    for (const auto i : graph->upstream(*p->find(name)))
      all += (all.empty() ? "" : " ") + std::string(p->asset(i).name);
    return all;
  }
};

} // namespace

TEST_CASE("one file is one file, however it is spelt") {
  pipeline_builder b;
  b.asset("a").outputs({"out"});
  b.asset("b").inputs({"/w/p/out"});
  b.asset("c").inputs({"../p/out/deep"});
  b.asset("d").inputs({"lnk/out"});
  b.asset("e").inputs({"lnk/*"});
  b.asset("f").inputs({"cur"});
  b.asset("g").inputs({".."});
  const linked g(b, {{"/w/p/out", "out"}, {"../p/out/deep", "out/deep"}, {"lnk/out", "out"}, {"..", "/w"}},
                 {{"lnk/*", "*"}}, {{"cur", "out/v1"}});
  REQUIRE(g.graph);
  for (const auto* name : {"b", "c", "d", "e", "f", "g"}) {
    CAPTURE(name);
    CHECK(g.upstream(name) == "a");
    CHECK(explain_edge(*g.p, *g.graph, *g.p->find(name), *g.p->find("a")).has_value());
  }
  const auto glob = g.p->asset(*g.p->find("e")).inputs[0].path;
  CHECK(g.graph->outputs_taken(*g.p, *g.p->find("e"), glob) ==
        std::vector<std::string>{"lnk/out"}); // as the glob has it
  const auto why = explain_edge(*g.p, *g.graph, *g.p->find("b"), *g.p->find("a"));
  CHECK(in_words(*g.p, *why, *g.p->find("a")) == "its input /w/p/out is out, an output of a");
  CHECK(g.graph->producer(path_index(*g.p->paths.find("lnk/out"))) == g.p->find("a"));
}

TEST_CASE("mistakes are found through other spellings") {
  pipeline_builder twice;
  twice.asset("a").outputs({"same"});
  twice.asset("b").outputs({"../p/same"});
  const linked duplicate(twice, {{"../p/same", "same"}});
  REQUIRE(duplicate.found.items.size() == 1);
  CHECK(duplicate.found.items[0].code == "duplicate_output");
  pipeline_builder beneath;
  beneath.asset("a").outputs({"out"});
  beneath.asset("b").outputs({"lnk/x"});
  const linked prefix(beneath, {{"lnk/x", "out/x"}});
  REQUIRE(prefix.found.items.size() == 1);
  CHECK(prefix.found.items[0].code == "output_prefix");
  pipeline_builder own;
  own.asset("a").inputs({"/w/p/out"}).outputs({"out"});
  const linked self(own, {{"/w/p/out", "out"}});
  REQUIRE(self.found.items.size() == 1);
  CHECK(self.found.items[0].code == "self_dependency");
  pipeline_builder through;
  through.asset("a").inputs({"cur"}).outputs({"out"});
  CHECK(linked(through, {}, {}, {{"cur", "out"}}).found.items.size() == 1);
}

TEST_CASE("recorded edges order assets, unless they close a cycle") {
  pipeline_builder b;
  b.asset("reader").outputs({"r"});
  b.asset("maker").outputs({"m"});
  b.asset("end").inputs({"r"});
  const built g(b);
  REQUIRE(g.graph);
  const auto reader = *g.p->find("reader"), maker = *g.p->find("maker"), end = *g.p->find("end");
  std::vector<recorded_edge> dropped;
  const auto more = g.graph->with_edges({{reader, maker, "m"}, {reader, maker, "./m"}}, dropped);
  CHECK(dropped.empty());
  CHECK(g.names(more.upstream(reader)) == "maker");
  CHECK(g.names(more.topological_order()) == "maker reader end");
  CHECK(g.order() == "reader maker end"); // the first graph is as it was
  const auto why = explain_edge(*g.p, more, reader, maker);
  REQUIRE(why.has_value());
  CHECK(why->kind == edge_kind::recorded);
  CHECK(in_words(*g.p, *why, maker) == "its last attempt reported ./m as an input, which maker makes");
  const auto cyclic = g.graph->with_edges({{reader, end, "x"}, {end, maker, "m"}}, dropped);
  CHECK(dropped == std::vector<recorded_edge>{{reader, end, "x"}});
  CHECK(g.names(cyclic.upstream(end)) == "reader maker");
  CHECK(g.names(cyclic.upstream(reader)) == "");
  const auto none = g.graph->with_edges({}, dropped);
  CHECK(g.names(none.topological_order()) == g.order());
}
