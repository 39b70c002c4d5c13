// The rules of trigger histories are worth what they find: every planted bug must be found, by the rule that it breaks.
#include "simulation/planted_hunt.hpp"
#include "trigger_world.hpp"

using namespace troupe_internal::test;

namespace {

void play(std::uint64_t seed) {
  static_cast<void>(simulate_triggers(seed));
}

} // namespace

TEST_CASE("every planted bug of triggers is found, by the rule that it breaks") {
  REQUIRE(planted_bugs().size() >= 15);
  hunt_all(play, 3000);
}

TEST_CASE("with no bug switched on nothing is found") {
  CHECK(hunt(play, 0, 1, 200, "").seed == 0);
}
