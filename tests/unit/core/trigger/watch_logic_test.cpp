// Which files a watch takes, when they have settled, and what has happened to them.
#include "core/trigger/watch_logic.hpp"

#include <doctest/doctest.h>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

watch_patterns patterns(std::vector<std::string> paths) {
  watch_source of;
  of.paths = std::move(paths);
  return {"/home/me/shop [1]", of};
}

std::string taken(const watch_patterns& of, std::string_view path) {
  return of.takes(path).value_or("-");
}

file_stat stat_of(std::uint64_t size) {
  return {file_kind::file, size, 5, 5, 7};
}

watched_file file(std::string path, std::string_view content, std::uint64_t inode) {
  return {std::move(path), {{file_kind::file, content.size(), 5, 5, inode}, content_digest(content)}};
}

using due = std::vector<settling_files::due_file>;

struct settling {
  settling_files files;
  file_stat now = stat_of(1);
  int looks = 0;
  due at(duration when, std::size_t most = 100) {
    return files.take_due(when, most, [this](const std::string&) {
      ++looks;
      return now;
    });
  }
};

} // namespace

TEST_CASE("patterns take files by their absolute paths, and name them as they are written") {
  const auto of = patterns({"inbox/**/*.csv", "../shared/*.txt", "/srv/in/*", "config/app.json"});
  CHECK(taken(of, "/home/me/shop [1]/inbox/a.csv") == "inbox/a.csv");
  CHECK(taken(of, "/home/me/shop [1]/inbox/a/b/c.csv") == "inbox/a/b/c.csv");
  CHECK(taken(of, "/home/me/shop [1]/inbox/a.txt") == "-");
  CHECK(taken(of, "/home/me/shop [1]/inbox/.hidden/a.csv") == "-");
  CHECK(taken(of, "/home/me/shop 1/inbox/a.csv") == "-");
  CHECK(taken(of, "/home/me/shared/x.txt") == "../shared/x.txt");
  CHECK(taken(of, "/srv/in/x") == "/srv/in/x");
  CHECK(taken(of, "/srv/in/x/y") == "-");
  CHECK(taken(of, "/home/me/shop [1]/config/app.json") == "config/app.json");
  CHECK(taken(of, "/home/me/shop [1]/config/app.json/inside") == "config/app.json/inside"); // a folder has its place
  for (const auto* path : {"inbox/a.csv", "../shared/x.txt", "/srv/in/x"})
    CHECK(taken(of, of.absolute(path)) == path);
}

TEST_CASE("what editors and downloads leave behind is ignored, unless the list says otherwise") {
  const auto of = patterns({"inbox/*"});
  for (const auto* name : {"x~", "x.tmp", "x.part"})
    CHECK(taken(of, "/home/me/shop [1]/inbox/" + std::string(name)) == "-");
  watch_source all;
  all.paths = {"inbox/*", "inbox/.*"};
  all.ignore.clear();
  const watch_patterns every("/w", all);
  CHECK(taken(every, "/w/inbox/x.tmp") == "inbox/x.tmp");
  CHECK(taken(every, "/w/inbox/.x.swp") == "inbox/.x.swp");
}

TEST_CASE("only folders that can hold files of a pattern are entered") {
  const auto of = patterns({"inbox/*/new/*.csv", "raw"});
  const std::string top = "/home/me/shop [1]/";
  CHECK(of.roots() == std::set<std::string, std::less<>>{top + "inbox", top + "raw", "/home/me/shop [1]"});
  CHECK(of.enters(top + "inbox"));
  CHECK(of.enters(top + "inbox/a"));
  CHECK(of.enters(top + "inbox/a/new"));
  CHECK_FALSE(of.enters(top + "inbox/a/old"));
  CHECK_FALSE(of.enters(top + "inbox/a/new/deeper"));
  CHECK(of.enters(top + "raw"));
  CHECK(of.enters(top + "raw/deeper"));
  CHECK_FALSE(of.enters(top + "other"));
}

TEST_CASE("a file that is closed counts when it has been quiet") {
  settling it{settling_files(1s, 10min)};
  it.files.note("a", change_sign::written, 0s);
  it.files.note("a", change_sign::closed, 1s);
  CHECK(it.files.next() == duration(2s));
  CHECK(it.at(1900ms).empty());
  it.files.note("a", change_sign::attributes, 1900ms); // touched: nobody writes it
  CHECK(it.at(2s).empty());
  CHECK(it.at(2900ms) == due{{"a", false}});
  CHECK(it.looks == 0);
  CHECK_FALSE(it.files.next());
}

TEST_CASE("a file that is still open counts when two looks find the same") {
  settling it{settling_files(1s, 10min)};
  it.files.note("a", change_sign::written, 0s);
  CHECK(it.at(1s).empty());
  it.now = stat_of(2);
  CHECK(it.at(2s).empty());
  CHECK(it.at(2500ms).empty());
  CHECK(it.at(3s) == due{{"a", false}});
  CHECK(it.looks == 3);
}

TEST_CASE("looks that find a file changed again and again do not keep it from settling") {
  settling it{settling_files(1s, 10min)};
  for (int i = 0; i < 20; ++i)
    it.files.found("a", i * 100ms);
  CHECK(it.at(1s).empty());
  it.files.found("a", 1500ms);
  CHECK(it.at(2s) == due{{"a", false}});
}

TEST_CASE("without settling a closed file counts at once, and an open one soon") {
  settling it{settling_files(0s, 10min)};
  it.files.note("a", change_sign::closed, 5s);
  CHECK(it.at(5s) == due{{"a", false}});
  it.files.note("a", change_sign::written, 6s);
  CHECK(it.at(6s).empty());
  CHECK(it.at(6100ms).empty());
  CHECK(it.at(6200ms) == due{{"a", false}});
}

TEST_CASE("a file that never settles counts when it has taken too long, and that is said") {
  settling it{settling_files(1s, 3s)};
  for (int i = 0; i <= 29; ++i) {
    it.files.note("log", change_sign::closed, i * 100ms);
    CHECK(it.at(i * 100ms).empty());
  }
  CHECK(it.at(3s) == due{{"log", true}});
  it.files.note("log", change_sign::closed, 3100ms); // it begins anew
  CHECK(it.files.next() == duration(4100ms));
}

TEST_CASE("no more are taken at a time than asked for, and all of them in the end") {
  settling it{settling_files(1s, 10min)};
  for (int i = 0; i < 100; ++i)
    it.files.note(std::to_string(i), change_sign::closed, 0s);
  CHECK(it.at(1s, 60).size() == 60);
  CHECK(it.at(1s, 60).size() == 40);
  it.files.note("x", change_sign::closed, 2s);
  it.files.look_again("x", 2s, 9s);
  CHECK(it.at(8s).empty());
  CHECK(it.at(9s) == due{{"x", false}});
  it.files.note("y", change_sign::written, 9s);
  CHECK(it.files.take_all() == std::vector<std::string>{"y"});
  CHECK(it.files.size() == 0);
}

TEST_CASE("what has happened to files is told by their contents") {
  watched_files before;
  for (const auto& one : {file("same", "x", 1), file("changed", "x", 2), file("gone", "y", 3), file("from", "z", 4)})
    before[one.path] = one.record;
  const auto changes = file_changes(before, {file("same", "x", 9),
                                             file("changed", "other", 2),
                                             {"gone", {}},
                                             {"from", {}},
                                             file("to", "z", 4),
                                             file("new", "y", 8),
                                             {"never there", {}}});
  const std::vector<changed_file> expected = {{"changed", file_change::changed},
                                              {"from", file_change::deleted},
                                              {"gone", file_change::deleted},
                                              {"new", file_change::created},
                                              {"to", file_change::moved}};
  CHECK(changes == expected);
}
