// A whole history of one state and many runs: engines one after the other, each with the runs that live in it, in one
// thread, in an order that a seed decides. Knows the seams only: scheduler, clock, executor, files, journal.
//
// | what may happen next            | in production            | here                                             |
// | ------------------------------- | ------------------------ | ------------------------------------------------ |
// | an actor takes a message        | the engine's loop        | CAF's test_coordinator, any job of any run first |
// | somebody asks for a run         | any thread               | at any step                                      |
// | a plan goes on                  | the thread that submits  | its snapshot, some assets, its admission         |
// | an admitted run begins          | likewise                 | later than its admission                         |
// | a run looks whom it has to wake | posted to the loop       | later than the event that it follows from        |
// | records are read anew           | the readers' threads     | once what was appended is on disk                |
// | the executor answers            | its threads              | any answer of any run that is due                |
// | a commit, or one that fails     | group commit, LMDB       | a prefix of what all runs have appended          |
// | a run is cancelled              | the control socket       | any, at any step                                 |
// | a source is edited              | people                   | at any step                                      |
// | a crash, a power cut            | SIGKILL, the plug        | at any step                                      |
#pragma once

#include "state_paths.hpp"

#include <cstdint>
#include <string>

namespace troupe_internal::test {

struct runs_result {
  std::string log;         ///< every step in words; only where asked for
  std::string journal;     ///< the journal's records at the end
  std::uint64_t steps = 0; ///< taken in all
  std::uint64_t engines = 0;
  std::uint64_t runs = 0; ///< begun or resumed
  std::uint64_t crashes = 0;
  std::uint64_t events = 0; ///< in the journal at the end
  state_paths paths;
};

/// Throws std::runtime_error at the first violation of an invariant. The log so far is then in `log_so_far`, if given.
[[nodiscard]] runs_result simulate_runs(std::uint64_t seed, bool keep_log = false, std::string* log_so_far = nullptr);

} // namespace troupe_internal::test
