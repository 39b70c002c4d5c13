// The control server: signals of this process are heard, clients are answered, and what hostile ones may do to it and
// to each other: nothing.
#include "adapters/state/state_socket.hpp"
#include "engine/control_client.hpp"
#include "engine/control_server.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

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
  int asked = 0;

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
control_message next(control_client& client) {
  auto said = client.receive(long_enough);
  REQUIRE(said.has_value());
  REQUIRE(said->has_value());
  return **said;
}
error next_error(control_client& client) {
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

std::string hello() {
  return to_frame(control_hello{control_protocol_version, "test"});
}

control_refusal last_word(const std::vector<control_message>& all) {
  REQUIRE_FALSE(all.empty());
  REQUIRE(std::holds_alternative<control_refusal>(all.back()));
  return std::get<control_refusal>(all.back());
}

void is_well(const world& w) {
  auto client = w.connect();
  REQUIRE(client.send(list_request{}).has_value());
  CHECK(std::get<live_runs>(next(client)).runs.size() == 2);
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

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
  world w;
  w.stop.request(SIGINT);
  CHECK(w.l.wait(0) == heard{stop_cause::signal, false});
  w.stop.request(SIGINT);
  CHECK(w.l.wait(1) == heard{stop_cause::signal, true});
}

TEST_CASE("a request that came before the server is heard; the user's own is no signal") {
  world w;
  w.server.reset();
  w.stop.request(0);
  w.server.emplace(w.dir, w.stop, w.port, [&](stop_cause cause, bool at_once) { w.l.hear(cause, at_once); });
  CHECK(w.l.wait(0) == heard{stop_cause::user, false});
}

TEST_CASE("another process lists, cancels and waits") {
  world w;
  auto client = w.connect();
  REQUIRE(client.send(list_request{}).has_value());
  CHECK(next(client) == control_message(live_runs{w.port.list()}));
  REQUIRE(client.send(cancel_request{run_number(8U), true}).has_value());
  CHECK(next(client) == control_message(run_cancelling{run_number(8U)}));
  CHECK(w.l.wait(0) == heard{stop_cause::user, true});
  REQUIRE(client.send(wait_request{run_number(8U)}).has_value());
  CHECK_FALSE(client.receive(50ms).value().has_value());
  w.port.end(run_number(8U), run_status::cancelled);
  CHECK(next(client) == control_message(run_ended{run_number(8U), run_status::cancelled}));
  REQUIRE(client.send(wait_request{run_number(8U)}).has_value()); // and the connection goes on
  CHECK(next_error(client).code == error_code::not_found);
}

TEST_CASE("a request that cannot be done is an error, and the connection goes on") {
  world w;
  auto client = w.connect();
  REQUIRE(client.send(cancel_request{run_number(9U), false}).has_value());
  CHECK(next_error(client).code == error_code::not_found);
  REQUIRE(client.send(cancel_request{}).has_value());
  CHECK(next_error(client).code == error_code::invalid_input);
  REQUIRE(client.send(wait_request{run_number(9U)}).has_value());
  CHECK(next_error(client).code == error_code::not_found);
  REQUIRE(client.send(list_request{}).has_value());
  CHECK(std::get<live_runs>(next(client)).runs.size() == 2);
  CHECK(w.l.count() == 0);
}

TEST_CASE("who waits is answered before the server goes, and its socket goes with it") {
  world w;
  auto seven = w.connect();
  auto eight = w.connect();
  REQUIRE(seven.send(wait_request{run_number(7U)}).has_value());
  REQUIRE(eight.send(wait_request{run_number(8U)}).has_value());
  is_well(w); // both were heard
  w.port.end(run_number(7U), run_status::failed);
  w.server.reset();
  CHECK(next(seven) == control_message(run_ended{run_number(7U), run_status::failed}));
  CHECK(next_error(eight).code == error_code::not_found);
  CHECK_FALSE(w.state.exists(control_socket_name));
  CHECK(control_client::connect(*w.dir).error().code == error_code::not_found);
  w.port.end(run_number(8U), run_status::failed); // whoever calls back late finds nobody, and nothing happens
}

TEST_CASE("clients that wait for one run are one question to the engine, and those that go leave nothing") {
  world w;
  const auto before = open_descriptors();
  for (int i = 0; i < 200; ++i) {
    auto client = w.connect();
    REQUIRE(client.send(wait_request{run_number(7U)}).has_value());
    REQUIRE_FALSE(client.receive(0ms).value().has_value());
  }
  is_well(w);
  auto last = w.connect();
  REQUIRE(last.send(wait_request{run_number(7U)}).has_value());
  REQUIRE_FALSE(last.receive(20ms).value().has_value());
  CHECK(w.port.asked == 1);
  for (int i = 0; i < 6000 && open_descriptors() > before + 2; ++i)
    ::usleep(10'000);
  CHECK(open_descriptors() <= before + 2); // both ends of the last one
}

TEST_CASE("requests in one piece are answered in their order") {
  world w;
  const raw_client client(w);
  client.say(hello() + to_frame(list_request{}) + to_frame(cancel_request{run_number(7U), false}) +
             to_frame(wait_request{run_number(7U)}) + to_frame(list_request{}));
  CHECK(w.l.wait(0) == heard{stop_cause::user, false});
  w.port.end(run_number(7U), run_status::cancelled);
  ::shutdown(client.fd(), SHUT_WR);
  const auto all = client.rest();
  REQUIRE(all.size() >= 3);
  CHECK(std::holds_alternative<control_hello>(all[0]));
  CHECK(std::holds_alternative<live_runs>(all[1]));
  CHECK(std::holds_alternative<run_cancelling>(all[2]));
}

TEST_CASE("a request is done though its client has gone") {
  world w;
  {
    const raw_client client(w);
    client.say(hello() + to_frame(list_request{}) + to_frame(cancel_request{run_number(7U), false}));
  }
  CHECK(w.l.wait(0) == heard{stop_cause::user, false});
}

TEST_CASE("a client of another version is told which, and is closed") {
  world w;
  const raw_client client(w);
  client.say(to_frame(control_hello{control_protocol_version + 1, "9.9"}) +
             to_frame(cancel_request{run_number(7U), false}));
  const auto all = client.rest();
  REQUIRE(all.size() == 2);
  CHECK(std::get<control_hello>(all[0]).protocol == control_protocol_version);
  CHECK(last_word(all).code == refusal_code::other_version);
  CHECK(w.l.count() == 0);
}

TEST_CASE("garbage closes its client with an error, and no other one") {
  world w;
  auto other = w.connect();
  std::string bytes;
  SUBCASE("what is no frame") {
    bytes = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  SUBCASE("1 GiB") {
    bytes = std::string("\0\0\0\x40", 4);
  }
  SUBCASE("an empty frame") {
    bytes = std::string(4, '\0');
  }
  SUBCASE("no JSON") {
    bytes = std::string("\3\0\0\0abc", 7);
  }
  SUBCASE("no hello first") {
    bytes = to_frame(list_request{});
  }
  SUBCASE("garbage after a hello") {
    bytes = hello() + std::string("\xff\xff\xff\xff", 4);
  }
  SUBCASE("an answer") {
    bytes = hello() + to_frame(run_ended{run_number(7U), run_status::succeeded});
  }
  SUBCASE("the largest frame, of brackets") {
    bytes = std::string("\0\0\x10\0", 4) + std::string(max_frame_bytes, '[');
  }
  const raw_client client(w);
  client.say(bytes);
  CHECK(last_word(client.rest()).code == refusal_code::bad_message);
  REQUIRE(other.send(list_request{}).has_value());
  CHECK(std::get<live_runs>(next(other)).runs.size() == 2);
}

TEST_CASE("a client that is silent, half heard or slow is closed in time, and delays nobody") {
  world w({64, 300ms});
  std::string bytes;
  SUBCASE("says nothing") {}
  SUBCASE("half a length") {
    bytes = "\1";
  }
  SUBCASE("half a message") {
    bytes = hello().substr(0, 20);
  }
  SUBCASE("a hello and nothing more") {
    bytes = hello();
  }
  const raw_client client(w);
  client.say(bytes);
  is_well(w);
  static_cast<void>(client.rest()); // ends
  const raw_client dripping(w);
  std::size_t at = 0;
  const auto long_hello = to_frame(control_hello{control_protocol_version, std::string(100'000, 'x')});
  for (int i = 0; i < 1000; ++i) {
    if (::send(dripping.fd(), &long_hello[at++], 1, MSG_NOSIGNAL) != 1)
      break;
    ::usleep(10'000);
  }
  CHECK(at < 1000);
}

TEST_CASE("a client that takes no answers is closed in time, and takes no memory without end") {
  world w({64, 300ms});
  const raw_client client(w);
  const auto ask = to_frame(list_request{});
  client.say(hello());
  const auto until = std::chrono::steady_clock::now() + long_enough;
  bool closed = false;
  for (std::string many(ask); !closed && std::chrono::steady_clock::now() < until;) {
    const auto put = ::send(client.fd(), many.data(), many.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    closed = put < 0 && errno == EPIPE;
    if (put < 0 && !closed)
      ::usleep(5'000);
    else if (put > 0 && static_cast<std::size_t>(put) < many.size())
      many = many.substr(static_cast<std::size_t>(put)) + ask;
    else
      many = ask;
  }
  CHECK(closed);
  is_well(w);
}

TEST_CASE("one client too many is told so, and the next is served when one has gone") {
  world w({4, long_enough});
  std::vector<control_client> clients;
  for (int i = 0; i < 4; ++i) {
    auto& client = clients.emplace_back(w.connect());
    REQUIRE(client.send(list_request{}).has_value());
    static_cast<void>(next(client));
  }
  const raw_client fifth(w);
  CHECK(last_word(fifth.rest()).code == refusal_code::busy);
  clients.pop_back();
  for (int i = 0; i < 6000; ++i) {
    auto again = w.connect();
    if (again.send(list_request{}).has_value() && again.receive(long_enough).has_value())
      return;
    ::usleep(10'000);
  }
  FAIL("no place was free");
}

TEST_CASE("a hundred clients at a time are served or refused, and the signals are heard") {
  world w;
  std::vector<unique_fd> clients;
  for (int i = 0; i < 100; ++i)
    if (auto fd = connect_in(*w.dir, control_socket_name))
      clients.push_back(std::move(*fd));
  CHECK(clients.size() > 60);
  w.stop.request(SIGTERM);
  CHECK(w.l.wait(0) == heard{stop_cause::signal, false});
  clients.clear();
  is_well(w);
}

TEST_CASE("where the system has no descriptor left, clients wait and signals are heard") {
  world w;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  is_well(w);
  const raw_client first(w);
  first.say(hello());
  const raw_client second(w);
  rlimit now = before;
  SUBCASE("none for a client") {
    const unique_fd next_one(::dup(0));
    now.rlim_cur = static_cast<rlim_t>(next_one.get());
  }
  SUBCASE("fewer than are open") {
    now.rlim_cur = 3;
  }
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &now) == 0);
  w.stop.request(SIGTERM);
  const auto got = w.l.wait(0);
  ::usleep(50'000);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(got == heard{stop_cause::signal, false});
  is_well(w);
}

TEST_CASE("a server that is not asked anything ends at once") {
  world w;
  w.server.reset();
  CHECK(w.l.count() == 0);
}

TEST_CASE("where the socket's name is taken, signals are heard all the same, and people are told") {
  const temporary_folder state;
  std::filesystem::create_directory(state / control_socket_name);
  const auto dir = state_dir::open(state.path()).value();
  stop_request stop;
  listener l;
  fake_port port(l);
  const control_server server(dir, stop, port, [&](stop_cause cause, bool at_once) { l.hear(cause, at_once); });
  CHECK(server.problem().find("is a folder, not a socket") != std::string::npos);
  CHECK(control_client::connect(*dir).error().code == error_code::state_unusable);
  stop.request(SIGTERM);
  CHECK(l.wait(0) == heard{stop_cause::signal, false});
}

TEST_CASE("a socket that a dead process left is replaced") {
  const temporary_folder state;
  const auto dir = state_dir::open(state.path()).value();
  { REQUIRE(listen_in(*dir, control_socket_name, 1).has_value()); }
  REQUIRE(state.exists(control_socket_name));
  stop_request stop;
  listener l;
  fake_port port(l);
  const control_server server(dir, stop, port, [&](stop_cause cause, bool at_once) { l.hear(cause, at_once); });
  CHECK(server.problem().empty());
  CHECK(control_client::connect(*dir).has_value());
}

TEST_CASE("a server of another version is named by the client") {
  const temporary_folder state;
  const auto dir = state_dir::open(state.path()).value();
  const auto listens = listen_in(*dir, control_socket_name, 1).value();
  auto client = control_client::connect(*dir).value();
  const unique_fd served(::accept(listens.fd.get(), nullptr, nullptr));
  REQUIRE(served);
  std::string said;
  std::string words;
  SUBCASE("newer") {
    said = to_frame(control_hello{2, "9.9"});
    words = "is carried out by troupe 9.9, whose control protocol is newer";
  }
  SUBCASE("older") {
    said = to_frame(control_hello{0, "0.0"});
    words = "is carried out by troupe 0.0, whose control protocol is older";
  }
  SUBCASE("nothing that is understood") {
    said = "GET / HTTP/1.1";
    words = "is not understood";
  }
  REQUIRE(::send(served.get(), said.data(), said.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(said.size()));
  const auto told = next_error(client);
  CHECK(told.code == error_code::state_unusable);
  CHECK(told.message.find(words) != std::string::npos);
}
