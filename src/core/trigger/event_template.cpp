// The grammar is {{ blanks name blanks }}, as in commands; the names are others.
#include "core/trigger/event_template.hpp"

#include "base/shown_text.hpp"
#include "core/pipeline/nearest_name.hpp"

#include <array>
#include <utility>

namespace troupe_internal {
namespace {

constexpr std::array<std::string_view, 6> event_names = {"tick.date", "tick.time", "tick.instant",
                                                         "body.",     "header.",   "event.id"};
constexpr std::size_t most_keys = 32;

std::string_view without_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool is_header_name(std::string_view text) {
  return !text.empty() && text.size() <= 100 &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
             std::string_view::npos;
}

/// Fills in a piece; what is wrong with the name, or nothing.
std::string read_piece(std::string_view name, event_piece& piece) {
  if (name.starts_with("body.")) {
    piece.name = event_name::body;
    for (auto rest = name.substr(5); piece.path.size() <= most_keys;) {
      const auto dot = rest.find('.');
      piece.path.emplace_back(rest.substr(0, dot));
      if (piece.path.back().empty())
        return "has an empty key; write body.KEY or body.KEY.KEY";
      if (dot == std::string_view::npos)
        return {};
      rest.remove_prefix(dot + 1);
    }
    return "leads through more than 32 keys";
  }
  if (name.starts_with("header.")) {
    piece.name = event_name::header;
    if (!is_header_name(name.substr(7)))
      return "names no header; a header's name has letters, digits, - and _";
    for (const char c : name.substr(7))
      piece.text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return {};
  }
  for (const auto& [word, meant] : {std::pair<std::string_view, event_name>{"tick.date", event_name::tick_date},
                                    {"tick.time", event_name::tick_time},
                                    {"tick.instant", event_name::tick_instant},
                                    {"event.id", event_name::event_id}})
    if (name == word) {
      piece.name = meant;
      return {};
    }
  const auto hint = nearest_hint(name, event_names);
  return "is no template of a trigger: there are tick.date, tick.time, tick.instant, body.PATH, header.NAME and "
         "event.id" +
         hint;
}

std::string in_two(unsigned number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

std::string date_text(unix_seconds local) {
  const std::chrono::year_month_day date(day_of(local));
  return std::to_string(static_cast<int>(date.year())) + "-" + in_two(static_cast<unsigned>(date.month())) + "-" +
         in_two(static_cast<unsigned>(date.day()));
}

std::string time_text(unix_seconds local) {
  const auto second = static_cast<unsigned>(local - day_of(local).time_since_epoch().count() * 86400);
  return in_two(second / 3600) + ":" + in_two(second / 60 % 60) + ":" + in_two(second % 60);
}

result<std::string> piece_text(const event_piece& piece, const event_values& values) {
  const auto missing = [](std::string what) { return fail(error_code::invalid_input, std::move(what)); };
  switch (piece.name) {
  case event_name::literal:
    return piece.text;
  case event_name::event_id:
    return values.id;
  case event_name::tick_date:
  case event_name::tick_time:
  case event_name::tick_instant: {
    if (!values.tick || values.zone == nullptr)
      return missing("the event is no tick of a schedule");
    const auto moment = std::chrono::floor<std::chrono::seconds>(*values.tick).time_since_epoch().count();
    if (piece.name == event_name::tick_instant)
      return date_text(moment) + "T" + time_text(moment) + "Z";
    const auto local = moment + values.zone->at(moment).offset;
    return piece.name == event_name::tick_date ? date_text(local) : time_text(local);
  }
  case event_name::header: {
    auto found = values.header ? values.header(piece.text) : std::nullopt;
    if (!found)
      return missing("the request has no header " + visible(piece.text));
    return std::move(*found);
  }
  case event_name::body: {
    auto found = values.body ? values.body(piece.path) : std::nullopt;
    if (!found) {
      std::string path;
      for (const auto& key : piece.path)
        path += "." + key;
      return missing("the body has no text, number, true or false at " + visible(path.substr(1)));
    }
    return std::move(*found);
  }
  }
  return missing("the template has no meaning");
}

} // namespace

result<event_template> parse_event_template(std::string_view text) {
  event_template out;
  out.written = text;
  const auto literal = [&](std::string_view part) {
    if (part.empty())
      return;
    if (out.pieces.empty() || out.pieces.back().name != event_name::literal)
      out.pieces.push_back({});
    out.pieces.back().text += part;
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto open = text.find("{{", at);
    literal(text.substr(at, open == std::string_view::npos ? open : open - at));
    if (open == std::string_view::npos)
      break;
    if (text.substr(open, 4) == "{{{{") {
      literal("{{");
      at = open + 4;
      continue;
    }
    const auto close = text.find("}}", open + 2);
    if (close == std::string_view::npos)
      return fail(error_code::invalid_input, "{{ has no }} behind it; write {{{{ for a literal {{");
    event_piece piece;
    const auto name = without_blanks(text.substr(open + 2, close - open - 2));
    if (auto wrong = read_piece(name, piece); !wrong.empty())
      return fail(error_code::invalid_input, "{{ " + visible(name.substr(0, 80)) + " }} " + wrong);
    out.pieces.push_back(std::move(piece));
    at = close + 2;
  }
  return out;
}

result<event_template> parse_event_value(std::string_view text) {
  event_template out;
  out.written = text;
  auto& piece = out.pieces.emplace_back();
  auto wrong = read_piece(text, piece);
  if (wrong.empty() && piece.name != event_name::body && piece.name != event_name::header)
    wrong = "has to be body.PATH or header.NAME";
  if (!wrong.empty())
    return fail(error_code::invalid_input, "\"" + visible(text.substr(0, 80)) + "\" " + wrong);
  return out;
}

result<std::string> render(const event_template& text, const event_values& values) {
  std::string out;
  for (const auto& piece : text.pieces) {
    auto part = piece_text(piece, values);
    if (!part)
      return part.error();
    out += *part;
  }
  return out;
}

} // namespace troupe_internal
