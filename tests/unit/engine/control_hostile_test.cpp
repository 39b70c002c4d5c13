// What hostile clients may do to the control server and to each other: nothing.
#include "control_world.hpp"

#include <sys/resource.h>

#include <cerrno>
#include <csignal>

using namespace troupe_internal;
using namespace troupe_internal::control_test;

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

TEST_CASE("a request is done though its client has gone") {
  world w;
  {
    const raw_client client(w);
    client.say(hello() + to_frame(list_request{}) + to_frame(cancel_request{run_number(7U), false}));
  }
  CHECK(w.l.wait(0) == heard{stop_cause::user, false});
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
