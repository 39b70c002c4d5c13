// How mistakes in a file are shown.
#include "cli/invocation.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <fstream>

using namespace troupe_internal;
using namespace troupe_internal::cli;

TEST_CASE("a finding shows its place, the line, and a mark under the column") {
  const temporary_folder folder;
  const auto file = folder / "troupe.json";
  folder.write("troupe.json", "{\n\t\"nam\": \"x\",\r\n}\n");
  diagnostics findings;
  findings.file = file;
  findings.error({2, 2}, "unknown_key", "unknown key \"nam\"");
  CHECK(findings_text(findings, {}) ==
        file + ":2:2: error: unknown key \"nam\" [unknown_key]\n" + "     \"nam\": \"x\",\n     ^\n");
}

TEST_CASE("a finding about the file as a whole has no line, and one beyond the line no mark") {
  const temporary_folder folder;
  const auto file = folder / "troupe.json";
  folder.write("troupe.json", "{}");
  diagnostics findings;
  findings.file = file;
  findings.warning({0, 0}, "useless_key", "nothing");
  findings.error({1, 9}, "far", "beyond");
  findings.error({7, 1}, "further", "no such line");
  CHECK(findings_text(findings, {}) == file + ": warning: nothing [useless_key]\n" + file +
                                           ":1:9: error: beyond [far]\n" + file +
                                           ":7:1: error: no such line [further]\n");
}

TEST_CASE("of a long line what stands around the place is shown") {
  const temporary_folder folder;
  const auto file = folder / "troupe.json";
  folder.write("troupe.json", std::string(5'000, 'a') + "HERE" + std::string(200'000, 'b'));
  diagnostics findings;
  findings.file = file;
  findings.error({1, 5'001}, "x", "y");
  const auto text = findings_text(findings, {});
  CHECK(text.find("aHEREb") != std::string::npos);
  CHECK(text.size() < 600);
  const auto mark = text.rfind('^'), line = text.rfind('\n', mark), source = text.rfind('\n', line - 1);
  CHECK(text.find("HERE", source) - source - 2 == mark - line); // "…" has two bytes more than columns
  findings.items[0].where.column = 150'000;                     // beyond what is kept of a line
  CHECK(findings_text(findings, {}).find("bbbb") == std::string::npos);
}

TEST_CASE("standard input and missing files show no lines") {
  diagnostics findings;
  findings.file = "-";
  findings.error({1, 1}, "x", "y");
  CHECK(findings_text(findings, {}) == "-:1:1: error: y [x]\n");
}
