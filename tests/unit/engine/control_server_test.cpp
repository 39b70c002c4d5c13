// The control server as its friends see it: signals of this process are heard, clients are answered.
#include "control_world.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <csignal>

using namespace troupe_internal;
using namespace troupe_internal::control_test;

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

TEST_CASE("of a queue that is longer than an answer may be, the first are listed, and how many there are") {
  world w;
  constexpr std::uint32_t runs = 20'000;
  for (std::uint32_t i = 1; i <= runs; ++i)
    w.port.queued.push_back({run_number(i), "fake", cause_kind::trigger, 0, from_unix_ns(0), "max_runs",
                             i == 1 ? std::string(1999, 'x') + "\u00e4" + std::string(1'000'000, 'y') : "max_runs"});
  auto client = w.connect();
  REQUIRE(client.send(list_request{}).has_value());
  const auto said = std::get<live_runs>(next(client));
  CHECK(said.runs.size() == 2);
  CHECK(said.waiting == runs);
  CHECK(said.queued.size() > 500);
  CHECK(said.queued.size() < runs);
  CHECK(said.queued.front().reason == std::string(1999, 'x') + "\u2026");
  CHECK(said.queued[1].run == run_number(2U));
}

TEST_CASE("an engine that has no queue says so to who asks for a run") {
  world w;
  auto client = w.connect();
  REQUIRE(client.send(submit_request{{"/p.json"}}).has_value());
  CHECK(next_error(client).message.find("carries out one run and takes no others") != std::string::npos);
  REQUIRE(client.send(priority_request{run_number(7U), 1}).has_value());
  CHECK(next_error(client).code == error_code::invalid_input);
  REQUIRE(client.send(follow_request{}).has_value()); // the fake has no history
  CHECK(next_error(client).code == error_code::not_found);
  REQUIRE(client.send(list_request{}).has_value());
  CHECK(std::get<live_runs>(next(client)).runs.size() == 2);
}
