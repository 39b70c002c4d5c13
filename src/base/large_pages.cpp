// madvise: a wish, which systems without large pages leave unheard.
#include "base/large_pages.hpp"

#include <sys/mman.h>

#include <new>

namespace troupe_internal {
namespace {

/// The size of a large page on x86-64 and, with pages of 4 KiB, on 64-bit ARM. Where it is another the wish is in vain.
constexpr std::size_t large_page = std::size_t{2} << 20U;

class large_resource final : public std::pmr::memory_resource {
  void* do_allocate(std::size_t bytes, std::size_t alignment) override { return allocate_large(bytes, alignment); }
  void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
    deallocate_large(memory, bytes, alignment);
  }
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

} // namespace

void* allocate_large(std::size_t bytes, std::size_t alignment) {
  if (bytes < large_page)
    return ::operator new(bytes, std::align_val_t(alignment));
  void* memory = ::operator new(bytes, std::align_val_t(large_page));
#ifdef MADV_HUGEPAGE
  static_cast<void>(::madvise(memory, bytes, MADV_HUGEPAGE));
#endif
  return memory;
}

void deallocate_large(void* memory, std::size_t bytes, std::size_t alignment) noexcept {
  ::operator delete(memory, std::align_val_t(bytes < large_page ? alignment : large_page));
}

std::pmr::memory_resource* large_page_resource() {
  // Never destroyed: a program may have a list in a static variable, which outlives what was made after it.
  static auto* const resource = new large_resource;
  return resource;
}

} // namespace troupe_internal
