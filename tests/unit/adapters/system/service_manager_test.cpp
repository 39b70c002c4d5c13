// What a service manager is told, and what it hands over.
#include "adapters/system/service_manager.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>

using namespace troupe_internal;

namespace {

/// A datagram socket at a path, as systemd has it.
class manager_socket {
public:
  explicit manager_socket(std::string path)
      : path_(std::move(path)), fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, path_.data(), path_.size());
    REQUIRE(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
  }
  std::string heard() {
    char buffer[4096];
    const auto got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    return got < 0 ? std::string() : std::string(buffer, static_cast<std::size_t>(got));
  }
  [[nodiscard]] const std::string& path() const { return path_; }

private:
  std::string path_;
  unique_fd fd_;
};

/// In a child, whose environment and descriptors are its own; its exit status.
int in_child(const std::function<int()>& work) {
  const auto pid = ::fork();
  if (pid == 0)
    ::_exit(work());
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

} // namespace

TEST_CASE("each word is one datagram, in the words of sd_notify") {
  const temporary_folder folder;
  manager_socket at(folder / "notify");
  const service_manager manager(at.path(), std::chrono::seconds(10));
  CHECK(manager.listens());
  manager.ready("2 of 2\npipelines");
  CHECK(at.heard() == "READY=1\nSTATUS=2 of 2 pipelines\n");
  manager.reloading();
  const auto reload = at.heard();
  CHECK(reload.starts_with("RELOADING=1\nMONOTONIC_USEC="));
  CHECK(std::stoull(reload.substr(reload.rfind('=') + 1)) > 0);
  manager.stopping("stopping");
  CHECK(at.heard() == "STOPPING=1\nSTATUS=stopping\n");
  manager.alive();
  CHECK(at.heard() == "WATCHDOG=1\n");
  manager.extend(std::chrono::seconds(3));
  CHECK(at.heard() == "EXTEND_TIMEOUT_USEC=3000000\n");
  manager.status("idle");
  CHECK(at.heard() == "STATUS=idle\n");
  manager.status("idle"); // nothing new
  CHECK(at.heard().empty());
}

TEST_CASE("without a manager nothing is sent, and a name that is none harms nobody") {
  const service_manager nobody;
  CHECK_FALSE(nobody.listens());
  nobody.ready("x");
  const service_manager wrong("relative", std::nullopt);
  wrong.ready("x");
  const service_manager too_long("/" + std::string(200, 'x'), std::nullopt);
  too_long.ready("x");
}

TEST_CASE("what is handed over is taken out of the environment, and only listening sockets are used") {
  const temporary_folder folder;
  CHECK(in_child([&]() -> int {
          const int listening = ::socket(AF_UNIX, SOCK_STREAM, 0);
          sockaddr_un at{};
          at.sun_family = AF_UNIX;
          const std::string path = folder / "api";
          std::memcpy(at.sun_path, path.data(), path.size());
          if (::bind(listening, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 || ::listen(listening, 1) != 0)
            return 10;
          const int other = ::open("/dev/null", O_RDONLY);
          const int spare = ::fcntl(listening, F_DUPFD, 20);
          const int spare_too = ::fcntl(other, F_DUPFD, 21);
          ::dup2(spare, 3);
          ::dup2(spare_too, 4);
          ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
          ::setenv("LISTEN_FDS", "2", 1);
          ::setenv("LISTEN_FDNAMES", "api:log", 1);
          ::setenv("NOTIFY_SOCKET", "/run/notify", 1);
          ::setenv("WATCHDOG_USEC", "5000000", 1);
          ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
          auto manager = service_manager::from_environment();
          auto sockets = manager.take_sockets();
          if (sockets.size() != 1 || sockets[0].name != "api" || !sockets[0].local || sockets[0].fd.get() != 3)
            return 11;
          if ((::fcntl(3, F_GETFD) & FD_CLOEXEC) == 0 || !manager.take_sockets().empty())
            return 12;
          if (!manager.listens() || manager.watchdog() != duration(std::chrono::seconds(5)))
            return 13;
          for (const auto* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_USEC"})
            if (::getenv(name) != nullptr)
              return 14;
          return 0;
        }) == 0);
  CHECK(in_child([]() -> int { // meant for another process
          ::setenv("LISTEN_PID", "1", 1);
          ::setenv("LISTEN_FDS", "1", 1);
          ::setenv("WATCHDOG_USEC", "5000000", 1);
          ::setenv("WATCHDOG_PID", "1", 1);
          auto manager = service_manager::from_environment();
          return manager.take_sockets().empty() && !manager.watchdog() ? 0 : 1;
        }) == 0);
}
