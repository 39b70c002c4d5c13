// Who wants a run stopped, and how it is heard: signals of this process, `cancel` of another.
#include "engine/stop_watch.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

using heard = std::pair<stop_cause, bool>;

/// What the watch was told, with a wait that a minute makes a failure.
class listener {
public:
  std::function<void(stop_cause, bool)> hear() {
    return [this](stop_cause cause, bool at_once) {
      const std::lock_guard lock(mutex_);
      all_.emplace_back(cause, at_once);
      changed_.notify_all();
    };
  }
  heard wait(std::size_t number) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, 1min, [&] { return all_.size() > number; }));
    return all_[number];
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return all_.size();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<heard> all_;
};

} // namespace

TEST_CASE("a stop request counts, keeps the first signal, and makes its descriptor readable") {
  stop_request stop;
  pollfd waits{stop.descriptor(), POLLIN, 0};
  CHECK(poll(&waits, 1, 0) == 0);
  CHECK(stop.count() == 0);
  errno = 77;
  stop.request(SIGTERM);
  CHECK(errno == 77);
  stop.request(SIGINT);
  CHECK(stop.count() == 2);
  CHECK(stop.signal() == SIGTERM);
  CHECK(poll(&waits, 1, 0) == 1);
}

TEST_CASE("the first signal asks, the second means at once") {
  const temporary_folder state;
  stop_request stop;
  listener l;
  const stop_watch watch(state_dir::open(state.path()).value(), stop, l.hear());
  stop.request(SIGINT);
  CHECK(l.wait(0) == heard{stop_cause::signal, false});
  stop.request(SIGINT);
  CHECK(l.wait(1) == heard{stop_cause::signal, true});
}

TEST_CASE("a request that came before the watch is heard; the user's own is no signal") {
  const temporary_folder state;
  stop_request stop;
  stop.request(0);
  listener l;
  const stop_watch watch(state_dir::open(state.path()).value(), stop, l.hear());
  CHECK(l.wait(0) == heard{stop_cause::user, false});
}

TEST_CASE("another process reaches the run through the state folder, and a second time with urgency") {
  const temporary_folder state;
  stop_request stop;
  listener l;
  CHECK_FALSE(send_cancel(state.path()));
  {
    const stop_watch watch(state_dir::open(state.path()).value(), stop, l.hear());
    CHECK(send_cancel(state.path()));
    CHECK(l.wait(0) == heard{stop_cause::user, false});
    CHECK(send_cancel(state.path()));
    CHECK(l.wait(1) == heard{stop_cause::user, true});
  }
  CHECK_FALSE(send_cancel(state.path()));
  CHECK_FALSE(state.exists("control"));
}

TEST_CASE("nobody listens at a FIFO that a dead supervisor left, and the next one takes its place") {
  const temporary_folder state;
  REQUIRE(mkfifo((state / "control").c_str(), 0600) == 0);
  CHECK_FALSE(send_cancel(state.path()));
  stop_request stop;
  listener l;
  const stop_watch watch(state_dir::open(state.path()).value(), stop, l.hear());
  CHECK(send_cancel(state.path()));
  CHECK(l.wait(0) == heard{stop_cause::user, false});
}

TEST_CASE("where no FIFO can be made, signals are heard all the same") {
  const temporary_folder state;
  stop_request stop;
  listener l;
  std::filesystem::create_directory(state / "control"); // in its way
  const stop_watch watch(state_dir::open(state.path()).value(), stop, l.hear());
  CHECK_FALSE(send_cancel(state.path()));
  stop.request(SIGTERM);
  CHECK(l.wait(0) == heard{stop_cause::signal, false});
}

TEST_CASE("cancel writes into a FIFO of this user's and into nothing else") {
  const temporary_folder state;
  SUBCASE("a file") {
    state.write("control", "precious");
  }
  SUBCASE("a link to a FIFO") {
    REQUIRE(mkfifo((state / "elsewhere").c_str(), 0600) == 0);
    std::filesystem::create_symlink("elsewhere", state / "control");
  }
  SUBCASE("a FIFO of another user's") {
    REQUIRE(mkfifo((state / "control").c_str(), 0666) == 0);
    if (geteuid() != 0 || chown((state / "control").c_str(), 23456, 23456) != 0)
      return;
  }
  const int listens =
      open((state / (state.exists("elsewhere") ? "elsewhere" : "control")).c_str(), O_RDWR | O_NONBLOCK);
  CHECK_FALSE(send_cancel(state.path()));
  char byte = 0;
  if (std::filesystem::is_regular_file(state / "control"))
    CHECK(state.read("control") == "precious");
  else
    CHECK(read(listens, &byte, 1) <= 0);
  close(listens);
}

TEST_CASE("a watch that hears nothing ends at once") {
  const temporary_folder state;
  stop_request stop;
  listener l;
  { const stop_watch watch(state_dir::open(state.path()).value(), stop, l.hear()); }
  CHECK(l.count() == 0);
}
