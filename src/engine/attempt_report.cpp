// Reads TROUPE_RESULT value by value: each problem is reported with its line and column, and numbers keep their text.
#include "engine/attempt_report.hpp"

#include "base/json_writer.hpp"
#include "base/utf8.hpp"
#include "config/findings.hpp"
#include "config/json_reader.hpp"

#include <cmath>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>
#include <unordered_set>

namespace troupe_internal {

namespace {

using config::json_kind;
using config::json_value;

error refuse(const std::string& what) {
  return fail(error_code::invalid_input, "the result file (TROUPE_RESULT) " + what);
}

std::string text_of(place where) {
  return "line " + std::to_string(where.line) + ", column " + std::to_string(where.column);
}

/// A reader of number text makes infinity of it (1e400): JSON can say it, and no program can read it.
bool is_beyond_double(std::string_view number) {
  return !std::isfinite(std::strtod(std::string(number).c_str(), nullptr));
}

/// The first problem that is found ends the reading.
class report_reader {
public:
  report_reader(std::string_view text, const secret_mask* mask)
      : out_(list_), json_(config::chunks_of(text), out_, config::json_dialect::plain), mask_(mask) {}

  result<attempt_report> read() {
    attempt_report report;
    read_into(report);
    if (problem_.empty())
      json_.finish();
    if (!list_.items.empty()) // what is no JSON cannot be judged any further
      return refuse("is not valid JSON: " + text_of(list_.items.front().where) + ": " + list_.items.front().message);
    if (!problem_.empty())
      return refuse(problem_);
    return report;
  }

private:
  void note(place where, const std::string& what) {
    if (problem_.empty())
      problem_ = what + " (" + text_of(where) + ")";
  }

  /// False where the key was in the object before.
  bool is_new(std::unordered_set<std::string>& seen, std::string_view key, place where) {
    if (seen.emplace(key).second)
      return true;
    note(where, "has the key " + config::in_quotes(key) + " twice in one object: which of its values counts?");
    return false;
  }

  void read_into(attempt_report& report) {
    const auto whole = json_.value();
    if (whole.kind == json_kind::none)
      return;
    if (whole.kind != json_kind::object) {
      problem_ = "does not hold a JSON object";
      return;
    }
    std::unordered_set<std::string> seen;
    std::string_view text;
    for (place where; problem_.empty() && json_.next_member(text, where);) {
      const std::string key(text); // the view ends with the next question
      if (!is_new(seen, key, where))
        return;
      const auto value = json_.value();
      if (value.kind == json_kind::none)
        return;
      if (key == "data_version")
        read_version(value, report.data_version);
      else if (key == "metadata")
        read_metadata(value, report.metadata);
      else if (key == "inputs")
        read_inputs(value, report.inputs);
      else
        note(where, "has the unknown key " + config::in_quotes(key) + ": data_version, metadata and inputs are known");
    }
  }

  void read_version(const json_value& value, std::string& version) {
    if (value.kind != json_kind::string || value.text.empty() || value.text.size() > 4096)
      return note(value.where, "has a \"data_version\" that is not a string of 1 to 4096 bytes");
    version = masked(value.text);
  }

  void read_inputs(const json_value& value, std::vector<std::string>& inputs) {
    if (value.kind != json_kind::array)
      return note(value.where, "has \"inputs\" that is not an array of file names");
    while (problem_.empty() && json_.next_element()) {
      const auto item = json_.value();
      if (item.kind == json_kind::none)
        return;
      if (item.kind != json_kind::string || item.text.empty() || item.text.find('\0') != std::string_view::npos)
        return note(item.where, "has \"inputs\" with an element that is not a file name");
      inputs.emplace_back(item.text);
    }
  }

  void read_metadata(const json_value& value, std::string& metadata) {
    if (value.kind != json_kind::object)
      return note(value.where, "has \"metadata\" that is not an object");
    std::ostringstream text;
    {
      json_writer writer(text);
      copy(value, writer);
    }
    metadata = text.str();
  }

  /// Without blanks. Numbers are copied as they are written: 0.95 stays 0.95, and no digit is lost.
  void copy(const json_value& value, json_writer& to) {
    switch (value.kind) {
    case json_kind::none:
      return;
    case json_kind::object: {
      to.begin_object();
      std::unordered_set<std::string> seen;
      std::string_view key;
      for (place where; problem_.empty() && json_.next_member(key, where);) {
        if (!is_new(seen, key, where))
          return;
        to.key(masked(key));
        copy(json_.value(), to);
      }
      to.end_object();
      return;
    }
    case json_kind::array:
      to.begin_array();
      while (problem_.empty() && json_.next_element())
        copy(json_.value(), to);
      to.end_array();
      return;
    case json_kind::string:
      to.value(masked(value.text));
      return;
    case json_kind::number:
      if (is_beyond_double(value.text))
        note(value.where, "has \"metadata\" with a number beyond 1.8e308; write it as a string");
      if (const auto text = masked(value.text); text != value.text)
        to.value(text);
      else
        to.raw(value.text);
      return;
    case json_kind::boolean:
    case json_kind::null:
      to.raw(value.text);
      return;
    }
  }

  [[nodiscard]] std::string masked(std::string_view text) const {
    return mask_ != nullptr ? mask_->masked(text) : std::string(text);
  }

  diagnostics list_;
  config::findings out_;
  config::json_reader json_;
  std::string problem_;
  const secret_mask* mask_;
};

} // namespace

result<attempt_report> parse_attempt_report(std::string_view text, const secret_mask* mask) {
  if (!is_utf8(text))
    return refuse("is not UTF-8, as JSON has to be: a file whose name is not UTF-8 cannot be told here");
  return report_reader(text, mask).read();
}

} // namespace troupe_internal
