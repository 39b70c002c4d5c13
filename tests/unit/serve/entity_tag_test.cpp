// Entity tags: which documents bear one, and when a client has it already.
#include "serve/entity_tag.hpp"

#include <doctest/doctest.h>

using namespace troupe_internal;
using namespace troupe_internal::serve;

namespace {

const std::string* tag_of(const http_response& response) {
  return find_field(response.headers, "ETag");
}

http_request asking(const std::string& method, http_fields headers = {}) {
  http_request made;
  made.method = method;
  made.headers = std::move(headers);
  return made;
}

} // namespace

TEST_CASE("equal documents have equal tags, and others have others") {
  CHECK(entity_tag("{}") == entity_tag("{}"));
  CHECK(entity_tag("{}") != entity_tag("{ }"));
  CHECK(entity_tag("").front() == '"');
  CHECK(entity_tag("").back() == '"');
}

TEST_CASE("If-None-Match names a tag in a list, weak or strong, or any") {
  const std::string tag = "\"ab\"";
  for (const auto* header : {"\"ab\"", "W/\"ab\"", "\"x\", \"ab\"", "\"x\",W/\"ab\" ,\"y\"", "*", " \"ab\" "})
    CHECK_MESSAGE(names_tag(header, tag), header);
  for (const auto* header : {"", "\"a\"", "ab", "\"abc\"", "\"x\",", ",", "W/", "w/\"ab\""})
    CHECK_MESSAGE(!names_tag(header, tag), header);
}

TEST_CASE("a document that the client has is not sent again, but its number is") {
  const http_response made{200, "application/json", {{"Troupe-Seq", "7"}}, "{\"a\":1}"};
  const auto first = with_entity_tag("", made);
  REQUIRE(tag_of(first) != nullptr);
  CHECK(first.status == 200);
  CHECK(first.body == made.body);
  const auto again = with_entity_tag(*tag_of(first), made);
  CHECK(again.status == 304);
  CHECK(again.body.empty());
  CHECK(*tag_of(again) == *tag_of(first));
  CHECK(*find_field(again.headers, "Troupe-Seq") == "7");
}

TEST_CASE("errors, figures and what was taken in bear no tag") {
  CHECK(tag_of(with_entity_tag("*", {404, "application/problem+json", {}, "{}"})) == nullptr);
  CHECK(tag_of(with_entity_tag("*", {503, "application/json", {}, "{}"})) == nullptr);
  CHECK(tag_of(with_entity_tag("*", {200, "text/plain; version=0.0.4", {}, "x 1"})) == nullptr);
  CHECK(!known_documents(asking("POST", {{"if-none-match", "*"}})));
}

TEST_CASE("several headers If-None-Match are one list") {
  CHECK(known_documents(asking("GET")) == "");
  CHECK(known_documents(asking("HEAD", {{"if-none-match", "\"a\""}, {"host", "x"}, {"if-none-match", "\"b\""}})) ==
        "\"a\",\"b\"");
}
