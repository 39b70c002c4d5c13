// HMAC-SHA256 by OpenSSL. GitHub: docs.github.com, "Validating webhook deliveries". Standard Webhooks:
// github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md. GitLab: a secret token in a header.
#include "serve/hook_signature.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>

namespace troupe_internal::serve {

namespace {

constexpr std::string_view standard_prefix = "whsec_";

using mac = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

mac hmac_of(std::string_view key, std::initializer_list<std::string_view> parts) {
  std::string text;
  std::string_view all = *parts.begin();
  if (parts.size() > 1) {
    for (const auto part : parts)
      text += part;
    all = text;
  }
  mac out{};
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(all.data()),
       all.size(), out.data(), &length);
  return out;
}

std::string hex_of(const mac& of) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const auto byte : of) {
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

std::string base64_of(const mac& of) {
  std::string out(4 * ((of.size() + 2) / 3), '\0');
  std::string with_end(out.size() + 1, '\0'); // it writes a NUL byte, too
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(with_end.data()), of.data(), static_cast<int>(of.size()));
  out.assign(with_end, 0, out.size());
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > 1024)
    return std::nullopt;
  const auto padding = text.ends_with("==") ? 2U : text.ends_with('=') ? 1U : 0U;
  const auto digits = text.substr(0, text.size() - padding);
  if (digits.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") !=
      std::string_view::npos)
    return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size())) < 0)
    return std::nullopt;
  out.resize(out.size() - padding);
  return out;
}

bool same_text(std::string_view one, std::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

/// The same however long they are.
bool same_secret(std::string_view one, std::string_view other) {
  const auto a = hmac_of("compare", {one});
  const auto b = hmac_of("compare", {other});
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string lower_hex(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

std::string missing(std::string_view header) {
  return "the header " + std::string(header) + " is not there, or more than once";
}

/// Seconds since 1970; what is wrong with it, or nothing.
std::string timestamp_problem(std::string_view text, duration tolerance, timestamp now) {
  std::int64_t seconds = 0;
  constexpr std::int64_t last = 9'000'000'000; // in the year 2255; nanoseconds end in 2262
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || bad != std::errc() || end != text.data() + text.size() || seconds < 0 || seconds > last)
    return "its timestamp is no number of seconds, or too far ahead";
  const auto sent = std::chrono::seconds(seconds);
  const auto here = std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch());
  const auto apart = here > sent ? here - sent : sent - here;
  return apart <= tolerance ? std::string() : "its timestamp is too old, or too far ahead";
}

/// Whether any of the keys makes this signature; all are tried.
template <class Make>
bool any_key(const std::vector<std::string>& keys, std::string_view signature, Make make) {
  bool found = false;
  for (const auto& key : keys)
    found |= same_text(make(key), signature);
  return found;
}

constexpr const char* wrong = "its signature is wrong";

std::string github_problem(const std::vector<std::string>& keys, const http_fields& headers, std::string_view body) {
  constexpr std::string_view prefix = "sha256=";
  const auto* const sent = only_field(headers, "x-hub-signature-256");
  if (sent == nullptr)
    return missing("X-Hub-Signature-256");
  if (!sent->starts_with(prefix))
    return wrong;
  const auto signature = lower_hex(std::string_view(*sent).substr(prefix.size()));
  return any_key(keys, signature, [&](const auto& key) { return hex_of(hmac_of(key, {body})); }) ? "" : wrong;
}

std::string standard_problem(const std::vector<std::string>& keys, duration tolerance, const http_fields& headers,
                             std::string_view body, timestamp now) {
  const auto* const id = only_field(headers, "webhook-id");
  const auto* const at = only_field(headers, "webhook-timestamp");
  const auto* const sent = only_field(headers, "webhook-signature");
  if (id == nullptr || id->empty() || at == nullptr || sent == nullptr)
    return "the headers webhook-id, webhook-timestamp and webhook-signature are not each there once";
  if (id->find('.') != std::string::npos) // it separates what is signed
    return "its webhook-id has a dot in it";
  if (auto problem = timestamp_problem(*at, tolerance, now); !problem.empty())
    return problem;
  bool found = false;
  std::string_view left = *sent;
  while (!left.empty()) {
    const auto one = left.substr(0, left.find(' '));
    left.remove_prefix(std::min(left.size(), one.size() + 1));
    if (one.starts_with("v1,"))
      found |= any_key(keys, one.substr(3), [&](const auto& key) {
        return base64_of(hmac_of(key, {*id, ".", *at, ".", body}));
      });
  }
  return found ? "" : wrong;
}

std::string gitlab_problem(const std::vector<std::string>& keys, const http_fields& headers) {
  const auto* const token = only_field(headers, "x-gitlab-token");
  if (token == nullptr)
    return missing("X-Gitlab-Token");
  bool found = false;
  for (const auto& key : keys)
    found |= same_secret(key, *token);
  return found ? "" : wrong;
}

std::string generic_problem(const signature_form& form, const std::vector<std::string>& keys,
                            const http_fields& headers, std::string_view body, timestamp now) {
  const auto lower = [](std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
  };
  const auto* const sent = only_field(headers, lower(form.header));
  if (sent == nullptr)
    return missing(form.header);
  if (!sent->starts_with(form.prefix))
    return wrong;
  std::string at;
  if (form.with_timestamp) {
    const auto* const header = only_field(headers, lower(form.timestamp_header));
    if (header == nullptr)
      return missing(form.timestamp_header);
    if (auto problem = timestamp_problem(*header, form.tolerance, now); !problem.empty())
      return problem;
    at = *header + ".";
  }
  const auto text = std::string_view(*sent).substr(form.prefix.size());
  const auto signature = form.base64 ? std::string(text) : lower_hex(text);
  const auto make = [&](const auto& key) {
    const auto made = hmac_of(key, {at, body});
    return form.base64 ? base64_of(made) : hex_of(made);
  };
  return any_key(keys, signature, make) ? "" : wrong;
}

} // namespace

std::string standard_signature(std::string_view key, std::string_view id, std::string_view timestamp,
                               std::string_view body) {
  return "v1," + base64_of(hmac_of(key, {id, ".", timestamp, ".", body}));
}

const std::string* only_field(const http_fields& fields, std::string_view name) {
  const std::string* found = nullptr;
  for (const auto& [field, value] : fields)
    if (field == name) {
      if (found != nullptr)
        return nullptr;
      found = &value;
    }
  return found;
}

result<std::string> signing_key(webhook_scheme scheme, std::string_view secret) {
  if (secret.empty())
    return fail(error_code::invalid_input, "the secret is empty");
  if (scheme != webhook_scheme::standard)
    return std::string(secret);
  constexpr std::size_t shortest = 24;
  constexpr std::size_t longest = 64;
  auto key = secret.starts_with(standard_prefix) ? from_base64(secret.substr(standard_prefix.size())) : std::nullopt;
  if (!key || key->size() < shortest || key->size() > longest)
    return fail(error_code::invalid_input,
                "the secret is none of Standard Webhooks: whsec_ and then 24 to 64 bytes in base64");
  return std::move(*key);
}

std::string signature_problem(const webhook_source& of, const std::vector<std::string>& keys,
                              const http_fields& headers, std::string_view body, timestamp now) {
  switch (of.scheme) {
  case webhook_scheme::github:
    return github_problem(keys, headers, body);
  case webhook_scheme::standard:
    return standard_problem(keys, of.signature.tolerance, headers, body, now);
  case webhook_scheme::gitlab:
    return gitlab_problem(keys, headers);
  case webhook_scheme::generic:
    return generic_problem(of.signature, keys, headers, body, now);
  case webhook_scheme::unsigned_:
    break;
  }
  return {};
}

} // namespace troupe_internal::serve
