// What two pipelines have in common on disk, and how their runs wait for each other by that.
#include "engine/shared_files.hpp"

#include "engine/serving_engine.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <utility>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

project opened(const temporary_folder& folder, const std::string& file, const std::string& text) {
  folder.write(file, text);
  project_options where;
  where.file = folder / file;
  where.state = folder / "state";
  diagnostics findings;
  auto on = open_project(where, findings);
  REQUIRE_MESSAGE(on.has_value(), (on ? "" : on.error().message));
  return *on;
}

std::string making(const std::string& name, const std::string& output) {
  return R"x({"name": ")x" + name + R"x(", "assets": {"make": {"command": ["true"], "outputs": [")x" + output +
         R"x("]}}})x";
}

std::string reading(const std::string& inputs) {
  return R"x({"name": "r", "assets": {"read": {"command": ["true"], "inputs": [)x" + inputs + "]}}}";
}

} // namespace

TEST_CASE("two pipelines make one file, whatever its spelling, or one in a folder that the other makes") {
  const temporary_folder folder;
  std::filesystem::create_directories((folder / "real") + "/deep");
  std::filesystem::create_directory_symlink(folder / "real", folder / "link");
  const auto conflict = [&](const std::string& one, const std::string& other) {
    const auto found = made_files(opened(folder, "p.json", making("p", one)))
                           .conflict_with(made_files(opened(folder, "q.json", making("q", other))));
    return !found ? std::string("none") : found->nested ? "nested" : "same";
  };
  CHECK(conflict("out.txt", "out.txt") == "same");
  CHECK(conflict("real/x", "link/x") == "same");
  CHECK(conflict("real/x", (folder / "link") + "/x") == "same");
  CHECK(conflict("out.txt", "out.txt2") == "none");
  CHECK(conflict("out", "out/in/x") == "nested");
  CHECK(conflict("out/in/x", "out") == "nested");
  CHECK(conflict("out-1/x", "out") == "none");
}

TEST_CASE("an asset reads what another pipeline makes: the file, its folder, something in it, what a glob matches") {
  const temporary_folder folder;
  const auto reads = [&](const std::string& output, const std::string& inputs) {
    bool found = false;
    made_files(opened(folder, "p.json", making("p", output)))
        .visit_readers(opened(folder, "r.json", reading(inputs)), [&](asset_index, asset_index) { found = true; });
    return found;
  };
  CHECK(reads("a.txt", R"("a.txt")"));
  CHECK(!reads("a.txt", R"("b.txt")"));
  CHECK(!reads("a.txt", ""));
  CHECK(reads("data/a.txt", R"("data")"));
  CHECK(reads("data", R"("data/a.txt")"));
  CHECK(!reads("data-2/a.txt", R"("data")"));
  CHECK(reads("data/a.txt", R"("data/*.txt")"));
  CHECK(!reads("data/a.csv", R"("data/*.txt")"));
  CHECK(reads("data/deep/a.txt", R"("data/**/*.txt")"));
  CHECK(reads("data", R"("data/*.txt")")); // a folder that it looks into
  CHECK(!reads("data/a.txt", R"("data/*.txt", "!data/a.*")"));
}

namespace {

/// Two pipelines, of which `maker` makes what `reader` reads; both hold still while there is no file "go".
class two_pipelines {
public:
  two_pipelines() {
    folder.write("maker.json", R"x({"name": "maker", "engine": {"workers": 4}, "assets": {"make":
      {"command": "echo make >> order; echo half > shared.txt; while ! test -e go; do sleep 0.01; done; cat word.txt > shared.txt", "inputs": ["word.txt"], "outputs": ["shared.txt"]}}})x");
    folder.write("reader.json", R"x({"name": "reader", "engine": {"workers": 4}, "assets": {"read":
      {"command": "echo read >> order; while ! test -e go; do sleep 0.01; done; cat shared.txt > read.txt", "inputs": ["shared.txt"], "outputs": ["read.txt"]}}})x");
    folder.write("word.txt", "first");
    serving_options how;
    how.folder = folder / "state";
    auto opened = serving_engine::open(how, time, stop);
    REQUIRE(opened.has_value());
    all = std::move(*opened);
  }
  run_number submit(const std::string& file) const {
    run_ask ask;
    ask.file = folder / file;
    const auto taken = all->submit(ask);
    REQUIRE_MESSAGE(taken.has_value(), (taken ? "" : taken.error().message));
    return taken->run;
  }
  void succeeds(run_number run) const { CHECK(all->wait(run).value() == run_status::succeeded); }
  void until_order(const std::string& what) const {
    for (int i = 0; i < 3000 && folder.read("order") != what; ++i)
      std::this_thread::sleep_for(10ms);
    REQUIRE(folder.read("order") == what);
  }

  temporary_folder folder;
  system_clock time;
  stop_request stop;
  std::unique_ptr<serving_engine> all;
};

} // namespace

TEST_CASE("a run reads what an earlier run of another pipeline makes only when that is made") {
  const two_pipelines on;
  const auto make = on.submit("maker.json");
  on.until_order("make\n");
  const auto read = on.submit("reader.json"); // there is a file to read, but it is not whole
  std::this_thread::sleep_for(100ms);         // it would have begun
  CHECK(on.folder.read("order") == "make\n");
  on.folder.write("go", "");
  on.succeeds(make);
  on.succeeds(read);
  CHECK(on.folder.read("read.txt") == "first");
  // Fresh when it is planned, and not when the other run has made its input.
  std::filesystem::remove(on.folder / "go");
  on.folder.write("word.txt", "second");
  on.folder.write("order", "");
  const auto again = on.submit("maker.json");
  on.until_order("make\n");
  on.folder.write("shared.txt", "first"); // as the reader knows it
  const auto reads_again = on.submit("reader.json");
  on.folder.write("go", "");
  on.succeeds(again);
  on.succeeds(reads_again);
  CHECK(on.folder.read("read.txt") == "second");
}

TEST_CASE("a run makes what an earlier run of another pipeline reads only when that has read it") {
  const two_pipelines on;
  on.folder.write("shared.txt", "before");
  const auto read = on.submit("reader.json");
  on.until_order("read\n");
  const auto make = on.submit("maker.json");
  std::this_thread::sleep_for(100ms); // it would have begun
  CHECK(on.folder.read("order") == "read\n");
  on.folder.write("go", "");
  on.succeeds(read);
  on.succeeds(make);
  CHECK(on.folder.read("read.txt") == "before");
  CHECK(on.folder.read("shared.txt") == "first");
}
