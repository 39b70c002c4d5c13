// `simulate`: many seeds, in several processes, with a table of what they reached; or one seed, step by step.
//   simulate [--runs] [--seeds N] [--from S] [--jobs J]      N histories from seed S on; fails at the first violation
//   simulate [--runs] --seed S                               this one, every step of it
// A history is that of one run, or with --runs that of a state and many runs. Knows how to count and to report; the
// histories are simulated_run's and simulated_runs'.
#include "simulated_run.hpp"
#include "simulated_runs.hpp"

#include "base/check.hpp"
#include "base/digest.hpp"

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
#include <utility>
#include <vector>

using namespace troupe_internal::test;

namespace {

std::uint64_t current_seed = 0; // for a check that fails somewhere in the engine
bool many_runs = false;         // likewise

void tell_violation(const std::string& what) {
  std::fprintf(stderr, "\nseed %llu: %s\nto repeat exactly this: ./dev simulate %s--seed %llu\n",
               static_cast<unsigned long long>(current_seed), what.c_str(), many_runs ? "--runs " : "",
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

constexpr std::size_t most_figures = 6;
constexpr std::size_t most_paths = 96;

/// Of one history, or sums over many; plain numbers, so that they go through a pipe.
struct totals {
  std::uint64_t seeds = 0, violations = 0;
  std::uint64_t figures[most_figures] = {}; ///< as named
  std::uint64_t paths[most_paths] = {};     ///< histories that reached each, as named
  std::uint64_t digest = 0;                 ///< of steps and journals, in any order

  void add(const totals& other) {
    seeds += other.seeds;
    violations += other.violations;
    for (std::size_t i = 0; i < most_figures; ++i)
      figures[i] += other.figures[i];
    for (std::size_t i = 0; i < most_paths; ++i)
      paths[i] += other.paths[i];
    digest ^= other.digest;
  }
  void note(std::uint64_t steps, const std::string& journal) {
    seeds = 1;
    const auto all =
        troupe_internal::quick_digest(std::to_string(current_seed) + " " + std::to_string(steps) + " " + journal);
    std::memcpy(&digest, all.bytes.data(), sizeof digest);
  }
};

/// A kind of histories.
struct kind {
  std::vector<std::string> figures;
  std::vector<std::string> paths;
  std::size_t must_reach; ///< of the paths, those from here on
  totals (*play)(bool keep_log, std::string* log);
};

totals play_one_run(bool keep_log, std::string* log) {
  const auto one = simulate(current_seed, keep_log, log);
  totals played;
  played.note(one.steps, one.journal);
  const std::uint64_t figures[] = {one.lives, one.crashes, one.steps, one.events, one.assets};
  std::copy(std::begin(figures), std::end(figures), played.figures);
  played.paths[static_cast<std::size_t>(one.shape)] = 1;
  for (std::size_t i = 0; i < one.paths.counts.size(); ++i)
    played.paths[graph_shape_names.size() + i] = one.paths.counts[i] > 0 ? 1 : 0;
  if (log != nullptr)
    *log = one.log;
  return played;
}

totals play_many_runs(bool keep_log, std::string* log) {
  const auto one = simulate_runs(current_seed, keep_log, log);
  totals played;
  played.note(one.steps, one.journal);
  const std::uint64_t figures[] = {one.engines, one.runs, one.crashes, one.steps, one.events};
  std::copy(std::begin(figures), std::end(figures), played.figures);
  for (std::size_t i = 0; i < one.paths.counts.size(); ++i)
    played.paths[i] = one.paths.counts[i] > 0 ? 1 : 0;
  if (log != nullptr)
    *log = one.log;
  return played;
}

kind kind_of_history() {
  kind made;
  if (many_runs) {
    made = {{"engines", "runs", "crashes", "steps", "events"}, {}, 0, play_many_runs};
    made.paths.assign(state_path_names.begin(), state_path_names.end());
  } else {
    made = {{"supervisors", "crashes", "steps", "events", "assets"}, {}, graph_shape_names.size(), play_one_run};
    for (const auto shape : graph_shape_names)
      made.paths.push_back("graph: " + std::string(shape));
    made.paths.insert(made.paths.end(), rare_path_names.begin(), rare_path_names.end());
  }
  TROUPE_CHECK(made.paths.size() <= most_paths && made.figures.size() <= most_figures, "more is counted than fits");
  return made;
}

std::string in_words(const kind& of, const totals& all) {
  std::string text;
  for (std::size_t i = 0; i < of.figures.size(); ++i)
    text += ", " + std::to_string(all.figures[i]) + " " + of.figures[i];
  return text;
}

/// One history, every step in words.
int show(const kind& of, std::uint64_t seed) {
  current_seed = seed;
  std::string log;
  try {
    const auto one = of.play(true, &log);
    std::fputs(log.c_str(), stdout);
    std::printf("seed %llu: no violation%s\n", static_cast<unsigned long long>(seed), in_words(of, one).c_str());
    return 0;
  } catch (const std::runtime_error& violation) {
    std::fputs(log.c_str(), stdout);
    std::fflush(stdout);
    tell_violation(violation.what());
    return 1;
  }
}

/// Every `stride`th seed from the `first`th on. Stops at the first violation.
totals play(const kind& of, const options& asked, std::uint64_t first, std::uint64_t stride) {
  totals all;
  const bool tells = first == 0 && isatty(STDERR_FILENO) != 0;
  for (auto i = first; i < asked.seeds; i += stride) {
    current_seed = asked.from + i;
    if (tells && all.seeds % 1000 == 0)
      std::fprintf(stderr, "\r%3llu %%\r", static_cast<unsigned long long>(100 * i / asked.seeds));
    try {
      all.add(of.play(false, nullptr));
    } catch (const std::runtime_error& violation) {
      tell_violation(violation.what());
      ++all.violations;
      return all;
    }
  }
  return all;
}

/// The seeds, spread over processes of their own; nullopt if one of them died.
std::optional<totals> play_all(const kind& of, const options& asked) {
  std::vector<std::pair<pid_t, int>> children;
  for (std::uint64_t job = 0; job < asked.jobs; ++job) {
    int ends[2];
    if (pipe(ends) != 0)
      return std::nullopt;
    const auto child = fork();
    if (child == 0) {
      const auto mine = play(of, asked, job, asked.jobs);
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

int report(const kind& of, const totals& all, double seconds) {
  std::printf("%llu histories%s: %.1f s\n", static_cast<unsigned long long>(all.seeds), in_words(of, all).c_str(),
              seconds);
  bool missed = false;
  for (std::size_t i = 0; i < of.paths.size(); ++i) {
    std::printf("%10llu  %s\n", static_cast<unsigned long long>(all.paths[i]), of.paths[i].c_str());
    if (i < of.must_reach || all.paths[i] > 0)
      continue;
    std::fprintf(stderr, "never reached: %s\n", of.paths[i].c_str());
    missed = true;
  }
  std::printf("digest of steps and journals: %016llx\n", static_cast<unsigned long long>(all.digest));
  if (all.violations > 0)
    return 1;
  if (missed && all.seeds >= seeds_that_reach_everything) {
    std::fprintf(stderr, "a path that must be reached was not: what it leads to is not tested\n");
    return 1;
  }
  return 0;
}

bool parse(int argc, char** argv, options& asked) {
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--runs") == 0) {
      many_runs = true;
      continue;
    }
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
    ++i;
  }
  return true;
}

} // namespace

int main(int argc, char** argv) {
  options asked;
  if (!parse(argc, argv, asked)) {
    std::fprintf(stderr, "usage: simulate [--runs] [--seeds N] [--from SEED] [--jobs N] | [--runs] --seed SEED\n");
    return 2;
  }
  const auto of = kind_of_history();
  if (asked.one)
    return show(of, *asked.one);
  const auto began = std::chrono::steady_clock::now();
  const auto all = play_all(of, asked);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  if (!all)
    return 1; // who died has said why
  return report(of, *all, took.count());
}
