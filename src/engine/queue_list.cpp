// One question, or the journal's table.
#include "engine/queue_list.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/system/system_clock.hpp"
#include "core/schedule/run_queue.hpp"
#include "engine/control_client.hpp"
#include "engine/project.hpp"

#include <chrono>

#include <utility>

namespace troupe_internal {

namespace {

constexpr auto answer_within = std::chrono::seconds(10);

/// From the journal, where nobody can be asked.
result<std::vector<queued_run_info>> read_queue_of(const std::string& state_folder) {
  const auto snapshot = open_snapshot(state_folder);
  if (!snapshot)
    return snapshot.error().code == error_code::not_found ? std::vector<queued_run_info>()
                                                          : result<std::vector<queued_run_info>>(snapshot.error());
  std::vector<queued_run> places;
  std::vector<queued_run_info> runs;
  const auto visited = (*snapshot)->visit_queue([&](const run_queued& one) {
    places.push_back({one.run, one.cause.kind, one.priority, one.at, one.run.value, {}});
    runs.push_back({one.run, one.pipeline, one.cause.kind, one.priority, one.at, "supervisor",
                    "no supervisor has the state: `troupe serve` starts it", one.id, one.cause.trigger});
    return true;
  });
  if (!visited)
    return visited.error();
  std::vector<queued_run_info> sorted;
  for (const auto i : order_of_queue(places, system_clock().now()))
    sorted.push_back(std::move(runs[i]));
  return sorted;
}

result<control_client> supervisor_of(const std::string& state_folder) {
  const auto dir = state_dir::open(state_folder);
  if (!dir)
    return dir.error();
  return control_client::connect(**dir);
}

} // namespace

result<std::vector<queued_run_info>> list_queue(const std::string& state_folder) {
  auto client = supervisor_of(state_folder);
  if (!client)
    return read_queue_of(state_folder);
  if (const auto sent = client->send(list_request{}); !sent)
    return sent.error();
  const auto said = client->receive(answer_within);
  if (!said)
    return said.error();
  if (*said)
    if (const auto* const runs = std::get_if<live_runs>(&**said))
      return runs->queued;
  return fail(error_code::state_unusable, "the supervisor has not answered within 10 seconds");
}

result<void> prioritize_queued(const std::string& state_folder, run_number run, std::int32_t priority) {
  auto client = supervisor_of(state_folder);
  if (!client)
    return client.error().code == error_code::not_found
               ? fail(error_code::state_unusable,
                      "no supervisor has the state " + state_folder +
                          ": only it gives queued runs another priority. `troupe serve` starts one")
               : client.error();
  if (const auto sent = client->send(priority_request{run, priority}); !sent)
    return sent.error();
  const auto said = client->receive(answer_within);
  if (!said)
    return said.error();
  if (*said && std::holds_alternative<run_prioritized>(**said))
    return {};
  return fail(error_code::state_unusable, "the supervisor has not answered within 10 seconds");
}

} // namespace troupe_internal
