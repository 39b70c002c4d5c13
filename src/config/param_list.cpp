// JSON there and back.
#include "config/param_list.hpp"

#include "base/json_writer.hpp"
#include "config/findings.hpp"
#include "config/json_reader.hpp"

#include <sstream>

namespace troupe_internal::config {

std::string list_text(std::span<const std::string_view> items) {
  std::ostringstream text;
  {
    json_writer json(text);
    json.begin_array();
    for (const auto item : items)
      json.value(item);
    json.end_array();
  }
  return text.str();
}

std::optional<std::vector<std::string>> read_list(std::string_view text) {
  diagnostics list;
  findings out(list);
  json_reader json(chunks_of(text), out, json_dialect::plain);
  std::vector<std::string> items;
  if (json.value().kind != json_kind::array)
    return std::nullopt;
  bool good = true;
  while (json.next_element()) {
    const auto item = json.value();
    good = good && item.kind == json_kind::string;
    if (item.kind == json_kind::string)
      items.emplace_back(item.text);
    else
      json.skip(item);
  }
  json.finish();
  return good && list.items.empty() ? std::optional(std::move(items)) : std::nullopt;
}

} // namespace troupe_internal::config
