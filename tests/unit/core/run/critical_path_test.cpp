// Longest remaining paths, by example and against all paths.
#include "core/run/critical_path.hpp"
#include "support/pipeline_builder.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>

using namespace troupe_internal;
using troupe_internal::test::pipeline_builder;
using namespace std::chrono_literals;

namespace {

asset_graph graph_of(const pipeline& p) {
  diagnostics found;
  auto graph = asset_graph::build(p, found);
  REQUIRE(graph);
  return std::move(*graph);
}

} // namespace

TEST_CASE("the longest remaining path counts the asset itself and the slowest chain behind it") {
  pipeline_builder b;
  b.asset("a");
  b.asset("fast").deps({"a"});
  b.asset("slow").deps({"a"});
  b.asset("end").deps({"fast", "slow"});
  b.asset("alone");
  const auto p = b.build();
  const auto graph = graph_of(*p);
  CHECK(longest_remaining_path(graph, {1s, 2s, 10s, 5s, 3s}) == std::vector<duration>{16s, 7s, 15s, 5s, 3s});
  CHECK(longest_remaining_path(graph, {0s, 0s, 0s, 0s, 0s}) == std::vector<duration>(5, 0s));
}

TEST_CASE("negative durations count as nothing and sums do not overflow") {
  pipeline_builder b;
  b.asset("a");
  b.asset("b").deps({"a"});
  const auto p = b.build();
  const auto graph = graph_of(*p);
  CHECK(longest_remaining_path(graph, {-5s, 2s}) == std::vector<duration>{2s, 2s});
  CHECK(longest_remaining_path(graph, {duration::max(), 2s}) == std::vector<duration>{duration::max(), 2s});
}

TEST_CASE("property: the longest remaining path is the longest of all paths") {
  CHECK(rc::check([] {
    pipeline_builder b;
    const auto count = *rc::gen::inRange(1, 10);
    for (int i = 0; i < count; ++i) {
      auto& a = b.asset("n" + std::to_string(i));
      for (int d = 0; d < i; ++d)
        if (*rc::gen::inRange(0, 3) == 0)
          a.deps({"n" + std::to_string(d)});
    }
    const auto p = b.build();
    const auto graph = graph_of(*p);
    std::vector<duration> durations;
    for (int i = 0; i < count; ++i)
      durations.emplace_back(*rc::gen::inRange(0, 100));
    const std::function<duration(asset_index)> naive = [&](asset_index i) {
      duration longest{};
      for (const auto d : graph.downstream(i))
        longest = std::max(longest, naive(d));
      return longest + durations[i.value];
    };
    const auto actual = longest_remaining_path(graph, durations);
    for (std::uint32_t i = 0; i < actual.size(); ++i)
      RC_ASSERT(actual[i] == naive(asset_index(i)));
  }));
}
