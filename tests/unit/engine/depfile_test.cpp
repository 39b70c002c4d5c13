// Depfiles as compilers write them, and what is none.
#include "engine/depfile.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace troupe_internal;

namespace {

using names = std::vector<std::string>;

names read(const std::string& text) {
  const auto found = parse_depfile(text);
  REQUIRE_MESSAGE(found.has_value(), found.error().message);
  return *found;
}

std::string problem(const std::string& text) {
  const auto found = parse_depfile(text);
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().code == error_code::invalid_input);
  return found.error().message;
}

} // namespace

TEST_CASE("a depfile of gcc: the names behind the target, over several lines") {
  CHECK(read("obj/x.o: src/x.c inc/a.h \\\n inc/b.h /usr/include/stdio.h\n") ==
        names{"src/x.c", "inc/a.h", "inc/b.h", "/usr/include/stdio.h"});
  CHECK(read("x.o: x.c a.h\n\na.h:\n\nb.h:\n") == names{"x.c", "a.h"}); // -MP
  CHECK(read("x.o: x.c\\\r\n a.h\r\nb.o: b.c") == names{"x.c", "a.h", "b.c"});
  CHECK(read("x.o: a.h a.h\ny.o: a.h\n") == names{"a.h"});
}

TEST_CASE("a depfile may have several targets, and blanks before the colon") {
  CHECK(read("x.o x.d: x.c\n") == names{"x.c"});
  CHECK(read("x.o : x.c\n") == names{"x.c"});
  CHECK(read("x.o:: x.c\n") == names{"x.c"});
  CHECK(read("x.o:\\\n  x.c\n") == names{"x.c"});
  CHECK(read("c:/x.o: c:/x.c\n") == names{"c:/x.c"});
}

TEST_CASE("an empty depfile names nothing") {
  CHECK(read("").empty());
  CHECK(read("\n \t\n# a comment \\\n that goes on: here\n").empty());
  CHECK(read("x.o:\n").empty());
}

TEST_CASE("blanks, # and $ in names are escaped as compilers do") {
  CHECK(read("x: a\\ b.h c\\\td.h\n") == names{"a b.h", "c\td.h"});
  CHECK(read("x: \\#a b\\#c d#e\n") == names{"#a", "b#c", "d#e"});
  CHECK(read("x: a$$b $$(c) d$e $\n") == names{"a$b", "$(c)", "d$e", "$"});
  CHECK(read("x: a\\:b c:d\n") == names{"a:b", "c:d"});
}

TEST_CASE("a backslash before anything else is itself; before a blank two make one") {
  CHECK(read("x: a\\b \\c\n") == names{"a\\b", "\\c"});
  CHECK(read("x: a\\\\\\ b\n") == names{"a\\ b"});
  CHECK(read("x: a\\\\ b\n") == names{"a\\\\", "b"});
  CHECK(read("x: a\\\\\\#b\n") == names{"a\\\\#b"});
  CHECK(read("x: a\\\nb\n") == names{"a", "b"});
  CHECK(read("x: a\\\\\ny: b\n") == names{"a\\\\", "b"});
  CHECK(read("x\\: b\n") == names{"b"}); // the target is x\, and not x:
}

TEST_CASE("a comment takes the rest of its line alone") {
  CHECK(read("# DO NOT DELETE\nx: a # b c\ny: d\n") == names{"a", "d"});
}

TEST_CASE("what is no depfile is refused with its line") {
  CHECK(problem("x.o x.c\n") == "line 1: there is no \":\" with a blank after it behind the target");
  CHECK(problem("x: a\n\nx.o:x.c\n") == "line 3: there is no \":\" with a blank after it behind the target");
  CHECK(problem("x: a\n\tgcc -c a\n") ==
        "line 2: a line that begins with a tab is a command of a makefile, and a depfile has none");
  CHECK(problem(": a\n") == "line 1: there is no target before the \":\"");
  CHECK(problem("x: a: b\n") == "line 1: there is a second \":\" in one rule");
  CHECK(problem("x: $(SRC)\n") ==
        "line 1: there is a variable of make, which Troupe does not know; a \"$\" in a name is written \"$$\"");
  CHECK(problem("x: \\\n a \\") == "line 2: the file ends behind a backslash: it was cut off");
  CHECK(problem(std::string("x: a\0b\n", 8)) == "line 1: there is a NUL");
}
