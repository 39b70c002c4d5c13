// What only a real disk can do: links, permissions, depth, files that change while they are read.
#include "adapters/posix_file_system.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>
#include <thread>

using namespace troupe;
namespace fs = std::filesystem;

namespace {

using names = std::vector<std::string>;

struct fixture {
  temporary_folder folder;
  std::unique_ptr<posix_file_system> files = posix_file_system::open(folder.path()).value();
};

/// Root may read everything, so tests of permissions step down for a while.
class as_nobody {
public:
  as_nobody() : was_(geteuid()) {
    if (was_ == 0)
      REQUIRE(seteuid(65534) == 0);
  }
  ~as_nobody() {
    if (was_ == 0 && seteuid(was_) != 0)
      std::abort();
  }

private:
  uid_t was_;
};

} // namespace

TEST_CASE("opening a root that does not exist is an error that names it") {
  const auto opened = posix_file_system::open("/no/such/folder");
  REQUIRE(opened.has_error());
  CHECK(opened.error().message == "cannot open the folder /no/such/folder: No such file or directory");
}

TEST_CASE_FIXTURE(fixture, "links are followed, dangling ones are absent, circular ones an error") {
  folder.write("real", "content");
  fs::create_symlink("real", folder / "link");
  fs::create_symlink("nowhere", folder / "dangling");
  fs::create_symlink("circle", folder / "circle");
  CHECK(files->read("link").value() == files->read("real").value());
  CHECK(files->stat("dangling").value().kind == file_kind::absent);
  CHECK(files->read("dangling").value() == file_record{});
  const auto circle = files->stat("circle");
  REQUIRE(circle.has_error());
  CHECK(circle.error().code == error_code::io);
  CHECK(circle.error().message.find("cannot look at circle: ") == 0);
}

TEST_CASE_FIXTURE(fixture, "a link to a folder is that folder") {
  folder.write("d/a", "1");
  fs::create_directory_symlink("d", folder / "l");
  CHECK(files->stat("l").value() == files->stat("d").value());
  CHECK(files->read("l").value() == files->read("d").value());
}

TEST_CASE_FIXTURE(fixture, "links in a folder count by their target, and are not entered") {
  folder.write("outside", "1");
  folder.write("d/a", "1");
  fs::create_symlink("../outside", folder / "d/link");
  fs::create_directory_symlink("..", folder / "d/up");
  const auto before = files->read("d").value();
  folder.write("outside", "another");
  CHECK(files->read("d").value() == before);
  fs::remove(folder / "d/link");
  fs::create_symlink("../elsewhere", folder / "d/link");
  CHECK(files->read("d").value().content != before.content);
}

TEST_CASE_FIXTURE(fixture, "names that are too long and names with a zero byte are errors that name them") {
  const std::string long_name(300, 'n');
  CHECK(files->stat(long_name).error().message.find("cannot look at " + long_name + ": File name too long") == 0);
  const std::string long_path(5000, 'p');
  CHECK(files->stat(long_path).error().message.find("File name too long") != std::string::npos);
  CHECK(files->read(long_path).has_error());
  CHECK(files->glob(long_path + "/*", {}).has_error());
  CHECK(files->make_parent(long_path + "/x").has_error());
  CHECK(files->read_text(long_path, 1).has_error());
  const std::string_view zero("a\0b", 3);
  CHECK(files->stat(zero).error().message.find("Invalid argument") != std::string::npos);
  CHECK(files->glob(zero, {}).has_error());
}

TEST_CASE_FIXTURE(fixture, "what may not be read is an error that names it") {
  folder.write("open/secret/file", "1");
  folder.write("open/plain", "1");
  folder.write("closed", "1");
  fs::permissions(folder.path(), fs::perms::all);
  fs::permissions(folder / "open", fs::perms::all);
  fs::permissions(folder / "open/secret", fs::perms::none);
  fs::permissions(folder / "closed", fs::perms::none);
  const as_nobody nobody;
  const auto expect = [](const auto& r, const std::string& message) {
    REQUIRE(r.has_error());
    CHECK(r.error().code == error_code::io);
    CHECK(r.error().message == message);
  };
  expect(files->stat("open/secret/file"), "cannot look at open/secret/file: Permission denied");
  expect(files->read("closed"), "cannot read closed: Permission denied");
  expect(files->read_text("closed", 9), "cannot read closed: Permission denied");
  expect(files->stat("open"), "cannot list the folder open/secret: Permission denied");
  expect(files->read("open"), "cannot list the folder open/secret: Permission denied");
  expect(files->glob("open/**/*", {}), "cannot search the folder open/secret/: Permission denied");
  expect(files->make_parent("open/secret/a/b"), "cannot look at open/secret/a: Permission denied");
  CHECK(files->glob("open/*", {}).value() == names{"open/plain"});
}

TEST_CASE_FIXTURE(fixture, "a folder that may be listed but not looked into is an error") {
  folder.write("d/sub/file", "1");
  fs::permissions(folder.path(), fs::perms::all);
  fs::permissions(folder / "d/sub",
                  fs::perms::all & ~(fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec));
  const as_nobody nobody;
  CHECK(files->read("d").error().message == "cannot look at d/sub/file: Permission denied");
}

TEST_CASE_FIXTURE(fixture, "folders as deep as paths can be are digested and searched") {
  std::string deep = "top";
  while (deep.size() < 3500)
    deep += "/d";
  REQUIRE(files->make_parent(deep + "/file").has_value());
  folder.write(deep + "/file", "at the bottom");
  const auto record = files->read("top").value();
  folder.write(deep + "/file", "another");
  CHECK(files->read("top").value().content != record.content);
  CHECK(files->glob("top/**/file", {}).value() == names{deep + "/file"});
}

TEST_CASE_FIXTURE(fixture, "a folder deeper than any path can be is an error, not a crash") {
  std::string name(200, 'd');
  REQUIRE(mkdir((folder / "top").c_str(), 0700) == 0);
  unique_fd at(open((folder / "top").c_str(), O_PATH | O_CLOEXEC));
  for (int i = 0; i < 30; ++i) {
    REQUIRE(mkdirat(at.get(), name.c_str(), 0700) == 0);
    at = unique_fd(openat(at.get(), name.c_str(), O_PATH | O_CLOEXEC));
  }
  const auto record = files->read("top");
  REQUIRE(record.has_error());
  CHECK(record.error().message.find("File name too long") != std::string::npos);
  CHECK(files->glob("top/**/*", {}).has_error());
}

TEST_CASE_FIXTURE(fixture, "sockets and devices have no content") {
  const unique_fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = folder / "socket";
  REQUIRE(path.size() < sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  REQUIRE(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  CHECK(files->read("socket").error().message == "socket is a socket: only files and folders have content");
  CHECK(files->read("/dev/null").error().message == "/dev/null is a device: only files and folders have content");
}

TEST_CASE_FIXTURE(fixture, "a file larger than any buffer is read whole") {
  const std::string big(3'000'001, 'x');
  folder.write("big", big);
  CHECK(files->read("big").value().content == content_digest(big));
  CHECK(files->read_text("big", big.size()).value() == big);
}

TEST_CASE_FIXTURE(fixture, "a record is of one moment even while the file is written") {
  folder.write("f", std::string(100'000, '0'));
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    const unique_fd fd(open((folder / "f").c_str(), O_WRONLY | O_CLOEXEC));
    for (char c = '0'; !stop; c = c == '9' ? '0' : static_cast<char>(c + 1)) {
      const std::string content(100'000, c);
      if (pwrite(fd.get(), content.data(), content.size(), 0) < 0)
        return;
    }
  });
  int records = 0;
  int errors = 0;
  for (int i = 0; i < 300; ++i) {
    const auto record = files->read("f");
    if (record)
      ++records;
    else if (record.error().message == "f keeps changing while it is read")
      ++errors;
  }
  stop = true;
  writer.join();
  CHECK(records + errors == 300);
  CHECK(files->read("f").has_value());
}

TEST_CASE_FIXTURE(fixture, "changing permissions changes a folder's stat, and its content with the executable bit") {
  folder.write("d/a", "1");
  fs::permissions(folder / "d/a", fs::perms::owner_read | fs::perms::owner_write);
  const auto before = files->read("d").value();
  fs::permissions(folder / "d/a", fs::perms::owner_exec, fs::perm_options::add);
  const auto after = files->read("d").value();
  CHECK(before.stat != after.stat);
  CHECK(before.content != after.content);
}

TEST_CASE_FIXTURE(fixture, "many folders are read without keeping descriptors") {
  for (int i = 0; i < 50; ++i)
    folder.write("d/" + std::to_string(i) + "/f", "1");
  const auto count = [] { return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()); };
  const auto before = count();
  for (int i = 0; i < 20; ++i) {
    CHECK(files->read("d").has_value());
    CHECK(files->glob("d/**", {}).value().size() == 50);
    CHECK(files->read("d/none").has_value());
  }
  CHECK(count() == before);
}
