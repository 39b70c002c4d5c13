// The fingerprint holds what would be executed: the order of inputs, what a glob matches, a path as it is passed; not
// how it is quoted, nor the run, nor where the pipeline lies.
#include "core/freshness/definition.hpp"
#include "support/pipeline_builder.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

using namespace troupe_internal;
using test::pipeline_builder;

namespace {

using paths = std::vector<std::string_view>;

struct given {
  paths inputs = {"a", "b"};
  std::string run = "run-1";
  std::string folder = "/pipeline";
  std::string cwd = ".";
  std::string param = "v";
  std::uint32_t steps_up = command_paths::any_steps;
  std::string output = "out";
};

struct found {
  fingerprint of;
  bool passed_otherwise = false;
};

/// Of an asset with this command (argv if it has more words) and an env value.
found of(const std::vector<std::string>& command, const std::string& env, const given& g = {}) {
  pipeline_builder b("test", g.folder);
  b.param("v", g.param);
  auto& a = b.asset("a").outputs({g.output}).with([&](auto& s) {
    s.cwd = g.cwd;
    if (!env.empty())
      s.env = {{"E", env_source::literal, env, false}};
  });
  if (command.size() == 1)
    a.command(command.front());
  else
    a.argv(command);
  const auto p = b.build();
  definer d;
  found out;
  d.define(
      {*p, asset_index(0U), g.run, g.inputs, {}, g.steps_up}, [](const env_entry&) { return std::nullopt; }, out.of);
  out.passed_otherwise = d.passed_otherwise();
  return out;
}

digest command(const std::vector<std::string>& text, const given& g = {}) {
  return of(text, "", g).of.command;
}
digest variable(const std::string& text, const given& g = {}) {
  return of({"x"}, text, g).of.env.front().value;
}
given inputs(paths list) {
  given g;
  g.inputs = std::move(list);
  return g;
}
template <class Member, class Value>
given with(Member given::*member, Value value) {
  given g;
  g.*member = value;
  return g;
}

} // namespace

TEST_CASE("the order of inputs counts where they are inserted, and only there") {
  for (const auto& text : std::vector<std::vector<std::string>>{{"cat {{ inputs }}"},
                                                                {"cp {{ inputs[0] }} x"},
                                                                {"echo \"{{ inputs }}\""},
                                                                {"cat", "{{ inputs }}"},
                                                                {"cp", "{{ inputs[1] }}", "x"}}) {
    CAPTURE(text.front());
    CHECK(command(text, inputs({"a", "b"})) != command(text, inputs({"b", "a"})));
  }
  CHECK(variable("{{ inputs }}", inputs({"a", "b"})) != variable("{{ inputs }}", inputs({"b", "a"})));
  CHECK(variable("{{ inputs[0] }}", inputs({"a", "b"})) != variable("{{ inputs[0] }}", inputs({"b", "a"})));
  CHECK(command({"cat a b"}, inputs({"a", "b"})) == command({"cat a b"}, inputs({"b", "a"})));
  CHECK(command({"cat {{ outputs }}"}, inputs({"a", "b"})) == command({"cat {{ outputs }}"}, inputs({"b", "a"})));
}

TEST_CASE("values stay apart from each other and from the text") {
  CHECK(command({"x {{ inputs }}"}, inputs({"a b"})) != command({"x {{ inputs }}"}, inputs({"a", "b"})));
  CHECK(command({"x", "{{ inputs }}"}, inputs({"ab"})) != command({"x", "{{ inputs }}"}, inputs({"a", "b"})));
  CHECK(command({"x {{ params.v }}"}, with(&given::param, "")) != command({"x "}));
  CHECK(command({"x", "{{ params.v }}"}, with(&given::param, "")) != command({"x", "{{ inputs }}"}, inputs({})));
  CHECK(command({"x {{ params.v }}"}, with(&given::param, "$HOME")) != command({"x $HOME"}));
}

TEST_CASE("what executes the same is the same, however it is written as templates") {
  CHECK(command({"x {{ inputs }}"}) == command({"x {{ inputs[0] }} {{inputs[1]}}"}));
  CHECK(command({"x", "{{ inputs }}"}) == command({"x", "a", "b"}));
  CHECK(command({"x", "-o{{ outputs[0] }}"}) == command({"x", "-oout"}));
  CHECK(command({"x {{ params.v }}{{ inputs[0] }}"}, with(&given::param, "v")) ==
        command({"x {{ params.v }}"}, with(&given::param, "va")));
  CHECK(command({"echo {{{{ {{ params.v }}"}) == command({"echo {{{{ {{params.v}}"}));
  CHECK(command({"x", "{{{{a"}) == command({"x", "{{ params.v }}"}, with(&given::param, "{{a")));
  CHECK(variable("{{ params.v }}") == variable("v"));
  // A text without shell syntax is executed directly; with a value that holds some it may not be. Neither counts.
  CHECK(command({"touch {{ params.v }}"}) == command({"touch {{params.v}}"}));
}

TEST_CASE("the run's id is a fixed mark, which nothing else can be") {
  const auto other = with(&given::run, "run-2");
  CHECK(command({"x {{ run.id }}"}) == command({"x {{ run.id }}"}, other));
  CHECK(command({"x", "a{{ run.id }}"}) == command({"x", "a{{ run.id }}"}, other));
  CHECK(variable("{{ run.id }}") == variable("{{ run.id }}", other));
  CHECK(command({"x {{ run.id }}"}) != command({"x {{ params.v }}"}, with(&given::param, "run.id")));
  CHECK(command({"x", "{{ run.id }}"}) != command({"x", ""}));
}

TEST_CASE("under cwd a path counts as the command gets it, and the pipeline's folder never") {
  const auto under = [](std::string cwd, std::string path, std::string folder = "/pipeline",
                        std::uint32_t steps_up = command_paths::any_steps) {
    given g = inputs({});
    g.cwd = std::move(cwd);
    g.output = std::move(path);
    g.folder = std::move(folder);
    g.steps_up = steps_up;
    return of({"x {{ outputs }}"}, "{{ outputs[0] }}", g);
  };
  CHECK(under("sub", "sub/o").of.env == under("sub/deep", "sub/deep/o").of.env);
  CHECK(under("sub", "sub/o").of.command != under("sub/deep", "sub/deep/o").of.command); // the folder counts
  CHECK(under("sub", "o").of.env != under("sub", "sub/o").of.env);
  CHECK(under("sub", "o", "/pipeline", 0).of == under("sub", "o", "/elsewhere", 0).of);
  CHECK(under("sub", "o", "/pipeline", 0).of.env != under("sub", "o").of.env);
  CHECK(under("../x", "o", "/a").of == under("../x", "o", "/b").of);
  SUBCASE("and who wrote rule 0 passed some of them otherwise") {
    CHECK_FALSE(under(".", "sub/o").passed_otherwise);
    CHECK_FALSE(under("sub", "/abs/o").passed_otherwise);
    CHECK(under("sub", "sub/o").passed_otherwise);
    CHECK(under("sub", "o", "/pipeline", 0).passed_otherwise);
  }
}

TEST_CASE("a path like an option was passed otherwise by who wrote rule 0, unless it stood inside a word") {
  const auto dash = inputs({"-n"});
  CHECK(of({"cat {{ inputs }}"}, "", dash).passed_otherwise);
  CHECK(of({"cat", "{{ inputs }}"}, "", dash).passed_otherwise);
  CHECK(of({"x"}, "{{ inputs[0] }}", dash).passed_otherwise);
  CHECK_FALSE(of({"cat x{{ inputs[0] }}"}, "", dash).passed_otherwise);
  CHECK_FALSE(of({"cat", "--file={{ inputs[0] }}"}, "", dash).passed_otherwise);
  CHECK_FALSE(of({"cat {{ params.v }}"}, "", with(&given::param, "-n")).passed_otherwise);
  CHECK(command({"cat {{ inputs }}"}, dash) == command({"cat {{ inputs }}"}, inputs({"./-n"})));
  CHECK(command({"cat {{ inputs }}"}, dash) != command({"cat {{ params.v }}"}, with(&given::param, "-n")));
}

TEST_CASE("one definer takes assets of any declaration in any order") {
  pipeline_builder b;
  b.param("v", "1");
  b.asset("m").command("x {{ matrix.k }} {{ outputs }}").matrix("k", {"1", "2"}).outputs({"o/{{ matrix.k }}"});
  b.asset("plain").command("x").with([](auto& s) { s.env = {{"E", env_source::literal, "{{ asset.name }}", false}}; });
  b.asset("list").argv({"x", "{{ params.v }}"}).with([](auto& s) { s.cwd = "sub"; });
  b.asset("source").source().outputs({"s"});
  const auto p = b.build();
  const auto nothing = [](const env_entry&) { return std::nullopt; };
  definer shared;
  for (const std::uint32_t i : {0U, 1U, 2U, 3U, 0U, 4U, 1U, 3U, 2U, 2U}) {
    fingerprint by_shared, by_own;
    shared.define({*p, asset_index(i), "", {}}, nothing, by_shared);
    definer().define({*p, asset_index(i), "", {}}, nothing, by_own);
    CHECK(by_shared == by_own);
  }
  fingerprint one, two;
  shared.define({*p, asset_index(0U), "", {}}, nothing, one);
  shared.define({*p, asset_index(1U), "", {}}, nothing, two);
  CHECK(one.command != two.command);
}
