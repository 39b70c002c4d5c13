// Inputs that changed while their asset's own command ran.
#include "engine/own_writes.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <ctime>
#include <string>
#include <vector>

using namespace troupe_internal;

namespace {

/// An attempt from `from` to `to` seconds from now.
materialization made(std::int64_t from, std::int64_t to) {
  materialization last;
  last.run = run_number(4U);
  last.finished_at = from_unix_ns((std::time(nullptr) + to) * 1'000'000'000);
  last.took = std::chrono::seconds(to - from);
  return last;
}

std::vector<reason> of(reason_kind kind, const std::string& detail) {
  return {{reason_kind::command_changed, ""}, {kind, detail}};
}

} // namespace

TEST_CASE("a file, and a file in a folder, are noted if they changed during the attempt") {
  const temporary_folder folder;
  folder.write("in/sub/run.log", "1");
  folder.write("file", "1");
  own_writes written(folder.path());
  auto reasons = of(reason_kind::input_changed, "in");
  const auto warning = written.note(made(-100, 100), reasons);
  CHECK(reasons[0].note.empty());
  CHECK(reasons[1].detail == "in");
  CHECK(reasons[1].note == "in/sub/run.log changed while its own command ran");
  REQUIRE(warning.has_value());
  CHECK(warning->starts_with("in/sub/run.log changed while its own command ran (run #4)."));
  CHECK(warning->ends_with("(\"!in/sub/run.log\")"));
  reasons = of(reason_kind::input_added, "file");
  CHECK(written.note(made(-100, 100), reasons).has_value());
  CHECK(reasons[1].note == "it changed while its own command ran");
}

TEST_CASE("what changed before or after the attempt, or is gone, or is no input is not") {
  const temporary_folder folder;
  folder.write("in/file", "1");
  own_writes written(folder.path());
  for (const auto& last : {made(-200, -100), made(100, 200)})
    for (const auto* input : {"in", "in/file", "gone"}) {
      auto reasons = of(reason_kind::input_changed, input);
      CHECK_FALSE(written.note(last, reasons).has_value());
      CHECK(reasons[1].note.empty());
    }
  auto reasons = of(reason_kind::output_modified, "in/file");
  CHECK_FALSE(written.note(made(-100, 100), reasons).has_value());
}

TEST_CASE("of a folder a few files are named, and no more are looked at than there is time for") {
  const temporary_folder folder;
  for (const auto* name : {"in/a", "in/b", "in/c", "in/d"})
    folder.write(name, "1");
  auto reasons = of(reason_kind::input_changed, "in");
  CHECK(own_writes(folder.path()).note(made(-100, 100), reasons).has_value());
  CHECK(reasons[1].note == "in/a, in/b, in/c changed while its own command ran");
  own_writes tired(folder.path(), 2); // the folder, and one file in it
  CHECK(tired.note(made(-100, 100), reasons).has_value());
  CHECK(reasons[1].note == "in/a changed while its own command ran");
  reasons = of(reason_kind::input_changed, "in/b");
  CHECK_FALSE(tired.note(made(-100, 100), reasons).has_value());
}
