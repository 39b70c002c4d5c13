// Runs that their engine left open: how one ends that nobody resumes, and how often one was resumed in vain. Knows
// nothing of why an engine stopped.
#pragma once

#include "core/model/event.hpp"
#include "core/run/run_state.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe_internal {

/// Fed the events of one run in their order, counts how often it was resumed after a crash since one of its attempts
/// came to an end of its own. An engine that stops in order is no crash: the count begins anew.
class vain_resumptions {
public:
  void add(const event& e);
  [[nodiscard]] std::uint32_t count() const { return count_; }

private:
  std::uint32_t count_ = 0;
};

/// The events by which a run that is left open ends as cancelled. `state`: of the run; no attempt of it is open, and it
/// has not ended. `trigger`: as in run_finished. `continued_by`: the run that takes its place; 0: none does.
[[nodiscard]] std::vector<event> end_of_left_open(const run_state& state, timestamp now, const std::string& trigger,
                                                  run_number continued_by);

} // namespace troupe_internal
