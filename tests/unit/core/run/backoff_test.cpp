// Waits between attempts: the formulas, their bounds, and nothing that overflows.
#include "core/run/backoff.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstdint>
#include <limits>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t all_bits = std::numeric_limits<std::uint64_t>::max();

retry_policy policy(backoff b, jitter j = jitter::none, duration delay = 1s, duration most = 60s) {
  retry_policy p;
  p.attempts = 10;
  p.backoff = b;
  p.jitter = j;
  p.delay = delay;
  p.max_delay = most;
  return p;
}

retry_policy any_policy(jitter j) {
  const auto span =
      rc::gen::oneOf(rc::gen::map(rc::gen::inRange<std::int64_t>(0, 1000), [](auto n) { return n; }),
                     rc::gen::arbitrary<std::int64_t>(),
                     rc::gen::elementOf(std::vector<std::int64_t>{0, 1, std::numeric_limits<std::int64_t>::max()}));
  return policy(*rc::gen::element(backoff::fixed, backoff::linear, backoff::exponential), j, duration(*span),
                duration(*span));
}

} // namespace

TEST_CASE("a fixed wait stays the same") {
  for (const std::uint32_t n : {1U, 2U, 1'000'000U})
    CHECK(retry_delay(policy(backoff::fixed), n, 0s, all_bits) == 1s);
  CHECK(retry_delay(policy(backoff::fixed, jitter::none, 60s), 1, 0s, 0) == 60s);
}

TEST_CASE("a linear wait grows by the delay, up to the most allowed") {
  const auto p = policy(backoff::linear);
  CHECK(retry_delay(p, 1, 0s, 0) == 1s);
  CHECK(retry_delay(p, 2, 0s, 0) == 2s);
  CHECK(retry_delay(p, 60, 0s, 0) == 60s);
  CHECK(retry_delay(p, 61, 0s, 0) == 60s);
  CHECK(retry_delay(p, all_bits & 0xFFFFFFFFU, 0s, 0) == 60s);
}

TEST_CASE("an exponential wait doubles, up to the most allowed") {
  const auto p = policy(backoff::exponential);
  CHECK(retry_delay(p, 1, 0s, 0) == 1s);
  CHECK(retry_delay(p, 2, 0s, 0) == 2s);
  CHECK(retry_delay(p, 6, 0s, 0) == 32s);
  CHECK(retry_delay(p, 7, 0s, 0) == 60s);
  for (const std::uint32_t n : {64U, 65U, 1000U, 0xFFFFFFFFU})
    CHECK(retry_delay(p, n, 0s, 0) == 60s);
  CHECK(retry_delay(policy(backoff::exponential, jitter::none, 0s), 1000, 0s, 0) == 0s);
}

TEST_CASE("full jitter reaches from nothing to the whole wait") {
  const auto p = policy(backoff::exponential, jitter::full);
  CHECK(retry_delay(p, 3, 0s, 0) == 0s);
  CHECK(retry_delay(p, 3, 0s, all_bits) == 4s);
  CHECK(retry_delay(p, 3, 0s, all_bits / 2 + 1) == 2s);
}

TEST_CASE("equal jitter keeps half of the wait") {
  const auto p = policy(backoff::exponential, jitter::equal);
  CHECK(retry_delay(p, 3, 0s, 0) == 2s);
  CHECK(retry_delay(p, 3, 0s, all_bits) == 4s);
}

TEST_CASE("decorrelated jitter reaches from the delay to three times the wait before") {
  const auto p = policy(backoff::fixed, jitter::decorrelated);
  CHECK(retry_delay(p, 1, 0s, 0) == 1s);
  CHECK(retry_delay(p, 1, 0s, all_bits) == 3s);
  CHECK(retry_delay(p, 2, 3s, 0) == 1s);
  CHECK(retry_delay(p, 2, 3s, all_bits) == 9s);
  CHECK(retry_delay(p, 3, 59s, all_bits) == 60s);
  CHECK(retry_delay(p, 4, duration::max(), all_bits) == 60s);
}

TEST_CASE("a delay above the most allowed is waited out whole, and does not grow") {
  for (const auto growth : {backoff::fixed, backoff::linear, backoff::exponential})
    for (const std::uint32_t n : {1U, 2U, 7U, 1'000'000U})
      CHECK(retry_delay(policy(growth, jitter::none, 1h), n, 0s, 0) == 1h);
  CHECK(retry_delay(policy(backoff::fixed, jitter::equal, 1h), 1, 0s, 0) == 30min);
  CHECK(retry_delay(policy(backoff::fixed, jitter::decorrelated, 1h), 2, 1h, all_bits) == 1h);
}

TEST_CASE("waits below nothing are no waits") {
  CHECK(retry_delay(policy(backoff::linear, jitter::none, -1s), 3, 0s, 0) == 0s);
  CHECK(retry_delay(policy(backoff::linear, jitter::full, 0s, -1s), 3, 0s, all_bits) == 0s);
  CHECK(retry_delay(policy(backoff::fixed, jitter::decorrelated, -1s), 3, -5s, all_bits) == 0s);
}

TEST_CASE("property: whatever the policy, the wait is between nothing and the most allowed") {
  CHECK(rc::check([] {
    const auto p = any_policy(*rc::gen::element(jitter::none, jitter::full, jitter::equal, jitter::decorrelated));
    const auto attempt = std::max(1U, *rc::gen::arbitrary<std::uint32_t>());
    const auto previous = duration(*rc::gen::arbitrary<std::int64_t>());
    const auto wait = retry_delay(p, attempt, previous, *rc::gen::arbitrary<std::uint64_t>());
    RC_ASSERT(wait >= duration::zero());
    RC_ASSERT(wait <= std::max({duration::zero(), p.delay, p.max_delay}));
  }));
}

TEST_CASE("property: a wait without jitter never falls from one attempt to the next") {
  CHECK(rc::check([] {
    const auto p = any_policy(jitter::none);
    const auto attempt = *rc::gen::inRange<std::uint32_t>(1, 200);
    RC_ASSERT(retry_delay(p, attempt, 0s, 0) <= retry_delay(p, attempt + 1, 0s, 0));
  }));
}

TEST_CASE("property: jitter stays in its range around the wait without it, and more bits mean more wait") {
  CHECK(rc::check([] {
    auto p = any_policy(jitter::none);
    const auto attempt = *rc::gen::inRange<std::uint32_t>(1, 100);
    const auto wait = retry_delay(p, attempt, 0s, 0);
    auto low_bits = *rc::gen::arbitrary<std::uint64_t>() * 0x9E3779B97F4A7C15U;
    auto high_bits = *rc::gen::arbitrary<std::uint64_t>() * 0x9E3779B97F4A7C15U;
    if (low_bits > high_bits)
      std::swap(low_bits, high_bits);
    for (const auto kind : {jitter::full, jitter::equal, jitter::decorrelated}) {
      p.jitter = kind;
      const auto low = retry_delay(p, attempt, wait, low_bits);
      const auto high = retry_delay(p, attempt, wait, high_bits);
      RC_ASSERT(low <= high);
      if (kind != jitter::decorrelated)
        RC_ASSERT(high <= wait);
      if (kind == jitter::equal)
        RC_ASSERT(low >= wait / 2);
      if (kind == jitter::decorrelated)
        RC_ASSERT(low >= std::max(duration::zero(), p.delay));
    }
  }));
}

TEST_CASE("jitter is spread evenly") {
  const auto p = policy(backoff::fixed, jitter::full, duration(9), duration(100));
  int hits[10] = {};
  for (std::uint64_t i = 0; i < 100'000; ++i)
    ++hits[retry_delay(p, 1, 0s, i * (all_bits / 100'000)).count()];
  for (const int n : hits) {
    CHECK(n > 9'900);
    CHECK(n < 10'100);
  }
}
