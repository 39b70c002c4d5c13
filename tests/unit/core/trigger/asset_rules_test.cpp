// Triggers that follow assets: which changes make them fire, and chains of triggers that cause each other.
#include "core/trigger/asset_rules.hpp"

#include <doctest/doctest.h>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

constexpr asset_id orders(0U), stock(1U);

timestamp minute(std::int64_t count) {
  return timestamp(std::chrono::minutes(30'000'000 + count));
}

assets_source following(bool all, std::optional<duration> within = {}) {
  assets_source of;
  of.all = all;
  of.within = within;
  return of;
}

followed_asset changed(asset_id asset, std::uint64_t seq, std::int64_t when, bool own = false) {
  return {asset, seq, minute(when), own};
}

/// What a supervisor would remember.
struct follower {
  assets_source of;
  std::uint64_t seen = 10;
  std::vector<asset_flag> flags{};

  asset_look look(const std::vector<followed_asset>& assets, std::uint64_t upto, std::int64_t now) {
    auto found = look_at_assets(of, seen, flags, assets, minute(now));
    if (found.moved) {
      flags = found.flags;
      seen = upto;
    }
    return found;
  }
};

} // namespace

TEST_CASE("any: each change makes it fire, once") {
  follower one{following(false)};
  CHECK(one.look({changed(orders, 10, 0), changed(stock, 3, 0)}, 12, 0).fires.empty());
  CHECK(one.look({changed(orders, 11, 0), changed(stock, 3, 0)}, 12, 0).fires == std::vector{orders});
  CHECK(!one.look({changed(orders, 11, 0), changed(stock, 3, 0)}, 14, 0).moved);
  CHECK(one.look({changed(orders, 15, 0), changed(stock, 16, 0)}, 16, 0).fires == std::vector{orders, stock});
}

TEST_CASE("all: it fires when every asset has changed since it fired, and all flags are cleared together") {
  follower both{following(true)};
  CHECK(both.look({changed(orders, 11, 0), changed(stock, 3, 0)}, 12, 0).fires.empty());
  CHECK(both.flags.size() == 1);
  CHECK(both.look({changed(orders, 13, 1), changed(stock, 3, 0)}, 14, 0).fires.empty()); // twice the same one
  CHECK(both.look({changed(orders, 13, 1), changed(stock, 15, 0)}, 16, 0).fires == std::vector{orders, stock});
  CHECK(both.flags.empty());
  CHECK(both.look({changed(orders, 13, 1), changed(stock, 17, 0)}, 18, 0).fires.empty());
}

TEST_CASE("within: a change that has waited too long lapses, and the look says so") {
  follower both{following(true, 10min)};
  static_cast<void>(both.look({changed(orders, 11, 0), changed(stock, 3, 0)}, 12, 0));
  const auto late = both.look({changed(orders, 11, 0), changed(stock, 13, 11)}, 14, 11);
  CHECK(late.fires.empty());
  REQUIRE(late.lapsed.size() == 1);
  CHECK(late.lapsed.front().asset == orders);
  CHECK(both.look({changed(orders, 15, 12), changed(stock, 13, 11)}, 16, 12).fires.size() == 2);
  const auto found_late = both.look({changed(orders, 17, 12), changed(stock, 13, 11)}, 18, 40); // after a downtime
  CHECK(found_late.lapsed.size() == 1);
  CHECK(found_late.moved);
}

TEST_CASE("changes by its own runs count only with self") {
  follower one{following(false)};
  CHECK(!one.look({changed(orders, 11, 0, true)}, 12, 0).moved);
  one.of.self = true;
  CHECK(one.look({changed(orders, 11, 0, true)}, 12, 0).fires.size() == 1);
}

TEST_CASE("a flag of an asset that is followed no more is dropped") {
  follower both{following(true)};
  static_cast<void>(both.look({changed(orders, 11, 0), changed(stock, 3, 0)}, 12, 0));
  CHECK(both.look({changed(stock, 3, 0)}, 13, 0).moved);
  CHECK(both.flags.empty());
}

TEST_CASE("a chain of triggers ends when it is too long, or when one of them comes again and again") {
  std::vector<std::string> chain;
  CHECK(!circle_in(chain));
  for (int turn = 0; turn < 3; ++turn)
    for (const auto* name : {"a/x", "b/y"}) {
      chain = chain_after(chain, name);
      CHECK(!circle_in(chain));
    }
  chain = chain_after(chain, "a/x");
  REQUIRE(circle_in(chain));
  CHECK(*circle_in(chain) == "its runs cause it to fire again: a/x -> b/y -> a/x");
  CHECK(*circle_in({"a", "a", "a", "a"}) == "its runs cause it to fire again: a -> a");
  chain.clear();
  for (int i = 0; i < 17; ++i) {
    CHECK(!circle_in(chain));
    chain = chain_after(chain, "t" + std::to_string(i));
  }
  CHECK(circle_in(chain)->find("t0 -> t1 -> ") != std::string::npos);
}
