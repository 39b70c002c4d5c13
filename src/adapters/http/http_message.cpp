// Percent-encoding (RFC 3986) and problem documents (RFC 9457).
#include "adapters/http/http_message.hpp"

#include "base/json_writer.hpp"

#include <algorithm>
#include <array>
#include <sstream>

namespace troupe_internal {

namespace {

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f')
    return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F')
    return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

bool is_control(char c) {
  const auto code = static_cast<unsigned char>(c);
  return code < 0x20 || code == 0x7F;
}

/// `plus_is_space` as in forms and queries.
std::optional<std::string> decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
      const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
      if (!high || !low)
        return std::nullopt;
      c = static_cast<char>(*high * 16 + *low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (is_control(c))
      return std::nullopt;
    out += c;
  }
  return out;
}

constexpr std::array<std::pair<unsigned, std::string_view>, 22> titles = {{
    {200, "OK"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
}};

} // namespace

const std::string* find_field(const http_fields& fields, std::string_view name) {
  const auto at = std::find_if(fields.begin(), fields.end(), [&](const auto& field) { return field.first == name; });
  return at == fields.end() ? nullptr : &at->second;
}

std::string_view http_status_title(unsigned status) {
  const auto* at = std::find_if(titles.begin(), titles.end(), [&](const auto& title) { return title.first == status; });
  return at == titles.end() ? std::string_view("Error") : at->second;
}

http_response http_problem(unsigned status, std::string_view code, std::string_view detail) {
  std::ostringstream text;
  {
    json_writer json(text);
    json.begin_object();
    json.member("type", "about:blank");
    json.member("title", http_status_title(status));
    json.member("status", status);
    json.member("detail", detail);
    json.member("code", code);
    json.end_object();
  }
  return {status, "application/problem+json", {}, text.str()};
}

bool read_target(std::string_view target, std::vector<std::string>& path, http_fields& query) {
  path.clear();
  query.clear();
  if (!target.starts_with('/') || target.find('#') != std::string_view::npos)
    return false;
  const auto mark = target.find('?');
  for (auto left = target.substr(1, mark == std::string_view::npos ? mark : mark - 1);;) {
    const auto slash = left.find('/');
    if (left.empty() && path.empty())
      break; // "/"
    auto segment = decoded(left.substr(0, slash), false);
    if (!segment)
      return false;
    path.push_back(std::move(*segment));
    if (slash == std::string_view::npos)
      break;
    left.remove_prefix(slash + 1);
  }
  if (mark == std::string_view::npos)
    return true;
  for (auto left = target.substr(mark + 1); !left.empty();) {
    const auto end = left.find('&');
    const auto pair = left.substr(0, end);
    const auto equals = pair.find('=');
    auto name = decoded(pair.substr(0, equals), true);
    auto value =
        equals == std::string_view::npos ? std::optional(std::string()) : decoded(pair.substr(equals + 1), true);
    if (!name || !value)
      return false;
    if (!pair.empty())
      query.emplace_back(std::move(*name), std::move(*value));
    if (end == std::string_view::npos)
      break;
    left.remove_prefix(end + 1);
  }
  return true;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain)
      out += c;
    else
      out.append("%").append(1, digits[code / 16]).append(1, digits[code % 16]);
  }
  return out;
}

} // namespace troupe_internal
