// Workers and pools: what fits, and sums that come back.
#include "core/model/capacity.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace troupe_internal;

namespace {

capacity any() {
  capacity all{*rc::gen::inRange<std::uint32_t>(0, 5), {}};
  for (const auto* pool : {"a", "b", "c"})
    if (*rc::gen::arbitrary<bool>())
      all.pools[pool] = *rc::gen::inRange<std::uint32_t>(0, 5);
  return all;
}

} // namespace

TEST_CASE("a bundle fits if each of its pools has room, beside what is kept of these pools alone") {
  const capacity room{2, {{"net", 2}, {"db", 1}}};
  CHECK(fits({1, {{"net", 2}}}, room));
  CHECK(!fits({1, {{"net", 3}}}, room));
  CHECK(!fits({3, {}}, room));
  CHECK(!fits({1, {{"disk", 1}}}, room));
  CHECK(fits_beside({1, {{"net", 1}}}, {1, {{"net", 1}}}, room));
  CHECK(!fits_beside({1, {{"net", 2}}}, {1, {{"net", 1}}}, room));
  CHECK(fits_beside({1, {{"net", 2}}}, {2, {{"db", 1}}}, room));
  CHECK(!fits({1, {{"net", 0xFFFFFFFFU}}}, room));
}

TEST_CASE("what is added can be taken away, nothing falls below 0, and the larger holds both") {
  CHECK(rc::check([] {
    const auto a = any();
    const auto b = any();
    auto sum = a;
    add(sum, b);
    RC_ASSERT(fits(a, sum));
    RC_ASSERT(fits(b, sum));
    auto rest = sum;
    take_away(rest, b);
    RC_ASSERT(fits(rest, a));
    RC_ASSERT(fits(a, rest));
    take_away(rest, sum);
    RC_ASSERT(fits(rest, capacity()));
    const auto both = larger_of(a, b);
    RC_ASSERT(fits(a, both));
    RC_ASSERT(fits(b, both));
    RC_ASSERT(fits(both, sum));
  }));
}
