// Starting a thread of the engine. Knows nothing of what it does.
#pragma once

#include <functional>
#include <thread>

namespace troupe_internal {

/// A thread that no signal to the process is delivered to: those are for the threads of whoever handles them. Throws
/// std::system_error where the system has none left to give; run_pipeline and resume_run turn that into an error.
[[nodiscard]] std::thread start_thread(std::function<void()> work);

/// For the calling thread, which starts processes: where SIGCHLD has its default, it is ignored unblocked. One that is
/// blocked where it is sent to wakes another thread, which then finds that it is to be ignored.
void let_child_signals_be_ignored();

} // namespace troupe_internal
