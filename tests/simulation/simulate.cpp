// `simulate`: many seeds, in several processes, with a table of what they reached; or one seed, step by step.
//   simulate [--seeds N] [--from S] [--jobs J]      N histories from seed S on; fails at the first violation
//   simulate --seed S                               this one, every step of it
// Knows how to count and to report; the histories are simulated_run's.
#include "simulated_run.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace troupe_internal::test;

namespace {

std::uint64_t current_seed = 0; // for a check that fails somewhere in the engine

void tell_violation(const std::string& what) {
  std::fprintf(stderr, "\nseed %llu: %s\nto repeat exactly this: ./dev simulate --seed %llu\n",
               static_cast<unsigned long long>(current_seed), what.c_str(),
               static_cast<unsigned long long>(current_seed));
}

} // namespace

/// Takes the place of the engine's own: a check that fails names the seed.
void troupe_internal::check_failed(const char* expression, const char* file, int line, const char* why) noexcept {
  tell_violation("the engine stops itself: " + std::string(why) + " (" + expression + ") at " + file + ":" +
                 std::to_string(line));
  std::_Exit(1);
}

namespace {

struct options {
  std::uint64_t seeds = 20'000;
  std::uint64_t from = 1;
  std::uint64_t jobs = 1;
  std::optional<std::uint64_t> one;
};

/// Sums over many histories; plain numbers, so that they go through a pipe.
struct totals {
  std::uint64_t seeds = 0, steps = 0, lives = 0, crashes = 0, events = 0, assets = 0, violations = 0;
  std::uint64_t shapes[graph_shape_names.size()] = {};
  rare_paths paths;

  void add(const simulation_result& one) {
    ++seeds;
    steps += one.steps;
    lives += one.lives;
    crashes += one.crashes;
    events += one.events;
    assets += one.assets;
    ++shapes[static_cast<std::size_t>(one.shape)];
    for (std::size_t i = 0; i < one.paths.counts.size(); ++i) // histories, not occurrences
      paths.counts[i] += one.paths.counts[i] > 0 ? 1 : 0;
  }
  void add(const totals& other) {
    seeds += other.seeds;
    steps += other.steps;
    lives += other.lives;
    crashes += other.crashes;
    events += other.events;
    assets += other.assets;
    violations += other.violations;
    for (std::size_t i = 0; i < graph_shape_names.size(); ++i)
      shapes[i] += other.shapes[i];
    paths.add(other.paths);
  }
};

/// One history, every step in words.
int show(std::uint64_t seed) {
  current_seed = seed;
  std::string log;
  try {
    const auto one = simulate(seed, true, &log);
    std::fputs(one.log.c_str(), stdout);
    std::printf("seed %llu: no violation in %llu steps, %llu supervisors, %llu events\n",
                static_cast<unsigned long long>(seed), static_cast<unsigned long long>(one.steps),
                static_cast<unsigned long long>(one.lives), static_cast<unsigned long long>(one.events));
    return 0;
  } catch (const std::runtime_error& violation) {
    std::fputs(log.c_str(), stdout);
    std::fflush(stdout);
    tell_violation(violation.what());
    return 1;
  }
}

/// Every `stride`th seed from the `first`th on. Stops at the first violation.
totals play(const options& asked, std::uint64_t first, std::uint64_t stride) {
  totals all;
  const bool tells = first == 0 && isatty(STDERR_FILENO) != 0;
  for (auto i = first; i < asked.seeds; i += stride) {
    current_seed = asked.from + i;
    if (tells && all.seeds % 1000 == 0)
      std::fprintf(stderr, "\r%3llu %%\r", static_cast<unsigned long long>(100 * i / asked.seeds));
    try {
      all.add(simulate(current_seed));
    } catch (const std::runtime_error& violation) {
      tell_violation(violation.what());
      ++all.violations;
      return all;
    }
  }
  return all;
}

/// The seeds, spread over processes of their own; nullopt if one of them died.
std::optional<totals> play_all(const options& asked) {
  std::vector<std::pair<pid_t, int>> children;
  for (std::uint64_t job = 0; job < asked.jobs; ++job) {
    int ends[2];
    if (pipe(ends) != 0)
      return std::nullopt;
    const auto child = fork();
    if (child == 0) {
      const auto mine = play(asked, job, asked.jobs);
      const bool written = write(ends[1], &mine, sizeof mine) == static_cast<ssize_t>(sizeof mine);
      std::_Exit(written && mine.violations == 0 ? 0 : 1);
    }
    close(ends[1]);
    children.emplace_back(child, ends[0]);
  }
  std::optional<totals> all(std::in_place);
  for (const auto& [child, end] : children) {
    totals part;
    const bool got = read(end, &part, sizeof part) == static_cast<ssize_t>(sizeof part);
    close(end);
    int status = 0;
    waitpid(child, &status, 0);
    if (!got || !WIFEXITED(status))
      all.reset();
    else if (all)
      all->add(part);
  }
  return all;
}

int report(const totals& all, double seconds) {
  std::printf("%llu histories, %llu supervisors, %llu crashes, %llu steps, %llu events, %llu assets: %.1f s\n",
              static_cast<unsigned long long>(all.seeds), static_cast<unsigned long long>(all.lives),
              static_cast<unsigned long long>(all.crashes), static_cast<unsigned long long>(all.steps),
              static_cast<unsigned long long>(all.events), static_cast<unsigned long long>(all.assets), seconds);
  for (std::size_t i = 0; i < graph_shape_names.size(); ++i)
    std::printf("%10llu  graph: %s\n", static_cast<unsigned long long>(all.shapes[i]),
                std::string(graph_shape_names[i]).c_str());
  bool missed = false;
  for (std::size_t i = 0; i < rare_path_names.size(); ++i) {
    std::printf("%10llu  %s\n", static_cast<unsigned long long>(all.paths.counts[i]),
                std::string(rare_path_names[i]).c_str());
    if (all.paths.counts[i] == 0) {
      std::fprintf(stderr, "never reached: %s\n", std::string(rare_path_names[i]).c_str());
      missed = true;
    }
  }
  if (all.violations > 0)
    return 1;
  if (missed && all.seeds >= seeds_that_reach_everything) {
    std::fprintf(stderr, "a path that must be reached was not: what it leads to is not tested\n");
    return 1;
  }
  return 0;
}

bool parse(int argc, char** argv, options& asked) {
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 >= argc)
      return false;
    char* end = nullptr;
    const auto number = std::strtoull(argv[i + 1], &end, 10);
    if (end == argv[i + 1] || *end != '\0')
      return false;
    if (std::strcmp(argv[i], "--seeds") == 0)
      asked.seeds = number;
    else if (std::strcmp(argv[i], "--from") == 0)
      asked.from = number;
    else if (std::strcmp(argv[i], "--jobs") == 0)
      asked.jobs = std::max<std::uint64_t>(1, number);
    else if (std::strcmp(argv[i], "--seed") == 0)
      asked.one = number;
    else
      return false;
  }
  return true;
}

} // namespace

int main(int argc, char** argv) {
  options asked;
  if (!parse(argc, argv, asked)) {
    std::fprintf(stderr, "usage: simulate [--seeds N] [--from SEED] [--jobs N] | --seed SEED\n");
    return 2;
  }
  if (asked.one)
    return show(*asked.one);
  const auto began = std::chrono::steady_clock::now();
  const auto all = play_all(asked);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  if (!all)
    return 1; // who died has said why
  return report(*all, took.count());
}
