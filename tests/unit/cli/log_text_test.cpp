// Lines of output as a terminal leaves them.
#include "adapters/system/unique_fd.hpp"
#include "cli/log_text.hpp"
#include "support/temporary_folder.hpp"
#include "views/text.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>

#include <fstream>
#include <string>

using namespace troupe_internal;
using namespace troupe_internal::cli;

namespace {

/// What a view shows of a text that comes in pieces of so many bytes.
std::string viewed(std::string_view text, std::size_t bytes) {
  std::string out;
  log_view view([&](std::string_view line) { out += line; });
  for (; !text.empty(); text.remove_prefix(std::min(bytes, text.size())))
    view.add(text.substr(0, bytes));
  view.finish();
  return out;
}

} // namespace

TEST_CASE("what follows a carriage return overwrites what was there") {
  CHECK(shown_line("10%\r20%\r100%") == "100%");
  CHECK(shown_line("downloading\rdone") == "doneloading"); // as a terminal has it
  CHECK(shown_line("downloading\r\x1b[Kdone") == "done");
  CHECK(shown_line("downloading\r\x1b[2Kdone") == "done");
  CHECK(shown_line("abc\r\x1b[31mX\x1b[0m") == "Xbc");
  CHECK(shown_line("abc\r\x1b]0;title\x07X\x1b(B") == "Xbc");
  CHECK(shown_line("abc\b\bX") == "aXc");
  CHECK(shown_line("\b\bX\r") == "X");
  CHECK(shown_line("a\tb\rX") == "X       b");
  CHECK(shown_line("a\r\a\x7Fx") == "x"); // bells and the like show nothing
}

TEST_CASE("characters of two columns, and of none, are overwritten as wholes") {
  CHECK(shown_line("日本\rab") == "ab本");
  CHECK(shown_line("e\xCC\x81x\rE") == "Ex");
  CHECK(shown_line("x\re\xCC\x81") == "e\xCC\x81");
  CHECK(shown_line("\xCC\x81\rx") == "x");
  CHECK(shown_line("\xFF\xFE\rx").starts_with("x"));
}

TEST_CASE("a line in which nothing is overwritten stays as it is, byte for byte") {
  for (const std::string line : {"", "plain", "\x1b[31mred\x1b[0m", "bytes \xFF\xFE", "DOS\r", "twice\r\r", "\ttab"})
    CHECK(shown_line(line) == line);
}

TEST_CASE("a view shows the same whatever pieces the text comes in") {
  const std::string text = "one\r\n1%\r50%\r100%\nlast\rLAST line";
  for (const std::size_t bytes : {1U, 2U, 7U, 100U})
    CHECK(viewed(text, bytes) == "one\r\n100%\nLAST line");
  CHECK(viewed("", 1).empty());
}

TEST_CASE("a line longer than what is held is shown all the same") {
  std::string bar;
  while (bar.size() < 3U << 20U)
    bar += "\rstate " + std::to_string(bar.size()) + " of the bar";
  CHECK(viewed(bar + "\rthe end    \x1b[K\nnext\n", 64 * 1024) == "the end    \nnext\n");
  const std::string wide(3U << 20U, 'x');
  CHECK(viewed(wide + "\nnext\n", 64 * 1024) == wide + "\nnext\n");
}

TEST_CASE("the last lines of a log are bounded in width, and what was overwritten is not told") {
  CHECK(last_lines(-1, 10).empty());
  const temporary_folder folder;
  const auto file = folder.path() + "/log";
  std::string bar;
  for (int i = 0; i < 4'000; ++i)
    bar += "\r" + std::to_string(i) + " of 4000 [=====>     ]";
  std::ofstream(file) << "begun\n" << bar << "\nlost\r\n" << std::string(5'000, 'y');
  const unique_fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  const auto lines = last_lines(opened.get(), 10);
  REQUIRE(lines.size() >= 3);
  CHECK(lines[lines.size() - 3] == "3999 of 4000 [=====>     ]");
  CHECK(lines[lines.size() - 2] == "lost");
  CHECK(lines.back().starts_with(std::string(most_log_columns - 1, 'y') + "…"));
  CHECK(lines.back().ends_with(" (4600 columns more)"));
  for (const auto& line : lines)
    CHECK(display_width(line) < most_log_columns + 40);
}
