// A whole history of one run, actors and all, in one thread, in an order that a seed decides: supervisors that live and
// die one after the other, until the run has settled. Knows the seams only: scheduler, clock, executor, journal.
//
// | what may happen next            | in production            | here                                         |
// | ------------------------------- | ------------------------ | -------------------------------------------- |
// | an actor takes a message        | CAF's threads            | CAF's test_coordinator, any job first        |
// | the executor answers            | its threads              | any answer that is due                       |
// | a commit, or one that fails     | group commit, LMDB       | a prefix of what was appended                |
// | the answer of a commit          | the commit thread        | in their order                               |
// | time passes                     | CAF's clock              | to the next timer or answer                  |
// | the wall clock is set           | NTP, people              | by up to days, either way                    |
// | a stop, a second one            | signals, `cancel`        | at any step, before the first one too        |
// | a crash, a power cut            | SIGKILL, the plug        | at any step, in recovery too                 |
#pragma once

#include "random_case.hpp"
#include "rare_paths.hpp"

#include <cstdint>
#include <string>

namespace troupe_internal::test {

struct simulation_result {
  std::string log;         ///< every step in words; only where asked for
  std::string journal;     ///< the journal's records at the end
  std::uint64_t steps = 0; ///< taken in all
  std::uint64_t lives = 0; ///< supervisors
  std::uint64_t crashes = 0;
  std::uint64_t events = 0; ///< in the journal at the end
  std::uint64_t assets = 0;
  graph_shape shape = graph_shape::random;
  rare_paths paths;
};

/// Throws std::runtime_error at the first violation of an invariant. The log so far is then in `log_so_far`, if given.
[[nodiscard]] simulation_result simulate(std::uint64_t seed, bool keep_log = false, std::string* log_so_far = nullptr);

} // namespace troupe_internal::test
