// Linear probing over XXH3, at most 2/3 full.
#include "base/interner.hpp"

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
  while (slots_[at].number != none && (slots_[at].hash != hash || texts_[slots_[at].number] != text))
    at = (at + 1) & mask;
  return at;
}

void interner::rehash(std::size_t slots) {
  large_vector<slot> before(slots);
  before.swap(slots_);
  for (const auto& one : before) {
    if (one.number == none)
      continue;
    std::size_t at = one.hash & (slots - 1);
    while (slots_[at].number != none)
      at = (at + 1) & (slots - 1);
    slots_[at] = one;
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
  auto& found = slots_[slot_of(text, hash)];
  if (found.number == none) {
    texts_.push_back(arena_.keep(text));
    found = {hash, static_cast<std::uint32_t>(texts_.size() - 1)};
  }
  return found.number;
}

std::optional<std::uint32_t> interner::find(std::string_view text) const {
  if (slots_.empty())
    return std::nullopt;
  const auto number = slots_[slot_of(text, hash_of(text))].number;
  return number == none ? std::nullopt : std::optional(number);
}

} // namespace troupe_internal
