// Head to the file at once, tail in a ring until the end: memory is bounded and a crash loses the tail at most.
#include "adapters/process/log_writer.hpp"

#include "adapters/system/posix_error.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

namespace troupe_internal {
namespace {

constexpr std::size_t tail_bytes_at_most = 1024 * 1024;
constexpr std::size_t notice_bytes = 256; // room kept for the lines that say what was dropped
constexpr std::size_t seek_line_bytes = 64 * 1024;

std::string size_text(std::uint64_t bytes) {
  if (bytes != 0 && bytes % 1'000'000'000 == 0)
    return std::to_string(bytes / 1'000'000'000) + "GB";
  if (bytes != 0 && bytes % 1'000'000 == 0)
    return std::to_string(bytes / 1'000'000) + "MB";
  if (bytes != 0 && bytes % 1'000 == 0)
    return std::to_string(bytes / 1'000) + "KB";
  return std::to_string(bytes) + " bytes";
}

} // namespace

log_writer::log_writer(opener open, std::string path, std::uint64_t max_bytes)
    : open_(std::move(open)), path_(std::move(path)), max_bytes_(max_bytes) {
  if (max_bytes == 0) {
    head_limit_ = std::numeric_limits<std::uint64_t>::max();
    tail_limit_ = tail_bytes_at_most;
    return;
  }
  tail_limit_ = static_cast<std::size_t>(std::min<std::uint64_t>(max_bytes / 2, tail_bytes_at_most));
  const auto reserve = max_bytes >= 16 * notice_bytes ? notice_bytes : 0;
  head_limit_ = max_bytes - tail_limit_ - reserve;
}

void log_writer::write(std::string_view bytes) {
  if (held_ == 0) {
    const auto room =
        bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), head_limit_ - written_)));
    bytes.remove_prefix(write_file(room));
  }
  if (!bytes.empty())
    hold(bytes);
}

void log_writer::hold(std::string_view bytes) {
  if (tail_limit_ == 0) {
    held_ += bytes.size();
    return;
  }
  if (!ring_)
    ring_ = std::make_unique_for_overwrite<char[]>(tail_limit_);
  const bool whole = held_ <= tail_limit_;
  if (bytes.size() > tail_limit_) {
    held_ += bytes.size() - tail_limit_;
    bytes.remove_prefix(bytes.size() - tail_limit_);
  }
  while (!bytes.empty()) {
    const auto at = static_cast<std::size_t>(held_ % tail_limit_);
    const auto part = bytes.substr(0, tail_limit_ - at);
    std::memcpy(ring_.get() + at, part.data(), part.size());
    held_ += part.size();
    bytes.remove_prefix(part.size());
  }
  // Said at once, for whoever follows the log while it is made.
  if (whole && held_ > tail_limit_ && problem_.empty())
    write_file(std::string(ends_in_newline_ ? "" : "\n") + "[troupe: max_log is " + size_text(max_bytes_) +
               ": from here on only the end is kept]\n");
}

void log_writer::finish() {
  if (held_ != 0) {
    bool whole = held_ <= tail_limit_;
    auto kept = static_cast<std::size_t>(std::min<std::uint64_t>(held_, tail_limit_));
    const auto at = [&](std::size_t i) { return static_cast<std::size_t>((held_ - kept + i) % tail_limit_); };
    if (held_ > tail_limit_) {
      // The tail begins with a whole line if one begins soon.
      for (std::size_t i = 0; i + 1 < std::min(kept, seek_line_bytes); ++i)
        if (ring_[at(i)] == '\n') {
          kept -= i + 1;
          break;
        }
      auto notice = "[troupe: " + std::to_string(held_ - kept) + " bytes dropped here";
      notice += problem_.empty() ? ", max_log is " + size_text(max_bytes_) : ": the log could not be written";
      write_file((ends_in_newline_ ? "" : "\n") + notice + "]\n");
    }
    if (kept != 0) {
      const auto first = std::min(kept, tail_limit_ - at(0));
      auto done = write_file({ring_.get() + at(0), first});
      if (done == first && kept > first)
        done += write_file({ring_.get(), kept - first});
      whole = whole && done == kept;
    }
    if (whole)
      problem_.clear(); // what could not be written at first now is
    ring_.reset();
  }
  file_.reset();
}

bool log_writer::open_file() {
  if (file_)
    return true;
  auto file = open_();
  if (!file) {
    if (problem_.empty())
      problem_ = "the log is missing: " + file.error().message;
    return false;
  }
  file_ = unique_fd(*file);
  made_ = true;
  return true;
}

std::size_t log_writer::write_file(std::string_view bytes) {
  std::size_t done = 0;
  if (bytes.empty() || !open_file())
    return done;
  while (done < bytes.size()) {
    const auto put = ::write(file_.get(), bytes.data() + done, bytes.size() - done);
    if (put > 0) {
      done += static_cast<std::size_t>(put);
    } else if (put == 0 || errno != EINTR) {
      note_problem("write the log", put == 0 ? ENOSPC : errno);
      break;
    }
  }
  written_ += done;
  if (done != 0)
    ends_in_newline_ = bytes[done - 1] == '\n';
  return done;
}

void log_writer::note_problem(std::string_view doing, int error_number) {
  if (problem_.empty())
    problem_ = "the log is not complete: " + posix_error(doing, path_, error_number).message;
}

} // namespace troupe_internal
