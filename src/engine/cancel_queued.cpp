// One request, or one event.
#include "engine/cancel_queued.hpp"

#include "adapters/journal/state_lock.hpp"
#include "adapters/system/system_clock.hpp"
#include "engine/control_client.hpp"
#include "engine/project.hpp"
#include "engine/state_writer.hpp"

#include <chrono>
#include <thread>

namespace troupe_internal {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto longest_wait = std::chrono::seconds(10);
constexpr auto asked_again_after = std::chrono::milliseconds(20);

std::string text_of(run_number run) {
  return "run #" + std::to_string(run.value);
}

result<run_record> find_by_number(const std::string& state_folder, run_number run) {
  return find_run(state_folder, "#" + std::to_string(run.value));
}

error no_queue_kept(const std::string& state_folder, run_number run) {
  const auto holder = holder_of(state_folder);
  return fail_while_held(text_of(run) + " is queued, and " +
                         (holder ? words_on(*holder) : std::string("the process that has the state")) +
                         " keeps no queue: cancel it when that has ended");
}

/// Has whoever has the state take it off.
result<run_record> ask_holder(const std::string& state_folder, const state_dir& dir, run_number run) {
  auto client = control_client::connect(dir);
  if (!client)
    return client.error().code == error_code::not_found ? no_queue_kept(state_folder, run) : client.error();
  if (const auto sent = client->send(cancel_request{run, false}); !sent)
    return sent.error();
  const auto until = steady::now() + longest_wait;
  const auto said = client->receive(longest_wait);
  if (!said && said.error().code != error_code::not_found)
    return said.error();
  for (;;) {
    auto now = find_by_number(state_folder, run);
    if (!now || now->status != run_status::queued)
      return now;
    if (!said)
      return no_queue_kept(state_folder, run);
    if (steady::now() >= until)
      return fail_while_held(text_of(run) + " was asked to leave the queue, and has not within 10 seconds");
    std::this_thread::sleep_for(asked_again_after);
  }
}

/// As the state's writer.
result<run_record> take_off(const std::string& state_folder, run_number run) {
  system_clock time;
  const stop_request stop;
  state_opening how;
  how.grace = std::chrono::seconds(10); // of what a dead writer left running
  auto writer = state_writer::open(state_folder, how, time, stop);
  if (!writer)
    return writer.error();
  auto now = find_by_number(state_folder, run);
  if (!now || now->status != run_status::queued)
    return now;
  auto events = (*writer)->take_opening();
  events.emplace_back(run_dequeued{run, time.now(), dequeue_reason::cancelled, {}});
  for (auto& last : (*writer)->closing())
    events.push_back(std::move(last));
  if (const auto appended = (*writer)->store().append(events); !appended)
    return appended.error();
  return find_by_number(state_folder, run);
}

} // namespace

result<run_record> cancel_queued(const std::string& state_folder, run_number run) {
  const auto dir = state_dir::open(state_folder);
  if (!dir)
    return dir.error();
  return holder_of(**dir) ? ask_holder(state_folder, **dir, run) : take_off(state_folder, run);
}

} // namespace troupe_internal
