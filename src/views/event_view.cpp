// A line, or an object, for each.
#include "views/event_view.hpp"

#include "core/journal/event_json.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

namespace troupe_internal::cli {

std::optional<event_fate> fate_of(std::string_view word) {
  for (std::size_t i = 0; i < event_fate_count; ++i)
    if (word == to_string(static_cast<event_fate>(i)))
      return static_cast<event_fate>(i);
  return std::nullopt;
}

void begin_events(json_writer& json, const std::vector<trigger_event_info>& events) {
  begin_document(json);
  json.key("events").begin_array();
  const auto number = [&](const char* name, std::uint64_t value) {
    json.key(name);
    if (value == 0)
      json.null();
    else
      json.value(value);
  };
  for (const auto& one : events) {
    const auto& what = one.what;
    const auto slash = what.trigger.find('/');
    json.begin_object();
    number("id", what.event);
    json.member("pipeline", what.trigger.substr(0, slash)).member("trigger", what.trigger.substr(slash + 1));
    json.member("kind", to_string(what.source)).member("at", to_rfc3339(what.at)).key("nominal");
    if (what.nominal)
      json.value(to_rfc3339(*what.nominal));
    else
      json.null();
    json.key("key");
    if (what.key.empty())
      json.null();
    else
      json.value(what.key);
    json.member("fate", to_string(one.fate));
    number("run", what.bound_run.value);
    json.key("because");
    if (one.because.empty())
      json.null();
    else
      json.value(one.because);
    number("duplicate_of", what.duplicate_of);
    number("replay_of", what.replay_of);
    json.member("count", one.count).end_object();
  }
  json.end_array();
}

void print_events(const output& to, const std::vector<trigger_event_info>& events) {
  table rows({{"EVENT", true}, {"TRIGGER", false, true}, {"KIND"}, {"AT"}, {"FATE"}, {"RUN"}});
  for (const auto& one : events) {
    const auto& what = one.what;
    rows.row({what.event == 0 ? std::string("-") : std::to_string(what.event), what.trigger,
              std::string(to_string(what.source)), to_rfc3339(what.at).substr(0, 19) + "Z",
              std::string(to_string(one.fate)) + (one.count > 1 ? " (" + std::to_string(one.count) + ")" : ""),
              what.bound_run.value == 0 ? std::string("-") : "#" + std::to_string(what.bound_run.value)});
  }
  rows.print(to);
}

} // namespace troupe_internal::cli
