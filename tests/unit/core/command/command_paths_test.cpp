// Paths as a command gets them: relative to the folder it runs in, and never like an option.
#include "core/command/command.hpp"
#include "support/pipeline_builder.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace troupe_internal;
using namespace troupe_internal::test;

namespace {

using words = std::vector<std::string>;

} // namespace

TEST_CASE("elements and env values take paths likewise") {
  pipeline_builder b;
  b.param("v", "-v").param("e", "");
  b.asset("a")
      .argv({"p", "{{ inputs }}", "{{ params.v }}", "-o{{ outputs[0] }}", "{{ outputs[0] }}.tmp",
             "{{ params.e }}{{ outputs[0] }}", "x\n{{ outputs[0] }}"})
      .outputs({"-out"});
  const auto p = b.build();
  const std::vector<std::string_view> inputs = {"-n", "i"};
  const command_scope scope{*p, asset_index(0U), "run-1", inputs};
  CHECK(render_command(scope)->argv == words{"p", "./-n", "i", "-v", "-o-out", "./-out.tmp", "./-out", "x\n./-out"});
  CHECK(render_env_value(scope, "{{ outputs }}").value() == "./-out");
  CHECK(render_env_value(scope, "{{ inputs }}\n{{ outputs[0] }}").value() == "./-n\ni\n./-out");
  CHECK(render_env_value(scope, "{{ params.v }} x{{ outputs[0] }}").value() == "-v x-out");
}

TEST_CASE("under cwd paths are those the command needs") {
  const auto passed = [](const std::string& cwd, const std::string& path, std::uint32_t steps_up = 9) {
    pipeline_builder b("test", "/top/folder");
    b.asset("a").command("x {{ inputs }} {{ outputs[0] }}").outputs({path}).with([&](auto& s) { s.cwd = cwd; });
    const auto p = b.build();
    const std::vector<std::string_view> inputs = {path};
    const command_scope scope{*p, asset_index(0U), "run-1", inputs, {}, steps_up};
    const auto r = render_command(scope);
    CHECK(r->argv.at(1) == r->argv.at(2));
    CHECK(render_env_value(scope, "{{ outputs }}").value() == r->argv.at(1));
    return r->argv.at(1);
  };
  CHECK(passed(".", "a/b") == "a/b");
  CHECK(passed("./", "a/b") == "a/b");
  CHECK(passed("sub", "sub/in.txt") == "in.txt");
  CHECK(passed("./sub//", "sub/in.txt") == "in.txt");
  CHECK(passed("x/../sub", "sub/in.txt") == "in.txt");
  CHECK(passed("sub", "in.txt") == "../in.txt");
  CHECK(passed("sub", "subway/in.txt") == "../subway/in.txt");
  CHECK(passed("a/b/c", "a/x/y") == "../../x/y");
  CHECK(passed("a/b", "a/b") == ".");
  CHECK(passed("a/b", "a") == "..");
  CHECK(passed("a/b/c", "a") == "../..");
  CHECK(passed("sub", "/abs/in.txt") == "/abs/in.txt");
  CHECK(passed("sub", "sub/-n") == "./-n");
  SUBCASE("a folder outside, and a path outside, make them absolute") {
    CHECK(passed("sub", "../in.txt") == "/top/folder/../in.txt");
    CHECK(passed("..", "in.txt") == "/top/folder/in.txt");
    CHECK(passed("/elsewhere", "in.txt") == "/top/folder/in.txt");
    CHECK(passed("/top/folder2", "in.txt") == "/top/folder/in.txt");
    CHECK(passed("/top/folder/sub", "sub/in.txt") == "in.txt");
    CHECK(passed("/top/folder", "sub/in.txt") == "sub/in.txt");
  }
  SUBCASE("so does a link that .. would lead out of") {
    CHECK(passed("a/link/c", "a/link/x", 1) == "../x");
    CHECK(passed("a/link/c", "a/x", 1) == "/top/folder/a/x");
    CHECK(passed("link", "in.txt", 0) == "/top/folder/in.txt");
    CHECK(passed("link", "link/in.txt", 0) == "in.txt");
  }
}

TEST_CASE("../ directly before a path under cwd is refused, since it is given relative to cwd now") {
  const auto finding = [](const std::vector<std::string>& command, const std::string& cwd,
                          const std::string& env = "") {
    pipeline_builder b;
    b.param("v", "..");
    auto& a = b.asset("a").inputs({"in/1"}).outputs({"o"}).with([&](auto& s) {
      s.cwd = cwd;
      if (!env.empty())
        s.env = {{"E", env_source::literal, env, false}};
    });
    if (command.size() == 1)
      a.command(command.front());
    else
      a.argv(command);
    const auto p = b.build();
    diagnostics list;
    check_templates(*p, asset_index(0U), list);
    return list.items.empty() ? std::string() : list.items.front().code + ": " + list.items.front().message;
  };
  CHECK(
      finding({"cat ../{{ inputs[0] }}"}, "sub") ==
      "path_under_cwd: ../ stands directly before {{ inputs[0] }}, but paths are now given relative to cwd: remove ../ "
      "(in the command)");
  for (const auto* text :
       {"cat ../../{{ inputs[0] }}", "cat '../'{{ inputs[0] }}", "cat \"../{{ inputs[0] }}\"",
        "cat --file=../{{ outputs[0] }}", "cat > ..//{{ outputs[0] }}", "cat {{ params.v }}/{{ inputs[0] }}",
        "cat \"..\"/{{ inputs[0] }}", "cat $PWD/../{{ inputs[0] }}"}) {
    CAPTURE(text);
    CHECK(finding({text}, "sub").starts_with("path_under_cwd"));
    CHECK(finding({text}, ".").empty());
    CHECK(finding({text}, "./").empty());
  }
  CHECK(finding({"cat", "../{{ inputs[0] }}"}, "sub").ends_with("(in element 2 of the command)"));
  CHECK(finding({"x"}, "sub", "../{{ inputs[0] }}").ends_with("(in the env value E)"));
  for (const auto* text :
       {"cat {{ inputs[0] }}", "cat x../{{ inputs[0] }}", "cat .../{{ inputs[0] }}", "cat ../x/{{ inputs[0] }}",
        "cat ../{{ params.v }}", "cat .. {{ inputs[0] }}", "cat ./{{ inputs[0] }}"}) {
    CAPTURE(text);
    CHECK(finding({text}, "sub").empty());
  }
}
