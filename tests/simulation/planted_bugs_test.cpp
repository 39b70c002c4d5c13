// The checker is worth what it finds: every planted bug must be found, by the rule that it breaks, within few seeds.
#include "planted_hunt.hpp"
#include "simulated_run.hpp"

using namespace troupe_internal::test;

namespace {

void play(std::uint64_t seed) {
  static_cast<void>(simulate(seed));
}

} // namespace

TEST_CASE("every planted bug is found, by the rule that it breaks") {
  REQUIRE(planted_bugs().size() > 40);
  hunt_all(play, 5000);
}

TEST_CASE("with no bug switched on nothing is found") {
  CHECK(hunt(play, 0, 1, 500, "").seed == 0);
}

TEST_CASE("a failing seed fails in the same way again") {
  for (const int bug : {1, 5, 20}) {
    const auto once = hunt(play, bug, 1, 5000, "");
    const auto again = hunt(play, bug, 1, 5000, "");
    CHECK(once.seed != 0);
    CHECK(once.seed == again.seed);
    CHECK(once.what == again.what);
  }
}
