// Decoding UTF-8 by the table of well-formed byte sequences.
#include "base/utf8.hpp"

#include "base/check.hpp"

namespace troupe_internal {

decoded decode_utf8(std::string_view text) noexcept {
  TROUPE_CHECK(!text.empty(), "there must be a byte to decode");
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80)
    return {lead, 1, true};
  std::size_t length = 0;
  unsigned char low = 0x80, high = 0xBF; // bounds of the second byte
  char32_t point = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
    point = lead & 0x1FU;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    point = lead & 0x0FU;
    if (lead == 0xE0)
      low = 0xA0;
    if (lead == 0xED)
      high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    point = lead & 0x07U;
    if (lead == 0xF0)
      low = 0x90;
    if (lead == 0xF4)
      high = 0x8F;
  } else {
    return {replacement_character, 1, false};
  }
  for (std::size_t i = 1; i < length; ++i) {
    if (i >= text.size() || byte(i) < low || byte(i) > high)
      return {replacement_character, i, false};
    point = point << 6U | (byte(i) & 0x3FU);
    low = 0x80;
    high = 0xBF;
  }
  return {point, length, true};
}

bool is_cut_short(std::string_view text) noexcept {
  const auto first = decode_utf8(text);
  const auto lead = static_cast<unsigned char>(text.front());
  return !first.valid && first.bytes == text.size() && lead >= 0xC2 && lead <= 0xF4;
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const auto next = decode_utf8(text);
    if (!next.valid)
      return false;
    text.remove_prefix(next.bytes);
  }
  return true;
}

} // namespace troupe_internal
