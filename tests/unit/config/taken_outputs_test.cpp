// Inputs that are outputs of others, inputs that may be absent, and names of inputs and outputs.
#include "config/load_pipeline.hpp"
#include "core/command/command.hpp"
#include "core/freshness/declared_text.hpp"
#include "core/pipeline/asset_graph.hpp"
#include "finding_lines.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace troupe_internal;
using namespace troupe_internal::config;

namespace {

using word_list = std::vector<std::string>;

std::shared_ptr<const pipeline> taken(const std::string& assets) {
  auto loaded = parse_pipeline(R"({"name":"p","assets":{)" + assets + "}}", {.folder = "/folder"});
  CHECK(test::lines(loaded.findings) == "");
  REQUIRE(loaded.p);
  return loaded.p;
}

word_list inputs_of(const pipeline& p, std::string_view asset) {
  word_list list;
  for (const auto& input : p.asset(p.find(asset).value()).inputs)
    list.push_back((input.optional ? "optional " : "") + std::string(p.path(input.path)));
  return list;
}

/// With the inputs as they are declared; `starts` as an examination would give them.
word_list command_of(const pipeline& p, std::string_view asset, const word_list& given = {},
                     const std::vector<std::uint32_t>& starts = {}) {
  const auto index = p.find(asset).value();
  std::vector<std::string_view> inputs(given.begin(), given.end());
  if (given.empty())
    for (const auto& input : p.asset(index).inputs)
      inputs.push_back(p.path(input.path));
  const auto made = render_command({p, index, "run", inputs, starts});
  REQUIRE_MESSAGE(made.has_value(), made.error().message);
  return made->argv;
}

} // namespace

TEST_CASE("outputs of others are inputs: exactly these, by asset and then as declared") {
  const auto p = taken(
      R"("all":{"command":["x","{{ inputs }}"],"inputs":["first",{"outputs_of":["obj","one"]}],"outputs":["all.a"]},
    "obj":{"matrix":{"n":["b","a"]},"command":"x","outputs":["{{ matrix.n }}.o","{{ matrix.n }}.d"]},
    "one":{"outputs":["z","y"]})");
  CHECK(inputs_of(*p, "all") == word_list{"first", "b.o", "b.d", "a.o", "a.d", "z", "y"});
  diagnostics found;
  const auto graph = asset_graph::build(*p, found);
  REQUIRE(graph);
  CHECK(graph->upstream(p->find("all").value()).size() == 3);
  CHECK(command_of(*p, "all") == word_list{"x", "first", "b.o", "b.d", "a.o", "a.d", "z", "y"});
  const auto text = declared_text(*p, p->find("all").value(), assets_of_declarations(*p));
  CHECK(text.inputs == word_list{"first", R"({"outputs_of": ["obj", "one"]})"});
}

TEST_CASE("the output of one name, of one combination") {
  const auto p = taken(
      R"("map":{"matrix":{"s":["A","B"]},"command":"x","outputs":{"bam":"{{ matrix.s }}.bam","log":"{{ matrix.s }}.log"}},
    "call":{"command":["c","{{ inputs.bams }}","{{ inputs.ref }}","{{ inputs.ref.stem }}","{{ outputs.vcf }}","{{ outputs.vcf.dir }}"],"inputs":{"ref":"ref.fa","bams":{"outputs_of":"map","named":"bam"}},"outputs":{"vcf":"o/x.vcf"}},
    "pair":{"matrix":{"p":[{"id":"p1","t":"B"}]},"command":["p","{{ inputs.t[0] }}","{{ inputs.t[1:] }}"],"inputs":{"t":{"outputs_of":"map[{{ matrix.p.t }}]"}}})");
  CHECK(command_of(*p, "call") == word_list{"c", "A.bam", "B.bam", "ref.fa", "ref", "o/x.vcf", "o"});
  CHECK(command_of(*p, "pair[p1]") == word_list{"p", "B.bam", "B.log"});
}

TEST_CASE("a matrix without values has no outputs to take") {
  parse_options options{.folder = "/folder"};
  options.values.glob = [](const std::string&, const std::vector<std::string>&) -> result<std::vector<std::string>> {
    return std::vector<std::string>();
  };
  const auto loaded = parse_pipeline(
      R"({"name":"p","assets":{"o":{"matrix":{"f":{"glob":"*.c"}},"command":"x","outputs":["{{ matrix.f.stem }}.o"]},"l":{"command":["ar","{{ inputs }}"],"inputs":[{"outputs_of":"o"}]}}})",
      options);
  REQUIRE(loaded.p);
  CHECK(command_of(*loaded.p, "l") == word_list{"ar"});
}

TEST_CASE("an input may have several names, and one that may be absent is needed where another says so") {
  const auto p = taken(
      R"("a":{"command":["x","{{ inputs.one }}","{{ inputs.two }}","{{ inputs.three | join ',' }}"],"inputs":{"one":"f","two":["f","g"],"three":[{"optional":"f"},{"optional":"h"}]}})");
  CHECK(inputs_of(*p, "a") == word_list{"f", "g", "optional h"});
  CHECK(command_of(*p, "a", {"f", "g"}, {0, 1, 2, 2}) == word_list{"x", "f", "f", "g", "f"});
  CHECK(command_of(*p, "a", {"f", "g", "h"}, {0, 1, 2, 3}) == word_list{"x", "f", "f", "g", "f,h"});
}

TEST_CASE("a named glob stands for its matches") {
  const auto p =
      taken(R"("a":{"command":"cat {{ inputs.some }} {{ inputs.last }}","inputs":{"some":["*.x","!b.x"],"last":"z"}})");
  CHECK(command_of(*p, "a", {"a.x", "c.x", "z"}, {0, 2, 3}) == word_list{"cat", "a.x", "c.x", "z"});
}
