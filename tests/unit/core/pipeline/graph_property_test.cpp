// Random pipelines: the graph against naive oracles that know nothing of how it is built.
#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/edge_reason.hpp"
#include "core/pipeline/exclusion.hpp"
#include "core/pipeline/glob.hpp"
#include "support/pipeline_builder.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

using namespace troupe_internal;
using troupe_internal::test::pipeline_builder;

namespace {

/// Whether every component of `folder` begins `path`, which has more.
bool inside(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.compare(0, folder.size() + 1, folder + "/") == 0;
}

bool in_any(const std::vector<std::string>& patterns, const std::string& path,
            bool (*takes)(std::string_view, std::string_view)) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const auto& pattern) { return takes(pattern, path); });
}

/// How an input makes an edge: by what is declared, by reaching into a folder, by reaching into what is most likely a
/// file.
enum class bond { none, firm, folder, maybe };

bool looks_like_file(const std::string& path) {
  return path.ends_with(".x"); // of the names that the generator makes
}

bond needs(const input_ref& input, const std::string& in, const std::string& out,
           const std::vector<std::string>& without) {
  if (!input.glob) {
    const bool contains = inside(out, in) && !in_any(without, out, takes_out);
    return in == out || inside(in, out) || contains ? bond::firm : bond::none;
  }
  const auto relation = relate_to_glob(in, out);
  const auto root = in.find_first_of("*?["); // at a component's start, in these patterns
  const bool begins_in = root != std::string::npos && root > out.size() && inside(in, out);
  if (begins_in && !in_any(without, out, takes_out_all_beneath))
    return bond::firm;
  if (in_any(without, out, relation.matches ? takes_out : takes_out_all_beneath))
    return bond::none;
  if (relation.reaches && !looks_like_file(out))
    return bond::folder;
  if (relation.matches)
    return bond::firm;
  return relation.by_name ? bond::maybe : bond::none;
}

using edges = std::vector<std::set<std::uint32_t>>;

/// All that each node leads to.
edges closure(edges of) {
  for (bool more = true; more;) {
    more = false;
    for (auto& row : of) {
      const auto before = row.size();
      for (const auto next : std::set<std::uint32_t>(row))
        row.insert(of[next].begin(), of[next].end());
      more = more || row.size() != before;
    }
  }
  return of;
}

struct oracle {
  edges upstream;
  std::set<std::pair<std::uint32_t, std::string>> left_out; // reader and output
  bool bad_outputs = false, reads_own = false, takes_literal = false, warns = false;

  explicit oracle(const pipeline& p) : upstream(p.assets.size()) {
    const auto text = [&](path_index i) { return std::string(p.path(i)); };
    edges firm(p.assets.size());
    struct reach {
      std::uint32_t reader, maker;
      std::string output;
      bond how;
    };
    std::vector<reach> reaches;
    for (std::uint32_t i = 0; i < p.assets.size(); ++i) {
      std::vector<std::string> without;
      for (const auto pattern : p.assets[i].exclusions)
        without.push_back(text(pattern));
      for (const auto input : p.assets[i].inputs)
        takes_literal = takes_literal || (!input.glob && in_any(without, text(input.path), takes_out));
      for (const auto dep : p.assets[i].deps)
        dep.value == i ? void(reads_own = true) : void(firm[i].insert(dep.value));
      for (std::uint32_t k = 0; k < p.assets.size(); ++k) {
        for (const auto output : p.assets[k].outputs) {
          for (const auto mine : p.assets[i].outputs)
            bad_outputs = bad_outputs || (i != k && mine == output) || inside(text(mine), text(output));
          for (const auto input : p.assets[i].inputs) {
            const auto how = needs(input, text(input.path), text(output), without);
            if (how != bond::none && i == k)
              reads_own = reads_own || !input.glob;
            else if (how == bond::firm)
              firm[i].insert(k);
            else if (how != bond::none)
              reaches.push_back({i, k, text(output), how});
          }
        }
      }
    }
    upstream = firm;
    for (const auto& r : reaches)
      upstream[r.reader].insert(r.maker);
    if (!cyclic())
      return;
    const auto all = closure(upstream);
    const auto declared = closure(firm);
    for (const auto& r : reaches)
      if (all[r.maker].contains(r.reader) && (r.how == bond::maybe || declared[r.maker].contains(r.reader))) {
        left_out.emplace(r.reader, r.output);
        warns = warns || r.how == bond::folder;
      }
    upstream = firm;
    for (const auto& r : reaches)
      if (!left_out.contains({r.reader, r.output}))
        upstream[r.reader].insert(r.maker);
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
      {{4, path},
       {1, rc::gen::elementOf(std::vector<std::string>{"*", "a/*", "*.x", "**/*.x", "g/*", "b/**", "?", "*/a", "a/*/b",
                                                       "*/c.x/q", "**/h", "g/h/*"})},
       {1, rc::gen::elementOf(std::vector<std::string>{"!a", "!a/**", "!**/*.x", "!b/c.x", "!g/*", "!zzz"})}});
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
    RC_ASSERT(graph.has_value() == !found.has_errors());
    if (expected.bad_outputs)
      return;
    RC_ASSERT(told("excluded_input") == expected.takes_literal);
    RC_ASSERT(told("folder_left_out") == expected.warns);
    RC_ASSERT(told("self_dependency") == expected.reads_own);
    RC_ASSERT(told("cycle") == expected.cyclic());
    RC_CLASSIFY(graph.has_value(), "valid");
    for (const auto& d : found.items) {
      if (d.code != "cycle" || expected.reads_own || expected.takes_literal)
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
        for (std::uint32_t path = 0; path < p->paths.size(); ++path) {
          const std::string text(p->path(path_index(path)));
          const auto maker = graph->producer(path_index(path));
          if (maker && *maker != asset_index(i) && glob_matches(p->path(input.path), text) &&
              !is_excluded(*p, graph->same(), asset_index(i), text) && !expected.left_out.contains({i, text}))
            naive.push_back(text);
        }
        std::sort(naive.begin(), naive.end());
        RC_ASSERT(graph->outputs_taken(*p, asset_index(i), input.path) == naive);
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
