// Records one behind the other in an anonymous shared mapping.
#include "disk_log.hpp"

#include "base/check.hpp"

#include <sys/mman.h>

#include <cstring>

namespace troupe_internal::test {
namespace {

constexpr std::size_t capacity_bytes = std::size_t{256} << 20U; // address space; memory only as far as it is used

struct fixed_part {
  std::uint64_t file, number;
  std::uint32_t path, to, bytes;
  disk_op::kind what;
  bool through;
};

} // namespace

struct disk_log::header {
  std::size_t ops;
  std::size_t bytes;
};

disk_log::disk_log() {
  void* got =
      ::mmap(nullptr, capacity_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  TROUPE_CHECK(got != MAP_FAILED, "no address space for the log");
  memory_ = static_cast<char*>(got);
}

disk_log::~disk_log() {
  ::munmap(memory_, capacity_bytes);
}

disk_log::header& disk_log::head() const {
  return *reinterpret_cast<header*>(memory_);
}

void disk_log::add(const disk_op& op) {
  auto& h = head();
  fixed_part part{op.file,
                  op.number,
                  static_cast<std::uint32_t>(op.path.size()),
                  static_cast<std::uint32_t>(op.to.size()),
                  static_cast<std::uint32_t>(op.bytes.size()),
                  op.what,
                  op.through};
  const auto all = sizeof part + op.path.size() + op.to.size() + op.bytes.size();
  TROUPE_CHECK(sizeof(header) + h.bytes + all <= capacity_bytes, "the log is full");
  char* at = memory_ + sizeof(header) + h.bytes;
  const auto put = [&](const void* from, std::size_t bytes) {
    std::memcpy(at, from, bytes);
    at += bytes;
  };
  put(&part, sizeof part);
  put(op.path.data(), op.path.size());
  put(op.to.data(), op.to.size());
  put(op.bytes.data(), op.bytes.size());
  h.bytes += all;
  ++h.ops;
}

void disk_log::note(std::uint64_t which, std::uint64_t number) {
  disk_op op;
  op.file = which;
  op.number = number;
  add(op);
}

std::size_t disk_log::size() const {
  return head().ops;
}

std::vector<disk_op> disk_log::read() const {
  std::vector<disk_op> ops(head().ops);
  const char* at = memory_ + sizeof(header);
  for (auto& op : ops) {
    fixed_part part;
    std::memcpy(&part, at, sizeof part);
    at += sizeof part;
    op.what = part.what;
    op.through = part.through;
    op.file = part.file;
    op.number = part.number;
    op.path.assign(at, part.path);
    op.to.assign(at + part.path, part.to);
    op.bytes.assign(at + part.path + part.to, part.bytes);
    at += part.path + part.to + part.bytes;
  }
  return ops;
}

} // namespace troupe_internal::test
