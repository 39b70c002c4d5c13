// An HTTP/1.1 server on sockets that are given to it: what comes is read whole and bounded, and answered by a handler;
// an answer may be a stream without an end. Knows no target, no token and nothing of runs.
#pragma once

#include "adapters/http/http_message.hpp"
#include "adapters/system/unique_fd.hpp"
#include "base/result.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe_internal {

/// What clients may take of the server.
struct http_limits {
  std::size_t connections = 1'024; ///< one more is closed at once
  std::size_t streams = 256;       ///< of these; one more is answered with 503
  std::uint32_t header_bytes = 16'384;
  std::size_t stream_bytes = std::size_t{1} << 20U; ///< that wait for a client; one that reads slower is closed
  /// For the header of a request from its first byte on, and again for its body.
  std::chrono::milliseconds header_time = std::chrono::seconds(10);
  /// Between two requests, and for taking an answer.
  std::chrono::milliseconds idle = std::chrono::seconds(60);
};

/// An answer that goes on until one side ends it. Any thread.
class http_stream {
public:
  virtual ~http_stream() = default;
  /// Sends more; false once the client is gone, or was too slow.
  virtual bool send(std::string text) = 0;
  /// Bytes that the client has not taken yet.
  [[nodiscard]] virtual std::size_t waiting() const = 0;
  /// Sends what waits, then ends the answer.
  virtual void end() = 0;
  /// Called once when the client is gone, on the server's thread; at once if it is gone already.
  virtual void when_gone(std::function<void()> then) = 0;
};

/// The answer to one request, to be given once. Destroyed without an answer it is a 500. Any thread.
class http_answer {
public:
  virtual ~http_answer() = default;
  virtual void send(http_response response) = 0;
  /// Null if there are too many streams: then 503 was answered.
  [[nodiscard]] virtual std::shared_ptr<http_stream> begin_stream(http_response head) = 0;
};

/// Called on the server's thread: what takes long is for others to do.
struct http_handler {
  virtual ~http_handler() = default;
  /// How many bytes the body of such a request may have; called when its header was read, without its body.
  [[nodiscard]] virtual std::uint64_t body_limit(const http_request& head) = 0;
  virtual void handle(http_request request, std::shared_ptr<http_answer> answer) = 0;
};

/// A socket that listens.
struct http_listener {
  unique_fd fd;
  bool local = false;       ///< a Unix socket: who connects must be of this user, or root
  bool hooks_alone = false; ///< its requests say so; what that means is the handler's to know
};

/// A listening socket for "127.0.0.1:7070", "[::1]:7070" or ":7070" (all addresses); port 0 is any free one. `port`
/// gets the one it is. invalid_input for what is no address; io with the reason if it is not to be had.
[[nodiscard]] result<http_listener> listen_tcp(const std::string& address, std::uint16_t& port);

/// One thread for all connections.
class http_server {
public:
  /// `handler` outlives it. Throws std::system_error where the system has no descriptor or thread left.
  http_server(std::vector<http_listener> listeners, http_handler& handler, http_limits limits = {});
  /// Takes no more connections, ends streams, waits for answers under way for at most `http_limits::header_time`.
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

private:
  class inside;
  std::shared_ptr<inside> inside_;
};

} // namespace troupe_internal
