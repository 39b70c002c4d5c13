// How links in a folder count: by what they lead to, by their place, or by their text.
#include "adapters/files/counted_folder.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

using namespace troupe_internal;
namespace fs = std::filesystem;

namespace {

struct links_fixture {
  temporary_folder folder;
  std::string state = folder / "p/.troupe";
  std::unique_ptr<posix_file_system> files = open();

  std::unique_ptr<posix_file_system> open() const {
    fs::create_directories(folder / "p/d");
    return posix_file_system::open(folder / "p", {{}, {}, state}).value();
  }
  void link(const std::string& text, const std::string& at) const {
    fs::remove(folder / at);
    fs::create_directories(fs::path(folder / at).parent_path());
    fs::create_symlink(text, folder / at);
  }
  digest content(const std::string& path = "d", link_rule rule = link_rule::content) const {
    const auto record = files->read(path, rule).value();
    CHECK(files->stat(path, rule).value() == record.stat);
    return record.content;
  }
  /// Whether the folder's content and stat are others after the change.
  template <class Change>
  bool counts(Change change, link_rule rule = link_rule::content) const {
    const auto before = files->read("d", rule).value();
    change();
    const auto after = files->read("d", rule).value();
    // The stat may differ where the content does not, never the other way round.
    CHECK((before.content == after.content || before.stat != after.stat));
    return before.content != after.content;
  }
};

} // namespace

TEST_CASE_FIXTURE(links_fixture, "the content of a folder without links is what it was in format 1") {
  folder.write("p/d/a", "1");
  folder.write("p/d/sub/b", "2");
  REQUIRE(chmod((folder / "p/d/sub/b").c_str(), 0755) == 0);
  const auto record = files->read("d").value();
  CHECK(to_hex(record.content) == "66f9813f7b7adf80eb7b9c8b786e97e1");
  CHECK(record.as_text == digest{});
  CHECK(content("d", link_rule::text) == record.content);
  CHECK(files->stat("d", link_rule::text).value() == record.stat);
}

TEST_CASE_FIXTURE(links_fixture, "a link to a file elsewhere counts by its content and executable bit") {
  folder.write("raw/a", "1");
  folder.write("raw/b", "1");
  link("../../raw/a", "p/d/a");
  CHECK(counts([&] { folder.write("raw/a", "2"); }));
  CHECK(counts([&] { fs::permissions(folder / "raw/a", fs::perms::owner_exec, fs::perm_options::add); }));
  CHECK(counts([&] { link("../../raw/b", "p/d/a"); }));
  CHECK_FALSE(counts([&] { link(folder / "raw/b", "p/d/a"); })); // the same file, spelt otherwise
  CHECK_FALSE(counts([&] { folder.write("raw/a", "nobody reads it"); }));
  CHECK(counts([&] { fs::remove(folder / "raw/b"); }));
  CHECK(counts([&] { folder.write("raw/b", "3"); }));
}

TEST_CASE_FIXTURE(links_fixture, "a link through a link counts by what is at the end") {
  folder.write("one/f", "1");
  folder.write("two/f", "2");
  link("one", "now");
  link("../../now/f", "p/d/f");
  CHECK(counts([&] { link("two", "now"); }));
  CHECK(counts([&] { folder.write("two/f", "22"); }));
}

TEST_CASE_FIXTURE(links_fixture, "a link to a folder elsewhere counts as that folder") {
  folder.write("ref/a", "1");
  folder.write("ref/sub/b", "2");
  link("../../ref", "p/d/ref");
  CHECK(counts([&] { folder.write("ref/sub/b", "3"); }));
  CHECK(counts([&] { folder.write("ref/sub/new", ""); }));
  CHECK(counts([&] { fs::remove(folder / "ref/a"); }));
  CHECK(counts([&] { link("nowhere", "ref/dangling"); }));
  fs::rename(folder / "ref", folder / "moved");
  CHECK(counts([&] { link("../../moved", "p/d/ref"); })); // until then it led nowhere
}

TEST_CASE_FIXTURE(links_fixture, "a link into the same folder counts by its place, however it is spelt") {
  folder.write("p/d/a", "1");
  folder.write("p/d/sub/b", "1");
  link("../a", "p/d/sub/link");
  CHECK_FALSE(counts([&] { link(folder / "p/d/a", "p/d/sub/link"); }));
  CHECK_FALSE(counts([&] { link("../../d/a", "p/d/sub/link"); }));
  CHECK(counts([&] { link("b", "p/d/sub/link"); })); // the same content in another place
  CHECK(counts([&] { link("..", "p/d/sub/link"); }));
  CHECK(counts([&] { link(".", "p/d/sub/link"); }));
}

TEST_CASE_FIXTURE(links_fixture, "an absolute link into the folder does not count by where the folder is") {
  folder.write("p/d/a", "1");
  link(folder / "p/d/a", "p/d/link");
  const auto before = content();
  fs::rename(folder / "p/d", folder / "p/e");
  link(folder / "p/e/a", "p/e/link");
  CHECK(content("e") == before);
}

TEST_CASE_FIXTURE(links_fixture, "dangling links and links in circles count by their text") {
  link("nowhere", "p/d/a");
  link("b", "p/d/b");
  CHECK(files->read("d").value().as_text == digest{});
  CHECK(counts([&] { link("elsewhere", "p/d/a"); }));
  CHECK(counts([&] { folder.write("p/d/elsewhere", ""); }));
}

TEST_CASE_FIXTURE(links_fixture, "links to what is neither file nor folder count by their text and are not opened") {
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0); // whoever opens it waits for a writer
  const unique_fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = folder / "socket";
  REQUIRE(path.size() < sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  REQUIRE(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  link("../../pipe", "p/d/pipe");
  link("../../socket", "p/d/socket");
  link("/dev/null", "p/d/null");
  link("/dev", "p/d/dev");
  link("/proc/self", "p/d/self");
  link("/proc", "p/d/proc");
  link("/sys/kernel", "p/d/kernel");
  CHECK(content() == content("d", link_rule::text));
  CHECK(files->read("d").value().as_text == digest{});
}

TEST_CASE_FIXTURE(links_fixture, "links into the state count by their text") {
  folder.write("p/.troupe/logs/1", "x");
  link("../.troupe", "p/d/state");
  link("../.troupe/logs/1", "p/d/log");
  CHECK_FALSE(counts([&] { folder.write("p/.troupe/logs/1", "another"); }));
  CHECK_FALSE(counts([&] { folder.write("p/.troupe/more", ""); }));
}

TEST_CASE_FIXTURE(links_fixture, "a link that leads back counts by its text, so circles end") {
  folder.write("p/beside", "1");
  folder.write("ref/a", "1");
  link("..", "p/d/up");
  link("/", "p/d/root");
  link("../../ref", "p/d/ref");
  link("../p/d", "ref/back");
  link("../p", "ref/above");
  CHECK_FALSE(counts([&] { folder.write("p/beside", "2"); }));
  CHECK(counts([&] { folder.write("ref/a", "2"); }));
  CHECK(counts([&] { link("../ref/../p/d", "ref/back"); })); // another text
}

TEST_CASE_FIXTURE(links_fixture, "many folders that link to one another are counted once each") {
  for (int i = 0; i < 12; ++i) {
    const auto name = std::to_string(i);
    folder.write("all/" + name + "/f", name);
    link("../../all/" + name, "p/d/" + name);
    for (int other = 0; other < 12; ++other)
      if (other != i)
        link("../" + std::to_string(other), "all/" + name + "/to" + std::to_string(other));
  }
  for (int i = 0; i < 12; ++i)
    CHECK(counts([&] { folder.write("all/" + std::to_string(i) + "/f", "changed " + std::to_string(i)); }));
}

TEST_CASE_FIXTURE(links_fixture, "two links to one folder count as one link to each of two") {
  folder.write("one/f", "1");
  folder.write("two/f", "1");
  link("../../one", "p/d/a");
  link("../../one", "p/d/b");
  CHECK_FALSE(counts([&] { link("../../two", "p/d/b"); }));
  CHECK(counts([&] { folder.write("two/f", "2"); }));
}

TEST_CASE_FIXTURE(links_fixture, "by the rule \"text\" no link is followed") {
  folder.write("raw/a", "1");
  folder.write("ref/f", "1");
  link("../../raw/a", "p/d/a");
  link("../../ref", "p/d/ref");
  const auto by_text = content("d", link_rule::text);
  CHECK(files->read("d").value().as_text == by_text);
  CHECK(files->read("d").value().stat != files->read("d", link_rule::text).value().stat);
  CHECK_FALSE(counts([&] { folder.write("raw/a", "2"); }, link_rule::text));
  CHECK_FALSE(counts([&] { folder.write("ref/g", "2"); }, link_rule::text));
  CHECK(counts([&] { link("../../raw/b", "p/d/a"); }, link_rule::text));
}

TEST_CASE_FIXTURE(links_fixture, "what a dangling link has come to lead to is not hidden by a stat of the other rule") {
  link("../../raw/a", "p/d/a"); // by either rule it counts by its text
  const auto before = files->stat("d", link_rule::text).value();
  CHECK(files->stat("d").value() != before);
  CHECK(content() == content("d", link_rule::text));
}

TEST_CASE_FIXTURE(links_fixture, "what cannot be read behind a link is an error that names the link and the way out") {
  if (geteuid() == 0)
    return; // root may read everything
  folder.write("raw/closed", "1");
  fs::permissions(folder / "raw/closed", fs::perms::none);
  link("../../raw/closed", "p/d/a");
  CHECK(files->read("d").error().message == "cannot read " + (folder / "raw/closed") +
                                                ": Permission denied; the link d/a leads there (\"links\": \"text\" "
                                                "has links count by their text alone)");
  CHECK(files->read("d", link_rule::text).has_value());
}

TEST_CASE_FIXTURE(links_fixture, "in a folder elsewhere a FIFO counts by its name") {
  folder.write("ref/f", "1");
  link("../../ref", "p/d/ref");
  CHECK(counts([&] { REQUIRE(mkfifo((folder / "ref/pipe").c_str(), 0600) == 0); }));
}

TEST_CASE_FIXTURE(links_fixture, "what a filter leaves out does not count behind links either") {
  folder.write("ref/keep", "1");
  folder.write("ref/tmp/t", "1");
  folder.write("p/d/out/a", "1");
  link("../../ref", "p/d/ref");
  link("out/a", "p/d/into");
  std::string name = "d";
  const std::vector<std::string_view> patterns = {"d/ref/tmp", "d/out"};
  add_spelling(name, "d", patterns);
  const auto before = content(name);
  folder.write("ref/tmp/t", "2");
  CHECK(content(name) == before);
  folder.write("ref/keep", "2");
  const auto kept = content(name);
  CHECK(kept != before);
  folder.write("p/d/out/a", "2"); // left out in its place, but a link leads there
  CHECK(content(name) != kept);
}

TEST_CASE_FIXTURE(links_fixture, "members elsewhere are counted where they are outside of the root") {
  folder.write("ref/a", "");
  folder.write("ref/sub/b", "");
  folder.write("p/near/c", "");
  folder.write("p/d/own", "");
  link("../../ref", "p/d/ref");   // a, sub, sub/b
  link("../../ref/a", "p/d/one"); // one file
  link("../near", "p/d/near");
  const unique_fd at(::open((folder / "p").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const auto root = folder / "p";
  linked_files shared;
  const look_bounds bounds;
  const auto elsewhere = [&](link_rule rule) {
    folder_remarks remarks;
    CHECK(stat_folder({at.get(), root, bounds, &shared}, folder_filter("d"), rule, &remarks).has_value());
    folder_remarks again;
    CHECK(read_folder({at.get(), root, bounds, &shared}, folder_filter("d"), rule, nullptr, &again).has_value());
    CHECK(again.members_elsewhere == remarks.members_elsewhere);
    return remarks.members_elsewhere;
  };
  CHECK(elsewhere(link_rule::content) == 4);
  CHECK(elsewhere(link_rule::text) == 0);
  CHECK(files->stat("d").has_value());
  CHECK(files->members_elsewhere("d") == 0); // too few to be worth a word
}

TEST_CASE_FIXTURE(links_fixture, "listings are what contents are the digest of") {
  folder.write("ref/a", "1");
  folder.write("p/d/b", "2");
  link("../../ref", "p/d/ref");
  std::vector<folder_listing> listings;
  const auto record = files->read("d", link_rule::content, &listings).value();
  REQUIRE(listings.size() == 2);
  for (const auto& one : listings)
    CHECK(content_digest(one.bytes) == one.content);
  CHECK(listings[0].content == files->read(folder / "ref").value().content);
  CHECK(listings[1].content == record.content);
}

TEST_CASE_FIXTURE(links_fixture, "the executable bit is seen where the file system keeps one") {
  folder.write("p/f", "1");
  REQUIRE(chmod((folder / "p/f").c_str(), 0644) == 0);
  CHECK(files->read("f").value().executable == executable_bit::no);
  CHECK(files->glance("f").value().executable == executable_bit::no);
  REQUIRE(chmod((folder / "p/f").c_str(), 0744) == 0);
  CHECK(files->read("f").value().executable == executable_bit::yes);
  CHECK(files->stat("f").value().executable == executable_bit::yes);
  REQUIRE(chmod((folder / "p/f").c_str(), 0655) == 0); // others may, the owner may not
  CHECK(files->read("f").value().executable == executable_bit::no);
  CHECK(files->read("d").value().executable == executable_bit::unknown);
}

TEST_CASE_FIXTURE(links_fixture, "a look says whether the path itself is a link") {
  folder.write("p/f", "1");
  link("f", "p/link");
  link("d", "p/folder");
  CHECK_FALSE(files->glance("f").value().link);
  CHECK(files->glance("link").value().link);
  CHECK(files->read("link").value().stat.link);
  CHECK(files->stat("folder").value().link);
  CHECK(files->glance("link").value() == files->glance("f").value()); // it vouches for the same content
}

TEST_CASE_FIXTURE(links_fixture, "the stat of a file of /proc or /sys is never settled") {
  CHECK(files->stat("/proc/uptime").value().ctime_ns == never_settled);
  CHECK(files->read("/proc/uptime").value().stat.ctime_ns == never_settled);
  if (fs::exists("/sys/kernel/fscaps"))
    CHECK(files->stat("/sys/kernel/fscaps").value().ctime_ns == never_settled);
  if (fs::exists("/proc/sys/fs/inotify"))
    CHECK(files->read("/proc/sys/fs/inotify").value().stat.ctime_ns == never_settled); // in a folder too
}
