// The key of a state: who may read it, and what it does to the digests of secret files.
#include "adapters/files/posix_file_system.hpp"
#include "adapters/state/state_key.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace troupe_internal;
namespace fs = std::filesystem;

namespace {

std::unique_ptr<posix_file_system> files_in(const temporary_folder& folder, std::vector<std::string> secret,
                                            const state_key& key) {
  look_bounds bounds;
  bounds.secret_files = std::make_shared<const keyed_files>(std::move(secret), key);
  return posix_file_system::open(folder.path(), std::move(bounds)).value();
}

} // namespace

TEST_CASE("a key is made once, is random, and is its owner's alone") {
  const temporary_folder a;
  const temporary_folder b;
  CHECK_FALSE(read_state_key(a.path()));
  REQUIRE(make_state_key(a.path()).has_value());
  const auto key = read_state_key(a.path());
  REQUIRE(key);
  REQUIRE(make_state_key(a.path()).has_value());
  CHECK(read_state_key(a.path()) == key);
  REQUIRE(make_state_key(b.path()).has_value());
  CHECK(read_state_key(b.path()) != key);
  struct stat info {};
  REQUIRE(stat((a / "secret.key").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777U) == 0600U);
  CHECK_FALSE(fs::exists(a / "secret.key.draft"));
}

TEST_CASE("what others might have put there, or could read, is no key, and is replaced") {
  const temporary_folder folder;
  SUBCASE("a link") {
    folder.write("elsewhere", std::string(32, 'x'));
    fs::create_symlink("elsewhere", folder / "secret.key");
  }
  SUBCASE("a file with a second name") {
    folder.write("elsewhere", std::string(32, 'x'));
    fs::permissions(folder / "elsewhere", fs::perms::owner_read | fs::perms::owner_write);
    fs::create_hard_link(folder / "elsewhere", folder / "secret.key");
  }
  SUBCASE("a file that all may read") {
    folder.write("secret.key", std::string(32, 'x'));
    fs::permissions(folder / "secret.key", fs::perms(0644));
  }
  SUBCASE("half of one") {
    folder.write("secret.key", std::string(16, 'x'));
    fs::permissions(folder / "secret.key", fs::perms(0600));
  }
  SUBCASE("a FIFO") {
    REQUIRE(mkfifo((folder / "secret.key").c_str(), 0600) == 0);
  }
  CHECK_FALSE(read_state_key(folder.path()));
  REQUIRE(make_state_key(folder.path()).has_value());
  CHECK(read_state_key(folder.path()));
  if (fs::exists(folder / "elsewhere"))
    CHECK(folder.read("elsewhere") == std::string(32, 'x'));
}

TEST_CASE("a folder in the way of a key is an error that names it") {
  const temporary_folder folder;
  fs::create_directories(folder / "secret.key");
  const auto made = make_state_key(folder.path());
  REQUIRE(made.has_error());
  CHECK(made.error().code == error_code::state_unusable);
  CHECK(made.error().message.find("secret.key") != std::string::npos);
}

TEST_CASE("a secret file counts by its key, by whatever path and in whatever folder it is read; others do not") {
  const temporary_folder folder;
  folder.write("in/pin", "4711");
  folder.write("in/open", "4711");
  fs::create_symlink("in/pin", folder / "link");
  const state_key one{1};
  const state_key two{2};
  const auto plain = posix_file_system::open(folder.path()).value();
  const auto first = files_in(folder, {folder / "in/pin", folder / "not there"}, one);
  const auto second = files_in(folder, {folder / "in/pin"}, two);
  const auto content = [](const auto& files, const std::string& path) { return files->read(path).value().content; };
  CHECK(content(plain, "in/pin") == content_digest("4711"));
  CHECK(content(first, "in/pin") != content(plain, "in/pin"));
  CHECK(content(first, "in/pin") != content(second, "in/pin"));
  CHECK(content(first, "in/pin") == content(first, "in/pin"));
  CHECK(content(first, "link") == content(first, "in/pin"));
  CHECK(content(first, "in/open") == content(plain, "in/open"));
  CHECK(content(first, "in") != content(plain, "in"));
  CHECK(content(first, "in") != content(second, "in"));
  CHECK(first->read("in/pin").value().stat == plain->read("in/pin").value().stat);
  const auto before = content(first, "in/pin");
  folder.write("in/pin", "4712");
  CHECK(content(first, "in/pin") != before);
}
