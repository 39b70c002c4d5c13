// A whole run, actors and all, in one thread, in an order that a seed decides: messages, answers of the executor,
// commits of the journal, timers, stops, crashes. Knows the seams only: scheduler, clock, executor, journal.
//
// | what may happen next            | in production            | here                                  |
// | ------------------------------- | ------------------------ | ------------------------------------- |
// | an actor takes a message        | CAF's threads            | CAF's test_coordinator, any job first |
// | the executor answers            | its threads              | any answer that is due                |
// | events become durable, or never | group commit, LMDB       | a prefix of what was appended         |
// | a timer goes off                | CAF's clock              | virtual time                          |
// | a stop, a crash                 | signals, SIGKILL         | at any step                           |
#pragma once

#include <cstdint>
#include <string>

namespace troupe::test {

struct simulation_result {
  std::string events;    ///< the journal at the end, encoded: equal seeds give equal bytes
  std::size_t steps = 0; ///< taken in all
  std::size_t runs = 0;  ///< supervisors that lived, one after the other
  std::size_t crashes = 0;
  std::size_t journal_failures = 0;
  bool cancelled = false; ///< some segment ended as cancelled
};

/// Throws std::runtime_error at the first violation of an invariant.
[[nodiscard]] simulation_result simulate(std::uint64_t seed);

} // namespace troupe::test
