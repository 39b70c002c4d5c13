// A materialization as the difference from the one before.
#include "core/model/delta.hpp"
#include "support/random_events.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace troupe_internal;
using troupe_internal::test::random_filler;

namespace {

/// Sorted by key, each key once, few different keys: so that lists meet.
template <class T, class Key>
void make_sorted(std::vector<T>& items, Key key, random_filler& random) {
  for (auto& item : items)
    (item.*key).value = static_cast<std::uint32_t>(random.below(6));
  const auto less = [&](const T& a, const T& b) { return a.*key < b.*key; };
  std::sort(items.begin(), items.end(), less);
  items.erase(std::unique(items.begin(), items.end(), [&](const T& a, const T& b) { return a.*key == b.*key; }),
              items.end());
}

materialization some_materialization(random_filler& random) {
  auto m = random.any<materialization>();
  make_sorted(m.made_from.inputs, &file_version::path, random);
  make_sorted(m.made_from.discovered, &file_version::path, random);
  make_sorted(m.made_from.upstreams, &upstream_version::asset, random);
  make_sorted(m.made.outputs, &file_version::path, random);
  return m;
}

} // namespace

TEST_CASE("applying the difference between two materializations gives the second") {
  random_filler random(11);
  for (int round = 0; round < 5'000; ++round) {
    const auto from = some_materialization(random);
    auto to = some_materialization(random);
    if (random.below(2) == 0)
      to.made_from.inputs = from.made_from.inputs;
    if (random.below(2) == 0)
      to.made = from.made;
    auto delta = make_delta(&from, to.made_from, to.made, to.took);
    delta.since = to.since;
    delta.adopted = to.adopted;
    if (to.definition != from.definition)
      delta.definition = to.definition;
    CHECK_FALSE(delta.full);
    REQUIRE(apply_delta(&from, delta, to.run, to.attempt, to.finished_at) == to);
    auto full = make_delta(nullptr, to.made_from, to.made, to.took);
    full.since = to.since;
    full.adopted = to.adopted;
    full.definition = to.definition;
    CHECK(full.full);
    REQUIRE(apply_delta(&from, full, to.run, to.attempt, to.finished_at) == to);
    REQUIRE(apply_delta(nullptr, full, to.run, to.attempt, to.finished_at) == to);
  }
}

TEST_CASE("the difference between equal materializations is its duration alone") {
  random_filler random(12);
  const auto m = some_materialization(random);
  materialized expected;
  expected.took = std::chrono::seconds(3);
  CHECK(make_delta(&m, m.made_from, m.made, std::chrono::seconds(3)) == expected);
}

TEST_CASE("a difference names what is new, changed and gone, nothing else") {
  const auto version = [](const char* text) { return quick_digest(text); };
  materialization from;
  from.made_from.inputs = {{path_id(1U), version("a")}, {path_id(2U), version("b")}, {path_id(5U), version("c")}};
  auto to = from;
  to.made_from.inputs = {{path_id(2U), version("B")}, {path_id(3U), version("d")}, {path_id(5U), version("c")}};
  const auto delta = make_delta(&from, to.made_from, to.made, {});
  CHECK(delta.inputs == std::vector<file_version>{{path_id(2U), version("B")}, {path_id(3U), version("d")}});
  CHECK(delta.inputs_gone == std::vector<path_id>{path_id(1U)});
  CHECK_FALSE(delta.data_version);
}

TEST_CASE("a difference applied to a base it was not made for, or to none, is harmless") {
  random_filler random(13);
  for (int round = 0; round < 2'000; ++round) {
    const auto base = random.any<materialization>();
    const auto delta = random.any<materialized>();
    CHECK(apply_delta(&base, delta, run_number(7U), 2, {}).run == run_number(7U));
    CHECK(apply_delta(nullptr, delta, run_number(7U), 2, {}).attempt == 2);
  }
}
