// The clock of histories: on with time, never back.
#include "adapters/system_clock.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

class set_clock final : public clock {
public:
  [[nodiscard]] timestamp now() const override { return at; }
  [[nodiscard]] duration monotonic() const override { return 7s; }
  [[nodiscard]] std::uint64_t random() override { return 42; }
  timestamp at{100h};
};

} // namespace

TEST_CASE("a clock that goes forward is told as it is") {
  set_clock behind;
  forward_clock history(behind);
  CHECK(history.now() == timestamp{100h});
  behind.at += 5s;
  CHECK(history.now() == timestamp{100h} + 5s);
  behind.at += 48h;
  CHECK(history.now() == timestamp{148h} + 5s);
  CHECK(history.monotonic() == duration(7s));
  CHECK(history.random() == 42);
}

TEST_CASE("where the clock goes back, history goes on from where it was, at the same pace") {
  set_clock behind;
  forward_clock history(behind);
  CHECK(history.now() == timestamp{100h});
  behind.at -= 2h;
  CHECK(history.now() == timestamp{100h});
  behind.at += 3s;
  CHECK(history.now() == timestamp{100h} + 3s);
  behind.at -= 1h;
  CHECK(history.now() == timestamp{100h} + 3s);
  behind.at += 1s;
  CHECK(history.now() == timestamp{100h} + 4s);
}

TEST_CASE("a history that began in what is the future now goes on from there") {
  set_clock behind;
  forward_clock history(behind, timestamp{120h});
  CHECK(history.now() == timestamp{120h});
  behind.at += 1s;
  CHECK(history.now() == timestamp{120h} + 1s);
}
