// Hunts for planted bugs: plays seeds with one bug switched on, in processes of their own, until a rule finds it. Knows
// nothing of what is played. For one source file of a test program.
#pragma once

#include "base/check.hpp"
#include "planted_bugs.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

int troupe_internal::test::planted_bug = 0;

namespace {

int to_parent = -1; // the write end of the pipe, in the child that plays a bug

[[noreturn]] void found(std::uint64_t seed, const std::string& what) {
  const auto text = std::to_string(seed) + " " + what;
  const auto written = write(to_parent, text.data(), text.size());
  std::_Exit(written == static_cast<ssize_t>(text.size()) ? 1 : 2);
}

std::uint64_t current_seed = 0;

} // namespace

/// Takes the place of the engine's own: stopping itself is one way of finding a bug.
void troupe_internal::check_failed(const char*, const char*, int, const char* why) noexcept {
  found(current_seed, "the engine stops itself: " + std::string(why));
}

namespace troupe_internal::test {

/// Plays a seed; throws std::runtime_error at the first violation.
using play_seed = void (*)(std::uint64_t seed);

struct finding {
  std::uint64_t seed = 0; ///< 0: nothing was found
  std::string what;
};

inline bool is_expected(std::string_view what, std::string_view expects) {
  for (;;) {
    const auto bar = expects.find('|');
    if (what.find(expects.substr(0, bar)) != std::string_view::npos)
      return true;
    if (bar == std::string_view::npos)
      return false;
    expects.remove_prefix(bar + 1);
  }
}

/// Plays seeds `from` … `last` with one bug switched on, in a process of its own, until something is found that is
/// expected or stops the engine.
inline finding hunt(play_seed play, int bug, std::uint64_t from, std::uint64_t last, std::string_view expects) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const auto child = fork();
  if (child == 0) {
    to_parent = ends[1];
    planted_bug = bug;
    for (current_seed = from; current_seed <= last; ++current_seed) {
      try {
        play(current_seed);
      } catch (const std::runtime_error& violation) {
        if (is_expected(violation.what(), expects))
          found(current_seed, violation.what());
      }
    }
    std::_Exit(0);
  }
  close(ends[1]);
  std::string text;
  char buffer[1024];
  for (ssize_t count = 0; (count = read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(count));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (text.empty()) {
    CHECK_MESSAGE((WIFEXITED(status) && WEXITSTATUS(status) == 0), "the simulation broke without a word");
    return {};
  }
  const auto space = text.find(' ');
  return {std::strtoull(text.c_str(), nullptr, 10), text.substr(space + 1)};
}

/// A history that another rule ended first says nothing of this one: the hunt goes on.
inline finding hunt(play_seed play, int bug, std::uint64_t last, std::string_view expects) {
  for (auto one = hunt(play, bug, 1, last, expects);; one = hunt(play, bug, one.seed + 1, last, expects))
    if (one.seed == 0 || is_expected(one.what, expects))
      return one;
}

/// Every bug of the list is found within so many seeds, by the rule that it breaks.
inline void hunt_all(play_seed play, std::uint64_t last) {
  for (int bug = 1; bug <= static_cast<int>(planted_bugs().size()); ++bug) {
    const auto& entry = planted_bugs()[static_cast<std::size_t>(bug) - 1];
    const auto name = std::to_string(bug) + ", " + std::string(entry.what);
    CHECK_MESSAGE(!entry.lost, name << ": its place in the sources is gone, plant it anew in planted_bugs.txt");
    if (entry.lost)
      continue;
    const auto first = hunt(play, bug, last, entry.expects);
    CHECK_MESSAGE(first.seed != 0, name << ": not found by the rule that it breaks");
    MESSAGE(name << ": seed " << first.seed << ", " << first.what);
  }
}

} // namespace troupe_internal::test
