// An outcome that is told before or after somebody asks.
#include "engine/opening.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

using namespace troupe_internal;

namespace {

using outcome = result<std::uint64_t>;

} // namespace

TEST_CASE("who asks is called once, with what is told, whichever comes first") {
  for (const bool asked_first : {true, false})
    for (const auto& told : {outcome(7U), outcome(fail(error_code::io, "the disk is full"))}) {
      opening o;
      std::vector<outcome> heard;
      const auto ask = [&] { o.ask([&](const outcome& one) { heard.push_back(one); }); };
      if (asked_first)
        ask();
      CHECK(heard.empty());
      o.tell(told);
      if (!asked_first)
        ask();
      REQUIRE(heard.size() == 1);
      CHECK(heard[0].has_value() == told.has_value());
      if (told)
        CHECK(heard[0].value() == 7);
      else
        CHECK(heard[0].error().message == "the disk is full");
    }
}

TEST_CASE("an outcome reaches who asks from another thread at the same time") {
  for (int i = 0; i < 200; ++i) {
    opening o;
    std::atomic<int> heard{0};
    std::thread teller([&] { o.tell(outcome(1U)); });
    o.ask([&](const outcome&) { ++heard; });
    teller.join();
    CHECK(heard == 1);
  }
}
