// The pages of an LMDB file, whatever its bytes: what is wrong is told, and nothing is read that is not there.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "adapters/journal/lmdb_pages.hpp"
#include "base/utf8.hpp"

#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace troupe_internal::fuzz {
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
  [[nodiscard]] lmdb_file open() const { return lmdb_file(unique_fd(::dup(fd_))); }

private:
  int fd_;
};

} // namespace

void fuzz_pages(std::string_view bytes) {
  static memory_file file;
  file.replace(bytes);
  auto whole_file = file.open();
  const auto problem = lmdb_file_problem(whole_file, "state");
  FUZZ_CHECK(problem.has_value() || problem.error().code == error_code::state_unusable, "damage has a code");

  // Each version that a first page tells of, in every way it is looked at.
  auto opened = file.open();
  for (const auto& version : opened.metas()) {
    if (!version)
      continue;
    std::uint64_t seen_bytes = 0;
    lmdb_walk whole;
    whole.visit = [&](std::string_view, std::string_view key, std::string_view data) {
      seen_bytes += key.size() + data.size();
      return true;
    };
    lmdb_walk sparse;
    sparse.sparse_table = "events";
    sparse.first = 3;
    sparse.last = 9;
    lmdb_walk one;
    one.only_table = "events";
    for (const auto* how : {&whole, &sparse, &one}) {
      const auto walked = walk_lmdb_pages(opened, *version, *how);
      FUZZ_CHECK(walked.findings.size() < 100 && walked.pages_used * 512 <= bytes.size() + 4096,
                 "no page is used that is not there");
      for (const auto& finding : walked.findings)
        FUZZ_CHECK(finding.what.size() < 200'000, finding.what);
    }
    FUZZ_CHECK(seen_bytes <= bytes.size(), "no byte is an entry's twice");
  }
}

} // namespace troupe_internal::fuzz
