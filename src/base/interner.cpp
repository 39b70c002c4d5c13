// Linear probing over XXH3, at most 2/3 full.
#include "base/interner.hpp"

#include <utility>

#include <xxhash.h>

namespace troupe_internal {

namespace {

std::uint32_t hash_of(std::string_view text) {
  return static_cast<std::uint32_t>(XXH3_64bits(text.data(), text.size()));
}

} // namespace

std::size_t interner::slot_of(std::string_view text, std::uint32_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].number != 0 && (slots_[at].hash != hash || texts_[slots_[at].number - 1] != text))
    at = (at + 1) & mask;
  return at;
}

void interner::rehash(std::size_t slots) {
  const std::vector<slot> old = std::exchange(slots_, std::vector<slot>(slots));
  for (const slot& s : old) {
    if (s.number == 0)
      continue;
    std::size_t at = s.hash & (slots - 1);
    while (slots_[at].number != 0)
      at = (at + 1) & (slots - 1);
    slots_[at] = s;
  }
}

void interner::reserve(std::size_t count) {
  std::size_t slots = 16;
  while (slots * 2 < count * 3)
    slots *= 2;
  texts_.reserve(count);
  if (slots > slots_.size())
    rehash(slots);
}

std::uint32_t interner::intern(std::string_view text) {
  if ((texts_.size() + 1) * 3 > slots_.size() * 2)
    rehash(slots_.empty() ? 16 : slots_.size() * 2);
  const std::uint32_t hash = hash_of(text);
  slot& place = slots_[slot_of(text, hash)];
  if (place.number == 0) {
    texts_.push_back(arena_.keep(text));
    place = {static_cast<std::uint32_t>(texts_.size()), hash};
  }
  return place.number - 1;
}

std::optional<std::uint32_t> interner::find(std::string_view text) const {
  if (slots_.empty())
    return std::nullopt;
  const slot& place = slots_[slot_of(text, hash_of(text))];
  if (place.number == 0)
    return std::nullopt;
  return place.number - 1;
}

} // namespace troupe_internal
