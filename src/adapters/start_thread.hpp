// Starting a thread of the engine. Knows nothing of what it does.
#pragma once

#include <functional>
#include <thread>

namespace troupe {

/// A thread that no signal to the process is delivered to: those are for the threads of whoever handles them. Throws
/// std::system_error where the system has none left to give; run_pipeline and resume_run turn that into an error.
[[nodiscard]] std::thread start_thread(std::function<void()> work);

} // namespace troupe
