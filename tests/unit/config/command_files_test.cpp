// The search of commands for files that are not declared.
#include "config/command_files.hpp"
#include "config/load_pipeline.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

using namespace troupe_internal;
using namespace troupe_internal::config;

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
  const std::function<bool(std::string_view)> is_file = [&](std::string_view path) {
    ++s.asked[std::string(path)];
    return files.contains(path);
  };
  auto loaded = parse_pipeline("{\"name\":\"p\",\"assets\":{" + assets + "}}", options);
  REQUIRE(loaded.p);
  const auto graph = asset_graph::build(*loaded.p, loaded.findings);
  REQUIRE(graph);
  findings out(loaded.findings);
  warn_of_undeclared_files(*loaded.p, *graph, is_file, thorough, out);
  for (const auto& item : loaded.findings.items)
    s.warned += item.code == "undeclared_input"  ? "!" + item.message.substr(0, item.message.find(", an output")) + ";"
                : item.code == "undeclared_file" ? item.message.substr(0, item.message.find(" is in the command")) + ";"
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
        "!made/x.txt;");
}

TEST_CASE("an output of another asset in a command is warned of, there or not, unless the order is known") {
  const auto warned = [](const std::string& assets) { return searched(assets, {}).warned; };
  const std::string maker = R"(,"m":{"command":"y","outputs":["a.txt","out/deep","plain"]})";
  CHECK(warned(R"("b":{"command":"cat a.txt > b.txt","outputs":["b.txt"]})" + maker) == "!a.txt;");
  CHECK(warned(R"("b":{"command":["cat","./a.txt"]})" + maker) == "!a.txt;");
  CHECK(warned(R"("b":{"command":["sh","-c","cat a.txt | wc"]})" + maker) == "!a.txt;");
  CHECK(warned(R"("b":{"command":["tool","--in=a.txt"]})" + maker) == "!a.txt;");
  CHECK(warned(R"("b":{"command":"cat /folder/a.txt"})" + maker) == "!a.txt;");
  CHECK(warned(R"("b":{"command":"cat ../a.txt","cwd":"sub"})" + maker) == "!a.txt;");
  CHECK(warned(R"("b":{"command":"cat out/deep/x"})" + maker) == "!out/deep/x;");
  CHECK(warned(R"("b":{"command":"X=1 cat < a.txt && y"})" + maker) == "!a.txt;");
  CHECK(warned(R"("b":{"command":"cat {{ matrix.v }}.txt","matrix":{"v":["a"]}})" + maker) == "!a.txt;");
  CHECK(warned(R"("b":{"command":"cat a.txt","deps":["m"]})" + maker).empty());
  CHECK(warned(R"("b":{"command":"cat a.txt","inputs":["a.*"]})" + maker).empty());
  CHECK(warned(R"("b":{"command":"cat a.txt","deps":["c"]},"c":{"command":"z","inputs":["plain"]})" + maker).empty());
  // Neither the program, nor what is only named, nor what is written, nor a word that could be anything.
  CHECK(warned(R"("b":{"command":"out/deep arg"})" + maker).empty());
  CHECK(warned(R"("b":{"command":"rm -f a.txt; echo a.txt; mkdir -p out/deep && x"})" + maker).empty());
  CHECK(warned(R"("b":{"command":"x > a.txt; y 2>a.txt"})" + maker).empty());
  CHECK(warned(R"("b":{"command":"echo plain; cat plain"})" + maker).empty());
  CHECK(warned(R"("b":{"command":"x # a.txt\ny"})" + maker).empty());
  CHECK(warned(R"("b":{"command":"rm a.txt; cat a.txt"})" + maker) == "!a.txt;");
  CHECK(warned(R"("b":{"command":"if test; then cat a.txt; fi"})" + maker) == "!a.txt;");
}

TEST_CASE("a file that is made from what the command makes is told to be the last run's") {
  auto loaded = parse_pipeline(R"({"name":"p","assets":{"b":{"command":"cat a.txt > b.txt","outputs":["b.txt"]},
    "a":{"command":"x","inputs":["b.txt"],"outputs":["a.txt"]}}})",
                               parse_options{.folder = "/folder"});
  REQUIRE(loaded.p);
  const auto graph = asset_graph::build(*loaded.p, loaded.findings);
  findings out(loaded.findings);
  warn_of_undeclared_files(
      *loaded.p, *graph, [](std::string_view) { return false; }, false, out);
  REQUIRE(loaded.findings.items.size() == 1);
  CHECK(loaded.findings.items[0].message.find("\"a\" needs \"b\"") != std::string::npos);
}

TEST_CASE("literal inputs and files of sources that are not there are warned of, unless somebody makes them") {
  auto loaded = parse_pipeline(R"({"name":"p","assets":{
    "s":{"outputs":["src.csv","there.csv"]},
    "a":{"command":"x","inputs":["order.csv","there.csv","b.txt","out/x","*.q"]},
    "b":{"command":"y","outputs":["b.txt","out"]}}})",
                               parse_options{.folder = "/folder"});
  REQUIRE(loaded.p);
  const auto graph = asset_graph::build(*loaded.p, loaded.findings);
  findings out(loaded.findings);
  warn_of_missing_inputs(
      *loaded.p, *graph, [](std::string_view path) { return path == "there.csv"; }, out);
  REQUIRE(loaded.findings.items.size() == 2);
  CHECK(loaded.findings.items[0].code == "missing_input");
  CHECK(loaded.findings.items[0].message.find("\"src.csv\"") != std::string::npos);
  CHECK(loaded.findings.items[1].message ==
        "asset a: input \"order.csv\" does not exist and no asset makes it: create it, or correct \"inputs\"");
  CHECK(loaded.findings.items[1].where.line == 3);
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

TEST_CASE("a file that the command itself writes is none of its inputs") {
  const std::set<std::string, std::less<>> files = {"m.d", "m.c", "sub/m.d", "out.txt"};
  const auto warned = [&](const std::string& command) {
    return searched("\"a\":{\"command\":" + command + "}", files).warned;
  };
  CHECK(warned(R"("echo m.o: x > m.d; sed -n p m.d > $TROUPE_RESULT")").empty());
  CHECK(warned(R"("sed -n p m.d; > m.d echo x")").empty());
  CHECK(warned(R"("cc -MMD -MF m.d -c x && read_deps m.d")").empty());
  CHECK(warned(R"("cc -MFm.d -c x; read_deps m.d")").empty());
  CHECK(warned(R"("cc -Wp,-MMD,m.d -c x; read_deps m.d")").empty());
  CHECK(warned(R"("cc -MD -c x; read_deps m.d")").empty());
  CHECK(warned(R"(["cc", "-MF", "m.d"])").empty());
  CHECK(warned(R"("x | tee -a m.d; read_deps m.d")").empty());
  CHECK(warned(R"("if true; then touch m.d; fi; read_deps m.d")").empty());
  CHECK(warned(R"("sort x --output=out.txt; cat out.txt")").empty());
  CHECK(warned(R"("dd if=x of=out.txt; cat out.txt")").empty());
  CHECK(warned(R"("cp m.c out.txt; cat out.txt")") == "m.c;"); // what is copied is read
  CHECK(warned(R"("cat m.c > m.d")") == "m.c;");
  CHECK(warned(R"("x m.d; echo x >&2")") == "m.d;");
  CHECK(searched(R"("a":{"command":"touch m.d; x m.d","cwd":"sub"})", files).warned.empty());
  CHECK(searched(R"("a":{"command":"touch m.d"},"b":{"command":"x m.d"})", files).warned == "m.d;"); // another's
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
