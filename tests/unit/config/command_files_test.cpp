// The search of commands for files that are not declared.
#include "app/config/command_files.hpp"
#include "app/config/load_pipeline.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

using namespace troupe;
using namespace troupe::config;

namespace {

struct search {
  std::map<std::string, int> asked;
  std::string warned;
};

// What is warned of where these files exist.
search searched(const std::string& assets, const std::set<std::string, std::less<>>& files, bool thorough = false) {
  search s;
  parse_options options;
  options.folder = "/folder";
  options.thorough = thorough;
  options.is_file = [&](std::string_view path) {
    ++s.asked[std::string(path)];
    return files.contains(path);
  };
  const auto loaded = parse_pipeline("{\"name\":\"p\",\"assets\":{" + assets + "}}", options);
  CHECK(loaded.p);
  for (const auto& item : loaded.findings.items)
    s.warned += item.code == "undeclared_file" ? item.message.substr(0, item.message.find(" is in the command")) + ";"
                                               : item.code + ";";
  return s;
}

} // namespace

TEST_CASE("a script in a command that is no input is warned of, in a list and in a shell text") {
  CHECK(searched(R"("a":{"command":["python3","etl.py"]})", {"etl.py"}).warned == "etl.py;");
  CHECK(searched(R"("a":{"command":"cat x | ./bin/etl.sh --config=conf/a.toml"})", {"bin/etl.sh", "conf/a.toml"})
            .warned == "bin/etl.sh;conf/a.toml;");
  CHECK(searched(R"("a":{"command":"awk -f 'a.awk' \"b.txt\" < c.txt; awk -f a.awk"})", {"a.awk", "b.txt", "c.txt"})
            .warned == "a.awk;b.txt;c.txt;");
}

TEST_CASE("what is declared in any way is not warned of") {
  const std::set<std::string, std::less<>> files = {"etl.py", "src/a.c", "out/a.o", "made/x.txt"};
  CHECK(searched(R"("a":{"command":"x etl.py","inputs":["./etl.py"]})", files).warned.empty());
  CHECK(searched(R"("a":{"command":"x src/a.c","inputs":["src/*.c"]})", files).warned.empty());
  CHECK(searched(R"("a":{"command":"x src/a.c","inputs":["src"]})", files).warned.empty());
  CHECK(searched(R"("a":{"command":"x -o out/a.o","outputs":["out"]})", files).warned.empty());
  CHECK(searched(R"("m":{"command":"y","outputs":["made"]},"a":{"command":"x made/x.txt","deps":["m"]})", files)
            .warned.empty());
  CHECK(searched(R"("m":{"command":"y","outputs":["made"]},"a":{"command":"x made/x.txt"})", files).warned ==
        "made/x.txt;");
}

TEST_CASE("of a word that is declared among few nobody asks whether it is a file; among many that is asked first") {
  const std::set<std::string, std::less<>> files = {"in.txt", "out.txt"};
  auto s = searched(R"("a":{"command":"x in.txt out.txt","inputs":["in.txt"],"outputs":["out.txt"]})", files);
  CHECK(s.warned.empty());
  CHECK(s.asked.empty());
  std::string outputs;
  for (int i = 0; i < 20; ++i)
    outputs += "\"made/" + std::to_string(i) + "\",";
  outputs.pop_back();
  s = searched(R"("m":{"command":"y","outputs":[)" + outputs +
                   R"(]},"a":{"command":"x made/3 made/none","deps":["m"]})",
               {"made/3"});
  CHECK(s.warned.empty());
  CHECK(s.asked.contains("made/3"));
  CHECK(s.asked.contains("made/none"));
}

TEST_CASE("words that are no files of the folder are not asked for") {
  const auto s = searched(
      R"("a":{"command":"x -v --flag /etc/passwd ../up.txt plain . .. > written.txt 2>&1 {{ outputs[0] }} $HOME/f.txt *.txt","outputs":["o.txt"]},
         "b":{"outputs":["f"]})",
      {"written.txt", "plain"});
  CHECK(s.warned.empty());
  for (const auto& [path, count] : s.asked)
    CHECK((path == "1" || path.find("etc") != 0));
  CHECK_FALSE(s.asked.contains("written.txt"));
  CHECK_FALSE(s.asked.contains("plain"));
}

TEST_CASE("words are relative to the folder the command runs in") {
  CHECK(searched(R"("a":{"command":"x etl.py ../top.py","cwd":"sub"})", {"sub/etl.py", "etl.py", "top.py"}).warned ==
        "sub/etl.py;top.py;");
}

TEST_CASE("each path is asked for once, each combination of a matrix speaks for all") {
  const auto s = searched(
      R"("a":{"command":"x etl.py"},"b":{"command":"y etl.py"},"m":{"command":"z etl.py","matrix":{"v":[1,2,3]}})",
      {"etl.py"});
  CHECK(s.asked.at("etl.py") == 1);
  CHECK(s.warned == "etl.py;etl.py;etl.py;");
}

TEST_CASE("beyond 5,000 assets only a thorough search is made") {
  std::string values = "0";
  for (int i = 1; i <= 5000; ++i)
    values += "," + std::to_string(i);
  const std::string assets = "\"a\":{\"command\":\"x etl.py\",\"matrix\":{\"v\":[" + values + "]}}";
  CHECK(searched(assets, {"etl.py"}).warned.empty());
  CHECK(searched(assets, {"etl.py"}, true).warned == "etl.py;");
}
