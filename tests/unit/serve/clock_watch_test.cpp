// Readings of two clocks.
#include "serve/clock_watch.hpp"

#include <doctest/doctest.h>

using namespace troupe_internal;
using namespace troupe_internal::serve;
using namespace std::chrono_literals;

namespace {

timestamp shows(std::int64_t seconds) {
  return timestamp(std::chrono::seconds(1'790'000'000 + seconds));
}

} // namespace

TEST_CASE("a clock that is set is a jump, in both directions, and once") {
  clock_watch watch;
  CHECK(!watch.read(shows(0), 100s));
  CHECK(!watch.read(shows(10), 110s));
  const auto ahead = watch.read(shows(3620), 120s);
  REQUIRE(ahead);
  CHECK(ahead->from == shows(20));
  CHECK(ahead->to == shows(3620));
  CHECK(!watch.read(shows(3630), 130s));
  const auto back = watch.read(shows(40), 140s);
  REQUIRE(back);
  CHECK(back->from == shows(3640));
  CHECK(!watch.read(shows(50), 150s));
}

TEST_CASE("a clock that is slewed does not jump, and a machine that slept does not either") {
  clock_watch watch;
  CHECK(!watch.read(shows(0), 0s));
  CHECK(!watch.read(shows(36'010), 36'000s)); // ten hours, and ten seconds too fast
  CHECK(!watch.read(shows(36'011), 36'000s));
  CHECK(!watch.read(shows(136'011), 136'000s)); // the steady clock goes on while the machine sleeps
  CHECK(watch.read(shows(136'014), 136'000s));
}

TEST_CASE("a start more than a day before the last event is not believed until that has passed") {
  CHECK(!not_believed_until(shows(100), shows(0)));
  CHECK(!not_believed_until(shows(0), shows(86'400)));
  CHECK(not_believed_until(shows(0), shows(86'401)) == shows(86'401));
}
