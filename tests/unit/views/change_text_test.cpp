// Changes of texts, in words and in lines.
#include "views/change_text.hpp"

#include <doctest/doctest.h>

using namespace troupe_internal;
using namespace troupe_internal::cli;

TEST_CASE("short texts are shown whole, of long ones what differs") {
  CHECK(change_words({"wc -l", "wc -w"}) == "wc -l -> wc -w");
  CHECK(change_words({"", "wc -w"}) == "nothing -> wc -w");
  const std::string head = "awk -F, '{ sum += $2 } END { print sum }' ";
  CHECK(change_words({head + "old.csv > out.csv", head + "new.csv > out.csv"}) == "… old.csv … -> … new.csv …");
  CHECK(change_words({head + "a b", head + "a c b"}).size() < 60);
  CHECK(change_words({"a\nb", "a\nc"}) == "… b -> … c");
  CHECK(change_words({"x\x1b[31m", "y"}).find('\x1b') == std::string::npos);
}

TEST_CASE("lines that went and came are listed, others are not") {
  CHECK(change_lines({"a\nb\nc\nd", "a\nc\nx\nd"}, "  ") == "\n  - b\n  + x");
  CHECK(change_lines({"a", "a"}, "  ").empty());
  CHECK(change_lines({"", "a\nb"}, "") == "\n+ a\n+ b");
  CHECK(change_lines({"1\n2\n3\n4", "5\n6\n7\n8"}, "", 3) == "\n- 1\n- 2\n- 3\n… 5 more lines");
  std::string many;
  for (int i = 0; i < 3'000; ++i)
    many += std::to_string(i) + "\n";
  CHECK(change_lines({many, "0\nx"}, "").find("more lines") !=
        std::string::npos); // too many to compare: no more than listed
  CHECK(change_lines({"a\x1b", "b"}, "").find('\x1b') == std::string::npos);
}

TEST_CASE("what fits in a sentence is short and of one line") {
  CHECK(fits_in_a_sentence({"wc -l", "wc -w"}));
  CHECK_FALSE(fits_in_a_sentence({"a\nb", "c"}));
  CHECK_FALSE(fits_in_a_sentence({std::string(61, 'x'), "c"}));
}
