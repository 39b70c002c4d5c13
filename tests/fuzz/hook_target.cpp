// Requests to webhooks: forms, secrets, signature headers and bodies. Whoever has no key signs nothing.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "serve/event_body.hpp"
#include "serve/hook_desk.hpp"
#include "serve/hook_signature.hpp"

#include <array>
#include <string>

namespace troupe_internal::fuzz {
namespace {

/// As a browser sends it: all but letters and digits by their codes.
std::string as_form(std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == ' ') {
      out += '+';
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4U];
      out += digits[byte & 15U];
    }
  }
  return out;
}

/// Whether what is said of bad secrets holds the text, whatever the secret is.
bool is_said_anyway(std::string_view text) {
  for (const auto* secret : {"", "x", "whsec_", "whsec_AAAA", "whsec_!"})
    if (const auto key = serve::signing_key(webhook_scheme::standard, secret);
        !key && key.error().message.find(text) != std::string::npos)
      return true;
  return false;
}

void check_signatures(std::string_view bytes) {
  input from(bytes);
  webhook_source hook;
  hook.scheme = static_cast<webhook_scheme>(from.byte() % 4); // not unsigned
  hook.signature.header = "X-Signature";
  hook.signature.base64 = from.byte() % 2 == 1;
  hook.signature.with_timestamp = from.byte() % 2 == 1;
  hook.signature.timestamp_header = "X-Time";
  hook.signature.prefix = from.text();
  static constexpr std::array<std::string_view, 7> names = {
      "x-hub-signature-256", "webhook-id", "webhook-timestamp", "webhook-signature", "x-gitlab-token",
      "x-signature",         "x-time"};
  http_fields headers;
  for (const auto name : names)
    headers.emplace_back(name, std::string(from.text('\n')));
  const std::string key = "a key that no input has: 1c2a9e7f5b";
  const auto now = from_unix_ns(std::int64_t{from.number()} * 1'000'000'000);
  const auto body = from.rest();
  const auto problem = serve::signature_problem(hook, {key, key + "2"}, headers, body, now);
  FUZZ_CHECK(!problem.empty(), problem);
  FUZZ_CHECK(problem.find(key) == std::string::npos, "the key is told");
  if (hook.scheme == webhook_scheme::gitlab) { // who has it is let in
    headers.emplace_back("x-gitlab-token", key);
    headers.erase(headers.begin() + 4);
    FUZZ_CHECK(serve::signature_problem(hook, {"other", key}, headers, body, now).empty(), "the right token");
  }
  FUZZ_CHECK(!serve::signature_problem(hook, {}, headers, body, now).empty(), "without keys nothing is signed");
}

} // namespace

void fuzz_hook(std::string_view bytes) {
  const auto payload = serve::payload_of_form("x=1&payload=" + as_form(bytes) + "&y");
  FUZZ_CHECK(payload && *payload == bytes, "a form says what was put into it");
  static_cast<void>(serve::payload_of_form(bytes));
  const auto key = serve::signing_key(webhook_scheme::standard, bytes);
  if (key)
    FUZZ_CHECK(key->size() >= 24 && key->size() <= 64 && bytes.starts_with("whsec_"), bytes);
  else
    FUZZ_CHECK(bytes.size() < 8 || key.error().message.find(bytes) == std::string::npos || is_said_anyway(bytes),
               "the secret is told");
  check_signatures(bytes);
  const auto body = serve::event_body::parse(bytes);
  if (body)
    static_cast<void>(body->at({"a", "0", "b"}));
  else
    FUZZ_CHECK(body.error().code == error_code::invalid_input && !body.error().message.empty(), bytes);
}

} // namespace troupe_internal::fuzz
