// The test vectors of the schemes' own documents, and each way in which a request may be wrong.
#include "serve/hook_signature.hpp"

#include "serve/hook_desk.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace troupe_internal;
using namespace troupe_internal::serve;

namespace {

timestamp at_second(std::int64_t seconds) {
  return timestamp(std::chrono::duration_cast<duration>(std::chrono::seconds(seconds)));
}

webhook_source of(webhook_scheme scheme) {
  webhook_source hook;
  hook.scheme = scheme;
  return hook;
}

} // namespace

TEST_CASE("GitHub's documented example is accepted, and no other body, key or algorithm") {
  const std::vector<std::string> keys = {"an older secret", "It's a Secret to Everybody"};
  const http_fields headers = {
      {"x-hub-signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}};
  const auto hook = of(webhook_scheme::github);
  CHECK(signature_problem(hook, keys, headers, "Hello, World!", {}) == "");
  CHECK(signature_problem(hook, keys, headers, "Hello, World", {}) != "");
  CHECK(signature_problem(hook, {keys[0]}, headers, "Hello, World!", {}) != "");
  CHECK(signature_problem(hook, {}, headers, "Hello, World!", {}) != "");
  CHECK(signature_problem(hook, keys, {}, "Hello, World!", {}) != "");
  auto changed = headers;
  changed.push_back(headers.front());
  CHECK(signature_problem(hook, keys, changed, "Hello, World!", {}) != ""); // which of them counts?
  changed = {{"x-hub-signature-256", headers.front().second.substr(7)}};
  CHECK(signature_problem(hook, keys, changed, "Hello, World!", {}) != "");
  changed = {{"x-hub-signature", headers.front().second}};
  CHECK(signature_problem(hook, keys, changed, "Hello, World!", {}) != "");
}

TEST_CASE("Standard Webhooks' documented example is accepted within the tolerance") {
  const auto key = signing_key(webhook_scheme::standard, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  REQUIRE(key.has_value());
  const std::string body = R"({"test": 2432232314})";
  http_fields headers = {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
                         {"webhook-timestamp", "1614265330"},
                         {"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}};
  const auto hook = of(webhook_scheme::standard);
  const auto says = [&](std::int64_t second) {
    return signature_problem(hook, {*key}, headers, body, at_second(second));
  };
  CHECK(says(1614265330) == "");
  CHECK(says(1614265330 + 300) == "");
  CHECK(says(1614265330 - 300) == "");
  CHECK(says(1614265330 + 301) != "");
  CHECK(says(1614265330 - 301) != "");
  headers[2].second = "v1a,zzz  v2,g0hM v1,AAAA " + headers[2].second + " v1";
  CHECK(says(1614265330) == "");
  headers[2].second = "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
  CHECK(says(1614265330) != "");
  headers[2].second = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
  for (const auto* wrong :
       {"", "x", "16142653300000000", "161426533000", "9000000000", "-1614265330", "1614265330 ", "+1614265330"}) {
    headers[1].second = wrong;
    CHECK(says(1614265330) != "");
  }
  headers[1].second = "1614265330";
  headers[0].second = "msg.1";
  CHECK(says(1614265330) == "its webhook-id has a dot in it");
}

TEST_CASE("a secret of Standard Webhooks is base64 of 24 to 64 bytes behind its prefix") {
  const auto good = [](std::string_view text) { return signing_key(webhook_scheme::standard, text).has_value(); };
  CHECK(good("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
  CHECK_FALSE(good("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
  CHECK_FALSE(good("whsec_AAAA"));
  CHECK_FALSE(good("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA!"));
  CHECK_FALSE(good("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
  CHECK_FALSE(good("whsec_" + std::string(88, 'A')));
  CHECK(good("whsec_" + std::string(84, 'A') + "AA==")); // 64 bytes
  CHECK_FALSE(good("whsec_"));
  const auto wrong = signing_key(webhook_scheme::standard, "whsec_hunter2");
  REQUIRE(wrong.has_error());
  CHECK(wrong.error().message.find("hunter2") == std::string::npos);
  CHECK(signing_key(webhook_scheme::github, "").has_error());
  CHECK(*signing_key(webhook_scheme::gitlab, "whsec_AAAA") == "whsec_AAAA");
}

TEST_CASE("GitLab's token is compared whole") {
  const auto hook = of(webhook_scheme::gitlab);
  const auto says = [&](const std::string& token) {
    return signature_problem(hook, {"old", "token"}, {{"x-gitlab-token", token}}, "{}", {});
  };
  CHECK(says("token") == "");
  CHECK(says("old") == "");
  for (const auto* wrong : {"", "toke", "tokens", "Token", "token\n"})
    CHECK(says(wrong) != "");
}

TEST_CASE("a generic signature has its header, prefix, encoding and timestamp") {
  auto hook = of(webhook_scheme::generic);
  hook.signature.header = "X-Sig";
  // printf '{}' | openssl dgst -sha256 -hmac key; printf '5.{}' | openssl dgst -sha256 -hmac key -binary | base64
  const std::string hex = "a777724d943eb48dc69bca8a4a6d57a04db3f9ec7e1de4e581e860265bdf3032";
  const std::string base64 = "m+YVrsZPDQRLWtaFSrHYk+yIYX+3KNIUnc06NCjoxF0=";
  const auto says = [&](const std::string& value, const std::string& time = "5", std::int64_t now = 5) {
    return signature_problem(hook, {"other", "key"}, {{"x-sig", value}, {"x-time", time}}, "{}", at_second(now));
  };
  CHECK(says(hex) == "");
  std::string upper = hex;
  for (auto& c : upper)
    c = c >= 'a' ? static_cast<char>(c - 32) : c;
  CHECK(says(upper) == "");
  CHECK(says(hex.substr(1)) != "");
  CHECK(says("sha256=" + hex) != "");
  hook.signature.prefix = "sha256=";
  CHECK(says("sha256=" + hex) == "");
  CHECK(says(hex) != "");
  hook.signature.with_timestamp = true;
  hook.signature.timestamp_header = "X-Time";
  hook.signature.base64 = true;
  CHECK(says("sha256=" + base64) == "");
  CHECK(says("sha256=" + base64, "6") != "");
  CHECK(says("sha256=" + base64, "5", 306) != "");
  CHECK(signature_problem(hook, {"key"}, {{"x-sig", "sha256=" + base64}}, "{}", {}).find("X-Time") !=
        std::string::npos);
  hook.signature.with_timestamp = false;
  CHECK(says("sha256=" + base64) != "");
}

TEST_CASE("a form has its payload once, decoded") {
  CHECK(payload_of_form("payload=%7B%22a%22%3A+1%7D") == R"({"a": 1})");
  CHECK(payload_of_form("x=1&payload=%7b%7d&y") == "{}");
  CHECK(payload_of_form("payload=") == "");
  for (const auto* wrong :
       {"", "payload", "x=1", "payload=1&payload=2", "payload=%", "payload=%2", "payload=%zz", "%=1&payload=1"})
    CHECK(payload_of_form(wrong) == std::nullopt);
}
