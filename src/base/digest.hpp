// 128-bit digests as values, and the two functions that make them. Knows nothing of files.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace troupe_internal {

/// 128 bits that stand for content. All zero is a value like any other.
struct digest {
  std::array<std::uint8_t, 16> bytes{};
  friend constexpr auto operator<=>(const digest&, const digest&) = default;
};

/// 32 lower-case hexadecimal digits.
[[nodiscard]] std::string to_hex(const digest& d);
/// The inverse; nullopt unless exactly 32 hexadecimal digits.
[[nodiscard]] std::optional<digest> digest_from_hex(std::string_view text);

/// XXH3-128 of the bytes: fast, for definitions and look-ups, where nobody gains by forging one. Any thread.
[[nodiscard]] digest quick_digest(std::string_view bytes);

/// SHA-256 truncated to 128 bits, fed in pieces: the identity of content. One thread at a time.
class content_hasher {
public:
  content_hasher();
  ~content_hasher();
  content_hasher(content_hasher&&) noexcept;
  content_hasher& operator=(content_hasher&&) noexcept;
  content_hasher(const content_hasher&) = delete;
  content_hasher& operator=(const content_hasher&) = delete;

  void update(std::string_view bytes);
  /// One that was fed the same.
  [[nodiscard]] content_hasher copy() const;
  /// The digest of all fed since construction or the last finish(); starts anew.
  [[nodiscard]] digest finish();

private:
  struct context;
  std::unique_ptr<context> context_;
};

/// content_hasher in one call.
[[nodiscard]] digest content_digest(std::string_view bytes);

} // namespace troupe_internal

template <>
struct std::hash<troupe_internal::digest> {
  std::size_t operator()(const troupe_internal::digest& d) const noexcept {
    std::size_t h = 0;
    for (unsigned i = 0; i < sizeof h; ++i)
      h = h << 8U | d.bytes[i];
    return h;
  }
};
