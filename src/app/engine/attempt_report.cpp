// TROUPE_RESULT by Boost.JSON.
#include "app/engine/attempt_report.hpp"

#include "app/config/findings.hpp"
#include "app/config/json_reader.hpp"
#include "base/utf8.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <unordered_set>

namespace troupe {

namespace json = boost::json;

namespace {
error refuse(const std::string& what) {
  return fail(error_code::invalid_input, "the result file (TROUPE_RESULT) " + what);
}

// 1e400 is read as infinity, which JSON cannot say: what is recorded would be no JSON any more. Depth is bounded by the
// parser.
bool has_infinity(const json::value& v) {
  if (const auto* number = v.if_double())
    return !std::isfinite(*number);
  if (const auto* array = v.if_array())
    return std::any_of(array->begin(), array->end(), has_infinity);
  if (const auto* object = v.if_object())
    return std::any_of(object->begin(), object->end(), [](const auto& member) { return has_infinity(member.value()); });
  return false;
}

// A key that one object has twice; Boost.JSON keeps the last without a word.
std::optional<std::string> repeated_key(config::json_reader& reader) {
  const auto value = reader.value();
  if (value.kind == config::json_kind::object) {
    std::unordered_set<std::string> seen;
    std::string_view key;
    for (place where; reader.next_member(key, where);) {
      if (const auto [at, is_new] = seen.emplace(key); !is_new)
        return *at;
      if (auto deeper = repeated_key(reader))
        return deeper;
    }
  } else if (value.kind == config::json_kind::array) {
    while (reader.next_element())
      if (auto deeper = repeated_key(reader))
        return deeper;
  }
  return std::nullopt;
}
} // namespace

result<attempt_report> parse_attempt_report(std::string_view text) {
  if (!is_utf8(text))
    return refuse("is not UTF-8, as JSON has to be: a file whose name is not UTF-8 cannot be told here");
  boost::system::error_code ec;
  json::parse_options options;
  options.max_depth = max_result_depth;
  const auto value = json::parse(json::string_view(text.data(), text.size()), ec, {}, options);
  if (ec)
    return refuse("is not valid JSON: " + ec.message());
  const auto* object = value.if_object();
  if (object == nullptr)
    return refuse("does not hold a JSON object");
  diagnostics unused;
  config::findings not_looked_at(unused);
  config::json_reader reader(config::chunks_of(text), not_looked_at);
  if (const auto key = repeated_key(reader))
    return refuse("has the key " + config::in_quotes(*key) + " twice in one object: which of its values counts?");
  attempt_report report;
  for (const auto& [key, member] : *object) {
    if (key == "data_version") {
      const auto* string = member.if_string();
      if (string == nullptr || string->empty() || string->size() > 4096)
        return refuse("has a \"data_version\" that is not a string of 1 to 4096 bytes");
      report.data_version.assign(string->data(), string->size());
    } else if (key == "metadata") {
      if (!member.is_object())
        return refuse("has \"metadata\" that is not an object");
      if (has_infinity(member))
        return refuse("has \"metadata\" with a number beyond 1.8e308; write it as a string");
      report.metadata = json::serialize(member);
    } else if (key == "inputs") {
      const auto* array = member.if_array();
      if (array == nullptr)
        return refuse("has \"inputs\" that is not an array of file names");
      for (const auto& item : *array) {
        const auto* string = item.if_string();
        if (string == nullptr || string->empty() || string->find('\0') != json::string::npos)
          return refuse("has \"inputs\" with an element that is not a file name");
        report.inputs.emplace_back(string->data(), string->size());
      }
    } else {
      return refuse("has the unknown key " + config::in_quotes({key.data(), key.size()}) +
                    ": data_version, metadata and inputs are known");
    }
  }
  return report;
}

} // namespace troupe
