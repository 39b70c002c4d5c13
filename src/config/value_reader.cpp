// The messages for values of the wrong type are made here, so that they all read alike.
#include "config/value_reader.hpp"

#include "core/pipeline/nearest_name.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe_internal::config {
namespace {

std::string describe(const json_value& v) {
  switch (v.kind) {
  case json_kind::object:
    return "an object";
  case json_kind::array:
    return "a list";
  case json_kind::string:
    return "the string " + in_quotes(v.text);
  case json_kind::number:
    return "the number " + std::string(v.text);
  default:
    return std::string(v.text);
  }
}

std::string at(place where) {
  return std::to_string(where.line) + ":" + std::to_string(where.column);
}

/// Whether `word` is `key` with letters left out but the first and the last: cmd for command, which by letters changed
/// is nearer to cwd.
bool abbreviates(std::string_view word, std::string_view key) {
  if (word.size() < 3 || word.front() != key.front() || word.back() != key.back())
    return false;
  auto at = word.begin();
  for (const char c : key)
    if (at != word.end() && *at == c)
      ++at;
  return at == word.end();
}

/// What other tools call a key.
std::string synonym_hint(std::string_view word, std::span<const std::string_view> keys) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 12> synonyms = {
      {{"needs", "deps"},
       {"depends_on", "deps"},
       {"dependencies", "deps"},
       {"requires", "deps"},
       {"run", "command"},
       {"exec", "command"},
       {"shell_command", "command"},
       {"sources", "inputs"},
       {"targets", "outputs"},
       {"foreach", "matrix"},
       {"environment", "env"},
       {"workdir", "cwd"}}};
  for (const auto& [other, key] : synonyms)
    if (word == other && std::find(keys.begin(), keys.end(), key) != keys.end())
      return "; here that is " + in_quotes(key);
  if (word == "if" && std::find(keys.begin(), keys.end(), "command") != keys.end())
    return "; there are no conditions: let the command decide, or select assets when you run them";
  return {};
}

std::string abbreviation_hint(std::string_view word, std::span<const std::string_view> keys) {
  const auto found = std::find_if(keys.begin(), keys.end(), [&](auto key) { return abbreviates(word, key); });
  return found == keys.end() ? std::string() : "; did you mean " + in_quotes(*found) + "?";
}

} // namespace

std::string named(std::string_view what) {
  return what.find(' ') == std::string_view::npos ? in_quotes(what) : std::string(what);
}

void value_reader::wrong_type(const json_value& found, std::string_view what, std::string_view expected) {
  if (found.kind == json_kind::none)
    return; // reported as wrong syntax
  std::string message = named(what) + " has to be " + std::string(expected) + ", found " + describe(found);
  if (found.kind == json_kind::string && expected.starts_with("a list"))
    message += "; write [" + in_quotes(found.text) + "]";
  else if ((found.kind == json_kind::number || found.kind == json_kind::boolean) && expected.starts_with("a string"))
    message += "; write " + in_quotes(found.text);
  out.error(found.where, "wrong_type", std::move(message));
  json.skip(found);
}

bool value_reader::expect(json_kind kind, std::string_view what, std::string_view expected) {
  const auto v = next();
  if (v.kind == kind)
    return true;
  wrong_type(v, what, expected);
  return false;
}

void value_reader::skip_value() {
  json.skip(next());
}

void value_reader::unknown_key(std::string_view key, place where, std::string_view what,
                               std::span<const std::string_view> keys) {
  std::string hint = synonym_hint(key, keys);
  if (hint.empty())
    hint = abbreviation_hint(key, keys);
  if (hint.empty())
    hint = nearest_hint(key, keys);
  if (hint.empty() && keys.size() > 8) {
    hint = "; `troupe schema` tells which there are";
  } else if (hint.empty()) {
    hint = "; known are ";
    for (std::size_t i = 0; i < keys.size(); ++i)
      hint += (i == 0 ? "" : i + 1 == keys.size() ? " and " : ", ") + std::string(keys[i]);
  }
  out.error(where, "unknown_key", "unknown key " + in_quotes(key) + " in " + named(what) + hint);
}

void value_reader::duplicate(std::string_view key, place where, place first) {
  out.error(where, "duplicate_key", "the key " + in_quotes(key) + " stands here again, first at " + at(first));
}

std::optional<std::string_view> value_reader::string(std::string_view what, std::string_view expected) {
  const auto v = next();
  if (v.kind == json_kind::string)
    return v.text;
  wrong_type(v, what, expected);
  return std::nullopt;
}

std::optional<std::string_view> value_reader::name_text(std::string_view what) {
  const auto v = next();
  if (v.kind == json_kind::string)
    return v.text;
  wrong_type(v, "the name of " + std::string(what), "text in double quotes");
  return std::nullopt;
}

std::optional<std::string_view> value_reader::name(std::string_view what) {
  const auto text = name_text(what);
  if (!text || is_name(*text))
    return text;
  out.error(where(), "bad_name", name_problem(*text, what));
  return std::nullopt;
}

std::optional<bool> value_reader::boolean(std::string_view what) {
  const auto v = next();
  if (v.kind == json_kind::boolean)
    return v.text == "true";
  wrong_type(v, what, "true or false");
  return std::nullopt;
}

std::optional<std::int64_t> value_reader::whole_number(std::string_view what, std::int64_t least, std::int64_t most) {
  const std::string expected = "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  const auto v = next();
  if (v.kind != json_kind::number) {
    wrong_type(v, what, expected);
    return std::nullopt;
  }
  const auto number = parse_whole_number(v.text);
  if (number && *number >= least && *number <= most)
    return number;
  out.error(v.where, "bad_value",
            named(what) + " has to be " + expected + ", found " + std::string(v.text.substr(0, 40)));
  return std::nullopt;
}

std::optional<duration> value_reader::time_span(std::string_view what, duration least) {
  return time_span_of(next(), what, least);
}

std::optional<duration> value_reader::time_span_of(const json_value& v, std::string_view what, duration least) {
  constexpr std::string_view expected = "a duration such as \"30s\" (units ms, s, m, h, d)";
  if (v.kind != json_kind::string) {
    wrong_type(v, what, expected);
    return std::nullopt;
  }
  const auto span = parse_duration(v.text);
  if (!span)
    out.error(v.where, "bad_duration",
              named(what) + " has to be " + std::string(expected) + ", a whole number up to 36500d; found " +
                  in_quotes(v.text));
  else if (*span < least)
    out.error(v.where, "bad_duration", named(what) + " has to be longer than " + in_quotes(v.text));
  else
    return span;
  return std::nullopt;
}

std::optional<std::uint64_t> value_reader::size(std::string_view what, std::uint64_t least) {
  constexpr std::string_view expected = "a size such as \"100MB\" (units B, KB, MB, GB, TB, KiB, MiB, GiB)";
  const auto text = string(what, expected);
  if (!text)
    return std::nullopt;
  const auto bytes = parse_size(*text);
  if (!bytes)
    out.error(where(), "bad_size",
              named(what) + " has to be " + std::string(expected) + ", a whole number up to 1000TB; found " +
                  in_quotes(*text));
  else if (*bytes < least)
    out.error(where(), "bad_size",
              named(what) + " has to be at least " + std::to_string(least) + "B, found " + in_quotes(*text));
  else
    return bytes;
  return std::nullopt;
}

std::optional<std::size_t> value_reader::one_of(std::string_view what, std::span<const std::string_view> words) {
  std::string expected;
  for (std::size_t i = 0; i < words.size(); ++i)
    expected += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + in_quotes(words[i]);
  const auto text = string(what, expected);
  if (!text)
    return std::nullopt;
  const auto found = std::find(words.begin(), words.end(), *text);
  if (found != words.end())
    return static_cast<std::size_t>(found - words.begin());
  out.error(where(), "bad_value",
            named(what) + " has to be " + expected + ", found " + in_quotes(*text) + nearest_hint(*text, words));
  return std::nullopt;
}

} // namespace troupe_internal::config
