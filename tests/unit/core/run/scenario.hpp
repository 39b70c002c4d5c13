// Text scenarios of a run: a file of inputs, each followed by what run_logic made of it. Knows how to read and replay
// one; what is right is in the files.
//
// A scenario is a header, then steps. "#" begins a comment line; blank lines are kept.
//
//   workers N                      default 1
//   strategy S                     fail_fast (default), continue, abort
//   pool NAME SIZE
//   asset NAME [needs A B …] [pool P …] [priority N] [takes D] [strict]      takes: its past duration
//   retry NAME [attempts N] [delay D] [backoff B] [jitter J] [max D] [codes N …]
//   allow_failure NAME …
//   fresh_at_start NAME …          final from the beginning, as planned
//   outside NAME …                 in the pipeline, not in the run
//   limited                        others are live: it begins with a budget of nothing
//   never_made A by B              A needs B, which is outside the run and was never materialized
//
//   begin                          starts the run; then, in any order:
//   claim A …                      the actors of A … say that all they need is there
//   fresh A …                      the examination of A … found nothing stale
//   stale A …                      … found something
//   absent A …                     … found something, and that outputs which A clears are not there
//   impossible A MESSAGE           … found that it cannot be made
//   held_claim A … | held_stale A …  as claim and stale, but A … wait for run #5
//   released A …                   … and no longer do
//   spawned A                      its process exists
//   ok A …                         its attempt succeeded
//   ok A discovers M …             … having discovered inputs that M … make
//   unchanged A | changed A        what the held success of A had discovered is as before it, or is not
//   exit A N | signal A N | timeout A | not_started A | output_missing A | bad_result A | cancelled A | internal A
//                                  how its attempt failed; "attempt N" and "random none|half|all" (the bits for jitter)
//                                  may follow
//   time +D                        time passes, and the timer that was asked for goes off
//   stray_timer                    a timer goes off that nobody waits for any more
//   clock +D                       time passes, no timer does
//   stop user|signal [at_once]
//   budget N [P P*2 …] | budget everything
//                                  the run may use N workers and these slots of pools, what it uses included
//   late_budget N [P …]            the same, under the number of the last one
//   resume [A …]                   the run is continued by a new process, which finds what the events say, and the
//                                  outputs of A … lost
//   show                           prints the state
//
// After each step come its events ("= …") and its effects ("= > …"), or "= nothing". "= > once on disk:" stands before
// effects that wait for the disk.
#pragma once

#include <string>
#include <string_view>

namespace troupe_internal::test {

/// Replays a scenario; returns its text with the expectations replaced by what really happened. Throws
/// std::runtime_error on text that it does not understand, and when the live state is not the fold of the events.
[[nodiscard]] std::string replay_scenario(std::string_view text);

} // namespace troupe_internal::test
