// One pass over the file.
#include "serve/log_lines.hpp"

#include "adapters/system/posix_error.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <string_view>

namespace troupe_internal::serve {

namespace {

constexpr std::size_t read_bytes = std::size_t{64} << 10U;
constexpr std::size_t longest_text = std::size_t{64} << 10U;

/// Calls `take` with each piece of the file.
result<void> read_pieces(const unique_fd& file, const std::function<void(std::string_view)>& take) {
  std::string piece(read_bytes, '\0');
  for (off_t at = 0;;) {
    const auto count = pread(file.get(), piece.data(), piece.size(), at);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return fail(error_code::io, "the log cannot be read: " + errno_text(errno));
    if (count == 0)
      return {};
    take(std::string_view(piece).substr(0, static_cast<std::size_t>(count)));
    at += count;
  }
}

} // namespace

result<log_answer> find_log_lines(const unique_fd& file, const log_question& asked) {
  log_answer found;
  std::string line;
  const auto end_line = [&] {
    ++found.total;
    const bool matches = asked.words.empty() || line.find(asked.words) != std::string::npos;
    found.matches += matches ? 1 : 0;
    const bool wanted = matches && (asked.tail > 0 || (found.total >= asked.from && found.lines.size() < asked.count));
    if (wanted) {
      if (asked.tail > 0 && found.lines.size() == asked.tail)
        found.lines.pop_front();
      if (line.ends_with('\r'))
        line.pop_back();
      found.lines.push_back({found.total, line});
    }
    line.clear();
  };
  bool open = false;
  const auto read = read_pieces(file, [&](std::string_view piece) {
    while (!piece.empty()) {
      const auto end = piece.find('\n');
      const auto part = piece.substr(0, end);
      line.append(part.substr(0, longest_text - std::min(longest_text, line.size())));
      open = end == std::string_view::npos;
      if (open)
        break;
      end_line();
      piece.remove_prefix(end + 1);
    }
  });
  if (!read)
    return read.error();
  if (open)
    end_line();
  return found;
}

result<std::string> read_log(const unique_fd& file) {
  std::string all;
  const auto read = read_pieces(file, [&](std::string_view piece) { all += piece; });
  return read ? result<std::string>(std::move(all)) : result<std::string>(read.error());
}

} // namespace troupe_internal::serve
