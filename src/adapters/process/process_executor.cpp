// The port's face of process_loop.
#include "adapters/process/process_executor.hpp"

#include "adapters/process/process_loop.hpp"
#include "adapters/process/process_spawn.hpp"

namespace troupe_internal {

result<std::unique_ptr<posix_process_executor>> posix_process_executor::open(process_executor_options options) {
  auto loop = process_loop::open(options);
  if (!loop)
    return loop.error();
  return std::unique_ptr<posix_process_executor>(new posix_process_executor(std::move(*loop)));
}

posix_process_executor::posix_process_executor(std::unique_ptr<process_loop> loop) : loop_(std::move(loop)) {}

posix_process_executor::~posix_process_executor() = default;

void posix_process_executor::prepare(process_request& request) const {
  if (auto file = find_command(request))
    request.file = std::move(*file); // else start() says what is wrong, if it still is
}

void posix_process_executor::start(process_request request, std::function<void(process_spawned)> spawned,
                                   std::function<void(process_exit)> exited) {
  loop_->post(start_process{std::move(request), std::move(spawned), std::move(exited)});
}

void posix_process_executor::end(process_key key, urgency how) {
  loop_->post(end_process{key, how});
}

void posix_process_executor::end_all(process_owner owner, urgency how) {
  loop_->post(end_processes{how, owner});
}

void posix_process_executor::post(std::function<void()> work) {
  loop_->post(std::move(work));
}

void posix_process_executor::post_idle(std::function<void()> work) {
  loop_->post_idle(std::move(work));
}

} // namespace troupe_internal
