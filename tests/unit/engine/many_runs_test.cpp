// A hundred runs in one process, whole ones, stopped ones and ones with nothing to do: what each took, it gives back.
#include "adapters/process/process_table.hpp"
#include "engine/project.hpp"
#include "support/recording_observer.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <malloc.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>

using namespace troupe_internal;

namespace {

constexpr const char* many_pipeline = R"x({"name": "many", "engine": {"workers": 2, "keep_runs": 5}, "assets": {
  "a": {"command": "echo 1 > a.txt; (sleep 100 &)", "outputs": ["a.txt"]},
  "b": {"command": "cat a.txt > b.txt; exit 0", "inputs": ["a.txt"], "outputs": ["b.txt"]},
  "c": {"matrix": {"n": ["1", "2"]}, "command": "test {{ matrix.n }} = 1", "allow_failure": true, "deps": ["a"]},
  "d": {"command": ["true"], "deps": ["b", "c"], "durability": "strict"}}})x";

/// What a process holds of the system's things, and its allocated memory.
struct holdings {
  std::set<std::string> descriptors; ///< what they are of
  std::size_t descriptor_count = 0, threads = 0, children = 0;
  std::size_t bytes = 0;

  static holdings now() {
    holdings all;
    for (const auto& fd : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone; // the iterator's own
      all.descriptors.insert(std::filesystem::read_symlink(fd.path(), gone).string());
      ++all.descriptor_count;
    }
    for ([[maybe_unused]] const auto& thread : std::filesystem::directory_iterator("/proc/self/task"))
      ++all.threads;
    for (const auto pid : all_processes())
      if (const auto facts = read_process_facts(pid); facts && facts->parent == getpid())
        ++all.children;
    const auto heap = mallinfo2();
    all.bytes = heap.uordblks + heap.hblkhd;
    return all;
  }
};

void run_once(const project& on, const run_options& options, bool stopped) {
  test::recording_observer observer(*on.p);
  stop_request stop;
  if (stopped)
    observer.on_line = [&stop](const std::string& line) {
      if (line == "a succeeded")
        stop.request(0);
    };
  const auto ended = run_pipeline(on, options, observer, stop);
  REQUIRE_MESSAGE(ended.has_value(), (ended ? "" : ended.error().message));
  if (!stopped)
    CHECK(ended->status == run_status::succeeded);
}

} // namespace

TEST_CASE("a hundred starts and stops in a row leave no descriptor, thread, process or memory behind") {
  const temporary_folder folder;
  folder.write("troupe.json", many_pipeline);
  project_options where;
  where.file = folder / "troupe.json";
  diagnostics findings;
  const auto on = open_project(where, findings);
  REQUIRE(on.has_value());
  run_options everything;
  everything.force = true;
  const run_options stale;

  constexpr int runs = 100;
  constexpr int warm_after = 20; // what is allocated once, and kept for the next time, is there by then
  holdings before;
  for (int i = 0; i < runs; ++i) {
    if (i == warm_after)
      before = holdings::now();
    run_once(*on, i % 3 == 2 ? stale : everything, i % 10 == 9);
  }
  const auto after = holdings::now();
  CHECK(after.descriptor_count == before.descriptor_count);
  CHECK(after.descriptors == before.descriptors);
  CHECK(after.threads == before.threads);
  CHECK(after.children == 0);
  MESSAGE("allocated after 20 runs: ", before.bytes, " bytes, after 100: ", after.bytes);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // those have an allocator of their own
  constexpr std::size_t bytes_a_run = 256;                          // an object that a run forgets would be more
  CHECK(after.bytes <= before.bytes + bytes_a_run * (runs - warm_after));
#endif
}
