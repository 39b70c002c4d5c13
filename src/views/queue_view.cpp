// An object, or a line, for each run that waits.
#include "views/queue_view.hpp"

#include "core/journal/event_json.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

namespace troupe_internal::cli {

void write_queue(json_writer& json, const std::vector<queued_run_info>& queue) {
  begin_document(json);
  json.key("queue").begin_array();
  for (const auto& run : queue) {
    json.begin_object().member("run", to_string(run.id)).member("number", run.run.value);
    json.member("pipeline", run.pipeline).member("cause", to_string(run.cause)).key("trigger");
    if (run.trigger.empty())
      json.null();
    else
      json.value(run.trigger);
    json.member("priority", run.priority).member("queued_at", to_rfc3339(run.queued_at)).key("waits_for");
    json.begin_object().member("for", run.waits_for).member("detail", run.reason).end_object().end_object();
  }
  json.end_array().end_object();
}

void print_queue(const output& to, const std::vector<queued_run_info>& queue) {
  table rows({{"RUN", true}, {"PIPELINE", false, true}, {"CAUSE"}, {"PRIORITY", true}, {"WAITS FOR", false, true}});
  for (const auto& run : queue)
    rows.row({"#" + std::to_string(run.run.value), run.pipeline,
              std::string(to_string(run.cause)) + (run.trigger.empty() ? "" : " " + run.trigger),
              std::to_string(run.priority), run.reason.empty() ? run.waits_for : run.reason});
  rows.print(to);
}

} // namespace troupe_internal::cli
