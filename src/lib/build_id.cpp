// By the note that the linker leaves in a loaded segment.
#include "lib/build_id.hpp"

#include <elf.h>
#include <link.h>

#include <cstdint>
#include <cstring>
#include <string_view>

namespace troupe_internal::lib {

namespace {

struct search {
  std::uintptr_t address;
  std::string found;
};

std::string id_in(const char* at, std::size_t size) {
  constexpr std::string_view digits = "0123456789abcdef";
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, at, sizeof note);
    const auto padded = [](std::size_t n) { return (n + 3) / 4 * 4; };
    const auto whole = sizeof note + padded(note.n_namesz) + padded(note.n_descsz);
    if (whole > size)
      return {};
    const char* const name = at + sizeof note;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0) {
      std::string id;
      for (std::size_t i = 0; i < note.n_descsz; ++i) {
        const auto byte = static_cast<unsigned char>(name[padded(note.n_namesz) + i]);
        id += digits[byte >> 4U];
        id += digits[byte & 15U];
      }
      return id;
    }
    at += whole;
    size -= whole;
  }
  return {};
}

int look(dl_phdr_info* info, std::size_t, void* state) {
  auto& wanted = *static_cast<search*>(state);
  bool holds = false;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    const auto begin = info->dlpi_addr + header.p_vaddr;
    holds = holds || (header.p_type == PT_LOAD && wanted.address >= begin && wanted.address < begin + header.p_memsz);
  }
  if (!holds)
    return 0;
  for (int i = 0; i < info->dlpi_phnum && wanted.found.empty(); ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type == PT_NOTE)
      wanted.found = id_in(reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr), header.p_memsz);
  }
  return 1;
}

} // namespace

std::string build_id_of(const void* address) {
  search wanted{reinterpret_cast<std::uintptr_t>(address), {}};
  dl_iterate_phdr(look, &wanted);
  return wanted.found;
}

} // namespace troupe_internal::lib
