// Keys that few assets have, lists among the params, and values in files: what becomes of them once a file is read.
#include "config/load_pipeline.hpp"
#include "config/param_list.hpp"
#include "core/command/command.hpp"
#include "core/freshness/declared_text.hpp"
#include "core/freshness/definition.hpp"
#include "finding_lines.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace troupe_internal;
using namespace troupe_internal::config;

namespace {

using word_list = std::vector<std::string>;
using rare_overrides = std::vector<std::pair<std::string, std::string>>;

std::shared_ptr<const pipeline> read_rare(const std::string& members, const rare_overrides& params = {}) {
  parse_options options;
  options.folder = "/folder";
  options.params = params;
  auto loaded = parse_pipeline(R"({"name":"p",)" + members + "}", options);
  CHECK(test::lines(loaded.findings) == "");
  REQUIRE(loaded.p);
  return loaded.p;
}

std::string rare_problems(const std::string& members, const rare_overrides& params = {}) {
  parse_options options;
  options.folder = "/folder";
  options.params = params;
  const auto loaded = parse_pipeline(R"({"name":"p",)" + members + "}", options);
  CHECK_FALSE(loaded.p);
  return test::lines(loaded.findings);
}

std::string depfile_path(const pipeline& p, std::string_view asset) {
  const auto path = p.depfile_of(p.find(asset).value());
  return path ? std::string(p.path(*path)) : "none";
}

/// The command with these inputs; each file that is written goes into `files`, and stands in the command as #N.
word_list rare_command(const pipeline& p, std::string_view asset, const word_list& given, word_list* files = nullptr,
                       value_use use = value_use::execution) {
  const std::vector<std::string_view> inputs(given.begin(), given.end());
  const response_writer writes = [&](const std::string& content) -> result<std::string> {
    files->push_back(content);
    return "#" + std::to_string(files->size());
  };
  command_scope scope{p, p.find(asset).value(), "run", inputs};
  if (files != nullptr)
    scope.responses = &writes;
  auto made = render_command(scope, use);
  return made ? made->argv : word_list{made.error().message};
}

digest rare_fingerprint(const pipeline& p, std::string_view asset, const word_list& given = {}) {
  const std::vector<std::string_view> inputs(given.begin(), given.end());
  definer defines;
  fingerprint now;
  defines.define(
      {p, p.find(asset).value(), "run", inputs}, [](const env_entry&) { return std::nullopt; }, now);
  return now.command;
}

} // namespace

TEST_CASE("a depfile is a path of each combination, with params, matrix and outputs in it") {
  const auto p = read_rare(R"("params":{"d":"dep"},"assets":{
    "obj":{"matrix":{"n":["a","b"]},"command":"x","outputs":["o/{{ matrix.n }}.o","x{{ matrix.n }}"],"depfile":"{{ outputs[0] }}.d"},
    "named":{"command":"x","outputs":{"main":"m/x.tar.gz"},"depfile":"./{{ params.d }}//{{ outputs.main.stem }}.d"},
    "joined":{"command":"x","outputs":["p","q"],"depfile":"{{ outputs | join \"-\" }}"},
    "plain":{"command":"x","depfile":"plain.d"},"none":{"command":"x"}})");
  CHECK(depfile_path(*p, "obj[a]") == "o/a.o.d");
  CHECK(depfile_path(*p, "obj[b]") == "o/b.o.d");
  CHECK(depfile_path(*p, "named") == "dep/x.tar.d");
  CHECK(depfile_path(*p, "joined") == "p-q");
  CHECK(depfile_path(*p, "plain") == "plain.d");
  CHECK(depfile_path(*p, "none") == "none");
  CHECK(p->declaration(p->find("none").value()).rare == nullptr);
}

TEST_CASE("depfile and data_version count, and are among the texts of a definition") {
  const auto with = [](const std::string& more) { return read_rare(R"("assets":{"a":{"command":"x")" + more + "}}"); };
  const auto plain = rare_fingerprint(*with(""), "a");
  const auto one = rare_fingerprint(*with(R"(,"depfile":"a.d")"), "a");
  CHECK(one != plain);
  CHECK(rare_fingerprint(*with(R"(,"depfile":"./a.d")"), "a") == one);
  CHECK(rare_fingerprint(*with(R"(,"depfile":"b.d")"), "a") != one);
  CHECK(rare_fingerprint(*with(R"(,"data_version":"stdout")"), "a") != plain);
  CHECK(rare_fingerprint(*with(R"(,"skip_exit_codes":[3])"), "a") == plain);
  const auto p = with(R"(,"depfile":"a.d","data_version":"stdout")");
  const auto text = declared_text(*p, p->find("a").value(), assets_of_declarations(*p));
  CHECK(text.more == word_list{"depfile a.d", "data_version stdout"});
  auto without = text;
  without.more.clear();
  CHECK(digest_of(text) != digest_of(without));
}

TEST_CASE("exit statuses that skip are sorted, and stand in defaults, too") {
  const auto p = read_rare(
      R"("defaults":{"skip_exit_codes":[99,3]},"assets":{"a":{"command":"x"},"b":{"command":"x","skip_exit_codes":[]}})");
  CHECK(p->settings_of(p->find("a").value()).skip_exit_codes == std::vector<int>{3, 99});
  CHECK(p->settings_of(p->find("b").value()).skip_exit_codes.empty());
  const auto wrong = rare_problems(R"("assets":{"a":{"command":"x","skip_exit_codes":[0, "1"]}})");
  CHECK(wrong.find("a whole number from 1 to 255, found 0 [bad_value]") != std::string::npos);
  CHECK(wrong.find("a whole number from 1 to 255, found the string \"1\" [wrong_type]") != std::string::npos);
}

TEST_CASE("values in files: a line each, ended by NUL, or as response files are read") {
  const auto p = read_rare(R"("params":{"v":"it's"},"assets":{
    "lines":{"command":["x","{{ inputs | file }}","--list={{ inputs[1:] | file }}"],"inputs":["a","-b","c d"]},
    "nul":{"command":["x","{{ inputs | file0 }}","{{ params.v | file0 }}"],"inputs":["a","-b","c d"]},
    "rsp":{"command":"x @{{ inputs | rsp }} {{ params.v | rsp }}","inputs":["a","-b","c d"]},
    "env":{"command":"x","env":{"LIST":"{{ outputs | file }}"},"outputs":["o"]}})");
  word_list files;
  CHECK(rare_command(*p, "lines", {"a", "-b", "c d"}, &files) == word_list{"x", "#1", "--list=#2"});
  CHECK(files == word_list{"a\n./-b\nc d\n", "./-b\nc d\n"});
  files.clear();
  CHECK(rare_command(*p, "nul", {"a", "-b", "c d"}, &files) == word_list{"x", "#1", "#2"});
  CHECK(files == word_list{std::string("a\0./-b\0c d\0", 11), std::string("it's\0", 5)});
  files.clear();
  static_cast<void>(rare_command(*p, "rsp", {"a", "", "c\\ \"d\n"}, &files));
  CHECK(files == word_list{"a\n\"\"\nc\\\\\\ \\\"d\\\n\n", "it\\'s\n"});
  CHECK(rare_command(*p, "lines", {"a", "b\nc", "d"}, &files).front().ends_with("use file0"));
  CHECK(rare_command(*p, "lines", {"a", "b", "c"}).front().ends_with("no file can be written here"));
  CHECK(rare_command(*p, "lines", {"a", "b", "c"}, nullptr, value_use::shown) ==
        word_list{"x", "{{ inputs | file }}", "--list={{ inputs[1:] | file }}"});
  // Its content counts, and its kind.
  CHECK(rare_fingerprint(*p, "lines", {"a", "b", "c"}) == rare_fingerprint(*p, "lines", {"a", "b", "c"}));
  CHECK(rare_fingerprint(*p, "lines", {"a", "b", "c"}) != rare_fingerprint(*p, "lines", {"a", "c", "b"}));
  const auto of_kind = [](const std::string& kind) {
    return rare_fingerprint(
        *read_rare(R"("assets":{"a":{"command":["x","{{ outputs | )" + kind + R"( }}"],"outputs":["o"]}})"), "a");
  };
  CHECK(of_kind("file") != of_kind("file0"));
  CHECK(of_kind("file") != of_kind("rsp"));
}

TEST_CASE("no secret goes into a file, and no file into a path") {
  CHECK(rare_problems(
            R"("params":{"t":{"default":"x","secret":true}},"assets":{"a":{"command":"x {{ params.t | rsp }}"}})")
            .find("{{ params.t | rsp }} would write a secret into a file that is kept with the logs; hand it over in "
                  "\"env\" (in the command) [secret_in_file]") != std::string::npos);
  CHECK(rare_problems(R"("params":{"t":"x"},"assets":{"a":{"command":"x","outputs":["{{ params.t | file }}"]}})")
            .find("is a file that is written when the command starts") != std::string::npos);
  CHECK(rare_problems(R"("assets":{"a":{"command":"x {{ inputs | fil }}"}})")
            .find("there are join \"TEXT\", file, file0 and rsp") != std::string::npos);
}

TEST_CASE("a param may be a list: as many words, items and values") {
  const std::string text = R"("params":{"l":["-O2","a b"],"e":{"default":[]}},"assets":{
    "a":{"command":["x","{{ params.l }}","{{ params.e }}","-{{ params.l[1] }}","{{ params.l[1:] }}","{{ params.l | join \",\" }}"]},
    "b":{"command":"x {{ params.l }} \"{{ params.l }}\"","inputs":["{{ params.l }}"],"env":{"E":"{{ params.l }}"}}})";
  const auto p = read_rare(text);
  CHECK(p->params.at("l").text == R"(["-O2","a b"])");
  CHECK(rare_command(*p, "a", {}) == word_list{"x", "-O2", "a b", "-a b", "a b", "-O2,a b"});
  CHECK(rare_command(*p, "b", {}) == word_list{"x", "-O2", "a b", "-O2 a b"});
  const auto& b = p->asset(p->find("b").value());
  REQUIRE(b.inputs.size() == 2);
  CHECK(p->path(b.inputs[1].path) == "a b");
  CHECK(render_env_value({*p, p->find("b").value(), "run", {}}, "{{ params.l }}").value() == "-O2\na b");
  const auto other = read_rare(text, {{"l", R"( ["1", "2"] )"}, {"e", "one"}});
  CHECK(rare_command(*other, "a", {}) == word_list{"x", "1", "2", "one", "-2", "2", "1,2"});
  CHECK(rare_fingerprint(*other, "a") != rare_fingerprint(*p, "a"));
  CHECK(rare_problems(text, {{"l", "[1]"}}).find("--param l=[1]: \"l\" is declared as a list of strings") !=
        std::string::npos);
  CHECK(
      rare_problems(
          R"("params":{"l":["a"],"s":"x"},"assets":{"a":{"command":["x","{{ params.l[1] }}","-{{ params.l }}","{{ params.s[0] }}","{{ params.l[0].stem }}"]}})")
          .find("the list has 1 values, counted from 0") != std::string::npos);
  CHECK(rare_problems(R"("params":{"l":{"default":["a"],"secret":true}},"assets":{"a":{"command":"x"}})")
            .find("no list can be one") != std::string::npos);
}

TEST_CASE("lists as texts") {
  const std::vector<std::string_view> items{"a", "b \"c\"", ""};
  CHECK(list_text(items) == R"(["a","b \"c\"",""])");
  CHECK(read_list(list_text(items)) == word_list{"a", "b \"c\"", ""});
  CHECK(read_list(" [] ") == word_list{});
  for (const auto* wrong : {"", "a", "[1]", "[\"a\"", "[\"a\"] x", "{\"a\":1}", "[[\"a\"]]"})
    CHECK_FALSE(read_list(wrong));
}
