// The worlds are worth what they find: every bug of planted_bugs.txt must be found by one of them, within few seeds.
#include "base/check.hpp"
#include "simulation/planted_bugs.hpp"
#include "worlds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

int troupe_internal::test::planted_bug = 0;

using namespace troupe_internal::test;

namespace {

struct played {
  void (*world)(std::uint64_t seed);
  std::uint64_t seeds; ///< within which it has to find what it can find
};
constexpr played worlds[] = {{play_shared_files, 300}, {play_queue, 10},          {play_live_runs, 200},
                             {play_saturated_runs, 5}, {play_random_bundles, 20}, {play_whole_pool, 5}};

std::optional<std::string> first_violation() {
  for (const auto& [play, seeds] : worlds)
    for (std::uint64_t seed = 1; seed <= seeds; ++seed)
      try {
        play(seed);
      } catch (const std::runtime_error& violation) {
        return violation.what();
      }
  return std::nullopt;
}

bool expected(std::string_view violation, std::string_view expects) {
  for (std::size_t from = 0; from <= expects.size();) {
    const auto end = std::min(expects.find('|', from), expects.size());
    if (violation.find(expects.substr(from, end - from)) != std::string_view::npos)
      return true;
    from = end + 1;
  }
  return false;
}

} // namespace

TEST_CASE("every planted bug is found, by the promise that it breaks") {
  int number = 0;
  for (const auto& bug : planted_bugs()) {
    planted_bug = ++number;
    CAPTURE(std::string(bug.what));
    CHECK_MESSAGE(!bug.lost, "its place in the sources is gone");
    const auto violation = bug.lost ? std::nullopt : first_violation();
    CHECK_MESSAGE(violation.has_value(), "nobody finds it");
    if (violation)
      CHECK_MESSAGE(expected(*violation, bug.expects), "found by: " << *violation);
  }
  planted_bug = 0;
  CHECK(number >= 25);
}
