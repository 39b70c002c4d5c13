// The pages of an LMDB file, whatever its bytes: what is wrong is told, and nothing is read that is not there.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "adapters/lmdb_pages.hpp"
#include "base/utf8.hpp"

#include <cstring>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace troupe::fuzz {
namespace {

/// One file in memory, whose content is replaced.
class memory_file {
public:
  memory_file() : fd_(::memfd_create("pages", MFD_CLOEXEC)) { FUZZ_CHECK(fd_ >= 0, "there are files in memory"); }
  memory_file(const memory_file&) = delete;
  memory_file& operator=(const memory_file&) = delete;
  ~memory_file() { ::close(fd_); }

  void replace(std::string_view content) {
    FUZZ_CHECK(::ftruncate(fd_, 0) == 0, "a file in memory can be cut");
    FUZZ_CHECK(::pwrite(fd_, content.data(), content.size(), 0) == static_cast<ssize_t>(content.size()), "and written");
  }
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

private:
  int fd_;
};

} // namespace

void fuzz_pages(std::string_view bytes) {
  static memory_file file;
  file.replace(bytes);
  const auto good = check_lmdb_file("state", file.path());
  FUZZ_CHECK(good.has_value() || good.error().code == error_code::state_unusable, "damage has a code");

  // Of each transaction that a meta page tells of.
  for (const std::size_t page : {512U, 1024U, 4096U}) {
    std::uint64_t txn_id = 0;
    constexpr std::size_t place = 16 + 24 + 2 * 48 + 8;
    if (bytes.size() < page + place + sizeof txn_id)
      break;
    for (const std::size_t at : {std::size_t{0}, page}) {
      std::memcpy(&txn_id, bytes.data() + at + place, sizeof txn_id);
      const auto walked = check_lmdb_pages("state", file.path(), txn_id);
      if (!walked)
        continue;
      FUZZ_CHECK(walked->problems.size() < 100 && walked->pages_used * 512 <= bytes.size() + 4096,
                 "no page is used that is not there");
      for (const auto& problem : walked->problems)
        FUZZ_CHECK(problem.size() < 2000, problem);
      if (walked->problems.empty())
        FUZZ_CHECK(good.has_value() || walked->pages_used > 0, "what is whole has pages");
    }
  }
}

} // namespace troupe::fuzz
