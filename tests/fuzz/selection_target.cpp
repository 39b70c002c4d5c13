// The selection language over one pipeline whose names are as odd as names may be.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "core/pipeline/selection.hpp"
#include "support/pipeline_builder.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace troupe_internal::fuzz {
namespace {

struct selection_fixture {
  std::unique_ptr<pipeline> p;
  asset_graph graph;
};

const selection_fixture& on() {
  static const selection_fixture made = [] {
    test::pipeline_builder b;
    b.asset("raw_a").source().outputs({"raw/a"}).tags({"raw", "x"});
    b.asset("raw_b").source().outputs({"raw/b"}).tags({"raw"}).group("ingest");
    b.asset("by_section").matrix("s", {"admin", "games", "2+x", "a+b", "tag:x", "*", "?", "\\"}).deps({"raw_a"});
    b.asset("x").matrix("m", {"a", "b"}).matrix("n", {"1", "2"}).deps({"raw_b"}).group("ingest");
    b.asset("one").deps({"by_section[admin]", "x[a,1]"});
    b.asset("two").deps({"one"}).tags({"late"});
    b.asset("two.more").deps({"two", "x"}).group("group");
    b.asset("_three-3").deps({"two"});
    auto p = b.build();
    diagnostics list;
    auto graph = asset_graph::build(*p, list);
    FUZZ_CHECK(graph.has_value(), "the selection_fixture has a graph");
    return selection_fixture{std::move(p), std::move(*graph)};
  }();
  return made;
}

using chosen = std::vector<asset_index>;

bool includes(const chosen& all, const chosen& some) {
  return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

void check_one(const std::string& argument, const result<chosen>& found) {
  const auto& [p, graph] = on();
  if (!found) {
    FUZZ_CHECK(found.error().code == error_code::invalid_input && !found.error().message.empty(), argument);
    FUZZ_CHECK(!p->find(argument), argument);
    return;
  }
  FUZZ_CHECK(!found->empty() && found->back().value < p->assets.size(), argument);
  FUZZ_CHECK(std::adjacent_find(found->begin(), found->end(), std::greater_equal<>()) == found->end(), argument);
  if (const auto exact = p->find(argument))
    FUZZ_CHECK(*found == chosen{*exact}, argument);

  // All it needs, and no more, comes on top.
  const auto needed = with_upstream(graph, *found);
  FUZZ_CHECK(includes(needed, *found), argument);
  for (const auto i : needed) {
    for (const auto above : graph.upstream(i))
      FUZZ_CHECK(std::binary_search(needed.begin(), needed.end(), above), argument);
    const bool wanted = std::binary_search(found->begin(), found->end(), i) ||
                        std::any_of(graph.downstream(i).begin(), graph.downstream(i).end(),
                                    [&](asset_index d) { return std::binary_search(needed.begin(), needed.end(), d); });
    FUZZ_CHECK(wanted, argument);
  }

  // A single term grows by what it is made from, or by what is made from it.
  if (argument.find_first_of(",+\\[") != std::string::npos)
    return;
  FUZZ_CHECK(select_assets(*p, graph, {"+" + argument}).value() == needed, argument);
  FUZZ_CHECK(select_assets(*p, graph, {"0+" + argument}).value() == *found, argument);
  FUZZ_CHECK(includes(needed, select_assets(*p, graph, {"1+" + argument}).value()), argument);
  FUZZ_CHECK(includes(select_assets(*p, graph, {argument + "+"}).value(), *found), argument);
  FUZZ_CHECK(select_assets(*p, graph, {argument + "," + argument}).value() == *found, argument);
}

} // namespace

void fuzz_selection(std::string_view bytes) {
  const auto& [p, graph] = on();
  std::vector<std::string> arguments;
  for (input in(bytes); !in.done() && arguments.size() < 8;)
    arguments.emplace_back(in.text());
  const auto all = select_assets(*p, graph, arguments);
  if (arguments.empty()) {
    FUZZ_CHECK(all.value().size() == p->assets.size(), "no argument selects everything");
    return;
  }
  chosen united;
  bool good = true;
  for (const auto& argument : arguments) {
    const auto found = select_assets(*p, graph, {argument});
    check_one(argument, found);
    good = good && found.has_value();
    if (!good)
      continue;
    chosen more;
    std::set_union(united.begin(), united.end(), found->begin(), found->end(), std::back_inserter(more));
    united = std::move(more);
  }
  FUZZ_CHECK(all.has_value() == good, arguments.front());
  FUZZ_CHECK(!good || *all == united, arguments.front());
}

} // namespace troupe_internal::fuzz
