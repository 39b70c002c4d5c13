// Linear probing over XXH3, at most 2/3 full.
#include "base/interner.hpp"

#include <xxhash.h>

namespace troupe {

std::size_t interner::slot_of(std::string_view text) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = XXH3_64bits(text.data(), text.size()) & mask;
  while (slots_[slot] != 0 && texts_[slots_[slot] - 1] != text)
    slot = (slot + 1) & mask;
  return slot;
}

void interner::rehash(std::size_t slots) {
  slots_.assign(slots, 0);
  for (std::size_t i = 0; i < texts_.size(); ++i)
    slots_[slot_of(texts_[i])] = static_cast<std::uint32_t>(i + 1);
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
  const std::size_t slot = slot_of(text);
  if (slots_[slot] == 0) {
    texts_.push_back(arena_.keep(text));
    slots_[slot] = static_cast<std::uint32_t>(texts_.size());
  }
  return slots_[slot] - 1;
}

std::optional<std::uint32_t> interner::find(std::string_view text) const {
  if (slots_.empty())
    return std::nullopt;
  const std::size_t slot = slot_of(text);
  if (slots_[slot] == 0)
    return std::nullopt;
  return slots_[slot] - 1;
}

} // namespace troupe
