// The history of a state as it grows, for HTTP clients: a page of it, or a stream of server-sent events whose ids are
// the events' numbers. Knows no actor and no run: it reads what is on disk.
#pragma once

#include "adapters/http/http_server.hpp"
#include "engine/event_feed.hpp"
#include "ports/journal_store.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace troupe_internal::serve {

/// One thread for all clients. Each has its own place in the history; who reads slowly waits alone, since nothing is
/// kept for it but that place. Any thread.
class journal_stream {
public:
  using snapshot_maker = std::function<result<std::unique_ptr<journal_snapshot>>()>;
  explicit journal_stream(snapshot_maker history);
  /// All streams are ended.
  ~journal_stream();
  journal_stream(const journal_stream&) = delete;
  journal_stream& operator=(const journal_stream&) = delete;

  /// Events got on disk. May be called by the thread that commits.
  void wake();
  /// Sends a client all events from number `from` on (none: what comes from now on), then those that come. Where they
  /// are kept no more it is told to begin anew ("reset").
  void add(std::shared_ptr<http_stream> client, std::optional<std::uint64_t> from);
  /// A page of the history: {"events": […], "next": N, "last": N}.
  [[nodiscard]] result<std::string> page(std::uint64_t from, std::optional<run_number> run) const;

private:
  struct client {
    std::shared_ptr<http_stream> to;
    std::optional<std::uint64_t> from;
    feed_position at;
    bool greeted = false;
    bool gone = false;
    std::chrono::steady_clock::time_point spoken;
  };
  void serve();
  enum class hunger : std::uint8_t { none, later, now };
  /// Sends what there is, and says when the client can take more.
  hunger feed(client& to, const journal_snapshot& snapshot);
  void greet(client& to, const journal_snapshot& snapshot);

  const snapshot_maker history_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;                             ///< under mutex_
  bool ending_ = false;                            ///< under mutex_
  std::vector<std::unique_ptr<client>> newcomers_; ///< under mutex_
  std::vector<std::unique_ptr<client>> clients_;   ///< the thread's
  event_feed feed_;                                ///< the thread's
  std::thread thread_;
};

} // namespace troupe_internal::serve
