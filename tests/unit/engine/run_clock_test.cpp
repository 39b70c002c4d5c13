// The time of a run: the wall clock's at its beginning, the monotonic clock's pace from there.
#include "adapters/system/system_clock.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

class set_clock final : public clock {
public:
  [[nodiscard]] timestamp now() const override { return wall; }
  [[nodiscard]] duration monotonic() const override { return steady; }
  [[nodiscard]] std::uint64_t random() override { return 42; }
  timestamp wall{100h};
  duration steady{7s};
};

} // namespace

TEST_CASE("a run begins at the wall clock's time and goes on steadily, whatever is done to that clock") {
  set_clock behind;
  run_clock time(behind);
  CHECK(time.now() == timestamp{100h});
  for (const auto jump : {0h, -48h, 365 * 24h}) {
    const auto before = time.now();
    behind.wall += jump;
    CHECK(time.now() == before);
    behind.steady += 3s;
    CHECK(time.now() == before + 3s);
  }
  CHECK(time.monotonic() == duration(16s));
  CHECK(time.random() == 42);
}

TEST_CASE("what goes on with a run of the future goes on from there") {
  set_clock behind;
  const run_clock later(behind, timestamp{120h});
  CHECK(later.now() == timestamp{120h});
  behind.steady += 1s;
  CHECK(later.now() == timestamp{120h} + 1s);
  const run_clock sooner(behind, timestamp{80h});
  CHECK(sooner.now() == timestamp{100h});
}
