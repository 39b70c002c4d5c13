// What sensors print: any bytes are a report within its bounds, or are refused with a reason; a report that is written
// is read again as it was.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "base/json_writer.hpp"
#include "base/utf8.hpp"
#include "serve/sensor_report.hpp"

#include <sstream>
#include <string>

namespace troupe_internal::fuzz {
namespace {

constexpr std::uint32_t most_runs = 8;

std::string written(const serve::sensor_report& report) {
  std::ostringstream text;
  {
    json_writer json(text);
    json.begin_object();
    if (report.cursor)
      json.member("cursor", *report.cursor);
    json.member("skip_reason", report.skip_reason).member("again", report.again).key("runs").begin_array();
    for (const auto& run : report.runs) {
      json.begin_object();
      if (!run.key.empty())
        json.member("key", run.key);
      if (run.select) {
        json.key("select").begin_array();
        for (const auto& one : *run.select)
          json.value(one);
        json.end_array();
      }
      json.key("params").begin_object();
      for (const auto& [name, value] : run.params)
        json.member(name, value);
      json.end_object().end_object();
    }
    json.end_array().end_object();
  }
  return text.str();
}

void check_bounds(const serve::sensor_report& report) {
  FUZZ_CHECK(report.runs.size() <= most_runs, "more runs than may be");
  FUZZ_CHECK(!report.cursor || (report.cursor->size() <= serve::max_cursor_bytes &&
                                report.cursor->find('\0') == std::string::npos && is_utf8(*report.cursor)),
             "a cursor that no variable can hold");
  for (const auto& run : report.runs)
    FUZZ_CHECK(!run.select || !run.select->empty(), "a run of nothing");
}

} // namespace

void fuzz_sensor(std::string_view bytes) {
  const auto report = serve::parse_sensor_report(bytes, most_runs);
  if (!report) {
    FUZZ_CHECK(report.error().code == error_code::invalid_input && !report.error().message.empty(), bytes);
    return;
  }
  check_bounds(*report);
  const auto text = written(*report);
  if (text.size() > serve::max_report_bytes) // what is escaped is longer
    return;
  const auto again = serve::parse_sensor_report(text, most_runs);
  FUZZ_CHECK(again && *again == *report, text);
}

} // namespace troupe_internal::fuzz
