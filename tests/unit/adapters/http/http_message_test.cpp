// Targets, their encoding, and problem documents.
#include "adapters/http/http_message.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace troupe_internal;

namespace {

struct target {
  std::vector<std::string> path;
  http_fields query;
  bool good;
  explicit target(std::string_view text) : good(read_target(text, path, query)) {}
};

} // namespace

TEST_CASE("a target's segments and parameters are decoded one by one") {
  CHECK(target("/").path.empty());
  CHECK(target("/").good);
  CHECK(target("/api/v1/runs").path == std::vector<std::string>{"api", "v1", "runs"});
  CHECK(target("/a%2Fb/c%20d").path == std::vector<std::string>{"a/b", "c d"});
  CHECK(target("/a/").path == std::vector<std::string>{"a", ""});
  CHECK(target("/a//b").path == std::vector<std::string>{"a", "", "b"});
  CHECK(target("/a/../b").path == std::vector<std::string>{"a", "..", "b"});
  CHECK(target("/a+b").path == std::vector<std::string>{"a+b"});
  const target query("/x?limit=5&name=a+b%26c&flag&&=v");
  CHECK(query.good);
  CHECK(query.query == http_fields{{"limit", "5"}, {"name", "a b&c"}, {"flag", ""}, {"", "v"}});
  CHECK(*find_field(query.query, "limit") == "5");
  CHECK(find_field(query.query, "nothing") == nullptr);
}

TEST_CASE("a target that is none, or badly encoded, is refused") {
  for (const auto* wrong :
       {"", "x", "http://host/x", "*", "/%", "/%2", "/%zz", "/a%00b", "/a%0Ab", "/x?a=%", "/x?%1=a", "/a#b", "/a\x01"})
    CHECK_MESSAGE(!target(wrong).good, wrong);
}

TEST_CASE("what is encoded is read back as it was") {
  std::string all;
  for (int c = 0x20; c < 256; ++c)
    if (c != 0x7F)
      all += static_cast<char>(c);
  const target back("/" + percent_encoded(all) + "/" + percent_encoded("a/b"));
  CHECK(back.path == std::vector<std::string>{all, "a/b"});
}

TEST_CASE("a problem is a document for programs and for people") {
  const auto problem = http_problem(404, "unknown_run", "there is no run \"7\"");
  CHECK(problem.status == 404);
  CHECK(problem.content_type == "application/problem+json");
  CHECK(
      problem.body.find(R"("title":"Not Found","status":404,"detail":"there is no run \"7\"","code":"unknown_run")") !=
      std::string::npos);
}
