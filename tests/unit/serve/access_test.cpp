// The gate: hosts, origins, tokens, scopes; each is enough to be turned away.
#include "serve/access.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace troupe_internal;
using namespace troupe_internal::serve;

namespace {

http_request request(http_fields headers, bool local = false) {
  http_request made;
  made.method = "POST";
  made.target = "/x";
  made.headers = std::move(headers);
  made.local = local;
  return made;
}

result<std::optional<token_bearer>> bearers(std::string_view token) {
  if (token == "writes")
    return std::optional(token_bearer{"deploy", access_scope::write});
  if (token == "reads")
    return std::optional(token_bearer{"grafana", access_scope::read});
  if (token == "breaks")
    return fail(error_code::state_unusable, "the disk is gone");
  return std::optional<token_bearer>();
}

/// The status it is turned away with; 0: it passes.
unsigned answer(const http_request& asked, access_scope needed, const access_rules& rules = {}, caller* who = nullptr) {
  caller unknown;
  const auto refused = refuse(asked, needed, rules, bearers, who != nullptr ? *who : unknown);
  return refused ? refused->status : 0;
}

const http_fields good = {{"host", "localhost:7070"}, {"authorization", "Bearer writes"}};

http_fields with(http_fields fields, const std::string& name, const std::string& value) {
  std::erase_if(fields, [&](const auto& field) { return field.first == name; });
  fields.emplace_back(name, value);
  return fields;
}

} // namespace

TEST_CASE("through the Unix socket everything is this user's") {
  CHECK(answer(request({}, true), access_scope::write) == 0);
  CHECK(answer(request({{"origin", "http://evil"}, {"host", "evil"}}, true), access_scope::write) == 0);
}

TEST_CASE("over TCP a token is needed, and its scope counts") {
  caller who;
  CHECK(answer(request(good), access_scope::write, {}, &who) == 0);
  CHECK(who.by == "deploy");
  CHECK(answer(request(with(good, "authorization", "bearer reads")), access_scope::read) == 0);
  CHECK(answer(request(with(good, "authorization", "Bearer reads")), access_scope::write) == 403);
  for (const auto* wrong : {"", "Bearer", "Bearer ", "Bearer x", "Basic writes", "writes", "Bearerwrites"})
    CHECK_MESSAGE(answer(request(with(good, "authorization", wrong)), access_scope::read) == 401, wrong);
  CHECK(answer(request({{"host", "localhost"}}), access_scope::read) == 401);
  CHECK(answer(request({{"host", "localhost"}}), access_scope::none) == 0);
  CHECK(answer(request(with(good, "authorization", "Bearer breaks")), access_scope::read) == 503);
  auto twice = good;
  twice.emplace_back("authorization", "Bearer writes");
  CHECK(answer(request(twice), access_scope::read) == 401);
}

TEST_CASE("a request for another host is turned away, with and without a token") {
  for (const auto* ours : {"localhost", "LOCALHOST:1", "127.0.0.1:7070", "[::1]", "[::1]:7070"})
    CHECK_MESSAGE(answer(request(with(good, "host", ours)), access_scope::read) == 0, ours);
  for (const auto* foreign : {"evil.org", "localhost.evil.org", "127.0.0.1.evil.org:7070", "", "evil.org:127.0.0.1"})
    for (const auto scope : {access_scope::none, access_scope::read, access_scope::write})
      CHECK_MESSAGE(answer(request(with(good, "host", foreign)), scope) == 421, foreign);
  CHECK(answer(request(with(good, "host", "Troupe.Example.org:443")), access_scope::read, {{"troupe.example.org"}}) ==
        0);
  CHECK(answer(request({{"authorization", "Bearer writes"}}), access_scope::read) == 400);
  auto twice = good;
  twice.emplace_back("host", "localhost");
  CHECK(answer(request(twice), access_scope::read) == 400);
}

TEST_CASE("a page elsewhere may not change anything, with a browser's token or without") {
  CHECK(answer(request(with(good, "origin", "http://localhost:7070")), access_scope::write) == 0);
  CHECK(answer(request(with(good, "origin", "https://LOCALHOST:7070")), access_scope::write) == 0);
  CHECK(answer(request(with(good, "sec-fetch-site", "same-origin")), access_scope::write) == 0);
  CHECK(answer(request(with(good, "sec-fetch-site", "none")), access_scope::write) == 0);
  for (const auto* origin : {"http://evil.org", "null", "http://localhost", "http://localhost:1", "localhost:7070", ""})
    CHECK_MESSAGE(answer(request(with(good, "origin", origin)), access_scope::write) == 403, origin);
  for (const auto* site : {"cross-site", "same-site", "", "x"})
    CHECK_MESSAGE(answer(request(with(good, "sec-fetch-site", site)), access_scope::write) == 403, site);
  CHECK(answer(request(with(good, "origin", "http://evil.org")), access_scope::read) == 0); // it cannot read the answer
}

TEST_CASE("every answer says that it is no page and is not to be kept") {
  http_response response;
  add_security_headers(response);
  CHECK(*find_field(response.headers, "X-Content-Type-Options") == "nosniff");
  CHECK(*find_field(response.headers, "Cache-Control") == "no-store");
  CHECK(find_field(response.headers, "Content-Security-Policy")->starts_with("default-src 'none'"));
}
