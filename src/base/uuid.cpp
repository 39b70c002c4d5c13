// UUIDs to and from text, and version 7 (RFC 9562, section 5.7).
#include "base/uuid.hpp"

#include "base/digest.hpp"

namespace troupe_internal {

uuid make_uuid_v7(timestamp now, std::uint64_t random_high, std::uint64_t random_low) {
  uuid id;
  const auto ms = static_cast<std::uint64_t>(to_unix_ns(now) / 1'000'000);
  for (unsigned i = 0; i < 6; ++i)
    id.bytes[i] = static_cast<std::uint8_t>(ms >> (40U - 8U * i));
  id.bytes[6] = static_cast<std::uint8_t>(0x70U | (random_high >> 8U & 0x0FU));
  id.bytes[7] = static_cast<std::uint8_t>(random_high);
  for (unsigned i = 0; i < 8; ++i)
    id.bytes[8 + i] = static_cast<std::uint8_t>(random_low >> (8U * i));
  id.bytes[8] = static_cast<std::uint8_t>(0x80U | (id.bytes[8] & 0x3FU));
  return id;
}

std::string to_string(const uuid& id) {
  std::string text = to_hex(digest{id.bytes});
  for (const std::size_t at : {8, 13, 18, 23})
    text.insert(at, 1, '-');
  return text;
}

std::optional<uuid> uuid_from_string(std::string_view text) {
  if (text.size() != 36)
    return std::nullopt;
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (text[i] == '-'))
      return std::nullopt;
    if (!dash)
      digits += text[i];
  }
  const auto d = digest_from_hex(digits);
  if (!d)
    return std::nullopt;
  return uuid{d->bytes};
}

} // namespace troupe_internal
