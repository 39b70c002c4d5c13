// A state's socket: its mode, a long path, what is removed and what stays.
#include "adapters/state/state_socket.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <string>

using namespace troupe_internal;

namespace {

constexpr const char* name = "control.sock";

state_dir::handle open_dir(const std::string& path) {
  return state_dir::open(path).value();
}

mode_t type_and_mode(const std::string& path) {
  struct stat info {};
  REQUIRE(::lstat(path.c_str(), &info) == 0);
  return info.st_mode;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A socket file that nobody listens at.
void leave_socket(const temporary_folder& at) {
  const auto socket = listen_in(*open_dir(at.path()), name, 1);
  REQUIRE(socket.has_value());
}

} // namespace

TEST_CASE("a state's socket is for its user alone, whatever the umask, and closed at exec") {
  for (const mode_t mask : {mode_t(0), mode_t(022), mode_t(0777)}) {
    const temporary_folder state;
    const auto dir = open_dir(state.path());
    const auto before = ::umask(mask);
    const auto socket = listen_in(*dir, name, 1);
    ::umask(before);
    REQUIRE(socket.has_value());
    CHECK(type_and_mode(state / name) == (S_IFSOCK | 0600));
    CHECK((::fcntl(socket->fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
    const auto client = connect_in(*dir, name);
    REQUIRE(client.has_value());
    CHECK((::fcntl(client->get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(peer_is_trusted(client->get()));
    remove_socket(*dir, name, *socket);
    CHECK_FALSE(state.exists(name));
  }
}

TEST_CASE("the path of a state's socket may be longer than an address") {
  const temporary_folder top;
  auto path = top.path();
  while (path.size() < 300)
    path += "/a-folder-with-a-long-name";
  std::filesystem::create_directories(path);
  const auto dir = open_dir(path);
  const auto socket = listen_in(*dir, name, 1);
  REQUIRE(socket.has_value());
  CHECK(connect_in(*dir, name).has_value());
}

TEST_CASE("a socket that a dead process left makes room, and nobody listens at it before") {
  const temporary_folder state;
  leave_socket(state);
  const auto dir = open_dir(state.path());
  CHECK(connect_in(*dir, name).error().code == error_code::not_found);
  const auto socket = listen_in(*dir, name, 1);
  REQUIRE(socket.has_value());
  CHECK(connect_in(*dir, name).has_value());
}

TEST_CASE("only the socket that was made is removed") {
  const temporary_folder state;
  const auto dir = open_dir(state.path());
  const auto first = listen_in(*dir, name, 1);
  REQUIRE(first.has_value());
  state.write("other", "keeps the inode's number from being given out again");
  std::filesystem::rename(state / name, state / "moved");
  const auto second = listen_in(*dir, name, 1);
  REQUIRE(second.has_value());
  remove_socket(*dir, name, *first);
  CHECK(state.exists(name));
  remove_socket(*dir, name, *second);
  CHECK_FALSE(state.exists(name));
}

TEST_CASE("what has the socket's name and is none of this user's stays, and is named") {
  const temporary_folder state;
  std::string words;
  SUBCASE("a file") {
    state.write(name, "precious");
    words = "is a file, not a socket";
  }
  SUBCASE("a folder") {
    std::filesystem::create_directory(state / name);
    words = "is a folder, not a socket";
  }
  SUBCASE("a FIFO") {
    REQUIRE(::mkfifo((state / name).c_str(), 0600) == 0);
    words = "is a FIFO, not a socket";
  }
  SUBCASE("a link to nothing") {
    std::filesystem::create_symlink("made", state / name);
    words = "is a symbolic link, not a socket";
  }
  SUBCASE("a link to a socket of this user") {
    leave_socket(state);
    std::filesystem::rename(state / name, state / "elsewhere");
    std::filesystem::create_symlink("elsewhere", state / name);
    words = "is a symbolic link, not a socket";
  }
  SUBCASE("a socket of another user") {
    leave_socket(state);
    if (::geteuid() != 0 || ::chown((state / name).c_str(), 23456, 23456) != 0)
      return;
    words = "belongs to user 23456";
  }
  const auto dir = open_dir(state.path());
  const auto before = type_and_mode(state / name);
  for (const auto& refused : {listen_in(*dir, name, 1).error(), connect_in(*dir, name).error()}) {
    CHECK(refused.code == error_code::state_unusable);
    CHECK(contains(refused.message, words));
    CHECK(contains(refused.message, state / name));
  }
  remove_left_over(*dir, name, S_IFSOCK);
  CHECK(type_and_mode(state / name) == before);
  CHECK_FALSE(state.exists("made"));
}

TEST_CASE("nobody connects in a folder that others may write in") {
  const temporary_folder state;
  const auto socket = listen_in(*open_dir(state.path()), name, 1);
  REQUIRE(socket.has_value());
  REQUIRE(::chmod(state.path().c_str(), 0777) == 0);
  CHECK(connect_in(*open_dir(state.path()), name).error().code == error_code::state_unusable);
}

TEST_CASE("without an entry there is nobody to connect to") {
  const temporary_folder state;
  CHECK(connect_in(*open_dir(state.path()), name).error().code == error_code::not_found);
}
