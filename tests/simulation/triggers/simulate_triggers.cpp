// `simulate_triggers`: many histories of triggers in several processes, or one, and what they reached.
//   simulate_triggers [--seeds N] [--from S] [--jobs J]     N histories from seed S on; fails at the first violation
//   simulate_triggers --seed S                              this one
// Knows how to count and to report; the histories are trigger_world's.
#include "trigger_world.hpp"

#include "base/check.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

using namespace troupe_internal::test;

namespace {

std::uint64_t current_seed = 0; // for a check that fails somewhere in the product

void tell_violation(const char* what) {
  std::fprintf(stderr, "\nseed %llu: %s\nto repeat exactly this: ./dev simulate --triggers --seed %llu\n",
               static_cast<unsigned long long>(current_seed), what, static_cast<unsigned long long>(current_seed));
}

} // namespace

/// Takes the place of the product's own: a check that fails names the seed.
void troupe_internal::check_failed(const char* expression, const char*, int, const char*) noexcept {
  tell_violation(expression);
  std::_Exit(1);
}

namespace {

void add(trigger_figures& to, const trigger_figures& more) {
  to.events += more.events;
  to.runs += more.runs;
  to.kills += more.kills;
  to.ticks += more.ticks;
  to.joined += more.joined;
  to.expired += more.expired;
  to.held += more.held;
  to.changes += more.changes;
}

bool play(std::uint64_t first, std::uint64_t last, std::uint64_t stride, trigger_figures& all) {
  for (current_seed = first; current_seed < last; current_seed += stride)
    try {
      add(all, simulate_triggers(current_seed));
    } catch (const std::runtime_error& violation) {
      tell_violation(violation.what());
      return false;
    }
  return true;
}

} // namespace

int main(int argc, char** argv) {
  std::uint64_t seeds = 20'000;
  std::uint64_t from = 1;
  std::uint64_t jobs = 1;
  for (int i = 1; i < argc; i += 2) {
    char* end = nullptr;
    const auto number = i + 1 < argc ? std::strtoull(argv[i + 1], &end, 10) : 0;
    const bool is_number = i + 1 < argc && end != argv[i + 1] && *end == '\0';
    if (is_number && std::strcmp(argv[i], "--seeds") == 0) {
      seeds = number;
    } else if (is_number && std::strcmp(argv[i], "--from") == 0) {
      from = number;
    } else if (is_number && std::strcmp(argv[i], "--jobs") == 0) {
      jobs = std::max<std::uint64_t>(1, number);
    } else if (is_number && std::strcmp(argv[i], "--seed") == 0) {
      from = number;
      seeds = jobs = 1;
    } else {
      std::fprintf(stderr, "usage: simulate_triggers [--seeds N] [--from SEED] [--jobs N] | --seed SEED\n");
      return 2;
    }
  }
  std::vector<std::pair<pid_t, int>> children;
  for (std::uint64_t job = 0; job < jobs; ++job) {
    int ends[2];
    if (pipe(ends) != 0)
      return 1;
    const auto child = fork();
    if (child == 0) {
      trigger_figures mine;
      const bool sound = play(from + job, from + seeds, jobs, mine);
      const bool told = write(ends[1], &mine, sizeof mine) == static_cast<ssize_t>(sizeof mine);
      std::_Exit(sound && told ? 0 : 1);
    }
    close(ends[1]);
    children.emplace_back(child, ends[0]);
  }
  trigger_figures all;
  bool sound = true;
  for (const auto& [child, end] : children) {
    trigger_figures part;
    if (read(end, &part, sizeof part) == static_cast<ssize_t>(sizeof part))
      add(all, part);
    close(end);
    int status = 0;
    waitpid(child, &status, 0);
    sound = sound && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  const auto figure = [](std::uint64_t count) { return static_cast<unsigned long long>(count); };
  std::printf(
      "%llu histories: %llu events (%llu ticks, %llu changes of assets), %llu runs, %llu events joined one, %llu "
      "runs expired, %llu times one was held, %llu kills\n",
      figure(seeds), figure(all.events), figure(all.ticks), figure(all.changes), figure(all.runs), figure(all.joined),
      figure(all.expired), figure(all.held), figure(all.kills));
  const bool reached = all.ticks > 0 && all.changes > 0 && all.joined > 0 && all.expired > 0 && all.held > 0;
  if (sound && seeds >= 1000 && !reached)
    std::fprintf(stderr, "something that has to be reached was not: what it leads to is not tested\n");
  return sound && (seeds < 1000 || reached) ? 0 : 1;
}
