// What is true of every history of triggers, kept beside it: each event has one fate, no tick comes twice, what was
// acknowledged stays, and runs start when their rules allow it. Knows the events and what it is told; no rule of its
// own looks into what it checks.
#pragma once

#include "core/journal/memory_tables.hpp"
#include "core/model/event.hpp"
#include "core/trigger/trigger.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace troupe_internal::test {

/// A start of a run, as it was judged.
struct judged_start {
  run_queued what;
  const trigger* of = nullptr; ///< null: it is gone
  duration steady{0};
  duration joined_last{0}; ///< when the last event joined it, in this life of the supervisor
  duration queued{0};      ///< when it came into the queue, likewise
  timestamp wall;
  bool other_lives = false; ///< of its trigger
};

class trigger_books {
public:
  /// The event is on disk. Throws where it cannot be.
  void committed(const event& e);
  /// Somebody was told that the event was taken in.
  void acknowledged(std::uint64_t event) { acknowledged_.insert(event); }
  /// A supervisor starts a run. `calm`: the wall clock was never set, and no supervisor died, since the rules began.
  void started(const judged_start& start, bool calm);
  /// A supervisor died, or the wall clock was set: what was counted on the steady clock counts no more.
  void begin_again() { starts_.clear(); }
  /// Against what the fold says.
  void compare(const memory_tables& tables) const;
  /// Nothing waits any more: no event is without a fate.
  void all_settled() const;
  [[nodiscard]] const std::set<timestamp>& ticks(const std::string& trigger) { return ticks_[trigger]; }
  [[nodiscard]] std::uint64_t missed(const std::string& trigger) { return missed_[trigger]; }
  [[nodiscard]] std::size_t events() const { return fates_.size(); }

private:
  void give(std::uint64_t event, event_fate fate);

  std::map<std::uint64_t, event_fate> fates_;
  std::map<std::uint64_t, std::string> trigger_of_;
  std::map<std::uint64_t, run_number> bound_;
  std::map<run_number, std::vector<std::uint64_t>> waiting_; ///< queued runs, and the events that they are for
  std::map<std::string, std::set<timestamp>> ticks_;
  std::map<std::string, std::uint64_t> missed_;
  std::set<std::uint64_t> acknowledged_;
  std::map<std::string, std::vector<duration>> starts_; ///< in this life
};

} // namespace troupe_internal::test
