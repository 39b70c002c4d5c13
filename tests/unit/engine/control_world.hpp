// A control server with a fake engine behind it, and clients that say what they like.
#pragma once

#include "adapters/state/state_socket.hpp"
#include "engine/control_client.hpp"
#include "engine/control_server.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal::control_test {

using namespace std::chrono_literals;

using heard = std::pair<stop_cause, bool>;

/// What the server said, with a wait that a minute makes a failure.
class listener {
public:
  void hear(stop_cause cause, bool at_once) {
    const std::lock_guard lock(mutex_);
    all_.emplace_back(cause, at_once);
    changed_.notify_all();
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

/// Runs 7 and 8 are live until they are ended.
class fake_port final : public control_port {
public:
  explicit fake_port(listener& l) : listener_(l) {}
  std::vector<live_run_info> list() override {
    const std::lock_guard lock(mutex_);
    std::vector<live_run_info> runs;
    for (const auto run : live_)
      runs.push_back({run, "fake", from_unix_ns(1'000'000'000), {}});
    return runs;
  }
  result<run_number> cancel(std::optional<run_number> run, bool at_once) override {
    if (!run)
      return fail(error_code::invalid_input, "say which");
    if (!is_live(*run))
      return fail(error_code::not_found, "not live");
    listener_.hear(stop_cause::user, at_once);
    return *run;
  }
  result<void> when_ended(run_number run, std::function<void(run_status)> then) override {
    if (!is_live(run))
      return fail(error_code::not_found, "not live");
    const std::lock_guard lock(mutex_);
    ++asked;
    waiting_.emplace_back(run, std::move(then));
    return {};
  }
  void end(run_number run, run_status status) {
    std::vector<std::pair<run_number, std::function<void(run_status)>>> waiting;
    {
      const std::lock_guard lock(mutex_);
      std::erase(live_, run);
      waiting = std::exchange(waiting_, {});
    }
    for (const auto& [which, then] : waiting)
      if (which == run)
        then(status);
  }
  std::vector<queued_run_info> queue() override { return queued; }
  std::atomic<int> asked = 0;
  std::vector<queued_run_info> queued; ///< set before anybody asks

private:
  bool is_live(run_number run) {
    const std::lock_guard lock(mutex_);
    return std::find(live_.begin(), live_.end(), run) != live_.end();
  }
  listener& listener_;
  std::mutex mutex_;
  std::vector<run_number> live_{run_number(7U), run_number(8U)};
  std::vector<std::pair<run_number, std::function<void(run_status)>>> waiting_;
};

struct world {
  explicit world(control_limits limits = {}) {
    dir = state_dir::open(state.path()).value();
    server.emplace(
        dir, stop, port, [this](stop_cause cause, bool at_once) { l.hear(cause, at_once); }, limits);
  }
  control_client connect() const { return control_client::connect(*dir).value(); }
  temporary_folder state;
  state_dir::handle dir;
  stop_request stop;
  listener l;
  fake_port port{l};
  std::optional<control_server> server;
};

constexpr auto long_enough = 60s;

/// The next answer; fails the test if none comes.
inline control_message next(control_client& client) {
  auto said = client.receive(long_enough);
  REQUIRE(said.has_value());
  REQUIRE(said->has_value());
  return **said;
}
inline error next_error(control_client& client) {
  auto said = client.receive(long_enough);
  REQUIRE_FALSE(said.has_value());
  return said.error();
}

/// A client that says what it likes.
class raw_client {
public:
  explicit raw_client(const world& w) : fd_(connect_in(*w.dir, control_socket_name).value()) {}
  void say(std::string_view bytes) const {
    for (pollfd wait{fd_.get(), POLLOUT, 0}; !bytes.empty() && poll(&wait, 1, 60'000) == 1;) {
      const auto put = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (put <= 0)
        return; // it was closed
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
  }
  /// All that comes until the other side closes.
  [[nodiscard]] std::vector<control_message> rest() const {
    std::vector<control_message> all;
    frame_reader frames;
    char buffer[4096];
    for (pollfd wait{fd_.get(), POLLIN, 0}; poll(&wait, 1, 60'000) == 1;) {
      const auto got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (got <= 0)
        return all;
      std::string_view bytes(buffer, static_cast<std::size_t>(got));
      while (!bytes.empty())
        if (frames.take(bytes) == frame_reader::step::whole)
          all.push_back(parse_message(frames.payload()).value());
    }
    FAIL("the server does not close the connection");
    return all;
  }
  [[nodiscard]] int fd() const { return fd_.get(); }

private:
  unique_fd fd_;
};

inline std::string hello() {
  return to_frame(control_hello{control_protocol_version, "test"});
}

inline control_refusal last_word(const std::vector<control_message>& all) {
  REQUIRE_FALSE(all.empty());
  REQUIRE(std::holds_alternative<control_refusal>(all.back()));
  return std::get<control_refusal>(all.back());
}

inline void is_well(const world& w) {
  auto client = w.connect();
  REQUIRE(client.send(list_request{}).has_value());
  CHECK(std::get<live_runs>(next(client)).runs.size() == 2);
}

inline std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

} // namespace troupe_internal::control_test
