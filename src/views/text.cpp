// Widths by ranges of code points, and columns.
#include "views/text.hpp"

#include "base/check.hpp"
#include "base/utf8.hpp"
#include "views/log_filter.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace troupe_internal::cli {

namespace {

struct range {
  char32_t first, last;
};

// Marks and invisible characters (Unicode categories Mn, Me, Cf): the blocks that occur in practice.
constexpr range zero_wide[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F},
    {0x06D6, 0x06DC}, {0x0900, 0x0902}, {0x093C, 0x093C}, {0x0941, 0x0948}, {0x094D, 0x094D},
    {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
    {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x2064}, {0x20D0, 0x20F0}, {0x302A, 0x302D},
    {0x3099, 0x309A}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF}};

// East_Asian_Width W and F, and emoji shown as pictures.
constexpr range double_wide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x23E9, 0x23EC},  {0x25FD, 0x25FE}, {0x2614, 0x2615}, {0x2648, 0x2653},
    {0x26A1, 0x26A1},   {0x2705, 0x2705},   {0x270A, 0x270B},  {0x2728, 0x2728}, {0x274C, 0x274C}, {0x2753, 0x2755},
    {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},  {0x4E00, 0x9FFF}, {0xA000, 0xA4CF}, {0xA960, 0xA97F},
    {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},  {0xFF01, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F},
    {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};

template <std::size_t N>
bool within(const range (&ranges)[N], char32_t point) {
  const auto* after = std::upper_bound(std::begin(ranges), std::end(ranges), point,
                                       [](char32_t p, const range& r) { return p < r.first; });
  return after != std::begin(ranges) && point <= std::prev(after)->last;
}

std::size_t width_of(char32_t point) {
  if (point < 0x20 || (point >= 0x7F && point < 0xA0))
    return 0;
  if (point < 0x300)
    return 1;
  return within(zero_wide, point) ? 0 : within(double_wide, point) ? 2 : 1;
}

} // namespace

std::string printable_log_line(std::string_view line) {
  log_filter filter(false);
  std::string out;
  filter.add(line, out);
  filter.finish(out);
  return out;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const auto next = decode_utf8(text);
    width += width_of(next.point);
    text.remove_prefix(next.bytes);
  }
  return width;
}

std::string truncated(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns)
    return std::string(text);
  if (columns == 0)
    return "";
  std::size_t width = 0, end = 0;
  while (end < text.size()) {
    const auto next = decode_utf8(text.substr(end));
    if (width + width_of(next.point) > columns - 1)
      break;
    width += width_of(next.point);
    end += next.bytes;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string truncated_inside(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns)
    return std::string(text);
  const auto wanted = columns * 3 / 5; // of the end
  std::size_t end = text.size(), width = 0;
  while (end > 0) {
    auto start = end - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0U) == 0x80U)
      --start;
    const auto more = display_width(text.substr(start, end - start));
    if (width + more > wanted)
      break;
    width += more;
    end = start;
  }
  return truncated(text, columns - width) + std::string(text.substr(end));
}

std::string counted(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string one_decimal(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f", value);
  return buffer;
}

std::string bytes_text(std::uint64_t bytes) {
  static constexpr const char* units[] = {"B", "KB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < std::size(units); ++unit)
    value /= 1000;
  return unit == 0 ? std::to_string(bytes) + " B" : one_decimal(value) + " " + units[unit];
}

std::string listed(const std::vector<std::string>& names, std::size_t most) {
  std::string out;
  const std::size_t shown = std::min(names.size(), most);
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0)
      out += i + 1 == names.size() ? " and " : ", ";
    out += names[i];
  }
  if (shown < names.size())
    out += " and " + std::to_string(names.size() - shown) + " more";
  return out;
}

void table::row(std::vector<cell> cells) {
  TROUPE_CHECK(cells.size() == columns_.size(), "a row has a cell for each column");
  for (auto& c : cells)
    c.text = printable(c.text);
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> table::widths(const std::optional<terminal_size>& size) const {
  std::vector<std::size_t> widths;
  std::size_t total = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = display_width(columns_[i].title);
    for (const auto& cells : rows_)
      width = std::max(width, display_width(cells[i].text));
    widths.push_back(width);
    total += width + (i == 0 ? 0 : 2);
  }
  if (!size)
    return widths;
  for (std::size_t i = 0; i < columns_.size() && total > static_cast<std::size_t>(size->columns); ++i)
    if (columns_[i].may_go) {
      total -= widths[i] + (i == 0 ? 0 : 2);
      widths[i] = 0;
    }
  constexpr std::size_t least = 8; // narrower than this a name says nothing
  while (total > static_cast<std::size_t>(size->columns)) {
    std::size_t widest = columns_.size();
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (columns_[i].flexible && widths[i] > least && (widest == columns_.size() || widths[i] > widths[widest]))
        widest = i;
    if (widest == columns_.size())
      break;
    --widths[widest];
    --total;
  }
  return widths;
}

void table::print(const output& to) const {
  if (rows_.empty())
    return;
  const auto size = to.size();
  const auto width = widths(size);
  const auto line = [&](auto&& text_of, auto&& colour_of) {
    std::string out;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (width[i] == 0)
        continue;
      const auto text =
          columns_[i].keeps_end ? truncated_inside(text_of(i), width[i]) : truncated(text_of(i), width[i]);
      const auto padding = std::string(width[i] - display_width(text), ' ');
      const auto painted = to.colours.paint(colour_of(i), text);
      if (i > 0)
        out += "  ";
      if (columns_[i].right)
        out += padding + painted;
      else
        out += i + 1 == columns_.size() ? painted : painted + padding;
    }
    while (!out.empty() && out.back() == ' ')
      out.pop_back();
    to.stream << out << '\n';
  };
  line([&](std::size_t i) -> const std::string& { return columns_[i].title; }, [](std::size_t) { return tint::dim; });
  for (const auto& cells : rows_)
    line([&](std::size_t i) -> const std::string& { return cells[i].text; },
         [&](std::size_t i) { return cells[i].colour; });
}

} // namespace troupe_internal::cli
