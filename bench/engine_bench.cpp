// What a run costs in an engine that stays: many small runs, some at a time. Prints one line a figure. Not a test.
//
//   usage: engine_bench FOLDER [RUNS [AT_A_TIME]]     FOLDER: made, and must not exist
#include "engine/engine.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>

using namespace troupe_internal;
using steady = std::chrono::steady_clock;

namespace {

double ms(steady::duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

/// Notes when the first attempt begins.
class first_attempt final : public run_observer {
public:
  std::optional<steady::time_point> at;

  void run_began(const run_outline&) override {}
  void attempt_began(asset_index, std::uint32_t, const std::vector<reason>&, duration) override {
    if (!at)
      at = steady::now();
  }
  void attempt_ended(asset_index, const attempt_end&) override {}
  void asset_settled(asset_index, asset_status, asset_index, std::string_view) override {}
  void run_stopping(stop_cause) override {}
  void warned(asset_index, const attempt_warning&) override {}
};

/// Pipelines of ten assets in two layers; each lane of runs has one of its own, so that no run waits for another's
/// assets.
std::string text_of_lane(std::size_t lane) {
  std::string text =
      R"({"name": "lane)" + std::to_string(lane) + R"(", "engine": {"workers": 2, "keep_runs": 50}, "assets": {)";
  for (int i = 0; i < 5; ++i)
    text += std::string(i == 0 ? "" : ", ") + "\"a" + std::to_string(i) + R"(": {"command": ["true"]}, "b)" +
            std::to_string(i) + R"(": {"command": ["true"], "deps": ["a)" + std::to_string(i) + "\"]}";
  return text + "}}";
}

double cpu_seconds(int who) {
  rusage use{};
  getrusage(who, &use);
  return static_cast<double>(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
         static_cast<double>(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

} // namespace

int main(int count, char** words) {
  if (count < 2) {
    std::cerr << "usage: engine_bench FOLDER [RUNS [AT_A_TIME]]\n";
    return 2;
  }
  const std::string folder = std::filesystem::absolute(words[1]);
  const auto runs = static_cast<std::size_t>(count > 2 ? std::atoi(words[2]) : 1000);
  const auto lanes = static_cast<std::size_t>(count > 3 ? std::atoi(words[3]) : 8);
  if (!std::filesystem::create_directory(folder))
    return 2;
  std::vector<project> projects;
  for (std::size_t i = 0; i < lanes; ++i) {
    const auto file = folder + "/lane" + std::to_string(i) + ".json";
    std::ofstream(file) << text_of_lane(i);
    project_options where;
    where.file = file;
    where.state = folder + "/state";
    diagnostics findings;
    auto on = open_project(where, findings);
    if (!on)
      return 1;
    projects.push_back(std::move(*on));
  }
  system_clock time;
  stop_request stop;
  engine_options how;
  how.folder = folder + "/state";
  auto opened = engine::open(how, time, stop);
  if (!opened) {
    std::cerr << opened.error().message << "\n";
    return 1;
  }
  std::mutex mutex;
  std::vector<double> to_first, whole;
  std::size_t left = runs;
  bool failed = false;
  const auto lane = [&](std::size_t i) {
    for (;;) {
      {
        const std::lock_guard lock(mutex);
        if (left == 0 || failed)
          return;
        --left;
      }
      first_attempt seen;
      run_options options;
      options.force = true;
      const auto began = steady::now();
      const auto run = (*opened)->submit(projects[i], options, seen);
      const auto ended = run ? (*opened)->wait(*run) : result<run_result>(run.error());
      const auto over = steady::now();
      const std::lock_guard lock(mutex);
      failed = failed || !ended || ended->status != run_status::succeeded || !seen.at;
      if (failed)
        return;
      to_first.push_back(ms(*seen.at - began));
      whole.push_back(ms(over - began));
    }
  };
  const auto began = steady::now();
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < lanes; ++i)
    threads.emplace_back(lane, i);
  for (auto& thread : threads)
    thread.join();
  const auto took = steady::now() - began;
  if (failed) {
    std::cerr << "a run did not succeed\n";
    return 1;
  }
  // In a warm engine, one run alone: from the call to its first attempt.
  std::vector<double> alone;
  for (int i = 0; i < 200; ++i) {
    first_attempt seen;
    run_options options;
    options.force = true;
    const auto at = steady::now();
    const auto run = (*opened)->submit(projects[0], options, seen);
    if (!run || !(*opened)->wait(*run) || !seen.at)
      return 1;
    alone.push_back(ms(*seen.at - at));
  }
  const auto at = [](std::vector<double>& values, double part) {
    std::sort(values.begin(), values.end());
    return values[std::min(values.size() - 1, static_cast<std::size_t>(static_cast<double>(values.size()) * part))];
  };
  std::cout << runs << " runs of 10 assets, " << lanes << " at a time: " << ms(took) / static_cast<double>(runs)
            << " ms a run by the clock\n"
            << "processor time a run: " << cpu_seconds(RUSAGE_SELF) * 1000 / static_cast<double>(runs + 200)
            << " ms of the engine, " << cpu_seconds(RUSAGE_CHILDREN) * 1000 / static_cast<double>(runs + 200)
            << " ms of its commands\n"
            << "from submit to the first attempt, " << lanes << " at a time: p50 " << at(to_first, 0.5) << " ms, p99 "
            << at(to_first, 0.99) << " ms\n"
            << "from submit to the first attempt, alone: p50 " << at(alone, 0.5) << " ms, p99 " << at(alone, 0.99)
            << " ms\n"
            << "from submit to the end, " << lanes << " at a time: p50 " << at(whole, 0.5) << " ms, p99 "
            << at(whole, 0.99) << " ms\n";
  return 0;
}
