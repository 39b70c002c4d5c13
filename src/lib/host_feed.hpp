// One subscription of a program: recorded events, read from the journal when the program asks for them, and what
// functions say of their progress, of which only the newest is kept. Knows no engine, only how to read.
#pragma once

#include "adapters/system/unique_fd.hpp"
#include "engine/event_feed.hpp"
#include "engine/function_room.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal::lib {

struct feed_wish {
  std::uint64_t first = 1;       ///< number of the first event that is wanted
  std::optional<run_number> run; ///< none: of all
  bool progress = true;
};

/// One event, for the program.
struct host_event {
  feed_line what;    ///< seq 0: it is not recorded
  double done = 0;   ///< of progress
  std::string words; ///< likewise
};

/// What a subscriber is handed: an event, nothing (the time is up), or why no event comes.
enum class feed_end : std::uint8_t { event, time_is_up, dropped, shut_down, failed };

/// next() is for one thread at a time; the others are for any.
class host_feed {
public:
  using reader = std::function<result<std::unique_ptr<journal_snapshot>>()>;
  /// Throws std::system_error where there is no descriptor left. `read`: a snapshot of what is on disk.
  host_feed(feed_wish what, reader read);

  /// Waits at most so long (below zero: without limit) for the next event.
  [[nodiscard]] feed_end next(std::chrono::nanoseconds at_most, host_event& event, std::string& why);
  /// Readable when next() has something to say; sometimes also when it has not.
  [[nodiscard]] int descriptor() const { return wake_.get(); }
  /// The number of the first event that next() has not handed out yet.
  [[nodiscard]] std::uint64_t position() const;
  /// How many words about progress were dropped, because too many came and nobody took them.
  [[nodiscard]] std::uint64_t lost() const;

  /// Something was committed.
  void ring();
  void told_progress(const function_report& said);
  /// The engine goes: nothing is read until it has.
  void pause();
  /// It has gone, and this was the last event. `read` still works, or is empty.
  void end(std::uint64_t last, reader read);

private:
  /// Fills the buffer. mutex_ is held.
  [[nodiscard]] std::optional<feed_end> read_on(std::string& why);
  [[nodiscard]] bool take(host_event& event);

  static constexpr std::size_t most_progress = 1'024;
  unique_fd wake_;
  const feed_wish wish_;
  mutable std::mutex mutex_; ///< guards what follows
  reader read_;              ///< empty: nothing can be read now
  event_feed feed_;
  feed_position at_;
  std::uint64_t position_;
  std::deque<feed_line> lines_;
  std::map<std::pair<std::uint32_t, std::string>, function_report> progress_; ///< by run and asset
  std::uint64_t lost_ = 0;
  std::optional<std::uint64_t> last_; ///< the engine has gone
};

} // namespace troupe_internal::lib
