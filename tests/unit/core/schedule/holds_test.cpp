// The hold table in a world of shared files, and its three rules by hand.
#include "core/schedule/holds.hpp"
#include "worlds.hpp"

#include <doctest/doctest.h>

#include <set>
#include <vector>

using namespace troupe_internal;
using namespace troupe_internal::test;

namespace {

constexpr asset_id source(1U), made(2U), last(3U); // `made` reads `source`, `last` reads `made`
constexpr run_number earlier(9U), later(4U);       // run numbers say nothing of the order

struct three_assets : held_view {
  std::set<asset_id> open;
  mutable int questions = 0;

  explicit three_assets(std::set<asset_id> unsettled) : open(std::move(unsettled)) {}
  [[nodiscard]] bool unsettled(asset_id asset) const override {
    ++questions;
    return open.contains(asset);
  }
  void visit_reads(asset_id asset, const visitor& visit) const override {
    ++questions;
    if (asset != source)
      visit(asset_id(asset.value - 1));
  }
  void visit_readers(asset_id asset, const visitor& visit) const override {
    ++questions;
    if (asset != last)
      visit(asset_id(asset.value + 1));
  }
};

} // namespace

TEST_CASE("an asset waits for the same asset, for what it reads and, before it is executed, for what reads it") {
  three_assets first({});
  three_assets second({made});
  hold_table holds;
  holds.joined(earlier, first);
  holds.joined(later, second);
  CHECK(!holds.blocker(later, made, true).has_value());

  first.open = {made};
  CHECK(holds.blocker(later, made, false) == run_asset{earlier, made});
  first.open = {source};
  CHECK(holds.blocker(later, made, false) == run_asset{earlier, source});
  first.open = {last};
  CHECK(!holds.blocker(later, made, false).has_value());
  CHECK(holds.blocker(later, made, true) == run_asset{earlier, last});
  CHECK(!holds.blocker(earlier, made, true).has_value());
}

TEST_CASE("who waits is handed back once, when what it waits for is settled or its run has left") {
  three_assets first({source, made});
  three_assets second({source, made});
  hold_table holds;
  holds.joined(earlier, first);
  holds.joined(later, second);
  CHECK(holds.blocker(later, source, false).has_value());
  CHECK(holds.blocker(later, source, false).has_value());
  CHECK(holds.blocker(later, made, false) == run_asset{earlier, made});
  CHECK(holds.waiting() == 2);
  CHECK(holds.settled(earlier, source) == std::vector<run_asset>{{later, source}});
  CHECK(holds.settled(earlier, source).empty());
  CHECK(holds.left(earlier) == std::vector<run_asset>{{later, made}});
  CHECK(!holds.blocker(later, made, true).has_value());
  CHECK(holds.waiting() == 0);
}

TEST_CASE("a run that is resumed is the latest") {
  three_assets first({made});
  three_assets second({made});
  hold_table holds;
  holds.joined(earlier, first);
  holds.joined(later, second);
  CHECK(holds.left(earlier).empty());
  holds.joined(earlier, first);
  CHECK(!holds.blocker(later, made, true).has_value());
  CHECK(holds.blocker(earlier, made, true) == run_asset{later, made});
}

TEST_CASE("a single run is asked nothing") {
  three_assets only({source, made, last});
  hold_table holds;
  holds.joined(earlier, only);
  CHECK(!holds.blocker(earlier, made, true).has_value());
  CHECK(holds.settled(earlier, made).empty());
  CHECK(only.questions == 0);
}

TEST_CASE("runs over shared files read what their own assets made, never torn, and nobody waits forever") {
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    CAPTURE(seed);
    CHECK_NOTHROW(play_shared_files(seed));
  }
}
