// The queue for people and programs, and `queue --json`. Knows no supervisor.
#pragma once

#include "base/json_writer.hpp"
#include "core/model/queued_run_info.hpp"
#include "views/console.hpp"

#include <vector>

namespace troupe_internal::cli {

/// {"format","queue":[{"run","number","pipeline","cause","trigger","priority","queued_at","waits_for"}]}
void write_queue(json_writer& json, const std::vector<queued_run_info>& queue);
/// A line for each.
void print_queue(const output& to, const std::vector<queued_run_info>& queue);

} // namespace troupe_internal::cli
