// What is recorded of a definition, and what is said of a change from one to another.
#include "core/freshness/declared_text.hpp"

#include "core/freshness/definition_change.hpp"
#include "support/pipeline_builder.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace troupe_internal;
using test::pipeline_builder;

namespace {

asset_definition text_of(const pipeline& p, std::string_view name) {
  return declared_text(p, *p.find(name), assets_of_declarations(p));
}

asset_definition shell(std::string command) {
  asset_definition made;
  made.form = command_form::shell;
  made.command = {std::move(command)};
  made.shell = "/bin/sh";
  made.cwd = ".";
  return made;
}

reason told(reason_kind kind, const asset_definition& was, const asset_definition& now, std::string detail = {}) {
  reason why{kind, std::move(detail)};
  tell_change(why, was, now);
  return why;
}

} // namespace

TEST_CASE("the assets of a matrix share one definition, and who needs them all names them once") {
  pipeline_builder b;
  b.asset("raw").source().outputs({"raw.txt"});
  b.asset("n").matrix("s", {"x", "y"}).inputs({"raw.txt"}).outputs({"out/{{ matrix.s }}"}).command("wc");
  b.asset("all").deps({"n", "raw"}).outputs({"all"});
  b.asset("one").deps({"n[y]"}).outputs({"one"});
  const auto p = b.build();
  CHECK(text_of(*p, "n[x]").form != command_form::none);
  CHECK(text_of(*p, "all").deps == std::vector<std::string>{"n", "raw"});
  CHECK(text_of(*p, "one").deps == std::vector<std::string>{"n[y]"});
  CHECK(text_of(*p, "raw").form == command_form::none);
  CHECK(text_of(*p, "raw").cwd.empty());
}

TEST_CASE("a digest stands for every text, and for the place it stands in") {
  const auto base = shell("wc");
  std::vector<asset_definition> others(14, base);
  others[0].command = {"wc", ""};
  others[1].form = command_form::list;
  others[2].shell = "/bin/bash";
  others[3].cwd = "sub";
  others[4].env = {{"A", variable_source::literal, "1", false}};
  others[5].env = {{"A", variable_source::environment, "1", false}};
  others[6].env = {{"A", variable_source::environment, "1", true}};
  others[7].inherits_env = false;
  others[8].inherited = {"A"};
  others[9].version = "2";
  others[10].inputs = {"a"};
  others[11].deps = {"a"};
  others[12].outputs = {"a"};
  others[13].params = {{"a", "1"}};
  std::set<digest> all{digest_of(base)};
  for (const auto& other : others)
    CHECK(all.insert(digest_of(other)).second);
  CHECK(to_hex(digest_of(base)) == "1c0f745dee8db4dac9f279fb0eb542c7"); // it is on disk: never another
}

TEST_CASE("a changed command is told from what to what, and each other part that changed on a line of its own") {
  auto was = shell("wc -l");
  auto now = shell("wc -w");
  CHECK(told(reason_kind::command_changed, was, now).change->was == "wc -l");
  CHECK(told(reason_kind::command_changed, was, now).change->now == "wc -w");
  now.cwd = "sub";
  now.shell = "/bin/bash";
  CHECK(told(reason_kind::command_changed, was, now).change->now == "wc -w\nshell /bin/bash\ncwd sub");
  now = shell("wc -l");
  now.form = command_form::list;
  now.command = {"wc", "-l"};
  CHECK(told(reason_kind::command_changed, was, now).change->was == "as shell text");
  now.command = {"sh", "-c", "it's", "{{ param.n }}", ""};
  CHECK(command_text(now) == "sh -c 'it'\\''s' {{ param.n }} ''");
}

TEST_CASE("where the texts are the same, it is said what else can be otherwise") {
  auto now = shell("wc {{ inputs }}");
  CHECK(told(reason_kind::command_changed, now, now).note.find("values that are filled into it") != std::string::npos);
  now.inputs = {"in/*.txt"};
  CHECK(told(reason_kind::command_changed, now, now).note.find("files that its globs match") != std::string::npos);
  CHECK(told(reason_kind::command_changed, now, now).change == nullptr);
}

TEST_CASE("a variable is told by its text or by where it comes from, a secret by its name alone") {
  auto was = shell("env");
  auto now = was;
  was.env = {{"A", variable_source::literal, "1", false}, {"S", variable_source::environment, "TOKEN", true}};
  now.env = {{"A", variable_source::literal, "2", false}, {"S", variable_source::file, "token.txt", true}};
  const auto a = told(reason_kind::env_changed, was, now, "A");
  CHECK(a.change->was == "1");
  CHECK(a.change->now == "2");
  const auto s = told(reason_kind::env_changed, was, now, "S");
  CHECK(s.change->was == "a secret from the variable TOKEN");
  CHECK(s.change->now == "a secret from the file token.txt");
  CHECK(told(reason_kind::env_changed, was, shell("env"), "A").change->now == "not set");
  CHECK(told(reason_kind::env_changed, was, was, "S").note == "it is declared as before; its value is another");
  now.inherits_env = false;
  now.inherited = {"PATH", "HOME"};
  CHECK(told(reason_kind::env_changed, was, now, "(inherit_env)").change->now == "PATH, HOME");
  CHECK(told(reason_kind::always, was, now).change == nullptr);
}

TEST_CASE("params that the texts use are told from what to what, a secret one by nothing") {
  auto was = shell("head -n {{ params.top }} in");
  was.params = {{"gone", "1"}, {"key", "***"}, {"top", "3"}};
  auto now = was;
  now.params = {{"key", "***"}, {"new", "2"}, {"top", "4"}};
  CHECK(digest_of(was) != digest_of(now));
  const auto command = told(reason_kind::command_changed, was, now);
  REQUIRE(command.change);
  CHECK(command.change->was == "top=3");
  CHECK(command.change->now == "top=4");
  const auto param = told(reason_kind::param_changed, was, now, "top");
  REQUIRE(param.change);
  CHECK((param.change->was == "3" && param.change->now == "4"));
  CHECK_FALSE(told(reason_kind::param_changed, was, now, "gone").change);
  was.env = now.env = {{"LEVEL", variable_source::literal, "l{{ params.top }}", false},
                       {"OTHER", variable_source::literal, "x", false}};
  const auto variable = told(reason_kind::env_changed, was, now, "LEVEL");
  REQUIRE(variable.change);
  CHECK(variable.change->now == "top=4");
  CHECK_FALSE(told(reason_kind::env_changed, was, now, "OTHER").change);
}
