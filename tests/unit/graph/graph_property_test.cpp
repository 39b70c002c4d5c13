// Random pipelines: the graph against naive oracles that know nothing of how it is built.
#include "core/asset_graph.hpp"
#include "core/edge_reason.hpp"
#include "core/glob.hpp"
#include "support/pipeline_builder.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

using namespace troupe;
using troupe::test::pipeline_builder;

namespace {

/// Whether every component of `folder` begins `path`, which has more.
bool inside(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.compare(0, folder.size() + 1, folder + "/") == 0;
}

bool needs(const input_ref& input, const std::string& in, const std::string& out) {
  if (!input.glob)
    return in == out || inside(in, out) || inside(out, in);
  return glob_matches(in, out) ||
         (in.find('/') != std::string::npos && inside(in, out) && !is_glob(in.substr(0, out.size())));
}

struct oracle {
  std::vector<std::set<std::uint32_t>> upstream;
  bool bad_outputs = false, reads_own = false;

  explicit oracle(const pipeline& p) : upstream(p.assets.size()) {
    const auto text = [&](path_index i) { return std::string(p.path(i)); };
    for (std::uint32_t i = 0; i < p.assets.size(); ++i) {
      for (const auto dep : p.assets[i].deps)
        dep.value == i ? void(reads_own = true) : void(upstream[i].insert(dep.value));
      for (std::uint32_t k = 0; k < p.assets.size(); ++k) {
        for (const auto output : p.assets[k].outputs) {
          for (const auto mine : p.assets[i].outputs)
            bad_outputs = bad_outputs || (i != k && mine == output) || inside(text(mine), text(output));
          for (const auto input : p.assets[i].inputs)
            if (needs(input, text(input.path), text(output))) {
              if (i != k)
                upstream[i].insert(k);
              else if (!input.glob)
                reads_own = true;
            }
        }
      }
    }
  }

  [[nodiscard]] bool cyclic() const {
    std::set<std::uint32_t> done;
    for (bool more = true; more;) {
      more = false;
      for (std::uint32_t i = 0; i < upstream.size(); ++i)
        if (!done.contains(i) && std::includes(done.begin(), done.end(), upstream[i].begin(), upstream[i].end()))
          more = done.insert(i).second;
    }
    return done.size() != upstream.size();
  }
};

std::unique_ptr<pipeline> random_pipeline(bool forwards_only) {
  const auto path = rc::gen::elementOf(std::vector<std::string>{"a", "b", "a/a", "a/b", "b/a", "a/a/a", "a/a/b", "a.x",
                                                                "b/c.x", "a/c.x", "c", "d", "e", "f", "g/h", "g/i"});
  const auto input = rc::gen::weightedOneOf<std::string>(
      {{4, path}, {1, rc::gen::elementOf(std::vector<std::string>{"*", "a/*", "*.x", "**/*.x", "g/*", "b/**", "?"})}});
  pipeline_builder b;
  const auto count = *rc::gen::inRange(1, 12);
  std::set<std::string> taken; // mostly, one maker a path
  for (int i = 0; i < count; ++i) {
    auto& a = b.asset("n" + std::to_string(i));
    for (const auto& output : *rc::gen::resize(2, rc::gen::container<std::set<std::string>>(path)))
      if (taken.insert(output).second || *rc::gen::inRange(0, 20) == 0)
        a.outputs({output});
    a.inputs(*rc::gen::resize(2, rc::gen::container<std::vector<std::string>>(input)));
    const auto deps =
        *rc::gen::resize(2, rc::gen::container<std::set<int>>(rc::gen::inRange(0, forwards_only ? i + 1 : count)));
    for (const int dep : deps)
      if (dep != i || *rc::gen::inRange(0, 20) == 0)
        a.deps({"n" + std::to_string(dep)});
  }
  return b.build();
}

/// The cycle's names out of "…: a -> b -> a; …".
std::vector<std::uint32_t> told_cycle(const pipeline& p, const std::string& message) {
  std::vector<std::uint32_t> cycle;
  auto at = message.find(": ") + 2;
  const auto end = message.find(';');
  while (at < end) {
    const auto stop = std::min(message.find(" -> ", at), end);
    cycle.push_back(p.find(message.substr(at, stop - at))->value);
    at = stop + 4;
  }
  return cycle;
}

} // namespace

TEST_CASE("property: edges, order and mistakes are those of a naive reading") {
  CHECK(rc::check([] {
    const auto p = random_pipeline(*rc::gen::arbitrary<bool>());
    const oracle expected(*p);
    diagnostics found;
    const auto graph = asset_graph::build(*p, found);
    const auto told = [&](std::string_view code) {
      return std::any_of(found.items.begin(), found.items.end(), [&](const auto& d) { return d.code == code; });
    };
    RC_ASSERT((told("duplicate_output") || told("output_prefix")) == expected.bad_outputs);
    RC_ASSERT(graph.has_value() == found.items.empty());
    if (expected.bad_outputs)
      return;
    RC_ASSERT(told("self_dependency") == expected.reads_own);
    RC_ASSERT(told("cycle") == expected.cyclic());
    RC_CLASSIFY(graph.has_value(), "valid");
    for (const auto& d : found.items) {
      if (d.code != "cycle")
        continue;
      const auto cycle = told_cycle(*p, d.message);
      RC_ASSERT(cycle.size() > 2U);
      RC_ASSERT(cycle.front() == cycle.back());
      RC_ASSERT(*std::min_element(cycle.begin(), cycle.end()) == cycle.front());
      for (std::size_t k = 0; k + 1 < cycle.size(); ++k)
        RC_ASSERT(expected.upstream[cycle[k]].contains(cycle[k + 1]));
    }
    if (!graph)
      return;
    std::vector<std::uint32_t> position(p->assets.size());
    RC_ASSERT(graph->size() == p->assets.size());
    for (std::size_t k = 0; k < graph->size(); ++k)
      position[graph->topological_order()[k].value] = static_cast<std::uint32_t>(k + 1);
    for (std::uint32_t i = 0; i < p->assets.size(); ++i) {
      RC_ASSERT(position[i] != 0U);
      std::set<std::uint32_t> upstream;
      for (const auto needed : graph->upstream(asset_index(i))) {
        upstream.insert(needed.value);
        RC_ASSERT(position[needed.value] < position[i]);
        const auto back = graph->downstream(needed);
        RC_ASSERT(std::count(back.begin(), back.end(), asset_index(i)) == 1);
      }
      RC_ASSERT(upstream == expected.upstream[i]);
      RC_ASSERT(explain_upstream(*p, *graph, asset_index(i)).size() == upstream.size());
      for (const auto input : p->assets[i].inputs) {
        if (!input.glob)
          continue;
        std::vector<std::string> naive;
        for (std::uint32_t path = 0; path < p->paths.size(); ++path)
          if (graph->producer(path_index(path)) && glob_matches(p->path(input.path), p->path(path_index(path))))
            naive.emplace_back(p->path(path_index(path)));
        std::sort(naive.begin(), naive.end());
        std::vector<std::string> actual;
        for (const auto path : graph->outputs_matching(*p, p->path(input.path)))
          actual.emplace_back(p->path(path));
        RC_ASSERT(actual == naive);
      }
    }
  }));
}

TEST_CASE("property: the order is the first of all topological orders by declaration") {
  CHECK(rc::check([] {
    const auto p = random_pipeline(true);
    diagnostics found;
    const auto graph = asset_graph::build(*p, found);
    RC_PRE(graph.has_value());
    std::set<std::uint32_t> done;
    for (const auto next : graph->topological_order()) {
      std::uint32_t first = 0;
      const auto ready = [&](std::uint32_t i) {
        const auto up = graph->upstream(asset_index(i));
        return !done.contains(i) && std::all_of(up.begin(), up.end(), [&](auto u) { return done.contains(u.value); });
      };
      while (!ready(first))
        ++first;
      RC_ASSERT(next.value == first);
      done.insert(first);
    }
  }));
}
