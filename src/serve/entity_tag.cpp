// The tag is a digest of the bytes, so it needs nobody to count changes, and holds across restarts.
#include "serve/entity_tag.hpp"

#include "base/digest.hpp"

namespace troupe_internal::serve {

std::string entity_tag(std::string_view body) {
  return '"' + to_hex(quick_digest(body)) + '"';
}

bool names_tag(std::string_view if_none_match, std::string_view tag) {
  for (auto left = if_none_match;;) {
    const auto comma = left.find(','); // our tags hold none
    auto one = left.substr(0, comma);
    const auto first = one.find_first_not_of(" \t");
    one = first == std::string_view::npos ? std::string_view() : one.substr(first);
    one = one.substr(0, one.find_last_not_of(" \t") + 1);
    if (one.starts_with("W/"))
      one.remove_prefix(2);
    if (one == tag || one == "*")
      return true;
    if (comma == std::string_view::npos)
      return false;
    left.remove_prefix(comma + 1);
  }
}

std::optional<std::string> known_documents(const http_request& request) {
  if (request.method != "GET" && request.method != "HEAD")
    return std::nullopt;
  std::string all;
  for (const auto& [name, value] : request.headers)
    if (name == "if-none-match")
      all.append(all.empty() ? "" : ",").append(value);
  return all;
}

http_response with_entity_tag(std::string_view known, http_response response) {
  if (response.status != 200 || response.content_type != "application/json")
    return response;
  auto tag = entity_tag(response.body);
  if (names_tag(known, tag)) {
    response.status = 304;
    response.body.clear();
  }
  response.headers.emplace_back("ETag", std::move(tag));
  return response;
}

} // namespace troupe_internal::serve
