// Bodies are JSON already, and go in as they came.
#include "engine/event_file.hpp"

#include "base/json_writer.hpp"
#include "core/journal/event_codec.hpp"
#include "core/journal/event_json.hpp"

#include <algorithm>
#include <set>
#include <sstream>

namespace troupe_internal {

std::string events_document(const std::vector<event_taken>& events, const payload_store& payloads) {
  std::ostringstream out;
  {
    json_writer json(out);
    json.begin_object().key("events").begin_array();
    for (const auto& one : events) {
      json.begin_object().member("id", one.event);
      json.member("trigger", one.trigger).member("kind", to_string(one.source));
      json.member("at", to_rfc3339(one.at)).key("nominal");
      if (one.nominal)
        json.value(to_rfc3339(*one.nominal));
      else
        json.null();
      json.key("key");
      if (one.key.empty())
        json.null();
      else
        json.value(one.key);
      if (one.body.file)
        json.member("payload_file", payloads.path_of(*one.body.file));
      else if (!one.body.text.empty())
        json.key("payload").raw(one.body.text);
      else
        json.key("payload").null();
      json.key("files").begin_array();
      event_details details;
      if (const auto text = payloads.read(one.details); text && decode(*text, details) == nullptr)
        for (const auto& file : details.files)
          json.begin_object().member("path", file.path).member("change", to_string(file.change)).end_object();
      json.end_array().end_object();
    }
    json.end_array().end_object().finish();
  }
  return out.str();
}

result<void> complete_events(const journal_snapshot& history, const run_cause& cause, std::vector<event_taken>& known) {
  std::set<std::uint64_t> missing(cause.events.begin(), cause.events.end());
  for (const auto& one : known)
    missing.erase(one.event);
  const auto take = [&](const event_taken& one) {
    if (missing.erase(one.event) != 0)
      known.push_back(one);
    return !missing.empty();
  };
  if (missing.empty())
    return {};
  if (const auto read = history.visit_pending(take); !read)
    return read;
  if (!missing.empty())
    if (const auto read = history.visit_events(history.info().first_seq,
                                               [&](std::uint64_t, const event& e) {
                                                 const auto* const taken = std::get_if<event_taken>(&e);
                                                 return taken == nullptr || take(*taken);
                                               });
        !read)
      return read;
  std::sort(known.begin(), known.end(), [](const auto& a, const auto& b) { return a.event < b.event; });
  return {};
}

} // namespace troupe_internal
