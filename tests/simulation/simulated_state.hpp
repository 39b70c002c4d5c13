// What outlives an engine in the simulation: the journal, the files, the processes, the books over them.
#pragma once

#include "file_world.hpp"
#include "simulated_clock.hpp"
#include "simulated_journal.hpp"
#include "state_books.hpp"
#include "state_case.hpp"
#include "state_paths.hpp"
#include "step_log.hpp"
#include "support/memory_journal_store.hpp"

#include <cstdint>
#include <memory>

namespace troupe_internal::test {

struct simulated_state {
  const state_case& on;
  seeded& random;
  state_paths& paths;
  step_log& log;
  simulated_clock time;
  simulated_journal journal;
  file_world files;
  state_books books;
  /// What is committed, as readers see it.
  std::unique_ptr<memory_journal_store> store;
  std::size_t stored = 0; ///< events of the journal that are in it
  std::uint32_t runs_left = 0;
  std::uint64_t steps = 0;
  std::uint64_t runs = 0;
  std::uint64_t crashes = 0;

  /// What was committed since the last time is shown to readers.
  void show_commits();
  /// After a power cut: what is left of it.
  void show_again();
};

} // namespace troupe_internal::test
