// One function for each object; what is wrong first is what is said.
#include "serve/sensor_report.hpp"

#include "config/json_reader.hpp"

#include <algorithm>
#include <set>

namespace troupe_internal::serve {

namespace {

using config::json_kind;

class report_reader {
public:
  report_reader(std::string_view text, std::uint32_t most_runs)
      : out_(list_), json_(config::chunks_of(text), out_, config::json_dialect::plain), most_runs_(most_runs) {}

  result<sensor_report> read() {
    const auto top = json_.value();
    if (top.kind != json_kind::object)
      wrong(top.where, "it is no JSON object { … }; a sensor that has nothing to say prints {}");
    else
      members(top, [this](std::string_view key, place where) { member(key, where); });
    json_.finish();
    if (list_.items.empty())
      return std::move(report_);
    const auto& first = list_.items.front();
    return fail(error_code::invalid_input,
                "what it printed cannot be used: line " + std::to_string(first.where.line) + ": " + first.message);
  }

private:
  void wrong(place where, std::string what) {
    if (!json_.failed())
      out_.error(where, "bad_value", std::move(what));
    json_.stop();
  }

  template <class Member>
  void members(const config::json_value& /*of*/, const Member& take) {
    std::set<std::string> seen;
    std::string_view key;
    place where;
    while (json_.next_member(key, where)) {
      const std::string name(key);
      if (!seen.insert(name).second)
        return wrong(where, "\"" + name + "\" is given twice");
      take(name, where);
    }
  }

  void member(std::string_view key, place where) {
    if (key == "cursor") {
      const auto v = json_.value();
      if (v.kind == json_kind::null)
        return;
      if (v.kind != json_kind::string)
        return wrong(v.where, "\"cursor\" is a text or null");
      if (v.text.size() > max_cursor_bytes)
        return wrong(v.where, "\"cursor\" has more than " + std::to_string(max_cursor_bytes) + " bytes");
      if (v.text.find('\0') != std::string_view::npos)
        return wrong(v.where, "\"cursor\" holds a zero byte, which no environment variable can");
      report_.cursor = std::string(v.text);
    } else if (key == "skip_reason") {
      text("skip_reason", report_.skip_reason);
    } else if (key == "again") {
      const auto v = json_.value();
      if (v.kind != json_kind::boolean)
        return wrong(v.where, "\"again\" is true or false");
      report_.again = v.text == "true";
    } else if (key == "runs") {
      runs();
    } else {
      wrong(where, "\"" + std::string(key) + "\" is no key of a report: cursor, runs, skip_reason, again");
    }
  }

  void text(const std::string& name, std::string& into) {
    const auto v = json_.value();
    if (v.kind != json_kind::string)
      return wrong(v.where, "\"" + name + "\" is a text");
    into = std::string(v.text);
  }

  void runs() {
    const auto v = json_.value();
    if (v.kind != json_kind::array)
      return wrong(v.where, "\"runs\" is a list [ … ]");
    while (json_.next_element()) {
      const auto one = json_.value();
      if (one.kind != json_kind::object)
        return wrong(one.where, "an element of \"runs\" is an object { … }");
      if (report_.runs.size() == most_runs_)
        return wrong(one.where, "there are more runs than \"runs_per_call\": " + std::to_string(most_runs_));
      auto& run = report_.runs.emplace_back();
      members(one, [&](std::string_view key, place where) { run_member(run, key, where); });
    }
  }

  void run_member(reported_run& run, std::string_view key, place where) {
    if (key == "key")
      return text("key", run.key);
    if (key == "select")
      return select(run);
    if (key == "params")
      return params(run);
    wrong(where, "\"" + std::string(key) + "\" is no key of a run: key, select, params");
  }

  void select(reported_run& run) {
    const auto v = json_.value();
    if (v.kind != json_kind::array)
      return wrong(v.where, "\"select\" is a list of texts");
    run.select.emplace();
    while (json_.next_element())
      text("select", run.select->emplace_back());
    if (run.select->empty())
      wrong(v.where, "\"select\" selects nothing; leave it out for what the trigger selects");
  }

  void params(reported_run& run) {
    const auto v = json_.value();
    if (v.kind != json_kind::object)
      return wrong(v.where, "\"params\" is an object { … }");
    members(v, [&](std::string_view key, place where) {
      const auto value = json_.value();
      if (value.kind == json_kind::object || value.kind == json_kind::array || value.kind == json_kind::null)
        return wrong(where, "the param \"" + std::string(key) + "\" is a text, a number, true or false");
      run.params.emplace_back(key, value.text);
    });
  }

  diagnostics list_;
  config::findings out_;
  config::json_reader json_;
  std::uint32_t most_runs_;
  sensor_report report_;
};

} // namespace

result<sensor_report> parse_sensor_report(std::string_view text, std::uint32_t most_runs) {
  if (text.size() > max_report_bytes)
    return fail(error_code::invalid_input, "it printed more than " + std::to_string(max_report_bytes) + " bytes");
  return report_reader(text, most_runs).read();
}

} // namespace troupe_internal::serve
