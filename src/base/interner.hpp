// Strings as dense numbers, each string once. Knows nothing of what they mean.
#pragma once

#include "base/arena.hpp"
#include "base/digest.hpp"
#include "base/large_pages.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// Open-addressing table from string to 0, 1, 2 … in order of first appearance; about 30 bytes a string beyond its
/// text. One thread at a time while it grows; any number of readers afterwards.
class interner {
public:
  /// The number of the text, which is copied if it is new.
  std::uint32_t intern(std::string_view text);
  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view text) const;
  [[nodiscard]] std::string_view text(std::uint32_t number) const { return texts_[number]; }
  /// The texts from that number on. The list is good until the next is interned, its texts as long as this lives.
  [[nodiscard]] std::span<const std::string_view> texts(std::uint32_t from) const {
    return std::span(texts_).subspan(from);
  }
  [[nodiscard]] std::size_t size() const { return texts_.size(); }
  void reserve(std::size_t count);

private:
  static constexpr std::uint32_t none = 0xFFFFFFFFU;
  /// Hash and number side by side: a look-up waits for memory once, and for the text that it finds.
  struct slot {
    std::uint32_t hash = 0;
    std::uint32_t number = none;
  };

  [[nodiscard]] std::size_t slot_of(std::string_view text, std::uint32_t hash) const;
  void rehash(std::size_t slots);

  arena arena_;
  large_vector<std::string_view> texts_;
  large_vector<slot> slots_; // their number is a power of two
};

} // namespace troupe_internal
