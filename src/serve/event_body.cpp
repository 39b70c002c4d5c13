// Every value is kept under its path: a body is small, and several templates ask for it.
#include "serve/event_body.hpp"

#include "config/json_reader.hpp"

#include <utility>

namespace troupe_internal::serve {

namespace {

using config::json_kind;

class body_walk {
public:
  body_walk(config::json_reader& json, std::map<std::vector<std::string>, std::string>& into)
      : json_(json), into_(into) {}

  void value() { // as deep as the reader lets it be
    const auto one = json_.value();
    if (one.kind == json_kind::object) {
      std::string_view key;
      place where;
      while (json_.next_member(key, where)) {
        path_.emplace_back(key);
        value();
        path_.pop_back();
      }
    } else if (one.kind == json_kind::array) {
      for (std::size_t i = 0; json_.next_element(); ++i) {
        path_.push_back(std::to_string(i));
        value();
        path_.pop_back();
      }
    } else {
      into_.insert_or_assign(path_, std::string(one.text));
    }
  }

private:
  config::json_reader& json_;
  std::map<std::vector<std::string>, std::string>& into_;
  std::vector<std::string> path_;
};

} // namespace

result<event_body> event_body::parse(std::string_view text) {
  event_body body;
  if (text.empty())
    return body;
  diagnostics list;
  config::findings out(list);
  config::json_reader json(config::chunks_of(text), out, config::json_dialect::plain);
  body_walk(json, body.values_).value();
  json.finish();
  if (!list.items.empty())
    return fail(error_code::invalid_input, "the body is no JSON: line " +
                                               std::to_string(list.items.front().where.line) + ": " +
                                               list.items.front().message);
  return body;
}

std::optional<std::string> event_body::at(const std::vector<std::string>& path) const {
  const auto found = values_.find(path);
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

} // namespace troupe_internal::serve
