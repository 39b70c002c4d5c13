// Which sequences of a log reach a terminal, whole and in pieces; and the stream that guards all other text.
#include "cli/log_screen.hpp"
#include "terminal.hpp"
#include "views/guarded_stream.hpp"
#include "views/log_filter.hpp"

#include <doctest/doctest.h>

#include "cli/fd_stream.hpp"

#include <sstream>
#include <string>
#include <vector>

using namespace troupe_internal;
using namespace troupe_internal::cli;

namespace {

std::string filtered(std::string_view text, bool colours, std::size_t bytes = 100'000) {
  log_filter filter(colours);
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min(bytes, text.size())))
    filter.add(text.substr(0, bytes), out);
  filter.finish(out);
  return out;
}

struct sample {
  std::string text, coloured, plain;
};

const std::vector<sample> samples = {
    {"plain\ttext\n", "plain\ttext\n", "plain\ttext\n"},
    {"\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m", "red"},
    {"\x1b[1;38;5;200mx\x1b[m", "\x1b[1;38;5;200mx\x1b[m", "x"},
    {"\x1b[4:3mx\x1b[0m", "\x1b[4:3mx\x1b[0m", "x"},
    {"\x1b[31mleft open", "\x1b[31mleft open\x1b[0m", "left open"}, // the terminal gets its colours back
    {"\x1b[2J\x1b[10;3H\x1b[?25l\x1b[6n\x1b[1 qx", "x", "x"},       // erasing, moving, modes, requests
    {"\x1b[?31mx\x1b[>4;2my", "xy", "xy"},                          // other things that end in m
    {"\x1b]0;title\x07"
     "a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\",
     "alink", "alink"},
    {"\x1b]52;c;b3duZWQ=\x07text", "text", "text"},
    {"\x1bP1$r0m\x1b\\x\x1b_G\x1b\\y\x1b^p\x1b\\z\x1bXs\x1b\\", "xyz", "xyz"},
    {"\x1b"
     "c\x1b"
     "7\x1b(Bx\x1b#8",
     "x", "x"},
    {"\x1b]0;never ends\nnext", "\\x1b]0;never ends\nnext", "\\x1b]0;never ends\nnext"}, // nothing is swallowed
    {"\x1b]0;" + std::string(5'000, 'a'), "\\x1b]0;" + std::string(5'000, 'a'), "\\x1b]0;" + std::string(5'000, 'a')},
    {"\x1b[31", "\\x1b[31", "\\x1b[31"},
    {"\x1b[3\n1m", "\\x1b[3\n1m", "\\x1b[3\n1m"},
    {"\x1b\x1b[31mx", "\\x1b\x1b[31mx\x1b[0m", "\\x1bx"},
    {"x\a\b\r\x7f\x01", "x", "x"},
    {"\xC2\x9B"
     "31mx",
     "\\u009b31mx", "\\u009b31mx"},
    {"\x9b"
     "31mx",
     "\\x9b31mx", "\\x9b31mx"},
    {"\xE2\x80\xAEtxt.exe", "\\u202etxt.exe", "\\u202etxt.exe"},
    {"\xE6\xBC\xA2\xF0\x9F\x98\x80\xF0\x9F", "\xE6\xBC\xA2\xF0\x9F\x98\x80\\xf0\\x9f",
     "\xE6\xBC\xA2\xF0\x9F\x98\x80\\xf0\\x9f"},
};

} // namespace

TEST_CASE("of a log a terminal gets text and colours") {
  for (const auto& [text, coloured, plain] : samples) {
    CHECK(filtered(text, true) == coloured);
    CHECK(filtered(text, false) == plain);
  }
}

TEST_CASE("sequences are found across the borders of pieces") {
  for (const auto& [text, coloured, plain] : samples)
    for (const std::size_t bytes : {1U, 2U, 3U, 7U}) {
      CHECK(filtered(text, true, bytes) == coloured);
      CHECK(filtered(text, false, bytes) == plain);
    }
}

TEST_CASE("a sequence that is too long is shown, whatever the pieces") {
  for (const std::size_t size : {4'090U, 4'091U, 4'092U, 4'093U, 4'094U, 4'095U, 4'096U, 5'000U})
    for (const auto& text : {"\x1b]" + std::string(size, 'a') + "\x1b\\x", "\x1b]" + std::string(size, 'a') + "\ax",
                             "\x1b[" + std::string(size, '1') + "mx", "\x1b" + std::string(size, ' ') + "0x"})
      for (const std::size_t bytes : {1U, 4'095U})
        CHECK(filtered(text, true, bytes) == filtered(text, true));
}

TEST_CASE("between two pieces the terminal has its own colours") {
  log_filter filter(true);
  std::string out;
  filter.add("\x1b[1m\x1b[31mred", out);
  filter.pause(out);
  filter.pause(out);
  CHECK(out == "\x1b[1m\x1b[31mred\x1b[0m");
  out.clear();
  filter.add("still red\x1b[0m plain", out);
  filter.pause(out);
  filter.finish(out);
  CHECK(out == "\x1b[1m\x1b[31mstill red\x1b[0m plain");
  for (int i = 0; i < 10'000; ++i) // what is kept of colours is bounded
    filter.add("\x1b[3" + std::to_string(i % 8) + "m", out);
  out.clear();
  filter.pause(out);
  filter.add("x", out);
  CHECK(out.size() < 400);
}

TEST_CASE("a guarded stream escapes what is written to it and passes on what is not text") {
  std::ostringstream to;
  {
    guarded_stream out(to);
    out << "a\x1b[31m" << 42 << '\x07' << "\xE2\x80"
        << "\xAE" << '\n'
        << std::flush;
    CHECK(to.str() == "a\\x1b[31m42\\x07\\u202e\n");
    out << "\xE2\x80";
    out.pass("\x1b[2J");
    CHECK(to.str() == "a\\x1b[31m42\\x07\\u202e\n\\xe2\\x80\x1b[2J");
    out << painted(tint::bad, "no");
    out.set_colours(true);
    to.str("");
    out << painted(tint::bad, "no") << "\xC3";
  }
  CHECK(to.str() == "\x1b[31mno\x1b[0m\\xc3");
}

TEST_CASE("errors of the stream below are errors of the guarded stream") {
  std::ostringstream to;
  guarded_stream out(to);
  to.setstate(std::ios::badbit);
  out << "x";
  CHECK_FALSE(out.good());
  guarded_stream other(to);
  other.pass("x");
  CHECK_FALSE(other.good());
}

TEST_CASE("on a terminal the line that is being written is shown, and repainted when it ends") {
  const test::scoped_environment term("TERM", "xterm"), colour("NO_COLOR", "");
  const test::pseudo_terminal terminal(20, 5);
  fd_stream out(terminal.slave());
  console io(out, out, terminal.slave(), terminal.slave());
  log_screen screen(io.out);
  screen.add("\x1b[31mone\ntwo\x1b]0;t\x07");
  screen.show_unfinished();
  CHECK(terminal.text() == "\x1b[31mone\r\n\x1b[0mtwo");
  screen.show_unfinished();
  CHECK(terminal.text().empty()); // it is there already
  screen.add(" and three\n10%\r20%");
  screen.show_unfinished();
  CHECK(terminal.text() == "\r\x1b[K\x1b[31mtwo and three\r\n\x1b[0m20%");
  screen.add("\r" + std::string(30, 'x'));
  screen.show_unfinished();
  CHECK(terminal.text() == "\r\x1b[K" + std::string(18, 'x') + "\xE2\x80\xA6");
  screen.finish();
  CHECK(terminal.text() == "\r\x1b[K\x1b[31m" + std::string(30, 'x') + "\x1b[0m");
}
