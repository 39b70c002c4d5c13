// Every wrong pipeline file beside this one is refused with exactly the findings written in its .expected file; files
// too large to keep are made here. TROUPE_UPDATE_GOLDEN=1 rewrites the expectations: read what it wrote.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "config/command_files.hpp"
#include "config/load_pipeline.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

using namespace troupe_internal;
using namespace troupe_internal::config;

namespace {

std::string lines(const diagnostics& list) {
  std::string text;
  for (const auto& item : list.items)
    text += std::to_string(item.where.line) + ":" + std::to_string(item.where.column) + ": " +
            (item.level == severity::warning ? "warning " : "") + item.code + ": " + item.message + "\n";
  return text;
}

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::filesystem::path> bad_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(BAD_INPUT_FOLDER))
    if (entry.path().extension() == ".json")
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// A text of `count` copies of a part between two others, never in memory as a whole.
std::function<std::ptrdiff_t(char*, std::size_t)> repeated(std::string before, std::string part, std::size_t count,
                                                           std::string after) {
  std::string waiting = std::move(before);
  return [=](char* into, std::size_t capacity) mutable {
    while (waiting.size() < capacity && count > 0) {
      waiting += part;
      --count;
    }
    if (count == 0) {
      waiting += after;
      after.clear();
    }
    const std::size_t bytes = std::min(capacity, waiting.size());
    std::memcpy(into, waiting.data(), bytes);
    waiting.erase(0, bytes);
    return static_cast<std::ptrdiff_t>(bytes);
  };
}

loaded_pipeline parse(std::string before, std::string part, std::size_t count, std::string after) {
  parse_options options;
  options.folder = "/nowhere";
  return parse_pipeline(repeated(std::move(before), std::move(part), count, std::move(after)), options);
}

/// The part `count` times, its # a number that grows.
std::string numbered(std::string before, const std::string& part, int count, const std::string& after) {
  for (int i = 0; i < count; ++i)
    for (const char c : part)
      before += c == '#' ? std::to_string(i) : std::string(1, c);
  return before + after;
}

loaded_pipeline parse_numbered(std::string before, const std::string& part, int count, const std::string& after) {
  parse_options options;
  options.folder = "/nowhere";
  return parse_pipeline(numbered(std::move(before), part, count, after), options);
}

} // namespace

TEST_CASE("each wrong file is refused with exactly the findings expected") {
  const bool update = std::getenv("TROUPE_UPDATE_GOLDEN") != nullptr;
  for (const auto& file : bad_files()) {
    INFO(file.filename().string());
    load_options options;
    options.file = file.string();
    const auto loaded = load_pipeline(options);
    const std::string found = lines(loaded.findings);
    const auto expected = std::filesystem::path(file).replace_extension(".expected");
    if (update)
      std::ofstream(expected, std::ios::binary) << found;
    CHECK(found == content(expected));
    const bool only_warns = file.filename().string().starts_with("warning_");
    CHECK(loaded.findings.has_errors() != only_warns);
    CHECK((loaded.p != nullptr) == only_warns);
    CHECK((loaded.graph != nullptr) == only_warns);
  }
}

TEST_CASE("there are at least 100 wrong files, and each expectation belongs to one") {
  const auto files = bad_files();
  CHECK(files.size() >= 100);
  for (const auto& entry : std::filesystem::directory_iterator(BAD_INPUT_FOLDER))
    if (entry.path().extension() == ".expected") {
      INFO(entry.path().string());
      CHECK(std::filesystem::exists(std::filesystem::path(entry.path()).replace_extension(".json")));
    }
}

TEST_CASE("every code that is expected is in the reference of the pipeline file") {
  const std::string reference = content(PIPELINE_REFERENCE);
  for (const auto& file : bad_files()) {
    std::istringstream expected(content(std::filesystem::path(file).replace_extension(".expected")));
    for (std::string line; std::getline(expected, line);) {
      const auto begin = line.find(": ") + 2;
      std::string code = line.substr(begin, line.find(':', begin) - begin);
      if (code.starts_with("warning "))
        code.erase(0, 8);
      INFO(line);
      CHECK(reference.find("`" + code + "`") != std::string::npos);
    }
  }
}

TEST_CASE("a hundred megabytes of blanks are an empty file") {
  const auto loaded = parse("", std::string(1000, ' '), 100'000, "");
  CHECK(lines(loaded.findings) ==
        "1:100000001: empty_file: the file is empty; a pipeline is { \"name\": …, \"assets\": { … } "
        "} (troupe init writes one)\n");
}

TEST_CASE("a hundred megabytes of newlines are an empty file") {
  const auto loaded = parse("", std::string(1000, '\n'), 100'000, "");
  CHECK(lines(loaded.findings).starts_with("100000001:1: empty_file: "));
}

TEST_CASE("ten thousand levels are refused at the first too deep") {
  const auto lists = parse("{\"x\": ", "[", 10'000, std::string(10'000, ']') + "}");
  CHECK(lines(lists.findings).ends_with("1:70: too_deep: nested deeper than 64 levels\n"));
  const auto objects = parse("", "{\"a\":", 10'000, "1" + std::string(10'000, '}'));
  CHECK(lines(objects.findings).ends_with("1:321: too_deep: nested deeper than 64 levels\n"));
}

TEST_CASE("a text beyond 1 GiB is refused without being kept") {
  const auto loaded = parse("", std::string(1 << 20, ' '), 1025, "{}");
  CHECK(lines(loaded.findings) == "0:0: too_large: the file is larger than 1 GiB\n");
}

TEST_CASE("a string of a hundred megabytes is refused before it is read to its end") {
  const auto loaded = parse("{\"name\": \"", std::string(1000, 'x'), 100'000, "\"}");
  CHECK(lines(loaded.findings) == "1:10: too_large: this string is longer than 1 MiB\n");
}

TEST_CASE("a comment of a hundred megabytes that is never closed is reported where it begins") {
  const auto loaded = parse("{ /*", std::string(1000, '*'), 100'000, "");
  CHECK(lines(loaded.findings) == "1:3: unexpected_end: this comment is never closed: */ is missing\n");
}

TEST_CASE("a number of a hundred megabytes is refused") {
  const auto loaded = parse("{ \"x\": ", std::string(1000, '9'), 100'000, " }");
  CHECK(lines(loaded.findings).ends_with("1:8: bad_number: a number of more than 400 characters\n"));
}

TEST_CASE("a million mistakes are a hundred findings and a word about the rest") {
  const auto loaded = parse("{\"name\":\"p\",\"assets\":{", "\"a b\":{\"command\":\"x\"},", 1'000'000, "}}");
  CHECK(loaded.findings.items.size() == 101);
  CHECK(loaded.findings.items.back().code == "too_many_errors");
}

TEST_CASE("a source that cannot be read makes no pipeline") {
  parse_options options;
  options.folder = "/nowhere";
  const auto loaded = parse_pipeline([](char*, std::size_t) -> std::ptrdiff_t { return -1; }, options);
  CHECK_FALSE(loaded.p);
}

// ── small files that could grow, and files that are wrong everywhere ────────────────────────────────────────────────
// What takes time with the square of the file would not end here within the time a test has.

TEST_CASE("a matrix of more than 64 variables is refused once") {
  const auto loaded =
      parse_numbered(R"({"name":"p","assets":{"a":{"command":"x","matrix":{)", "\"v#\":[1],", 100'000, "}}}}");
  CHECK(lines(loaded.findings).ends_with(": too_large: a matrix of more than 64 variables\n"));
  CHECK(loaded.findings.items.size() == 1);
}

TEST_CASE("a matrix whose names and paths would take more memory than sensible is refused") {
  std::string values = "0";
  for (int i = 1; i < 1000; ++i)
    values += "," + std::to_string(i);
  const auto loaded = parse_numbered(R"({"name":"p","assets":{"a":{"command":"x","matrix":{"x":[)" + values +
                                         R"(],"y":[)" + values + R"(]},"inputs":[)",
                                     "\"{{ matrix.x }}/#\",", 10'000, "]}}}");
  CHECK(lines(loaded.findings) ==
        "1:23: too_large: with \"a\" the names and paths of expanded assets take more than 4 GiB\n");
}

TEST_CASE("defaults with long lists under many assets with settings of their own are refused") {
  std::string tags;
  for (int i = 0; i < 10'000; ++i)
    tags += "\"t" + std::to_string(i) + "\",";
  const auto loaded = parse_numbered(R"({"name":"p","defaults":{"tags":[)" + tags + R"(]},"assets":{)",
                                     "\"a#\":{\"command\":\"x\",\"version\":\"#\"},", 10'000, "}}");
  CHECK(
      lines(loaded.findings) ==
      "1:13: too_large: \"defaults\" has 10000 entries in its lists, and 10000 assets with settings of their own take "
      "them over: more than 10000000 in all\n");
}

TEST_CASE("long lists in one asset are read in no more time than many short ones") {
  const auto loaded = [](const std::string& key, const std::string& open, const std::string& part, const char* close) {
    const auto one = parse_numbered(R"({"name":"p","assets":{"a":{"command":"x",")" + key + "\":" + open, part, 200'000,
                                    std::string(close) + "}}}");
    return one.p != nullptr && lines(one.findings).empty();
  };
  CHECK(loaded("tags", "[", "\"t#\",", "]"));
  CHECK(loaded("owners", "[", "\"t#\",", "]"));
  CHECK(loaded("env", "{", "\"V#\":\"x\",", "}"));
  CHECK(loaded("inputs", "[", "\"i#\",", "]"));
  CHECK(loaded("outputs", "[", "\"o#\",", "]"));
}

TEST_CASE("a hundred thousand pools that are not declared beside a hundred thousand that are") {
  const auto loaded = parse_numbered(numbered(R"({"name":"p","engine":{"pools":{)", "\"pool_#\":1,", 100'000, "") +
                                         R"(}},"assets":{"a":{"command":"x","pools":{)",
                                     "\"pol_#\":1,", 100'000, "}}}}");
  CHECK(loaded.findings.items.size() == 101);
  CHECK(loaded.findings.items.back().code == "too_many_errors");
}

TEST_CASE("a hundred thousand templates that name nothing beside as many params") {
  const auto loaded = parse_numbered(numbered(R"({"name":"p","params":{)", "\"param_#\":1,", 20'000, "") +
                                         R"(},"assets":{"a":{"command":"x","env":{"A":")",
                                     "{{ params.parm_# }}", 20'000, "\"}}}}");
  CHECK(loaded.findings.items.size() == 101);
  CHECK(loaded.findings.items.back().code == "too_many_errors");
}

TEST_CASE("inputs that stand twice a hundred thousand times are warned of a hundred times") {
  const auto loaded = parse(R"({"name":"p","assets":{"a":{"command":"x","inputs":[)", "\"i\",", 100'000, "]}}}");
  CHECK(loaded.p);
  CHECK(loaded.findings.items.size() == 100);
}

TEST_CASE("mistakes of the graph beyond the first hundred are not shown") {
  auto loaded = parse_numbered(
      R"({"name":"p","assets":{)",
      "\"a#\":{\"command\":\"x\",\"outputs\":[\"o#\"]},\"b#\":{\"command\":\"x\",\"outputs\":[\"o#\"]},", 10'000, "}}");
  REQUIRE(loaded.p);
  CHECK_FALSE(asset_graph::build(*loaded.p, loaded.findings));
  CHECK(loaded.findings.items.size() == 101);
  CHECK(loaded.findings.items.back().code == "too_many_errors");
}

TEST_CASE("words of a command are looked up among its inputs in no more time than there are files") {
  parse_options options;
  options.folder = "/nowhere";
  int asked = 0;
  const std::function<bool(std::string_view)> is_file = [&](std::string_view) { return ++asked % 1000 == 0; };
  std::string text = numbered(R"({"name":"p","assets":{"a":{"command":["x",)", "\"w.#\",", 50'000, "") +
                     numbered(R"("x"],"inputs":[)", "\"in/#\",", 50'000, "") + "]}}}";
  auto loaded = parse_pipeline(text, options);
  REQUIRE(loaded.p);
  const auto graph = asset_graph::build(*loaded.p, loaded.findings);
  REQUIRE(graph);
  findings out(loaded.findings);
  warn_of_undeclared_files(*loaded.p, *graph, is_file, false, out);
  CHECK(loaded.findings.items.size() == 50);
  CHECK(asked == 50'000);
}

TEST_CASE("globs and outputs so many that matching them would take minutes are refused") {
  const std::string name(200, 'n');
  auto loaded = parse_numbered(
      numbered(R"({"name":"p","assets":{"a":{"command":"x","outputs":[)", "\"" + name + "#\",", 5000, "") +
          R"(]},"b":{"command":"x","inputs":[)",
      "\"*x" + name + "#*\",", 5000, "]}}}");
  REQUIRE(loaded.p);
  CHECK_FALSE(asset_graph::build(*loaded.p, loaded.findings));
  CHECK(loaded.findings.items.size() == 1);
  CHECK(loaded.findings.items.front().code == "too_many_comparisons");
}

TEST_CASE("a glob that takes long over long names is refused where there are many") {
  const std::string name(4000, 'a');
  auto loaded = parse_numbered(R"({"name":"p","assets":{"b":{"command":"x","inputs":["*)" + name +
                                   R"(b"]},"a":{"command":"x","outputs":[)",
                               "\"" + name + "#\",", 2200, "]}}}");
  REQUIRE(loaded.p);
  CHECK_FALSE(asset_graph::build(*loaded.p, loaded.findings));
  CHECK(loaded.findings.items.front().code == "too_many_comparisons");
}

TEST_CASE("globs that begin with a folder are compared with what is in it, however many there are") {
  auto loaded =
      parse_numbered(numbered(R"({"name":"p","assets":{"a":{"command":"x","outputs":[)", "\"d#/o\",", 30'000, "") +
                         R"(]},"b":{"command":"x","inputs":[)",
                     "\"d#/*\",", 30'000, "]}}}");
  REQUIRE(loaded.p);
  CHECK(asset_graph::build(*loaded.p, loaded.findings));
}
