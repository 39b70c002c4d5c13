// The selection language, by example and against naive sets.
#include "core/pipeline/selection.hpp"
#include "support/pipeline_builder.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

using namespace troupe_internal;
using troupe_internal::test::pipeline_builder;

namespace {

struct world {
  std::unique_ptr<pipeline> p;
  std::optional<asset_graph> graph;

  explicit world(const pipeline_builder& b) : p(b.build()) {
    diagnostics found;
    graph = asset_graph::build(*p, found);
    REQUIRE(graph);
  }

  [[nodiscard]] std::string names(const std::vector<asset_index>& list) const {
    std::string all;
    for (const auto i : list)
      all += (all.empty() ? "" : " ") + std::string(p->asset(i).name);
    return all;
  }
  /// The names selected, or "error: " and the message.
  [[nodiscard]] std::string pick(const std::vector<std::string>& arguments) const {
    const auto selected = select_assets(*p, *graph, arguments);
    if (selected)
      return names(*selected);
    CHECK(selected.error().code == error_code::invalid_input);
    return "error: " + selected.error().message;
  }
};

/// raw_a -> clean -> n[x], n[y] -> report -> mail; raw_b -> clean; lonely
world example() {
  pipeline_builder b;
  b.asset("raw_a").source().tags({"raw", "nightly"}).group("ingest");
  b.asset("raw_b").source().tags({"raw"}).group("ingest");
  b.asset("clean").deps({"raw_a", "raw_b"}).group("ingest");
  b.asset("n").matrix("s", {"x", "y"}).deps({"clean"}).tags({"counts"});
  b.asset("report").deps({"n"}).tags({"nightly"});
  b.asset("mail").deps({"report"});
  b.asset("lonely");
  return world(b);
}

} // namespace

TEST_CASE("no argument selects everything, several unite") {
  const auto w = example();
  CHECK(w.pick({}) == "raw_a raw_b clean n[x] n[y] report mail lonely");
  CHECK(w.pick({"report", "raw_b", "report"}) == "raw_b report");
}

TEST_CASE("a plus takes in what is upstream or downstream, so many levels or all") {
  const auto w = example();
  CHECK(w.pick({"clean"}) == "clean");
  CHECK(w.pick({"+clean"}) == "raw_a raw_b clean");
  CHECK(w.pick({"clean+"}) == "clean n[x] n[y] report mail");
  CHECK(w.pick({"+clean+"}) == "raw_a raw_b clean n[x] n[y] report mail");
  CHECK(w.pick({"1+report"}) == "n[x] n[y] report");
  CHECK(w.pick({"2+report"}) == "clean n[x] n[y] report");
  CHECK(w.pick({"clean+1"}) == "clean n[x] n[y]");
  CHECK(w.pick({"1+clean+2"}) == "raw_a raw_b clean n[x] n[y] report");
  CHECK(w.pick({"0+report+0"}) == "report");
  CHECK(w.pick({"99999999999999999999+report"}) == "raw_a raw_b clean n[x] n[y] report");
  CHECK(w.pick({"n[x]+1"}) == "n[x] report");
  CHECK(w.pick({"+lonely+"}) == "lonely");
}

TEST_CASE("tags and groups select what carries them") {
  const auto w = example();
  CHECK(w.pick({"tag:raw"}) == "raw_a raw_b");
  CHECK(w.pick({"tag:counts"}) == "n[x] n[y]");
  CHECK(w.pick({"group:ingest"}) == "raw_a raw_b clean");
  CHECK(w.pick({"group:*"}) == "raw_a raw_b clean");
  CHECK(w.pick({"tag:n*"}) == "raw_a report");
  CHECK(w.pick({"tag:counts+"}) == "n[x] n[y] report mail");
  CHECK(w.pick({"1+tag:counts"}) == "clean n[x] n[y]");
}

TEST_CASE("a comma keeps what all its parts select") {
  const auto w = example();
  CHECK(w.pick({"tag:raw,tag:nightly"}) == "raw_a");
  CHECK(w.pick({"raw_a+,+report"}) == "raw_a clean n[x] n[y] report");
  CHECK(w.pick({"group:ingest,raw_*,*_b"}) == "raw_b");
  CHECK(w.pick({"tag:raw,tag:nightly", "mail"}) == "raw_a mail");
}

TEST_CASE("globs go over names, bare names of a matrix mean all of it") {
  const auto w = example();
  CHECK(w.pick({"raw_*"}) == "raw_a raw_b");
  CHECK(w.pick({"raw_[!a]"}) == "raw_b");
  CHECK(w.pick({"n"}) == "n[x] n[y]");
  CHECK(w.pick({"?"}) == "n[x] n[y]");
  CHECK(w.pick({"n[y]"}) == "n[y]");
  CHECK(w.pick({"n[*]"}) == "n[x] n[y]");
  CHECK(w.pick({"n[[x]]"}) == "n[x]");
  CHECK(w.pick({"*y*"}) == "n[y] lonely");
  CHECK(w.pick({"*"}) == w.pick({}));
}

TEST_CASE("names of a matrix may hold commas, pluses and wildcards") {
  pipeline_builder b;
  b.asset("m").matrix("a", {"x", "c++", "*", "p[q"}).matrix("b", {"1", "a/b.c"});
  b.asset("plain").deps({"m[x,1]"});
  const world w(b);
  CHECK(w.pick({"m[x,1]"}) == "m[x,1]");
  CHECK(w.pick({"m[x,1]+"}) == "m[x,1] plain");
  CHECK(w.pick({"m[x,1]+,plain"}) == "plain");
  CHECK(w.pick({"m[c++,1]"}) == "m[c++,1]");
  CHECK(w.pick({"m[*,1]"}) == "m[*,1]");
  CHECK(w.pick({"m[[*],1]"}) == "m[*,1]");
  CHECK(w.pick({"m[?,1]"}) == "m[x,1] m[*,1]");
  CHECK(w.pick({"m[x,*]"}) == "m[x,1] m[x,a/b.c]");
  CHECK(w.pick({"m[\\*,*]"}) == "m[*,1] m[*,a/b.c]");
  CHECK(w.pick({"m[p[q,1]"}) == "m[p[q,1]");
  CHECK(w.pick({"+m[p[q,1]+"}) == "m[p[q,1]");
}

TEST_CASE("what selects nothing is an error that names the nearest") {
  const auto w = example();
  CHECK(w.pick({"raw_a", "reprot"}) ==
        "error: selection \"reprot\": no asset is named \"reprot\"; did you mean \"report\"?");
  CHECK(w.pick({"+n[z]"}) == "error: selection \"+n[z]\": no asset is named \"n[z]\"; did you mean \"n[x]\"?");
  CHECK(w.pick({"tag:nigthly"}) ==
        "error: selection \"tag:nigthly\": no asset has the tag \"nigthly\"; did you mean \"nightly\"?");
  CHECK(w.pick({"group:injest"}) ==
        "error: selection \"group:injest\": no asset is in the group \"injest\"; did you mean \"ingest\"?");
  CHECK(w.pick({"zzz*"}) == "error: selection \"zzz*\": no asset is named \"zzz*\"");
  CHECK(w.pick({"group:"}) == "error: selection \"group:\": no asset is in the group \"\"");
  CHECK(w.pick({"raw_a,mail"}) == "error: selection \"raw_a,mail\": no asset is in all of its parts");
}

TEST_CASE("a word that is a tag or a group is answered with it") {
  const auto w = example();
  CHECK(w.pick({"nightly"}) ==
        "error: selection \"nightly\": no asset is named \"nightly\", but there is a tag of that name: tag:nightly");
  CHECK(w.pick({"+ingest"}) ==
        "error: selection \"+ingest\": no asset is named \"ingest\", but there is a group of that name: group:ingest");
}

TEST_CASE("an output selects the asset that makes it, and names come first") {
  pipeline_builder b;
  b.asset("a").outputs({"out/a,b+1", "b"});
  b.asset("b").outputs({"tree"});
  b.asset("c").inputs({"b"});
  const world w(b);
  CHECK(w.pick({"out/a,b+1"}) == "a");
  CHECK(w.pick({"./out/a,b+1"}) == "a");
  CHECK(w.pick({"b"}) == "b");
  CHECK(w.pick({"tree/deep/file"}) == "b");
  CHECK(w.pick({"tree/"}) == "b");
  CHECK(w.pick({"+c,tree"}) == "error: selection \"+c,tree\": no asset is in all of its parts");
  CHECK(w.pick({"out"}) == "error: selection \"out\": no asset is named \"out\"");
}

TEST_CASE("malformed selections are refused") {
  const auto w = example();
  CHECK(w.pick({""}) == "error: selection \"\": is empty");
  CHECK(w.pick({"+"}) == "error: selection \"+\": \"+\" has a + but no name");
  CHECK(w.pick({"3+"}) == "error: selection \"3+\": \"3+\" has a + but no name");
  CHECK(w.pick({"a,"}).find("nothing stands") == std::string::npos); // the first mistake is told
  CHECK(w.pick({"mail,"}) == "error: selection \"mail,\": nothing stands between two commas, or at an end");
  CHECK(w.pick({",mail"}) == "error: selection \",mail\": nothing stands between two commas, or at an end");
}

TEST_CASE("with_upstream adds all that is needed, once") {
  const auto w = example();
  CHECK(w.names(with_upstream(*w.graph, {*w.p->find("n[y]"), *w.p->find("clean"), *w.p->find("n[y]")})) ==
        "raw_a raw_b clean n[y]");
  CHECK(with_upstream(*w.graph, {}).empty());
}

TEST_CASE("a chain of 100,000 assets is followed without recursion") {
  constexpr int count = 100'000;
  pipeline_builder b;
  for (int i = 0; i < count; ++i) {
    auto& a = b.asset("n" + std::to_string(i));
    if (i > 0)
      a.deps({"n" + std::to_string(i - 1)});
  }
  const world w(b);
  CHECK(select_assets(*w.p, *w.graph, {"+n99999"})->size() == count);
  CHECK(select_assets(*w.p, *w.graph, {"n0+7"})->size() == 8);
  CHECK(with_upstream(*w.graph, {asset_index(99'999U)}).size() == count);
}

TEST_CASE("property: selections are what naive sets say") {
  CHECK(rc::check([] {
    pipeline_builder b;
    const int count = *rc::gen::inRange(1, 12);
    std::vector<std::set<int>> upstream(static_cast<std::size_t>(count));
    std::vector<int> tagged;
    for (int i = 0; i < count; ++i) {
      auto& a = b.asset("n" + std::to_string(i));
      const auto deps = *rc::gen::resize(3, rc::gen::container<std::set<int>>(rc::gen::inRange(0, i + 1)));
      for (const int d : deps)
        if (d != i) {
          a.deps({"n" + std::to_string(d)});
          upstream[static_cast<std::size_t>(i)].insert(d);
        }
      if (*rc::gen::arbitrary<bool>()) {
        a.tags({"t"});
        tagged.push_back(i);
      }
    }
    const world w(b);
    const auto needs = [&](int a, int c) { return upstream[static_cast<std::size_t>(a)].contains(c); };
    const auto grow = [&](std::set<int> from, int levels, const std::function<bool(int, int)>& edge) {
      for (; levels > 0; --levels) {
        auto more = from;
        for (const int a : from)
          for (int c = 0; c < count; ++c)
            if (edge(a, c))
              more.insert(c);
        from = more;
      }
      return from;
    };
    std::vector<std::string> arguments;
    std::set<int> expected;
    bool empty = false;
    const int how_many = *rc::gen::inRange(1, 3);
    for (int k = 0; k < how_many; ++k) {
      std::string argument;
      std::set<int> of_argument;
      const int terms = *rc::gen::inRange(1, 4);
      for (int t = 0; t < terms; ++t) {
        const bool by_tag = *rc::gen::inRange(0, 4) == 0;
        const int chosen = *rc::gen::inRange(0, count);
        const int up = *rc::gen::inRange(0, 4);
        const int down = *rc::gen::inRange(0, 4); // 3: all
        const std::set<int> atom = by_tag ? std::set<int>(tagged.begin(), tagged.end()) : std::set<int>{chosen};
        auto of_term = grow(atom, up == 3 ? count : up, needs);
        of_term.merge(grow(atom, down == 3 ? count : down, [&](int a, int c) { return needs(c, a); }));
        argument += t > 0 ? "," : "";
        argument += up == 3 ? "+" : up > 0 ? std::to_string(up) + "+" : "";
        argument += by_tag ? "tag:t" : "n" + std::to_string(chosen);
        argument += down == 3 ? "+" : down > 0 ? "+" + std::to_string(down) : "";
        if (t == 0)
          of_argument = of_term;
        else
          std::erase_if(of_argument, [&](int i) { return !of_term.contains(i); });
      }
      empty = empty || of_argument.empty();
      expected.insert(of_argument.begin(), of_argument.end());
      arguments.push_back(argument);
    }
    const auto actual = select_assets(*w.p, *w.graph, arguments);
    RC_CLASSIFY(empty, "selects nothing");
    RC_ASSERT(actual.has_value() == !empty);
    if (empty)
      return;
    std::vector<asset_index> list;
    for (const int i : expected)
      list.emplace_back(static_cast<std::uint32_t>(i));
    RC_ASSERT(*actual == list);
  }));
}
