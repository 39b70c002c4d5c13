// Listings of folders: kept by content, compared by name, swept when nobody needs them.
#include "core/freshness/folder_listing.hpp"
#include "engine/member_lists.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

using namespace troupe_internal;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

std::string sized_text(std::string_view value) {
  std::string bytes;
  for (unsigned i = 0; i < 8; ++i)
    bytes += static_cast<char>(value.size() >> (8 * i) & 0xFFU);
  return bytes + std::string(value);
}

std::string file(char kind, std::string_view name, std::string_view content) {
  const auto d = content_digest(content);
  return kind + sized_text(name) + std::string(d.bytes.begin(), d.bytes.end());
}

folder_listing listing(std::string bytes) {
  const auto content = content_digest(bytes);
  return {content, std::move(bytes)};
}

folder_listing linked(std::string_view name, const folder_listing& to) {
  return listing('D' + sized_text(name) + std::string(to.content.bytes.begin(), to.content.bytes.end()));
}

using changes = std::vector<changed_member>;

struct lists_fixture {
  temporary_folder folder;
  state_dir::handle state = state_dir::open_or_make(folder / "state").value();
  member_lists lists{folder / "state", state};

  changes between(const folder_listing& before, const folder_listing& now) {
    lists.keep({before, now});
    return compare_listings(before.content, now.content, [&](const digest& d) { return lists.find(d); });
  }
  std::string path(const folder_listing& of) const {
    const auto name = to_hex(of.content);
    return folder / ("state/members/" + name.substr(0, 2) + "/" + name);
  }
};

} // namespace

TEST_CASE_FIXTURE(lists_fixture, "members that come, go and change are told apart") {
  const auto before = listing(file('f', "a", "1") + file('f', "b", "1") + 'd' + sized_text("c") +
                              file('f', "c/d", "1") + file('f', "e", "1"));
  const auto now = listing(file('f', "a", "2") + file('x', "e", "1") + file('f', "g", "1") + 'd' + sized_text("h"));
  CHECK(between(before, now) == changes{{"a", member_change::content, false},
                                        {"b", member_change::removed, false},
                                        {"c/d", member_change::removed, false},
                                        {"e", member_change::executable, false},
                                        {"g", member_change::added, false},
                                        {"h", member_change::added, false}});
  CHECK(between(now, now).empty());
}

TEST_CASE_FIXTURE(lists_fixture, "what has changed behind links is named by the links") {
  const auto one = listing(file('f', "x", "1"));
  const auto two = listing(file('f', "x", "2"));
  lists.keep({one, two});
  CHECK(between(linked("ref", one), linked("ref", two)) == changes{{"ref/x", member_change::content, true}});
  const auto unknown = listing("f, but nobody kept it");
  CHECK(between(linked("ref", one), linked("ref", unknown)) == changes{{"ref", member_change::content, true}});
  CHECK(between(listing(file('F', "l", "1")), listing(file('F', "l", "2"))) ==
        changes{{"l", member_change::content, true}});
  CHECK(between(listing(file('F', "l", "1")), listing(file('X', "l", "1"))) ==
        changes{{"l", member_change::executable, true}});
  CHECK(between(listing('l' + sized_text("l") + sized_text("to")),
                listing('l' + sized_text("l") + sized_text("fro"))) == changes{{"l", member_change::content, false}});
  CHECK(between(listing(file('F', "l", "1")), listing('l' + sized_text("l") + sized_text("to"))) ==
        changes{{"l", member_change::content, false}});
}

TEST_CASE("bytes that are no listing are none") {
  for (const std::string& bytes :
       {std::string("f"), "f" + sized_text("a"), "q" + sized_text("a"), "l" + sized_text("a"),
        "d" + sized_text("a").substr(0, 5), "d" + std::string(8, '\xff') + "a"})
    CHECK_FALSE(parse_listing(bytes));
  CHECK(parse_listing("")->empty());
}

TEST_CASE_FIXTURE(lists_fixture, "a listing is a private file, written once, and taken only whole") {
  const auto one = listing(file('f', "a", "1"));
  lists.keep({one});
  struct stat info;
  REQUIRE(stat(path(one).c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
  CHECK(lists.find(one.content) == one.bytes);
  CHECK_FALSE(lists.find(content_digest("another")));
  folder.write("state/members/" + to_hex(one.content).substr(0, 2) + "/" + to_hex(one.content), "damaged");
  CHECK_FALSE(lists.find(one.content));
  member_lists(folder / "state", state).keep({one}); // the next run that counts the folder
  CHECK(lists.find(one.content) == one.bytes);
}

TEST_CASE_FIXTURE(lists_fixture, "without a state to write to, listings are kept in memory") {
  const auto one = listing(file('f', "a", "1"));
  member_lists reader(folder / "none", nullptr);
  reader.keep({one});
  CHECK(reader.find(one.content) == one.bytes);
  CHECK_FALSE(folder.exists("none"));
}

TEST_CASE_FIXTURE(lists_fixture, "listings that nobody needs are deleted when they are old, or too many") {
  const auto current = listing(file('f', "current", "1"));
  const auto old = listing(file('f', "old", "1"));
  const auto young = listing(file('f', "young", "1"));
  lists.keep({current, old, young});
  const auto age = [&](const folder_listing& one, time_t at) {
    const timespec times[2] = {{at, 0}, {at, 0}};
    REQUIRE(utimensat(AT_FDCWD, path(one).c_str(), times, 0) == 0);
  };
  age(current, 1'000);
  age(old, 1'000);
  age(young, 3'000);
  const auto never = [] { return false; };
  delete_old_listings(*state, {current.content}, from_unix_ns(2'000'000'000'000), [] { return true; });
  CHECK(lists.find(old.content));
  delete_old_listings(*state, {current.content}, from_unix_ns(2'000'000'000'000), never);
  CHECK(lists.find(current.content));
  CHECK_FALSE(lists.find(old.content));
  CHECK(lists.find(young.content));
  // Large ones: only the newest stay.
  std::vector<folder_listing> large;
  for (int i = 0; i < 3; ++i) {
    large.push_back(listing('l' + sized_text("large" + std::to_string(i)) + sized_text(std::string(30'000'000, 'x'))));
    lists.keep({large.back()});
    age(large.back(), 5'000 + i);
  }
  delete_old_listings(*state, {current.content}, from_unix_ns(2'000'000'000'000), never);
  CHECK_FALSE(lists.find(large[0].content));
  CHECK(lists.find(large[1].content));
  CHECK(lists.find(large[2].content));
  CHECK_FALSE(lists.find(young.content));
  delete_old_listings(*state_dir::open_or_make(folder / "other").value(), {}, from_unix_ns(0), never); // without any
}
