// Who made what is at an output that is not as its asset left it: of the state's assets, and of files in a folder.
#include "engine/output_makers.hpp"
#include "support/memory_journal_store.hpp"
#include "support/pipeline_builder.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

using namespace troupe_internal;
using test::pipeline_builder;

namespace {

digest content(const char* text) {
  return quick_digest(text);
}

/// The pipeline "one" in a folder of its own, whose asset a made out.txt and the folder dir in run #1; its state.
struct scene {
  scene() {
    b.asset("a").outputs({"out.txt", "dir"});
    p = b.build();
    diagnostics found;
    graph = std::make_unique<asset_graph>(std::move(*asset_graph::build(*p, found)));
    names = catalog::load(*p, *graph, nullptr).value();
    append(names->take_new_names());
    last.run = run_number(1U);
    last.finished_at = from_unix_ns(1'800'000'000'000'000'000);
    last.made.outputs = {{out, content("mine")}, {dir, content("dir")}};
  }
  void append(const std::vector<event>& events) { REQUIRE(store.append(events).has_value()); }
  /// Another asset made a file last, in run #7, as that pipeline file declared it.
  void made_by(const std::string& asset, const std::string& path, const std::string& file, const char* what) {
    const auto info = store.snapshot().value()->info();
    const auto pipeline = asset.substr(0, asset.find('/') + 1);
    const asset_id maker(info.asset_count);
    const path_id made(info.path_count), declared(info.path_count + 1);
    attempt_finished finished{run_number(7U), maker, 1, last.finished_at};
    finished.made.emplace();
    finished.made->full = true;
    finished.made->outputs = {{made, content(what)}};
    finished.made->pipeline_file = declared;
    append({names_interned{maker, {asset}}, paths_interned{made, {pipeline + path, pipeline + file}},
            run_started{run_number(7U), {}, {}, "x", {}, {}, {{maker, maker}}, {}},
            attempt_started{run_number(7U), maker, 1, last.finished_at}, finished});
  }
  /// The reason why a is stale where its first output has this content now.
  reason judged(const char* now, const char* folder_now = "dir") {
    snapshot = store.snapshot().value();
    planner plan(*p, *graph, {true}, {false}, last.finished_at, *names);
    asset_record record;
    record.last = last;
    record.attempt = attempt_state::succeeded;
    const std::vector<file_version> outputs = {{out, content(now)}, {dir, content(folder_now)}};
    plan.judge(asset_index(0U), record, record.last->made_from, outputs);
    REQUIRE(plan.action(asset_index(0U)) == plan_action::run);
    output_makers makers(*snapshot, *names, folder.path(), folder.path() + "/.troupe");
    REQUIRE(makers.refine(plan, asset_index(0U), *record.last, outputs).has_value());
    REQUIRE(plan.last_reasons().size() == 1);
    std::vector<reason> again = {{reason_kind::output_modified, plan.last_reasons().front().detail}};
    again.front().detail = now == std::string("mine") ? "dir" : "out.txt";
    plan.restate(again); // a judgement in the run says the same
    CHECK(again.front() == plan.last_reasons().front());
    return plan.last_reasons().front();
  }

  temporary_folder folder;
  pipeline_builder b{"one"};
  std::unique_ptr<pipeline> p;
  std::unique_ptr<asset_graph> graph;
  std::unique_ptr<catalog> names;
  test::memory_journal_store store;
  std::unique_ptr<journal_snapshot> snapshot;
  materialization last;
  path_id out{0U}, dir{1U};
};

} // namespace

TEST_CASE("what nobody in the state made is somebody else's") {
  scene s;
  CHECK(s.judged("theirs") == reason{reason_kind::output_modified, "out.txt"});
  s.made_by("two/b", "other.txt", "two.json", "theirs"); // another file
  CHECK(s.judged("theirs") == reason{reason_kind::output_modified, "out.txt"});
}

TEST_CASE("another asset of the state that made it is named, with its pipeline if that is another") {
  scene s;
  s.made_by("two/b", "out.txt", "two.json", "theirs");
  CHECK(s.judged("theirs") == reason{reason_kind::output_made_by_other, "out.txt (made by two/b in run #7)"});
  CHECK(s.judged("changed since") == reason{reason_kind::output_modified, "out.txt"});
  scene same;
  same.made_by("one/before", "out.txt", "one.json", "theirs");
  CHECK(same.judged("theirs").detail == "out.txt (made by before in run #7)");
}

TEST_CASE("the same path of a pipeline in another folder is another file") {
  scene s;
  s.made_by("two/b", "out.txt", "sub/two.json", "theirs");
  CHECK(s.judged("theirs").kind == reason_kind::output_modified);
  scene unknown;
  unknown.made_by("two/b", "out.txt", "-", "theirs");
  CHECK(unknown.judged("theirs").kind == reason_kind::output_modified);
}

TEST_CASE("of a folder the files are named that changed after its asset had made it") {
  scene s;
  s.folder.write("dir/old", "1");
  s.folder.write("dir/sub/new", "2");
  const auto set = [&](const std::string& path, std::int64_t seconds) {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    REQUIRE(::utimensat(AT_FDCWD, (s.folder.path() + "/" + path).c_str(), times, 0) == 0);
  };
  const auto changed = [&] { return s.judged("mine", "another").note; };
  // Times of change cannot be set: the asset made it in the future, then in the past.
  const std::int64_t now = ::time(nullptr);
  s.last.finished_at = from_unix_ns((now + 1'000) * 1'000'000'000);
  CHECK(changed().empty());
  set("dir/sub/new", now + 2'000);
  CHECK(changed() == "dir/sub/new changed since");
  set("dir/sub/new", now);
  set("dir", now + 2'000); // something was taken out
  CHECK(changed() == "dir changed since");
}
