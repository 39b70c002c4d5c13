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
  const std::size_t mask = marks_.size() - 1;
  const auto mark = mark_of(hash);
  std::size_t at = hash & mask;
  while (marks_[at] != empty && (marks_[at] != mark || hashes_[numbers_[at]] != hash || texts_[numbers_[at]] != text))
    at = (at + 1) & mask;
  return at;
}

void interner::rehash(std::size_t slots) {
  marks_.assign(slots, empty);
  numbers_.resize(slots);
  for (std::uint32_t number = 0; number < hashes_.size(); ++number) {
    std::size_t at = hashes_[number] & (slots - 1);
    while (marks_[at] != empty)
      at = (at + 1) & (slots - 1);
    marks_[at] = mark_of(hashes_[number]);
    numbers_[at] = number;
  }
}

void interner::reserve(std::size_t count) {
  std::size_t slots = 16;
  while (slots * 2 < count * 3)
    slots *= 2;
  texts_.reserve(count);
  hashes_.reserve(count);
  if (slots > marks_.size())
    rehash(slots);
}

std::uint32_t interner::intern(std::string_view text) {
  if ((texts_.size() + 1) * 3 > marks_.size() * 2)
    rehash(marks_.empty() ? 16 : marks_.size() * 2);
  const std::uint32_t hash = hash_of(text);
  const auto at = slot_of(text, hash);
  if (marks_[at] == empty) {
    texts_.push_back(arena_.keep(text));
    hashes_.push_back(hash);
    numbers_[at] = static_cast<std::uint32_t>(texts_.size() - 1);
    marks_[at] = mark_of(hash);
  }
  return numbers_[at];
}

std::optional<std::uint32_t> interner::find(std::string_view text) const {
  if (marks_.empty())
    return std::nullopt;
  const auto at = slot_of(text, hash_of(text));
  return marks_[at] == empty ? std::nullopt : std::optional(numbers_[at]);
}

} // namespace troupe_internal
