// One key after the other.
#include "serve/request_body.hpp"

#include "config/json_reader.hpp"

#include <algorithm>
#include <charconv>

namespace troupe_internal::serve {

namespace {

using config::json_kind;
using config::json_value;

class body_reader {
public:
  body_reader(std::string_view text, const std::vector<std::string_view>& keys)
      : keys_(keys), out_(list_), json_(config::chunks_of(text), out_, config::json_dialect::plain) {}

  [[nodiscard]] result<request_body> read() {
    request_body body;
    if (const auto top = json_.value(); top.kind != json_kind::object) {
      wrong("it is no object");
      json_.skip(top);
    } else {
      std::string_view key;
      place where;
      while (json_.next_member(key, where))
        member(std::string(key), body);
    }
    json_.finish();
    if (!list_.items.empty())
      return fail(error_code::invalid_input, "the body is no JSON: line " +
                                                 std::to_string(list_.items.front().where.line) + ": " +
                                                 list_.items.front().message);
    if (!problem_.empty())
      return fail(error_code::invalid_input, "the body cannot be used: " + problem_);
    return body;
  }

private:
  void wrong(std::string what) {
    if (problem_.empty())
      problem_ = std::move(what);
  }
  void member(const std::string& key, request_body& to) {
    if (std::find(keys_.begin(), keys_.end(), key) == keys_.end()) {
      std::string known;
      for (const auto one : keys_)
        known.append(known.empty() ? "" : ", ").append(one);
      wrong("\"" + key + "\" is no key of this request; there are " + known);
      json_.skip(json_.value());
      return;
    }
    if (key == "select")
      texts(key, to.select);
    else if (key == "exclude")
      texts(key, to.exclude);
    else if (key == "only")
      to.only = boolean(key);
    else if (key == "force")
      to.force = boolean(key);
    else if (key == "at_once")
      to.at_once = boolean(key);
    else if (key == "again")
      to.again = boolean(key);
    else if (key == "dry_run")
      to.dry_run = boolean(key);
    else if (key == "parallel")
      to.parallel = boolean(key);
    else if (key == "from")
      to.from = text(key);
    else if (key == "to")
      to.to = text(key);
    else if (key == "params")
      params(key, to.params);
    else if (key == "priority")
      to.priority = number(key);
    else if (key == "body")
      to.body = text(key);
    else if (key == "headers")
      params(key, to.headers);
    else if (key == "reason")
      to.reason = text(key);
    else
      to.key = text(key);
  }
  void texts(const std::string& key, std::vector<std::string>& into) {
    const auto list = json_.value();
    if (list.kind != json_kind::array)
      return other(key, "a list of strings", list);
    while (json_.next_element())
      into.push_back(text(key));
  }
  void params(const std::string& key, std::vector<std::pair<std::string, std::string>>& into) {
    const auto object = json_.value();
    if (object.kind != json_kind::object)
      return other(key, "an object", object);
    std::string_view name;
    place where;
    while (json_.next_member(name, where)) {
      std::string param(name);
      const auto value = json_.value();
      if (value.kind == json_kind::string || value.kind == json_kind::number || value.kind == json_kind::boolean)
        into.emplace_back(std::move(param), std::string(value.text));
      else
        other(param, "a string, a number or a boolean", value);
    }
  }
  std::string text(const std::string& key) {
    const auto value = json_.value();
    if (value.kind == json_kind::string)
      return std::string(value.text);
    other(key, "a string", value);
    return {};
  }
  bool boolean(const std::string& key) {
    const auto value = json_.value();
    if (value.kind != json_kind::boolean)
      other(key, "true or false", value);
    return value.kind == json_kind::boolean && value.text == "true";
  }
  std::int32_t number(const std::string& key) {
    const auto value = json_.value();
    std::int32_t found = 0;
    const auto* const end = value.text.data() + value.text.size();
    if (value.kind != json_kind::number)
      other(key, "a number", value);
    else if (const auto read = std::from_chars(value.text.data(), end, found);
             read.ec != std::errc() || read.ptr != end)
      wrong("\"" + key + "\" is no whole number of its range");
    return found;
  }
  void other(const std::string& key, std::string_view expected, const json_value& value) {
    wrong("\"" + key + "\" is not " + std::string(expected));
    json_.skip(value);
  }

  const std::vector<std::string_view>& keys_;
  diagnostics list_;
  config::findings out_;
  config::json_reader json_;
  std::string problem_;
};

} // namespace

result<request_body> read_body(std::string_view text, const std::vector<std::string_view>& keys) {
  if (text.empty())
    return request_body{};
  return body_reader(text, keys).read();
}

} // namespace troupe_internal::serve
