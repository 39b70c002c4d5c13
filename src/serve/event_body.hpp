// The JSON body of an event, as the texts at its paths. Knows no trigger.
#pragma once

#include "base/result.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::serve {

/// Any thread may read it.
class event_body {
public:
  /// invalid_input, with the place, for what is no JSON. Empty text: a body without values.
  [[nodiscard]] static result<event_body> parse(std::string_view text);
  /// A string's content, a number, true, false or null as written; nullopt: nothing is there, or an object or a list.
  /// Elements of a list have their number as name.
  [[nodiscard]] std::optional<std::string> at(const std::vector<std::string>& path) const;

private:
  std::map<std::vector<std::string>, std::string> values_;
};

} // namespace troupe_internal::serve
