// TROUPE_RESULT: what is accepted is what was written, and what is refused is refused in words.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "base/utf8.hpp"
#include "engine/attempt_report.hpp"

#include <boost/json.hpp>

#include <string>

namespace troupe_internal::fuzz {
namespace {

std::string text_of(const boost::json::string& s) {
  return {s.data(), s.size()};
}

} // namespace

void fuzz_result(std::string_view bytes) {
  const auto report = parse_attempt_report(bytes);
  boost::system::error_code wrong;
  boost::json::parse_options options;
  options.max_depth = 64;
  const auto value = boost::json::parse(boost::json::string_view(bytes.data(), bytes.size()), wrong, {}, options);
  if (!report) {
    const auto& message = report.error().message;
    FUZZ_CHECK(report.error().code == error_code::invalid_input, message);
    FUZZ_CHECK(is_utf8(message) && message.size() < 1000, message);
    return;
  }
  FUZZ_CHECK(is_utf8(bytes), "only JSON is accepted");
  if (wrong == boost::json::error::exponent_overflow) // a limit of Boost.JSON's
    return;
  FUZZ_CHECK(!wrong && value.is_object(), "only JSON is accepted");
  const auto& object = value.get_object();
  for (const auto& member : object)
    FUZZ_CHECK(member.key() == "data_version" || member.key() == "metadata" || member.key() == "inputs", "a known key");

  const auto* version = object.if_contains("data_version");
  FUZZ_CHECK(report->data_version == (version != nullptr ? text_of(version->as_string()) : ""), report->data_version);
  FUZZ_CHECK((version == nullptr) == report->data_version.empty(), report->data_version);

  const auto* metadata = object.if_contains("metadata");
  FUZZ_CHECK((metadata == nullptr) == report->metadata.empty(), report->metadata);
  if (metadata != nullptr) {
    const auto again = boost::json::parse(report->metadata, wrong, {}, options);
    FUZZ_CHECK(!wrong && again.is_object() && is_utf8(report->metadata), report->metadata);
    // Numbers included: they are copied as text. (Not compared as values: Boost.JSON makes NaN of 0e400.)
    FUZZ_CHECK(boost::json::serialize(again) == boost::json::serialize(*metadata), report->metadata);
  }

  const auto* inputs = object.if_contains("inputs");
  const std::size_t count = inputs != nullptr ? inputs->as_array().size() : 0;
  FUZZ_CHECK(report->inputs.size() == count, "every input is there");
  for (std::size_t i = 0; i < count; ++i) {
    FUZZ_CHECK(report->inputs[i] == text_of(inputs->as_array()[i].as_string()), report->inputs[i]);
    FUZZ_CHECK(!report->inputs[i].empty() && report->inputs[i].find('\0') == std::string::npos, report->inputs[i]);
  }
}

} // namespace troupe_internal::fuzz
