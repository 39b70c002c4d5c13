// Findings about a pipeline file, with the lines they are about. Reads the file again for that, as far as needed.
#include "cli/invocation.hpp"
#include "views/text.hpp"

#include <fstream>
#include <map>
#include <set>
#include <sys/stat.h>

namespace troupe_internal::cli {

namespace {

constexpr std::size_t longest_shown = 100;      // columns of a source line
constexpr std::size_t longest_kept = 64 * 1024; // bytes of a source line: a place further right is not shown

/// The lines of these numbers, as far as they exist.
std::map<std::uint32_t, std::string> read_lines(const std::string& file, const std::set<std::uint32_t>& wanted) {
  std::map<std::uint32_t, std::string> lines;
  struct stat info {};
  if (wanted.empty() || ::stat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode))
    return lines; // standard input and pipes cannot be read twice
  std::ifstream in(file, std::ios::binary);
  std::uint32_t number = 1;
  std::string chunk(64 * 1024, '\0');
  while (in && number <= *wanted.rbegin()) {
    in.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    std::string_view rest(chunk.data(), static_cast<std::size_t>(in.gcount()));
    while (!rest.empty()) {
      const auto end = rest.find('\n');
      if (wanted.contains(number)) {
        auto& line = lines[number];
        line += rest.substr(0, std::min(end, longest_kept - std::min(longest_kept, line.size())));
      }
      if (end == std::string_view::npos)
        break;
      rest.remove_prefix(end + 1);
      ++number;
    }
  }
  return lines;
}

/// The source line and a mark under the column (in bytes, from 1); nothing if the column is not in the line.
std::string marked_line(std::string_view line, std::uint32_t column, const palette& colours) {
  if (!line.empty() && line.back() == '\r')
    line.remove_suffix(1);
  if (column == 0 || column > line.size() + 1)
    return "";
  const auto shown = [](std::string_view raw) {
    std::string text(raw);
    for (auto& c : text)
      if (c == '\t')
        c = ' ';
    return printable(text);
  };
  std::string before = shown(line.substr(0, column - 1));
  std::string after = shown(line.substr(column - 1));
  if (display_width(before) > longest_shown / 2) { // keep what stands just before the place
    std::string_view tail = line.substr(0, column - 1);
    tail.remove_prefix(tail.size() > longest_shown / 3 ? tail.size() - longest_shown / 3 : 0);
    while (!tail.empty() && (static_cast<unsigned char>(tail.front()) & 0xC0U) == 0x80) // the rest of a character
      tail.remove_prefix(1);
    before = "…" + shown(tail);
  }
  after = truncated(after, longest_shown - std::min(longest_shown - 1, display_width(before)));
  return "    " + before + after + "\n    " + std::string(display_width(before), ' ') + colours.paint(tint::good, "^") +
         "\n";
}

} // namespace

std::string findings_text(const diagnostics& findings, const palette& colours) {
  std::set<std::uint32_t> wanted;
  for (const auto& item : findings.items)
    if (item.where.line > 0 && !findings.of_outside_link)
      wanted.insert(item.where.line);
  for (const auto& [first, last] : findings.secret_lines)
    wanted.erase(wanted.lower_bound(first), wanted.upper_bound(last));
  const auto lines = read_lines(findings.file, wanted);
  std::string out;
  for (const auto& item : findings.items) {
    const bool bad = item.level == severity::error;
    std::string where = printable(findings.file);
    if (item.where.line > 0)
      where += ":" + std::to_string(item.where.line) + ":" + std::to_string(item.where.column);
    out += colours.paint(tint::strong, where + ":") + " " +
           (bad ? colours.paint(tint::bad, "error:") : colours.paint(tint::warn, "warning:")) + " " +
           printable(item.message) + " " + colours.paint(tint::dim, "[" + item.code + "]") + "\n";
    if (const auto line = lines.find(item.where.line); line != lines.end())
      out += marked_line(line->second, item.where.column, colours);
  }
  return out;
}

} // namespace troupe_internal::cli
