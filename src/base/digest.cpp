// Digests by OpenSSL (SHA-256) and xxHash (XXH3).
#include "base/digest.hpp"

#include "base/check.hpp"

// The function itself, not OpenSSL's EVP interface around it: that one has the whole library linked or loaded, and set
// up at its first use, which takes longer than all else that a start of this program does. OpenSSL 3 calls the function
// deprecated; it is as fast.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <xxhash.h>

#include <cstring>

namespace troupe_internal {

namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

} // namespace

std::string to_hex(const digest& d) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(32);
  for (const auto byte : d.bytes) {
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

std::optional<digest> digest_from_hex(std::string_view text) {
  if (text.size() != 32)
    return std::nullopt;
  digest d;
  for (std::size_t i = 0; i < 16; ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0)
      return std::nullopt;
    d.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return d;
}

digest quick_digest(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  digest d;
  static_assert(sizeof canonical.digest == sizeof d.bytes);
  std::memcpy(d.bytes.data(), canonical.digest, sizeof canonical.digest);
  return d;
}

struct content_hasher::context {
  SHA256_CTX sha{};
};

content_hasher::content_hasher() : context_(std::make_unique<context>()) {
  TROUPE_CHECK(SHA256_Init(&context_->sha) == 1, "SHA-256 is not available");
}

content_hasher::~content_hasher() = default;
content_hasher::content_hasher(content_hasher&&) noexcept = default;
content_hasher& content_hasher::operator=(content_hasher&&) noexcept = default;

void content_hasher::update(std::string_view bytes) {
  TROUPE_CHECK(SHA256_Update(&context_->sha, bytes.data(), bytes.size()) == 1, "SHA-256 failed");
}

content_hasher content_hasher::copy() const {
  content_hasher other;
  *other.context_ = *context_;
  return other;
}

digest content_hasher::finish() {
  unsigned char full[SHA256_DIGEST_LENGTH];
  TROUPE_CHECK(SHA256_Final(full, &context_->sha) == 1 && SHA256_Init(&context_->sha) == 1, "SHA-256 failed");
  digest d;
  std::memcpy(d.bytes.data(), full, d.bytes.size());
  return d;
}

digest content_digest(std::string_view bytes) {
  content_hasher hasher;
  hasher.update(bytes);
  return hasher.finish();
}

} // namespace troupe_internal
