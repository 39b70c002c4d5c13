// What is kept of a watch trigger, over a real folder and a system that runs out of watches, reports nothing, or is not
// to be relied on.
#include "adapters/files/posix_file_system.hpp"
#include "serve/watched_trigger.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace troupe_internal;
using namespace troupe_internal::serve;
using namespace std::chrono_literals;

namespace {

/// Says what it was asked, and reports nothing by itself.
class scripted_events final : public folder_events {
public:
  std::set<std::string> folders;
  folder_outcome answer = folder_outcome::watching;
  std::string kind;

  folder_outcome watch(const std::string& folder, folder_interest wanted) override {
    if (answer == folder_outcome::watching)
      folders.insert(folder);
    return wanted == folder_interest::all ? answer : folder_outcome::watching;
  }
  void unwatch(const std::string& folder) override { folders.erase(folder); }
  void keep_only(const std::function<bool(const std::string&)>& wanted) override {
    std::erase_if(folders, [&](const std::string& one) { return !wanted(one); });
  }
  bool read(std::vector<folder_event>&) override { return true; }
  [[nodiscard]] int descriptor() const override { return -1; }
  [[nodiscard]] std::size_t watches() const override { return folders.size(); }
  [[nodiscard]] std::string unreliable(const std::string&) const override { return kind; }
};

struct stage {
  temporary_folder folder;
  scripted_events events;
  std::unique_ptr<posix_file_system> files = std::move(*posix_file_system::open("/"));
  watch_source source;
  duration now{1s};

  stage() { source.paths = {"inbox/**/*.csv"}; }
  watched_trigger make() { return {"p/inbox", folder.path(), source, events, *files}; }
  /// What settles within a minute, with what it is by then.
  std::vector<watched_file> settled(watched_trigger& of) {
    std::vector<watched_file> all;
    for (int step = 0; step < 600; ++step) {
      now += 100ms;
      for (const auto& due : of.settling().take_due(now, 1000, [&](const auto& f) { return of.stat(f); })) {
        std::string problem;
        if (auto file = of.read(due.path, problem))
          all.push_back(*file);
      }
    }
    return all;
  }
  std::set<std::string> names(watched_trigger& of) {
    std::set<std::string> all;
    for (const auto& file : settled(of))
      all.insert(file.path);
    return all;
  }
};

using paths = std::set<std::string>;

} // namespace

TEST_CASE("a look finds what differs from what is known, and wants its folders reported") {
  stage it;
  it.folder.write("inbox/a.csv", "a");
  it.folder.write("inbox/deep/b.csv", "b");
  it.folder.write("inbox/c.txt", "c");
  auto of = it.make();
  of.look_everywhere(it.now);
  CHECK(of.folders().contains(it.folder / "inbox/deep"));
  CHECK(it.names(of) == paths{"inbox/a.csv", "inbox/deep/b.csv"});
  of.look_everywhere(it.now);
  const auto all = of.differences(it.now);
  of.accept(all);
  CHECK(of.known().size() == 2);
  of.look_everywhere(it.now);
  CHECK(it.names(of).empty());
  std::filesystem::remove(it.folder / "inbox/a.csv");
  of.look_everywhere(it.now);
  const auto gone = it.settled(of);
  REQUIRE(gone.size() == 1);
  CHECK(gone[0].record.stat.kind == file_kind::absent);
  of.accept(gone);
  CHECK(of.known().size() == 1);
}

TEST_CASE("a system without watches left, and one that is not to be relied on, degrade the trigger and hide nothing") {
  stage it;
  it.folder.write("inbox/a.csv", "a");
  SUBCASE("exhausted") {
    it.events.answer = folder_outcome::exhausted;
  }
  SUBCASE("network") {
    it.events.kind = "NFS";
  }
  SUBCASE("refused") {
    it.events.answer = folder_outcome::refused;
  }
  auto of = it.make();
  of.look_everywhere(it.now);
  CHECK(of.degraded().find(to_human(it.source.poll)) != std::string::npos);
  CHECK(it.names(of) == paths{"inbox/a.csv"});
  it.events.answer = folder_outcome::watching;
  it.events.kind.clear();
  of.look_everywhere(it.now);
  CHECK(of.degraded().empty());
}

TEST_CASE("events of folders lead to looks at what is in them") {
  using kind = folder_event::kind;
  stage it;
  it.folder.write("inbox/a.csv", "a");
  auto of = it.make();
  of.look_everywhere(it.now);
  of.accept(of.differences(it.now));
  const auto inbox = it.folder / "inbox";
  of.heed({kind::closed, inbox, "new.txt", false}, it.now);
  CHECK(it.names(of).empty());
  it.folder.write("inbox/tree/deep/x.csv", "x");
  of.heed({kind::moved_in, inbox, "tree", true}, it.now);
  CHECK(of.folders().contains(it.folder / "inbox/tree/deep"));
  of.accept(it.settled(of));
  CHECK(of.known().size() == 2);
  std::filesystem::rename(it.folder / "inbox/tree", it.folder / "elsewhere");
  of.heed({kind::moved_out, inbox, "tree", true}, it.now);
  CHECK_FALSE(of.folders().contains(it.folder / "inbox/tree/deep"));
  of.accept(it.settled(of));
  CHECK(of.known().size() == 1);
  std::filesystem::remove_all(inbox);
  of.heed({kind::folder_gone, inbox, "", true}, it.now);
  of.accept(it.settled(of));
  CHECK(of.known().empty());
  it.folder.write("inbox/again.csv", "y");
  of.heed({kind::created, it.folder.path(), "inbox", true}, it.now);
  CHECK(it.names(of) == paths{"inbox/again.csv"});
}

TEST_CASE("folders that are other ones than they were are noticed") {
  stage it;
  it.folder.write("inbox/a.csv", "a");
  auto of = it.make();
  of.look_everywhere(it.now);
  CHECK_FALSE(of.folders_changed());
  std::filesystem::rename(it.folder / "inbox", it.folder / "old");
  std::filesystem::create_directories(it.folder / "inbox");
  CHECK(of.folders_changed());
}

TEST_CASE("what has taken the place of a file, or is watched no more, is not that file") {
  stage it;
  it.folder.write("inbox/a.csv/inside", "a");
  it.folder.write("inbox/b.txt", "b");
  auto of = it.make();
  std::string problem;
  CHECK(of.read("inbox/a.csv", problem)->record.stat.kind == file_kind::absent);
  CHECK(of.read("inbox/b.txt", problem)->record.stat.kind == file_kind::absent);
  CHECK(problem.empty());
}
