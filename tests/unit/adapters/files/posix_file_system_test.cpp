// What only a real disk can do: links, permissions, depth, files that change while they are read.
#include "adapters/files/posix_file_system.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>
#include <functional>
#include <thread>
#include <utility>

using namespace troupe_internal;
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

TEST_CASE_FIXTURE(fixture, "while a file is overwritten it is read again, and at last what was read counts") {
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
  for (int i = 0; i < 300; ++i)
    records += files->read("f").has_value() ? 1 : 0;
  stop = true;
  writer.join();
  CHECK(records == 300);
  const auto quiet = files->read("f").value();
  CHECK(quiet.stat == files->stat("f").value());
}

namespace {

/// Looks at files while something happens: `between` is called between pieces of the work.
struct watched : fixture {
  std::function<bool()> between = [] { return false; };
  std::unique_ptr<posix_file_system> slowly =
      posix_file_system::open(folder.path(), {[this] { return between(); }, {}}).value();

  void append(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name, std::ios::binary | std::ios::app) << text;
  }
};

constexpr std::size_t some_buffers = 700'000;

} // namespace

TEST_CASE_FIXTURE(watched, "a file that grows while it is read counts as it was when it was opened, and is read once") {
  const std::string first(some_buffers, 'a');
  folder.write("log", first);
  int pieces = 0;
  between = [&] {
    append("log", "more");
    ++pieces;
    return false;
  };
  const auto record = slowly->read("log").value();
  CHECK(record.content == content_digest(first));
  CHECK(record.stat.size == first.size());
  CHECK(pieces == some_buffers / (128 * 1024));     // whole buffers of one reading
  CHECK(record.stat != files->stat("log").value()); // the next look reads it again
}

TEST_CASE_FIXTURE(watched, "a log that is written in a folder does not keep the folder from being read") {
  folder.write("d/log", std::string(some_buffers, 'a'));
  folder.write("d/other", "1");
  between = [&] {
    append("d/log", "more");
    return false;
  };
  const auto record = slowly->read("d").value();
  CHECK(record.stat != files->stat("d").value());
  CHECK(record.content != files->read("d").value().content);
}

TEST_CASE_FIXTURE(watched, "a file that shrinks or is overwritten while it is read counts as it was read at last") {
  folder.write("shrinks", std::string(some_buffers, 'a'));
  std::size_t size = some_buffers;
  between = [&] {
    fs::resize_file(folder / "shrinks", size -= 1000);
    return false;
  };
  const auto shrunk = slowly->read("shrinks").value();
  CHECK(shrunk.stat != files->stat("shrinks").value());
  folder.write("once", std::string(some_buffers, 'a'));
  bool changed = false;
  between = [&] {
    if (!std::exchange(changed, true))
      folder.write("once", std::string(some_buffers, 'b'));
    return false;
  };
  CHECK(slowly->read("once").value().content == content_digest(std::string(some_buffers, 'b'))); // it was read again
}

TEST_CASE_FIXTURE(watched, "members that come and go while their folder is read do no harm") {
  for (int i = 0; i < 20; ++i)
    folder.write("d/" + std::to_string(i), "1");
  int number = 20;
  between = [&] {
    fs::remove(folder / ("d/" + std::to_string(number % 20)));
    folder.write("d/" + std::to_string(++number), "1");
    return false;
  };
  CHECK(slowly->read("d").has_value());
  CHECK(slowly->stat("d").has_value());
}

TEST_CASE_FIXTURE(watched, "looks are broken off where they take long: in a file, a folder, a search") {
  folder.write("small", "1");
  folder.write("d/e/f", "1");
  folder.write("huge", "");
  fs::resize_file(folder / "huge", 1ULL << 40U); // nobody waits for the end of this
  int asked = 0;
  between = [&] { return ++asked > 3; };
  CHECK(slowly->read("huge").error().code == error_code::stopped);
  CHECK(asked == 4);
  CHECK(slowly->broken_off());
  CHECK(slowly->stat("d").error().code == error_code::stopped);
  CHECK(slowly->read("d").error().code == error_code::stopped);
  CHECK(slowly->glob("**/f", {}).error().code == error_code::stopped);
  CHECK(slowly->read("small").value() == files->read("small").value()); // what takes no time is done
  CHECK(slowly->stat("huge").value() == files->stat("huge").value());
}

TEST_CASE_FIXTURE(fixture, "a folder that holds the state counts without it, wherever in it that is") {
  folder.write("d/a", "1");
  const auto without = files->read("d").value();
  folder.write("d/sub/.state/journal", "1");
  const auto state = identity_of_folder(folder / "d/sub/.state");
  REQUIRE(state.has_value());
  const auto bounded = posix_file_system::open(folder.path(), {{}, state}).value();
  const auto first = bounded->read("d").value();
  const auto stat = bounded->stat("d").value();
  CHECK(first.stat == stat);
  folder.write("d/sub/.state/journal", "another");
  folder.write("d/sub/.state/logs/1", "");
  CHECK(bounded->read("d").value() == first);
  CHECK(bounded->stat("d").value() == stat);
  CHECK(files->read("d").value() != first);
  CHECK(first.content != without.content); // sub is a member
  fs::create_directory_symlink(folder / "d", folder / "link");
  CHECK(bounded->read("link").value() == first);
  CHECK(bounded->read(folder / "d").value() == first);
}

TEST_CASE_FIXTURE(fixture, "the state itself is nothing to be read, and a file is no state") {
  folder.write("state/journal", "1");
  const auto bounded = posix_file_system::open(folder.path(), {{}, identity_of_folder(folder / "state")}).value();
  CHECK(bounded->read("state").error().message.find("state is the folder of Troupe's state") == 0);
  CHECK_FALSE(identity_of_folder(folder / "state/journal").has_value());
  CHECK_FALSE(identity_of_folder(folder / "nothing").has_value());
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
