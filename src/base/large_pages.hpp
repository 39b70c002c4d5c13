// Memory for lists and tables of many megabytes, which are filled from one end to the other or looked up all over: in
// large pages where the system hands them out, so that it is asked some hundred times less often for the next one, and
// a look-up finds its page at once. Knows nothing of what is kept there.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <vector>

namespace troupe_internal {

/// As operator new and delete; less than one large page is ordinary memory.
[[nodiscard]] void* allocate_large(std::size_t bytes, std::size_t alignment);
void deallocate_large(void* memory, std::size_t bytes, std::size_t alignment) noexcept;

/// For containers.
template <class T>
class large_pages {
public:
  using value_type = T;
  large_pages() = default;
  template <class U>
  // NOLINTNEXTLINE(google-explicit-constructor): containers convert their allocators by themselves
  explicit(false) large_pages(const large_pages<U>&) noexcept {}
  [[nodiscard]] T* allocate(std::size_t count) {
    return static_cast<T*>(allocate_large(count * sizeof(T), alignof(T)));
  }
  void deallocate(T* memory, std::size_t count) noexcept { deallocate_large(memory, count * sizeof(T), alignof(T)); }
  friend bool operator==(large_pages, large_pages) { return true; }
};

template <class T>
using large_vector = std::vector<T, large_pages<T>>;

/// The same, for those who take it at run time. Any thread.
[[nodiscard]] std::pmr::memory_resource* large_page_resource();

} // namespace troupe_internal
