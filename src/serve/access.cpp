// One rule after the other, the cheap ones first.
#include "serve/access.hpp"

#include <algorithm>

namespace troupe_internal::serve {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

/// "127.0.0.1:7070" without its port; "[::1]:7070" likewise.
std::string host_name(std::string_view host) {
  const auto colon = host.rfind(':');
  const bool has_port = colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos;
  return lower(has_port ? host.substr(0, colon) : host);
}

bool is_ours(std::string_view host, const access_rules& rules) {
  const auto name = host_name(host);
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]" ||
         std::any_of(rules.hosts.begin(), rules.hosts.end(), [&](const auto& one) { return lower(one) == name; });
}

std::size_t times(const http_request& request, std::string_view name) {
  return static_cast<std::size_t>(std::count_if(request.headers.begin(), request.headers.end(),
                                                [&](const auto& field) { return field.first == name; }));
}

/// What a browser says of the page that the request comes from; empty: nothing against it.
std::string from_elsewhere(const http_request& request, std::string_view host) {
  if (const auto* site = find_field(request.headers, "sec-fetch-site");
      site != nullptr && *site != "same-origin" && *site != "none")
    return "Sec-Fetch-Site is \"" + *site + "\"";
  const auto* origin = find_field(request.headers, "origin");
  if (origin == nullptr)
    return {};
  const auto own = std::string_view(*origin).starts_with("http://")    ? std::string_view(*origin).substr(7)
                   : std::string_view(*origin).starts_with("https://") ? std::string_view(*origin).substr(8)
                                                                       : std::string_view();
  return !own.empty() && lower(own) == lower(host) ? std::string() : "Origin is \"" + *origin + "\"";
}

std::optional<http_response> refuse_foreign_host(const http_request& request, const access_rules& rules) {
  const auto* host = find_field(request.headers, "host");
  if (host == nullptr || times(request, "host") != 1)
    return http_problem(400, "no_host", "the request has to name one Host");
  if (!is_ours(*host, rules))
    return http_problem(421, "foreign_host",
                        "this server does not answer for \"" + *host +
                            "\": add the name to \"auth\": {\"hosts\": […]} if it is this server's");
  return std::nullopt;
}

} // namespace

std::optional<http_response> refuse_foreign_page(const http_request& request, const access_rules& rules) {
  if (auto refused = refuse_foreign_host(request, rules))
    return refused;
  if (const auto finding = from_elsewhere(request, *find_field(request.headers, "host")); !finding.empty())
    return http_problem(403, "foreign_origin", "a page of another origin may not change anything here: " + finding);
  return std::nullopt;
}

std::optional<http_response> refuse(const http_request& request, access_scope needed, const access_rules& rules,
                                    const bearer_finder& bearer_of, caller& who) {
  if (request.local) {
    who = {"uid " + std::to_string(request.peer_user), access_scope::write};
    return std::nullopt;
  }
  if (auto refused =
          needed == access_scope::write ? refuse_foreign_page(request, rules) : refuse_foreign_host(request, rules))
    return refused;
  if (needed == access_scope::none)
    return std::nullopt;
  auto unauthorized = http_problem(401, "no_token",
                                   "send Authorization: Bearer TOKEN; the owner's token is in the file \"token\" in "
                                   "the state's folder, others are made by troupe token create");
  unauthorized.headers.emplace_back("WWW-Authenticate", "Bearer");
  const auto* authorization = find_field(request.headers, "authorization");
  if (authorization == nullptr || times(request, "authorization") != 1 ||
      lower(std::string_view(*authorization).substr(0, 7)) != "bearer ")
    return unauthorized;
  const auto bearer = bearer_of(std::string_view(*authorization).substr(7));
  if (!bearer)
    return http_problem(503, "state_unusable", bearer.error().message);
  if (!*bearer)
    return unauthorized;
  if (needed == access_scope::write && (*bearer)->scope != access_scope::write)
    return http_problem(403, "read_only_token", "the token \"" + (*bearer)->name + "\" may only read");
  who = {(*bearer)->name, (*bearer)->scope};
  return std::nullopt;
}

void add_security_headers(http_response& response) {
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  // What bears a tag may be kept by its client, who asks each time whether it is still so.
  response.headers.emplace_back("Cache-Control",
                                find_field(response.headers, "ETag") == nullptr ? "no-store" : "private, no-cache");
  response.headers.emplace_back("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
}

} // namespace troupe_internal::serve
