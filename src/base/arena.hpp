// Memory for the many small strings and lists of one pipeline: allocated together, freed together.
#pragma once

#include "base/large_pages.hpp"

#include <cstring>
#include <memory_resource>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace troupe_internal {

/// Keeps copies of strings and lists of trivial types at stable addresses for its own lifetime. One thread at a time.
class arena {
public:
  [[nodiscard]] std::string_view keep(std::string_view text) {
    if (text.empty())
      return {};
    auto* place = static_cast<char*>(pool_.allocate(text.size(), 1));
    std::memcpy(place, text.data(), text.size());
    return {place, text.size()};
  }

  template <class T>
  [[nodiscard]] std::span<const T> keep(const std::vector<T>& items) {
    static_assert(std::is_trivially_destructible_v<T> && std::is_trivially_copyable_v<T>);
    if (items.empty())
      return {};
    auto* place = static_cast<T*>(pool_.allocate(items.size() * sizeof(T), alignof(T)));
    std::memcpy(static_cast<void*>(place), items.data(), items.size() * sizeof(T));
    return {place, items.size()};
  }

private:
  std::pmr::monotonic_buffer_resource pool_{64 * 1024, large_page_resource()};
};

} // namespace troupe_internal
