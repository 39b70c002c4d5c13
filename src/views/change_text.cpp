// Common beginnings and ends, and the longest common lines.
#include "views/change_text.hpp"

#include "views/text.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace troupe_internal::cli {

namespace {

constexpr std::size_t in_a_sentence = 60; ///< bytes of each text

/// The table below has their product as its size; of longer texts only the ends that differ are compared.
constexpr std::size_t most_compared = 1'000;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return lines;
}

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\t';
}

/// How much of the texts is the same at their beginnings, in whole words.
std::size_t common_words(std::string_view a, std::string_view b) {
  std::size_t same = 0;
  while (same < a.size() && same < b.size() && a[same] == b[same])
    ++same;
  if (same == a.size() && same == b.size())
    return same;
  while (same > 0 && !is_blank(a[same - 1]))
    --same;
  return same;
}

std::size_t common_words_at_end(std::string_view a, std::string_view b) {
  std::size_t same = 0;
  while (same < a.size() && same < b.size() && a[a.size() - 1 - same] == b[b.size() - 1 - same])
    ++same;
  while (same > 0 && !is_blank(a[a.size() - same]))
    --same;
  return same;
}

std::string cut(std::string_view text, std::size_t left_out, std::size_t right_out, std::size_t columns) {
  auto middle = std::string(text.substr(left_out, text.size() - left_out - right_out));
  std::replace(middle.begin(), middle.end(), '\n', ' ');
  const auto first = middle.find_first_not_of(' ');
  const auto last = middle.find_last_not_of(' ');
  middle = first == std::string::npos ? std::string() : middle.substr(first, last - first + 1);
  return (left_out > 0 ? "… " : "") + truncated(printable(middle), columns) + (right_out > 0 ? " …" : "");
}

} // namespace

std::string change_words(const reason_change& change, std::size_t columns) {
  const std::string_view was = change.was;
  const std::string_view now = change.now;
  const bool whole = was.size() <= columns && now.size() <= columns && was.find('\n') == std::string_view::npos &&
                     now.find('\n') == std::string_view::npos;
  const auto left = whole ? 0 : common_words(was, now);
  const auto right = whole ? 0 : common_words_at_end(was.substr(left), now.substr(left));
  const auto one = [&](std::string_view text) {
    return text.empty() ? std::string("nothing") : cut(text, left, right, columns);
  };
  return one(was) + " -> " + one(now);
}

bool fits_in_a_sentence(const reason_change& change) {
  const auto fits = [](const std::string& text) {
    return text.size() <= in_a_sentence && text.find('\n') == std::string::npos;
  };
  return fits(change.was) && fits(change.now);
}

std::string change_lines(const reason_change& change, const std::string& indent, std::size_t most_lines) {
  auto was = lines_of(change.was);
  auto now = lines_of(change.now);
  while (!was.empty() && !now.empty() && was.back() == now.back()) {
    was.pop_back();
    now.pop_back();
  }
  std::size_t same = 0;
  while (same < was.size() && same < now.size() && was[same] == now[same])
    ++same;
  was.erase(was.begin(), was.begin() + static_cast<std::ptrdiff_t>(same));
  now.erase(now.begin(), now.begin() + static_cast<std::ptrdiff_t>(same));
  // longest[i][j]: how many lines was[i …] and now[j …] have in common, in order.
  const bool compared = was.size() <= most_compared && now.size() <= most_compared;
  const auto width = now.size() + 1;
  std::vector<std::uint32_t> longest(compared ? (was.size() + 1) * width : 0, 0);
  for (auto i = compared ? was.size() : 0; i-- > 0;)
    for (auto j = now.size(); j-- > 0;)
      longest[i * width + j] = was[i] == now[j] ? longest[(i + 1) * width + j + 1] + 1
                                                : std::max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
  std::string out;
  std::size_t shown = 0;
  const auto add = [&](char sign, std::string_view line) {
    if (shown++ < most_lines)
      out += "\n" + indent + sign + " " + printable(line);
  };
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < was.size() || j < now.size()) {
    if (compared && i < was.size() && j < now.size() && was[i] == now[j]) {
      ++i;
      ++j;
    } else if (i < was.size() &&
               (!compared || j == now.size() || longest[(i + 1) * width + j] >= longest[i * width + j + 1])) {
      add('-', was[i++]);
    } else {
      add('+', now[j++]);
    }
  }
  if (shown > most_lines)
    out += "\n" + indent + "… " + std::to_string(shown - most_lines) + " more lines";
  return out;
}

} // namespace troupe_internal::cli
