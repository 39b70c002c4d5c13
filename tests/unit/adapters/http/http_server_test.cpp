// The server from outside: a client of a few lines that sends bytes and reads what comes, well meaning or not.
#include "adapters/http/http_server.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace troupe_internal;

namespace {

/// Answers /echo with the body, /later from another thread, /never not at all, /stream with a stream that is kept.
struct test_handler final : http_handler {
  std::uint64_t body_limit(const http_request& head) override { return head.target == "/small" ? 4 : 100'000; }
  void handle(http_request request, std::shared_ptr<http_answer> answer) override {
    ++requests;
    if (request.target == "/never")
      return;
    if (request.target == "/keep") {
      const std::lock_guard lock(mutex);
      kept = std::move(answer);
      changed.notify_all();
      return;
    }
    if (request.target == "/stream") {
      auto begun = answer->begin_stream({200, "text/event-stream", {{"X-Accel-Buffering", "no"}}, ""});
      begun->when_gone([this] {
        ++gone;
        changed.notify_all();
      });
      const std::lock_guard lock(mutex);
      streams.push_back(std::move(begun));
      changed.notify_all();
      return;
    }
    http_response response{200,
                           "text/plain",
                           {{"X-Local", request.local ? "yes" : "no"}},
                           request.method + " " + request.target + " " + request.body};
    if (request.target == "/later")
      others.emplace_back([answer, response] { answer->send(response); });
    else
      answer->send(response);
  }
  void wait_for(const std::function<bool()>& what) {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, std::chrono::seconds(60), what));
  }
  ~test_handler() override {
    for (auto& other : others)
      other.join();
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::shared_ptr<http_stream>> streams;
  std::shared_ptr<http_answer> kept;
  std::vector<std::thread> others;
  std::atomic<int> requests{0};
  std::atomic<int> gone{0};
};

struct client {
  unique_fd fd;
  explicit client(std::uint16_t port) : fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  }
  explicit client(const std::string& path) : fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    path.copy(at.sun_path, sizeof at.sun_path - 1);
    REQUIRE(connect(fd.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  }
  void say(std::string_view text) const {
    while (!text.empty()) {
      const auto count = ::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0)
        return; // the server has closed already: what it said tells why
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  /// All that comes until `end` was seen or the server has closed.
  [[nodiscard]] std::string hear(std::string_view end = {}) const {
    std::string all;
    char bytes[4'096];
    while (end.empty() || all.find(end) == std::string::npos) {
      pollfd ready{fd.get(), POLLIN, 0};
      REQUIRE(poll(&ready, 1, 60'000) == 1);
      const auto count = ::recv(fd.get(), bytes, sizeof bytes, 0);
      if (count <= 0)
        break;
      all.append(bytes, static_cast<std::size_t>(count));
    }
    return all;
  }
};

struct world {
  explicit world(http_limits limits = {}) {
    auto made = listen_tcp("127.0.0.1:0", port);
    REQUIRE_MESSAGE(made.has_value(), made.error().message);
    std::vector<http_listener> listeners;
    listeners.push_back(std::move(*made));
    server.emplace(std::move(listeners), handler, limits);
  }
  test_handler handler;
  std::uint16_t port = 0;
  std::optional<http_server> server;
  [[nodiscard]] std::string ask(std::string_view text, std::string_view end = {}) const {
    const client with(port);
    with.say(text);
    return with.hear(end);
  }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("requests are answered one after the other on one connection, from any thread") {
  const world w;
  const client with(w.port);
  with.say("GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(has(with.hear("GET /a?b=c "), "HTTP/1.1 200 OK\r\n"));
  with.say("POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nxyzPOST /echo HTTP/1.1\r\nHost: "
           "x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nuv\r\n0\r\n\r\n");
  const auto both = with.hear("POST /echo uv");
  CHECK(both.find("POST /later xyz") < both.find("POST /echo uv"));
  with.say("HEAD /h HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const auto head = with.hear();
  CHECK(has(head, "Content-Length: 8\r\n"));
  CHECK(head.ends_with("\r\n\r\n"));
}

TEST_CASE("a request that nobody answers is told so") {
  const world w;
  const auto said = w.ask("GET /never HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(has(said, "HTTP/1.1 500 Internal Server Error"));
  CHECK(has(said, "application/problem+json"));
}

TEST_CASE("what is too large is refused before it is read") {
  const world w;
  CHECK(has(w.ask("GET / HTTP/1.1\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n"), "HTTP/1.1 431 "));
  CHECK(has(w.ask("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\n"), "HTTP/1.1 413 "));
  CHECK(
      has(w.ask("POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + std::string(255, 'x')),
          "at most 4 bytes"));
  CHECK(has(w.ask("POST /small HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nabcd"),
            "POST /small abcd"));
  CHECK(w.handler.requests == 1);
}

TEST_CASE("what is no request is refused, and the connection closed") {
  const world w;
  for (const auto* wrong : {"garbage\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
                            "GET / HTTP/1.1\r\nbad header\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                            "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                            "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "GET nothing HTTP/1.1\r\nHost: x\r\n\r\n",
                            "\x16\x03\x01\x02garbage of TLS\r\n\r\n"})
    CHECK_MESSAGE(has(w.ask(wrong), "HTTP/1.1 400 Bad Request"), wrong);
  CHECK(w.handler.requests == 0);
}

TEST_CASE("who says half a request, or nothing, is let go of") {
  http_limits limits;
  limits.header_time = std::chrono::milliseconds(100);
  limits.idle = std::chrono::milliseconds(100);
  const world w(limits);
  CHECK(w.ask("").empty());
  CHECK(w.ask("GET / HTT").empty());
  CHECK(w.ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf").empty());
  CHECK(has(w.ask("GET /x HTTP/1.1\r\nHost: x\r\n\r\n"), "GET /x"));
}

TEST_CASE("one connection more than there may be is closed") {
  http_limits limits;
  limits.connections = 3;
  const world w(limits);
  std::vector<std::unique_ptr<client>> some;
  for (int i = 0; i < 3; ++i) {
    some.push_back(std::make_unique<client>(w.port));
    some.back()->say("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(has(some.back()->hear("GET /x"), "200"));
  }
  CHECK(w.ask("GET /x HTTP/1.1\r\nHost: x\r\n\r\n").empty());
  some.clear();
  std::string said; // the server hears of the ends in its own time
  for (int i = 0; i < 1'000 && said.empty(); ++i)
    said = w.ask("GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(has(said, "200 OK"));
}

TEST_CASE("who waits to be told to go on is told") {
  const world w;
  const client with(w.port);
  with.say("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n");
  CHECK(has(with.hear("\r\n\r\n"), "100 Continue"));
  with.say("ok");
  CHECK(has(with.hear(), "POST /echo ok"));
}

TEST_CASE("a stream sends in order, ends when the client goes, and when the server stops") {
  world w;
  const client stays(w.port);
  {
    const client goes(w.port);
    goes.say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    w.handler.wait_for([&] { return w.handler.streams.size() == 1; });
    CHECK(has(goes.hear("\r\n\r\n"), "text/event-stream"));
  }
  w.handler.wait_for([&] { return w.handler.gone == 1; });
  CHECK_FALSE(w.handler.streams[0]->send("to nobody"));
  stays.say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  w.handler.wait_for([&] { return w.handler.streams.size() == 2; });
  for (int i = 0; i < 1'000; ++i)
    CHECK(w.handler.streams[1]->send("line " + std::to_string(i) + "\n"));
  const auto heard = stays.hear("line 999\n");
  std::size_t at = 0;
  for (int i = 0; i < 1'000; ++i)
    at = heard.find("line " + std::to_string(i) + "\n", at);
  CHECK(at != std::string::npos);
  w.server.reset();
  CHECK(stays.hear().empty());
}

TEST_CASE("a client of a stream that does not read is let go of, and costs the others nothing") {
  http_limits limits;
  limits.stream_bytes = 100'000;
  world w(limits);
  const client slow(w.port);
  slow.say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  w.handler.wait_for([&] { return w.handler.streams.size() == 1; });
  int sent = 0;
  while (sent < 1'000'000 && w.handler.streams[0]->send(std::string(1'000, 'x')))
    ++sent;
  CHECK(sent < 1'000'000);
  CHECK(has(w.ask("GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), "GET /x"));
}

TEST_CASE("one stream more than there may be is refused") {
  http_limits limits;
  limits.streams = 1;
  world w(limits);
  const client first(w.port);
  first.say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(has(first.hear("\r\n\r\n"), "200"));
  CHECK(has(w.ask("GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), "HTTP/1.1 503"));
}

TEST_CASE("an answer that comes when the server is gone harms nobody") {
  world w;
  const client with(w.port);
  with.say("GET /keep HTTP/1.1\r\nHost: x\r\n\r\n");
  w.handler.wait_for([&] { return w.handler.kept != nullptr; });
  {
    std::thread ends([&] { w.server.reset(); }); // waits for the answer, but not for ever
    with.say("more that nobody reads");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    w.handler.kept->send({200, "text/plain", {}, "late"});
    ends.join();
  }
  CHECK(has(with.hear(), "late"));
  w.handler.kept.reset();
}

TEST_CASE("an address to listen on is taken, or it is said why not") {
  std::uint16_t port = 0;
  const auto first = listen_tcp("127.0.0.1:0", port);
  REQUIRE(first.has_value());
  CHECK(port != 0);
  std::uint16_t again = 0;
  const auto taken = listen_tcp("127.0.0.1:" + std::to_string(port), again);
  REQUIRE_FALSE(taken.has_value());
  CHECK(has(taken.error().message, "Another program listens there"));
  for (const auto* wrong :
       {"", "7070", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "host:80", "127.0.0.1:80x", "[::1:80"})
    CHECK_MESSAGE(listen_tcp(wrong, port).error().code == error_code::invalid_input, wrong);
}
