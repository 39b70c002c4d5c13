// One attempt's output on its way to a file of bounded size. Knows nothing of processes.
#pragma once

#include "adapters/system/unique_fd.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace troupe_internal {

/// Has the file made at the first byte.
/// Keeps the log within `max_bytes` (0: no limit): the head goes to the file as it comes; what follows it is held in
/// memory (at most 1 MiB, and at most half of max_bytes) until finish(), the oldest bytes giving way; a line in the
/// file says how many were dropped. If the file cannot be written (a full disk), nothing fails: the end of the output
/// is held back likewise, finish() tries once more, and problem() tells. One thread at a time.
class log_writer {
public:
  /// Makes the file; a descriptor to write it with, which is taken over.
  using opener = std::function<result<int>()>;
  /// `path` is for messages.
  log_writer(opener open, std::string path, std::uint64_t max_bytes);

  void write(std::string_view bytes);
  /// Appends what was held back, and closes. Call once.
  void finish();

  /// Whether there is a file.
  [[nodiscard]] bool made() const { return made_; }
  /// Empty, or why the log is not complete.
  [[nodiscard]] const std::string& problem() const { return problem_; }

private:
  void hold(std::string_view bytes);
  [[nodiscard]] bool open_file();
  /// How many of the bytes reached the file; fewer than all: problem_ is set.
  std::size_t write_file(std::string_view bytes);
  void note_problem(std::string_view doing, int error_number);

  opener open_;
  std::string path_;
  std::uint64_t max_bytes_;
  std::uint64_t head_limit_;
  std::size_t tail_limit_;
  unique_fd file_;
  bool made_ = false;
  bool ends_in_newline_ = true;
  std::uint64_t written_ = 0;
  std::unique_ptr<char[]> ring_;
  std::uint64_t held_ = 0; // bytes ever given to the ring; the last tail_limit_ of them are in it
  std::string problem_;
};

} // namespace troupe_internal
