// --param NAME=VALUE: cut at the first =, and put in place of what the pipeline declares, or refused in words.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "base/utf8.hpp"
#include "config/load_pipeline.hpp"
#include "config/value_text.hpp"

#include <boost/json.hpp>

#include <map>
#include <string>

namespace troupe_internal::fuzz {
namespace {

constexpr std::string_view file =
    R"({"name": "p", "params": {"s": "text", "n": 7, "b": true, "long.name-1": "x", "l": ["a"]},
  "assets": {"a": {"command": ["x", "{{ params.s }}", "{{ params.n }}"], "outputs": ["out/{{ params.long.name-1 }}"]}}})";

bool is_json_number(const std::string& text) {
  // The reader has a limit of its own; its grammar is what counts here.
  boost::system::error_code wrong;
  const auto v = boost::json::parse(text, wrong);
  const bool blank = text.empty() || std::string_view(" \t\r\n").find(text.front()) != std::string_view::npos ||
                     std::string_view(" \t\r\n").find(text.back()) != std::string_view::npos;
  return (!wrong && v.is_number() && !blank) || wrong == boost::json::error::exponent_overflow;
}

} // namespace

void fuzz_param(std::string_view bytes) {
  config::parse_options options;
  options.folder = "/pipeline";
  std::map<std::string, std::string> given; // of two for one name the last counts
  for (input in(bytes); !in.done() && options.params.size() < 4;) {
    const std::string written(in.text('\n'));
    const auto equals = written.find('=');
    auto param = config::parse_param(written);
    FUZZ_CHECK(param.has_value() == (equals != std::string::npos && equals > 0), written);
    if (!param)
      continue;
    FUZZ_CHECK(param->first + "=" + param->second == written && param->first == written.substr(0, equals), written);
    given[param->first] = param->second;
    options.params.push_back(std::move(*param));
  }
  const auto loaded = config::parse_pipeline(file, options);
  if (!loaded.p) {
    FUZZ_CHECK(loaded.findings.has_errors(), "what is refused has a reason");
    return;
  }
  for (const auto& [name, value] : given) {
    const auto param = loaded.p->params.find(name);
    FUZZ_CHECK(param != loaded.p->params.end(), name);
    if (param->second.kind == param_value::type::list) {
      boost::system::error_code wrong;
      const auto list = boost::json::parse(param->second.text, wrong);
      const auto items = param->second.items;
      if (is_utf8(value))
        FUZZ_CHECK(!wrong && list.is_array() && list.as_array().size() == items.size(), param->second.text);
      FUZZ_CHECK(value.starts_with('[') || value.find_first_of(" \t\r\n") == 0 ||
                     (items.size() == 1 && items[0] == value),
                 value);
      continue;
    }
    FUZZ_CHECK(param->second.text == value, name);
    FUZZ_CHECK(value.find('\0') == std::string::npos, name);
    if (param->second.kind == param_value::type::boolean)
      FUZZ_CHECK(value == "true" || value == "false", value);
    if (param->second.kind == param_value::type::number && is_utf8(value))
      FUZZ_CHECK(is_json_number(value), value);
  }
}

} // namespace troupe_internal::fuzz
