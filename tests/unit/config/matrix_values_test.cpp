// Where the values of matrices come from: files, globs, lists, rows; what the assets are called; what may be inserted.
#include "config/load_pipeline.hpp"
#include "config/matrix_ids.hpp"
#include "config/value_files.hpp"
#include "core/command/command.hpp"
#include "core/freshness/definition.hpp"
#include "core/pipeline/glob.hpp"
#include "finding_lines.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

using namespace troupe_internal;
using namespace troupe_internal::config;
using test::lines;

namespace {

using words = std::vector<std::string>;

/// A folder that exists in the test alone.
struct world {
  std::map<std::string, std::string> files; ///< by path
  words made;                               ///< what the state says was made
  std::vector<std::pair<std::string, std::string>> params;

  [[nodiscard]] loaded_pipeline load(const std::string& text) const {
    parse_options options;
    options.folder = "/folder";
    options.params = params;
    options.values.glob = [this](const std::string& pattern, const words&) -> result<words> {
      words found;
      for (const auto& [path, content] : files)
        if (glob_matches(pattern, path))
          found.push_back(path);
      return found;
    };
    options.values.read_text = [this](const std::string& path, std::uint64_t) -> result<std::string> {
      const auto found = files.find(path);
      if (found == files.end())
        return fail(error_code::not_found, path + " does not exist");
      return found->second;
    };
    options.values.made_here = [this](const pipeline&, std::span<const std::string> paths) -> result<words> {
      words some;
      for (const auto& path : paths)
        if (std::find(made.begin(), made.end(), path) != made.end())
          some.push_back(path);
      return some;
    };
    return parse_pipeline(text, options);
  }
  [[nodiscard]] std::shared_ptr<const pipeline> good(const std::string& text) const {
    auto loaded = load(text);
    CHECK(lines(loaded.findings) == "");
    REQUIRE(loaded.p);
    return loaded.p;
  }
  [[nodiscard]] std::string findings(const std::string& text) const { return lines(load(text).findings); }
};

words made_names(const pipeline& p) {
  words list;
  for (const auto& spec : p.assets)
    list.emplace_back(spec.name);
  return list;
}
words made_outputs(const pipeline& p) {
  words list;
  for (const auto& spec : p.assets)
    for (const auto output : spec.outputs)
      list.emplace_back(p.path(output));
  return list;
}
words command(const pipeline& p, std::string_view asset) {
  const auto index = p.find(asset).value();
  std::vector<std::string_view> inputs;
  for (const auto& input : p.asset(index).inputs)
    inputs.push_back(p.path(input.path));
  const auto made = render_command({p, index, "run", inputs});
  REQUIRE_MESSAGE(made.has_value(), made.error().message);
  return made->argv;
}
struct values_folder {
  std::string name = (std::filesystem::temp_directory_path() / "troupe-values-XXXXXX").string();
  values_folder() { REQUIRE(mkdtemp(name.data()) != nullptr); }
  ~values_folder() { std::filesystem::remove_all(name); }
  values_folder(const values_folder&) = delete;
  values_folder& operator=(const values_folder&) = delete;
  [[nodiscard]] const std::string& path() const { return name; }
};

std::string of(const std::string& source, const std::string& asset = R"("command":"x {{ matrix.v }}")",
               const std::string& more = "") {
  return R"({"name":"p",)" + more + R"("assets":{"a":{"matrix":{"v":)" + source + "}," + asset + "}}}";
}

} // namespace

TEST_CASE("a matrix from a glob has an asset for each file, named by what the wildcards stand for") {
  const world w{{{"pages/index.md", ""}, {"pages/guide/start.md", ""}, {"pages/guide/x.txt", ""}, {"other.md", ""}}};
  const auto p = w.good(
      of(R"({"glob":"./pages/**/*.md"})",
         R"("command":["m","{{ inputs[0] }}"],"inputs":["{{ matrix.v }}"],"outputs":["o/{{ matrix.v.id }}.html"])"));
  CHECK(made_names(*p) == words{"a[guide/start]", "a[index]"});
  CHECK(made_outputs(*p) == words{"o/guide/start.html", "o/index.html"});
  CHECK(command(*p, "a[guide/start]") == words{"m", "pages/guide/start.md"});
  CHECK(p->values_read != 0);
}

TEST_CASE("the ids of a glob's matches are unique and short") {
  const auto id = [](const std::string& pattern, const std::string& match) {
    return std::string(glob_ids(pattern).of(match));
  };
  CHECK(id("raw/*_R1.fq.gz", "raw/A_R1.fq.gz") == "A");
  CHECK(id("pages/**/*.md", "pages/guide/start.md") == "guide/start");
  CHECK(id("src/*.[ch]", "src/x.c") == "x.c");
  CHECK(id("a\\[1]/*.x", "a[1]/y.x") == "y");
  CHECK(id("pages/**/index.md", "pages/a/b/index.md") == "a/b");
  CHECK(id("pages/**/index.md", "pages/index.md") == ".");
  CHECK(id("x*", "x") == ".");
  CHECK(id("packages/*/", "packages/one") == "one");
  CHECK(id("a.txt", "a.txt") == "a.txt");
  CHECK(id("/abs/?.txt", "/abs/q.txt") == "q");
  CHECK(id("[a-c]x", "bx") == "b");
  CHECK(id("a[", "a[") == "a[");
  CHECK(id_of_text("50% [x], y\n\xff\xc3\xa9") == "50%25 %5Bx%5D%2C y%0A%FF\xc3\xa9");
  CHECK(id_of_text("\xed\xa0\x80\xf0\x9f\x98\x80\xc3") == "%ED%A0%80\xf0\x9f\x98\x80%C3");
}

TEST_CASE("of several patterns the path is the id, and ! takes out") {
  const world w{{{"a/x.c", ""}, {"b/x.c", ""}, {"a/skip.c", ""}, {"b/deep/y.c", ""}}};
  CHECK(made_names(*w.good(of(R"({"glob":["a/*.c","b/**/*.c","!**/skip.c","!b/deep"]})"))) ==
        words{"a[a/x.c]", "a[b/x.c]"});
  CHECK(made_names(*w.good(of(R"({"glob":["a/*.c","!a/skip.c"]})"))) == words{"a[x]"});
}

TEST_CASE("params are filled in where values come from") {
  world w{{{"one/x", ""}, {"two/y", ""}, {"list.txt", "q\n"}}};
  const std::string params = R"("params":{"d":"one"},)";
  CHECK(made_names(*w.good(of(R"({"glob":"{{ params.d }}/*"})", R"("command":"x")", params))) == words{"a[x]"});
  w.params = {{"d", "two"}};
  CHECK(made_names(*w.good(of(R"({"glob":"{{ params.d }}/*"})", R"("command":"x")", params))) == words{"a[y]"});
  CHECK(made_names(*w.good(of(R"(["{{ params.d }}","x"])", R"("command":"x")", params))) == words{"a[two]", "a[x]"});
  w.params = {{"d", "*"}};
  CHECK(w.findings(of(R"({"glob":"{{ params.d }}/*"})", R"("command":"x")", params)).find("empty_source") !=
        std::string::npos);
  CHECK(w.findings(of(R"({"glob":"{{ matrix.d }}/*"})")).find("the asset has no matrix") != std::string::npos);
  CHECK(w.findings(of(R"({"lines":"{{ params.s }}"})", R"("command":"x")",
                      R"("params":{"s":{"default":"x","secret":true}},)"))
            .find("is a secret") != std::string::npos);
}

TEST_CASE("values are declared once and used by many") {
  const world w{{{"u.txt", "b\r\n\n  \na\n"}}};
  const auto p = w.good(R"({"name":"p","values":{"unit":{"lines":"u.txt"},"same":{"values":"unit"}},"assets":{
    "a":{"matrix":{"u":{"values":"unit"}},"command":"x {{ matrix.u }}"},
    "b":{"matrix":{"u":{"values":"same"},"n":[1]},"command":"x {{ matrix.u }}{{ matrix.n }}","deps":["a[{{ matrix.u }}]"]}}})");
  CHECK(made_names(*p) == words{"a[b]", "a[a]", "b[b,1]", "b[a,1]"});
  REQUIRE(p->assets[3].deps.size() == 1);
  CHECK(p->asset(p->assets[3].deps[0]).name == "a[a]");
  CHECK(w.findings(of(R"({"values":"unti"})", R"("command":"x")", R"("values":{"unit":[1]},)")).find("did you mean") !=
        std::string::npos);
  CHECK(w.findings(R"({"name":"p","values":{"x":{"values":"y"},"y":{"values":"x"}},"assets":{"a":{"command":"x"}}})")
            .find("made from itself") != std::string::npos);
}

TEST_CASE("rows have columns, and one of them is the id") {
  const world w{
      {{"s.csv", "sample,r1,\"r 2\"\r\nA,a/1.fq.gz,\"x,\"\"y\"\"\"\nB,b/1.fq.gz,\"two\nlines\"\n"},
       {"s.json",
        R"({"all":[{"key":7,"n":1.50,"more":["u","v"],"odd":null},{"key":"x","n":true,"more":[],"extra":1}]})"}}};
  const auto p = w.good(of(
      R"({"csv":"s.csv"})",
      R"("command":["c","{{ matrix.v }}","{{ matrix.v.id }}","{{ matrix.v.r1 }}","{{ matrix.v.r1.stem }}","{{ matrix.v.r1.dir }}","{{ matrix.v.r 2 }}"],"inputs":["{{ matrix.v.r1 }}"])"));
  CHECK(made_names(*p) == words{"a[A]", "a[B]"});
  CHECK(command(*p, "a[A]") == words{"c", "A", "A", "a/1.fq.gz", "1.fq", "a", "x,\"y\""});
  CHECK(command(*p, "a[B]").back() == "two\nlines");
  const auto q =
      w.good(of(R"({"json":"s.json","at":"/all","key":"key"})",
                R"("command":["c","{{ matrix.v.n }}","{{ matrix.v.more }}","{{ matrix.v.more | join ',' }}"])"));
  CHECK(made_names(*q) == words{"a[7]", "a[x]"});
  CHECK(command(*q, "a[7]") == words{"c", "1.50", "u", "v", "u,v"});
  CHECK(command(*q, "a[x]") == words{"c", "true", ""});
  CHECK(w.findings(of(R"({"json":"s.json","at":"/all","key":"key"})", R"("command":"x {{ matrix.v.extra }}")"))
            .find("have no column \"extra\" (in every row)") != std::string::npos);
  CHECK(w.findings(of(R"({"json":"s.json","at":"/all","key":"key"})", R"("command":"x {{ matrix.v.more[0] }}")"))
            .find("the list has 0 values in \"x\"") != std::string::npos);
}

TEST_CASE("typed rows, and combinations that are left out") {
  const world w;
  const auto p = w.good(R"({"name":"p","assets":{"s":{"matrix":{
    "p":[{"id":"p1","t":"A","files":["f","g"]},{"id":"p2","t":"B","files":["h","i"]}],"c":["x","y"],"exclude":[{"p":"p2","c":"y"},{"c":"x","p":"p1"}]},
    "command":"cat {{ matrix.p.files }} {{ matrix.p.files[1] }} {{ matrix.p.files[1:] }}","inputs":["{{ matrix.p.files }}"],"outputs":["o/{{ matrix.p.id }}.{{ matrix.c }}"]}}})");
  CHECK(made_names(*p) == words{"s[p1,y]", "s[p2,x]"});
  CHECK(p->assets[0].inputs.size() == 2);
  CHECK(command(*p, "s[p1,y]") == words{"cat", "f", "g", "g", "g"});
  CHECK(made_outputs(*p) == words{"o/p1.y", "o/p2.x"});
}

TEST_CASE("everything may be excluded, and nothing found: then there are no assets") {
  const world w;
  CHECK(
      made_names(*w.good(
          R"({"name":"p","assets":{"s":{"matrix":{"c":["x"],"exclude":[{"c":"x"}]},"command":"x","outputs":["o"]},"t":{"command":"x","deps":["s"]}}})")) ==
      words{"t"});
  CHECK(w.findings(of(R"({"glob":"*.c"})")).find("warning: nothing is found for the matrix variable \"v\"") !=
        std::string::npos);
}

TEST_CASE("parts of paths") {
  const world w{{{"a/x.tar.gz", ""}, {"a/.b", ""}, {"c", ""}}};
  const auto p = w.good(
      of(R"({"glob":["a/*.gz","a/.b","c"]})",
         R"("command":["{{ matrix.v.name }}","{{ matrix.v.stem }}","{{ matrix.v.ext }}","{{ matrix.v.dir }}"])"));
  CHECK(command(*p, "a[a/x.tar.gz]") == words{"x.tar.gz", "x.tar", ".gz", "a"});
  CHECK(command(*p, "a[a/.b]") == words{".b", ".b", "", "a"});
  CHECK(command(*p, "a[c]") == words{"c", "c", "", "."});
}

TEST_CASE("a path of a glob is passed as paths are: right in cwd, and never an option") {
  const world w{{{"in/x", ""}, {"-n", ""}}};
  const auto p = w.good(of(R"({"glob":["in/*","-n"]})",
                           R"("cwd":"sub","command":["{{ matrix.v }}","{{ matrix.v.dir }}","{{ matrix.v.id }}"])"));
  CHECK(command(*p, "a[in/x]") == words{"../in/x", "../in", "in/x"});
  CHECK(command(*p, "a[-n]") == words{"../-n", "..", "-n"});
  const auto q = w.good(of(R"({"glob":["in/*","-n"]})", R"("command":"cat {{ matrix.v }} x{{ matrix.v }}")"));
  CHECK(command(*q, "a[-n]") == words{"cat", "./-n", "x-n"});
}

TEST_CASE("the longest declared name wins where names have dots") {
  const world w;
  const auto p =
      w.good(R"({"name":"p","assets":{"a":{"matrix":{"x":[{"id":"1","y":"c","y.z":"d","stem":"s"}],"x.y":["v.w"]},
    "command":["{{ matrix.x.y }}","{{ matrix.x.y.stem }}","{{ matrix.x.stem }}"]}}})");
  CHECK(command(*p, "a[1,v.w]") == words{"v.w", "v", "s"});
}

TEST_CASE("what an asset has made makes no assets, unless a source declares it") {
  world w{{{"in/a.c", ""}, {"in/gen.c", ""}}, {"in/gen.c"}};
  const auto loaded = w.load(of(R"({"glob":"in/*.c"})"));
  REQUIRE(loaded.p);
  CHECK(made_names(*loaded.p) == words{"a[a]"});
  CHECK(lines(loaded.findings).find("leaves out \"in/gen.c\", which an asset of this pipeline has made") !=
        std::string::npos);
  const auto p = w.good(
      R"({"name":"p","assets":{"src":{"outputs":["in/gen.c"]},"a":{"matrix":{"v":{"glob":"in/*.c"}},"command":"x"}}})");
  CHECK(made_names(*p) == words{"src", "a[a]", "a[gen]"});
}

TEST_CASE("a glob of a matrix reaches nothing that the pipeline makes") {
  const world w{{{"in/a.c", ""}, {"list", "x\n"}}};
  const auto made = [&](const std::string& glob, const std::string& output) {
    const auto text = w.findings(R"({"name":"p","assets":{"g":{"command":"x","outputs":[")" + output +
                                 R"("]},"a":{"matrix":{"v":{"glob":)" + glob + R"(}},"command":"x"}}})");
    return text.find("[matrix_of_outputs]") != std::string::npos;
  };
  CHECK(made(R"("in/*.c")", "in/gen.c"));
  CHECK_FALSE(made(R"("in/*.c")", "in/gen.h"));
  CHECK_FALSE(made(R"(["in/*.c","!in/gen.c"])", "in/gen.c"));
  CHECK(made(R"("in/**/*.c")", "in/gen"));
  CHECK_FALSE(made(R"("in/**/*.c")", "in/gen.h"));
  CHECK_FALSE(made(R"(["in/**/*.c","!in/gen/**"])", "in/gen"));
  CHECK(made(R"("in/*/*.c")", "in/a.dir"));
  CHECK(made(R"("in/sub/*.c")", "in/sub"));
  CHECK(made(R"("in/*/")", "in/sub/x.c"));
  CHECK(made(R"("*")", "gen"));
  CHECK_FALSE(made(R"("other/*")", "in/gen"));
  CHECK(
      w.findings(
           R"({"name":"p","assets":{"g":{"command":"x","outputs":["list"]},"a":{"matrix":{"v":{"lines":"list"}},"command":"x"}}})")
          .find("\"list\" is made by g") != std::string::npos);
  CHECK(
      made_names(*w.good(
          R"({"name":"p","assets":{"g":{"outputs":["in/a.c"]},"a":{"matrix":{"v":{"glob":"in/*.c"}},"command":"x"}}})")) ==
      words{"g", "a[a]"});
}

TEST_CASE("files of values that are wrong are named with line and finding") {
  const world w{{{"e.csv", ""},
                 {"two.csv", "a,a\n"},
                 {"none.csv", "a,\n"},
                 {"fields.csv", "a,b\n1\n"},
                 {"quote.csv", "a\nx\"y\n"},
                 {"open.csv", "a\n\"x\n"},
                 {"behind.csv", "a\n\"x\"y\n"},
                 {"twice.csv", "a\n1\n1\n"},
                 {"empty.csv", "a,b\n,1\n"},
                 {"bad.json", "[1,\n}"},
                 {"deep.json", R"({"a":{"b":[1,[2]]}})"},
                 {"obj.json", "{}"},
                 {"mixed.json", R"([1,{"id":2}])"},
                 {"noid.json", R"([{"x":1}])"},
                 {"nul", std::string("a\0b", 3)},
                 {"twice", "x\nx\n"}}};
  const auto says = [&](const std::string& source, const std::string& wanted) {
    const auto text = w.findings(of(source));
    CHECK_MESSAGE(text.find(wanted) != std::string::npos, text);
  };
  says(R"({"csv":"no.csv"})", "cannot be read: no.csv does not exist");
  says(R"({"csv":"e.csv"})", "\"e.csv\": it is empty");
  says(R"({"csv":"two.csv"})", "line 1: the column \"a\" stands here twice");
  says(R"({"csv":"none.csv"})", "line 1: a column has no name");
  says(R"({"csv":"fields.csv"})", "line 2: 1 field, where the first line names 2 columns");
  says(R"({"csv":"quote.csv"})", "line 2: a quote inside a field");
  says(R"({"csv":"open.csv"})", "line 2: a field begins with a quote");
  says(R"({"csv":"behind.csv"})", "line 2: text behind the quote");
  says(R"({"csv":"twice.csv"})", "\"twice.csv\", line 3: the id \"1\" stands here again");
  says(R"({"csv":"empty.csv"})", "\"empty.csv\", line 2: the id of a row is empty");
  says(R"({"csv":"fields.csv","separator":"ab"})", "one character");
  says(R"({"csv":"twice.csv","key":"b"})", "no row has the column \"b\"");
  says(R"({"json":"bad.json"})", "\"bad.json\": line 2, column 1:");
  says(R"({"json":"deep.json","at":"/a/c"})", "there is nothing at \"/a/c\"");
  says(R"({"json":"deep.json","at":"/a/b"})", "a value has to be a string");
  says(R"({"json":"deep.json","at":"a"})", "begins with /");
  says(R"({"json":"obj.json"})", "the value is no list; \"at\" says where");
  says(R"({"json":"mixed.json"})", "rows and single values");
  says(R"({"json":"noid.json"})", "no \"id\" and no \"name\"");
  says(R"({"lines":"nul"})", "holds a NUL");
  says(R"({"lines":"twice"})", "\"twice\", line 2: the matrix value \"x\" stands here again");
  says(R"({"lines":"x*"})", "has to name one file");
  says(R"({"glob":""})", "[bad_path]");
  says(R"({"glob":["!x"]})", "no pattern that finds something");
  says(R"({"glob":["a/*",7]})", "a pattern, or a list of patterns");
}

TEST_CASE("values of JSON files are found by a pointer") {
  const auto found = [](const std::string& text, const std::string& at) {
    words all;
    const auto values = json_values(text, at, 10);
    REQUIRE_MESSAGE(values.has_value(), values.error().message);
    for (const auto& one : *values)
      all.push_back(one.text);
    return all;
  };
  CHECK(found(R"([1,"x",true])", "") == words{"1", "x", "true"});
  CHECK(found(R"({"z":{},"a/b":[0,{"~":["y"]}]})", "/a~1b/1/~0") == words{"y"});
  CHECK_FALSE(json_values("[1,2,3]", "", 2).has_value());
  CHECK_FALSE(csv_rows("a\n1\n2\n3\n", ',', 2).has_value());
  CHECK_FALSE(lines_of("1\n2\n3\n", 2).has_value());
  CHECK(lines_of("\xEF\xBB\xBF"
                 "a\r\nb",
                 9)
            ->at(0)
            .text == "a");
  CHECK(csv_rows("\xEF\xBB\xBF"
                 "a\tb\r\n\r\n1\t\r\n",
                 '\t', 9)
            ->at(0)
            .row.at(1)
            .texts == words{""});
}

TEST_CASE("where values come from counts nothing, and unused columns count nothing") {
  const world typed;
  const world read{{{"l", "A\nB\n"}, {"c.csv", "id,x,y\nA,1,2\n"}, {"d.csv", "id,x,y\nA,1,3\n"}}};
  const auto print = [](const pipeline& p, bool declared) {
    definer define;
    fingerprint out;
    define.define(
        {p, asset_index(0U), "", {}}, [](const env_entry&) { return std::nullopt; }, out);
    if (declared)
      define_as_declared(
          p, asset_index(0U), [](const env_entry&) { return std::nullopt; }, out);
    return out.command;
  };
  CHECK(print(*typed.good(of(R"(["A","B"])")), false) == print(*read.good(of(R"({"lines":"l"})")), false));
  const auto x = R"("command":"x {{ matrix.v.x }}")", y = R"("command":"x {{ matrix.v.y }}")";
  for (const bool declared : {false, true}) {
    CHECK(print(*read.good(of(R"({"csv":"c.csv"})", x)), declared) ==
          print(*read.good(of(R"({"csv":"d.csv"})", x)), declared));
    CHECK(print(*read.good(of(R"({"csv":"c.csv"})", y)), declared) !=
          print(*read.good(of(R"({"csv":"d.csv"})", y)), declared));
  }
  CHECK(read.good(of(R"({"csv":"c.csv"})", x))->values_read != read.good(of(R"({"csv":"d.csv"})", x))->values_read);
}

TEST_CASE("values are read from the disk, and a completion does not search a large tree") {
  const values_folder folder;
  for (const auto* name : {"src/a.c", "src/b.c", "list.txt"}) {
    std::filesystem::create_directories(std::filesystem::path(folder.path()) / "src");
    std::ofstream(std::filesystem::path(folder.path()) / name) << "one\ntwo\n";
  }
  const auto file = (std::filesystem::path(folder.path()) / "troupe.json").string();
  std::ofstream(file)
      << R"({"name":"p","assets":{"a":{"matrix":{"c":{"glob":"src/*.c"},"l":{"lines":"list.txt"}},"command":"x {{ matrix.c }} {{ matrix.l }}"}}})";
  const auto loaded = load_pipeline({.file = file, .state = "elsewhere"});
  INFO(lines(loaded.findings));
  REQUIRE(loaded.p);
  CHECK(made_names(*loaded.p) == words{"a[a,one]", "a[a,two]", "a[b,one]", "a[b,two]"});
  const auto by_the_way =
      load_pipeline({.file = file, .only_regular = true, .with_graph = false, .limits = limits_by_the_way});
  REQUIRE(by_the_way.p);
  CHECK(by_the_way.p->assets.size() == 4);
  std::filesystem::remove(std::filesystem::path(folder.path()) / "list.txt");
  CHECK(lines(load_pipeline({.file = file}).findings).find("[cannot_read]") != std::string::npos);
}
