// A hundred runs in one process, whole ones, stopped ones and ones with nothing to do: what each took, it gives back.
#include "engine/project.hpp"
#include "support/process_holdings.hpp"
#include "support/recording_observer.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace troupe_internal;

namespace {

constexpr const char* many_pipeline = R"x({"name": "many", "engine": {"workers": 2, "keep_runs": 5}, "assets": {
  "a": {"command": "echo 1 > a.txt; (sleep 100 &)", "outputs": ["a.txt"]},
  "b": {"command": "cat a.txt > b.txt; exit 0", "inputs": ["a.txt"], "outputs": ["b.txt"]},
  "c": {"matrix": {"n": ["1", "2"]}, "command": "test {{ matrix.n }} = 1", "allow_failure": true, "deps": ["a"]},
  "d": {"command": ["true"], "deps": ["b", "c"], "durability": "strict"}}})x";

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
  test::process_holdings before;
  for (int i = 0; i < runs; ++i) {
    if (i == warm_after)
      before = test::process_holdings::now();
    run_once(*on, i % 3 == 2 ? stale : everything, i % 10 == 9);
  }
  const auto after = test::process_holdings::now();
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
