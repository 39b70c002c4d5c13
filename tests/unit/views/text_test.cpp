// Widths, cutting, columns, colours.
#include "views/console.hpp"
#include "views/text.hpp"

#include <doctest/doctest.h>

#include <sstream>

using namespace troupe_internal;
using namespace troupe_internal::cli;

TEST_CASE("control characters and bytes that are not UTF-8 are made visible") {
  CHECK(printable("plain é") == "plain é");
  CHECK(printable("a\nb\tc\x1b[31m") == "a\\nb\\tc\\x1b[31m");
  CHECK(printable("\xC2\x9B") == "\\u009b"); // an 8-bit control sequence introducer
  CHECK(printable("x\xFF") == "x\\xff");
  CHECK(printable("\xE2\x80\xAEtxt.exe") == "\\u202etxt.exe"); // right-to-left override
}

TEST_CASE("a line of a log loses its control sequences and keeps its tabs") {
  CHECK(printable_log_line("\x1b[1;31mred\x1b[0m\tand\r") == "red\tand");
  CHECK(printable_log_line("cut \x1b[3") == "cut \\x1b[3");
  CHECK(printable_log_line("\x1b]0;title\x07text") == "text");
  CHECK(printable_log_line("\xFE") == "\\xfe");
}

TEST_CASE("display width counts columns, not bytes") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("é") == 1);
  CHECK(display_width("e\xCC\x81") == 1); // e and a combining accent
  CHECK(display_width("日本") == 4);
  CHECK(display_width("😀") == 2);
  CHECK(display_width("\n") == 0);
}

TEST_CASE("text is cut to a width and says so") {
  CHECK(truncated("abcdef", 6) == "abcdef");
  CHECK(truncated("abcdef", 4) == "abc…");
  CHECK(truncated("日本語", 4) == "日…");
  CHECK(truncated("abc", 0).empty());
}

TEST_CASE("a name is cut inside, and keeps its end") {
  CHECK(truncated_inside("align[chr1]", 11) == "align[chr1]");
  CHECK(truncated_inside("align_reads[chr1]", 10) == "ali…[chr1]");
  CHECK(truncated_inside("日本語日本語", 7) == "日…本語");
  CHECK(truncated_inside("abc", 0).empty());
}

TEST_CASE("counts and lists read as English") {
  CHECK(counted(1, "asset") == "1 asset");
  CHECK(counted(0, "asset") == "0 assets");
  CHECK(listed({}, 3).empty());
  CHECK(listed({"a"}, 3) == "a");
  CHECK(listed({"a", "b", "c"}, 3) == "a, b and c");
  CHECK(listed({"a", "b", "c", "d"}, 2) == "a, b and 2 more");
}

TEST_CASE("a table aligns its columns by display width") {
  std::ostringstream out;
  table rows({{"NAME", false, true}, {"N", true, false}, {"LAST", false, false}});
  CHECK(rows.empty());
  rows.row({"日本", "7", "x"});
  rows.row({"a\nb", "12", ""});
  rows.print({out, -1, {}, false});
  CHECK(out.str() == "NAME   N  LAST\n"
                     "日本   7  x\n"
                     "a\\nb  12\n");
}

TEST_CASE("a table without rows prints nothing") {
  std::ostringstream out;
  table({{"NAME", false, false}}).print({out, -1, {}, false});
  CHECK(out.str().empty());
}

TEST_CASE("colours are written only when they are on, and never for nothing") {
  CHECK(guarded(palette{true}.paint(tint::bad, "x"), true) == "\x1b[31mx\x1b[0m");
  CHECK(palette{true}.paint(tint::bad, "").empty());
  CHECK(palette{true}.paint(tint::none, "x") == "x");
  CHECK(palette{false}.paint(tint::bad, "x") == "x");
  for (const auto colour : {tint::good, tint::warn, tint::info, tint::dim, tint::strong})
    CHECK(palette{true}.paint(colour, "x").size() > 1);
}

TEST_CASE("colour follows the wish, and without one the terminal") {
  std::ostringstream out, err;
  console io(out, err);
  CHECK_FALSE(io.out.colours.on); // a string is no terminal
  io.set_colour("always");
  CHECK(io.out.colours.on);
  CHECK(io.err.colours.on);
  io.set_colour("never");
  CHECK_FALSE(io.out.colours.on);
  CHECK_FALSE(io.out.size().has_value());
  CHECK_FALSE(console::may_repaint(io.out));
}
