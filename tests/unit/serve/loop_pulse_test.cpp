// A loop that turns, and one that does not.
#include "serve/loop_pulse.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace troupe_internal;
using namespace troupe_internal::serve;
using namespace std::chrono_literals;

TEST_CASE("a loop that has been asked for a turn and takes too long does not turn") {
  std::vector<std::function<void()>> asked;
  loop_pulse pulse([&](std::function<void()> then) { asked.push_back(std::move(then)); }, 5s);
  CHECK(pulse.turns(100s));
  CHECK(pulse.turns(105s));
  CHECK(asked.size() == 1);
  CHECK(!pulse.turns(106s));
  CHECK(!pulse.turns(200s));
  asked.front()(); // it turns after all
  CHECK(pulse.turns(300s));
  CHECK(asked.size() == 2);
  CHECK(pulse.turns(304s));
}

TEST_CASE("a turn that is taken at once is asked for each time") {
  int turns = 0;
  loop_pulse pulse(
      [&](const std::function<void()>& then) {
        ++turns;
        then();
      },
      5s);
  CHECK(pulse.turns(0s));
  CHECK(pulse.turns(1000s));
  CHECK(turns == 2);
}

TEST_CASE("a turn may come when nobody asks any more") {
  std::function<void()> asked;
  {
    loop_pulse pulse([&](std::function<void()> then) { asked = std::move(then); }, 5s);
    CHECK(pulse.turns(0s));
  }
  asked();
}
