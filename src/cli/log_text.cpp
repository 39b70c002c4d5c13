// A line as cells that are overwritten; files from their ends.
#include "cli/log_text.hpp"

#include "base/utf8.hpp"
#include "views/log_filter.hpp"
#include "views/text.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace troupe_internal::cli {

namespace {

constexpr std::size_t tab_columns = 8;
constexpr std::size_t most_bytes_of_a_line = 1U << 20U; ///< that are held; a longer line is written in parts

/// Whether anything in the line goes back over what is there.
bool goes_back(std::string_view line) {
  while (!line.empty() && line.back() == '\r') // of a line that ends in CR LF
    line.remove_suffix(1);
  return line.find_first_of("\r\b") != std::string_view::npos;
}

/// One line of a terminal: a row of characters and the place where the next one goes.
class screen_line {
public:
  void put(std::string_view text) {
    while (!text.empty()) {
      if (const auto sequence = control_sequence_bytes(text); sequence > 0) {
        control_sequence(text.substr(0, sequence));
        text.remove_prefix(sequence);
      } else {
        const auto next = decode_utf8(text);
        character(text.substr(0, next.bytes), next.valid ? next.point : replacement_character);
        text.remove_prefix(next.bytes);
      }
    }
  }

  [[nodiscard]] std::string text() const {
    std::string all;
    for (const auto& cell : cells_)
      all += cell;
    return all;
  }

private:
  void character(std::string_view bytes, char32_t point) {
    if (point == '\r') {
      at_ = 0;
    } else if (point == '\b') {
      at_ -= at_ > 0 ? 1 : 0;
    } else if (point == '\t') {
      at_ = (at_ / tab_columns + 1) * tab_columns;
      if (cells_.size() < at_)
        cells_.resize(at_, " ");
    } else if (point < 0x20 || (point >= 0x7F && point < 0xA0)) {
      return; // it shows nothing
    } else if (const auto width = display_width(bytes); width == 0) {
      if (at_ > 0)
        cells_[at_ - 1] += bytes; // a mark on the character before it
    } else {
      if (cells_.size() < at_ + width)
        cells_.resize(at_ + width, " ");
      cells_[at_] = bytes;
      for (std::size_t more = 1; more < width; ++more)
        cells_[at_ + more].clear(); // the other half of a wide character
      at_ += width;
    }
  }

  /// Only the erasing of (a part of) the line has an effect: progress bars use no other.
  void control_sequence(std::string_view sequence) {
    if (sequence[1] != '[' || sequence.back() != 'K')
      return;
    const auto parameter = sequence.substr(2, sequence.size() - 3);
    if (parameter == "2")
      cells_.assign(at_, " ");
    else if (parameter == "1")
      std::fill_n(cells_.begin(), std::min(at_ + 1, cells_.size()), " ");
    else
      cells_.resize(std::min(at_, cells_.size()));
  }

  std::vector<std::string> cells_; ///< by column, what is shown there
  std::size_t at_ = 0;
};

/// At most most_log_columns wide.
std::string bounded(const std::string& line) {
  if (display_width(line) <= most_log_columns)
    return line;
  const auto cut = truncated(line, most_log_columns);
  return cut + " (" + std::to_string(display_width(line) - display_width(cut)) + " columns more)";
}

} // namespace

std::string shown_line(std::string_view line) {
  if (!goes_back(line))
    return std::string(line);
  screen_line shown;
  shown.put(line);
  return shown.text();
}

void log_view::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    line_ += bytes.substr(0, end);
    if (end == std::string_view::npos) {
      bound();
      return;
    }
    to_(shown_line(line_) + '\n');
    line_.clear();
    bytes.remove_prefix(end + 1);
  }
}

/// What was overwritten until now is dropped; of a line that is that long all the same, the beginning is written.
void log_view::bound() {
  if (line_.size() < most_bytes_of_a_line)
    return;
  if (const auto last = line_.rfind('\r'); last != std::string::npos && last > 0)
    line_ = shown_line(std::string_view(line_).substr(0, last)) + line_.substr(last);
  if (line_.size() >= most_bytes_of_a_line) {
    to_(shown_line(line_));
    line_.clear();
  }
}

void log_view::finish() {
  to_(shown_line(line_));
  line_.clear();
}

std::vector<std::string> last_lines(int fd, std::size_t count) {
  constexpr std::int64_t most = 64 * 1024;
  std::vector<std::string> lines;
  struct stat info {};
  if (::fstat(fd, &info) != 0)
    return lines;
  const auto from = std::max<std::int64_t>(0, info.st_size - most);
  std::string text(static_cast<std::size_t>(std::min<std::int64_t>(info.st_size, most)), '\0');
  const auto got = ::pread(fd, text.data(), text.size(), from);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  std::string_view rest = text;
  if (!rest.empty() && rest.back() == '\n')
    rest.remove_suffix(1);
  while (lines.size() < count && !rest.empty()) {
    const auto start = rest.rfind('\n');
    const auto line = start == std::string_view::npos ? rest : rest.substr(start + 1);
    lines.push_back(bounded(printable_log_line(shown_line(line))));
    rest = start == std::string_view::npos ? std::string_view() : rest.substr(0, start);
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

} // namespace troupe_internal::cli
