// Rendering, checked by what a program really receives from /bin/sh, and the choice between a shell and none.
#include "core/pipeline/glob.hpp"
#include "unit/core/command/support.hpp"

#include "core/command/shell_text.hpp"
#include "core/command/template_text.hpp"

#include <algorithm>
#include <array>

using namespace troupe_internal;
using namespace troupe_internal::test;

namespace {

using words = std::vector<std::string>;

const words hostile = {"'; rm -rf /",
                       "$(touch MARK)",
                       "`touch MARK`",
                       "\"; touch MARK; \"",
                       "'; touch MARK; '",
                       "a\nb\n",
                       "\n",
                       "-n",
                       "--",
                       "",
                       " ",
                       "a b  c",
                       "'",
                       "''",
                       "\"",
                       "\\",
                       "\\\\'",
                       "\\n\\0\\c",
                       "$HOME",
                       "${HOME}",
                       "~",
                       "*",
                       "?",
                       "[a-z]",
                       "{a,b}",
                       "!!",
                       "#",
                       "&",
                       "|",
                       ";",
                       "<x",
                       ">MARK",
                       "%s%n",
                       "A=b",
                       "if",
                       "\xff\xfe invalid \x80",
                       "größe",
                       "\x01\x02\x7f\r\t"};

words received(const std::string& command, const std::string& value, const words& inputs = {}) {
  const temporary_folder folder;
  const auto r = rendered(command, value, inputs);
  REQUIRE(r.has_value());
  auto got = split_at_nul(output_of(r->argv, folder.path()));
  CHECK_FALSE(std::filesystem::exists(folder / "MARK"));
  return got;
}

words split(std::string_view text) {
  words list;
  return split_plain_command(text, list) ? list : words{"<shell>"};
}

} // namespace

TEST_CASE("a hostile value arrives unchanged wherever it stands in a shell text") {
  for (const auto& value : hostile) {
    INFO("value: " << value);
    CHECK(received("printf '%s\\0' {{ params.v }}", value) == words{value});
    CHECK(received("printf '%s\\0' \"{{ params.v }}\"", value) == words{value});
    CHECK(received("printf '%s\\0' '{{ params.v }}'", value) == words{value});
    CHECK(received("printf '%s\\0' a{{ params.v }}b", value) == words{"a" + value + "b"});
    CHECK(received("printf '%s\\0' \"$HOME{{ params.v }}$HOME\"", value) ==
          words{"/home/somebody" + value + "/home/somebody"});
    CHECK(received("printf '%s\\0' '{{ params.v }}{{ params.v }}'", value) == words{value + value});
    CHECK(received("# it's a comment\nprintf '%s\\0' {{ params.v }}", value) == words{value});
    CHECK(received("cat <<'E' >/dev/null\n$(' \"\nE\nprintf '%s\\0' {{ params.v }}", value) == words{value});
    CHECK(received("x=$(printf '(')\nprintf '%s\\0' \"$x\" {{ params.v }}", value) == words{"(", value});
    CHECK(received("x={{ params.v }}; printf '%s\\0' \"$x\"", value) == words{value});
  }
}

TEST_CASE("file names arrive one word each, whatever is in them") {
  auto passed = hostile;
  for (auto& name : passed)
    name.insert(0, name.starts_with('-') ? "./" : "");
  CHECK(received("printf '%s\\0' {{ inputs }}", "", hostile) == passed);
  CHECK(received("printf '%s\\0' \"{{ inputs }}\"", "", {"a b", "$c", "'"}) == words{"a b $c '"});
  CHECK(received("printf '%s\\0' x {{ inputs }} y", "", {}) == words{"x", "y"});
  CHECK(received("printf '%s\\0' {{ outputs }} {{ outputs[1] }} {{ asset.name }} {{ run.id }}", "") ==
        words{"out/x.txt", "out/y.txt", "out/y.txt", "a", "run-1"});
}

TEST_CASE("in argv a list alone becomes elements, anything else is filled in") {
  pipeline_builder b;
  b.param("v", "$(x) '");
  b.asset("a").argv({"prog", "{{ inputs }}", "-o{{ outputs[0] }}", "{{ params.v }}", "{{{{x}}"}).outputs({"out"});
  const auto p = b.build();
  const words inputs = {"i 1", "-n"};
  const auto r = render_command({*p, asset_index(0U), "run-1", views_of(inputs)});
  REQUIRE(r.has_value());
  CHECK(r->argv == words{"prog", "i 1", "./-n", "-oout", "$(x) '", "{{x}}"});
  CHECK_FALSE(r->through_shell);
}

TEST_CASE("the matrix fills in a combination's values") {
  pipeline_builder b;
  b.asset("a").matrix("s", {"x y", "z"}).command("use {{ matrix.s }}");
  const auto p = b.build();
  CHECK(render_command({*p, asset_index(0U), "", {}})->argv == words{"use", "x y"});
  CHECK(render_command({*p, asset_index(1U), "", {}})->argv == words{"use", "z"});
}

TEST_CASE("what uses nothing of the shell is split as the shell would") {
  CHECK(split("touch a b") == words{"touch", "a", "b"});
  CHECK(split("  touch\ta \n") == words{"touch", "a"});
  CHECK(split("a 'b c' \"d e\" f\\ g") == words{"a", "b c", "d e", "f g"});
  CHECK(split("a 'it'\\''s' ''") == words{"a", "it's", ""});
  CHECK(split("a \"\\\\ \\\" \\x\"") == words{"a", "\\ \" \\x"});
  CHECK(split("cc -DX=1 a#b +x @y %z ^w q,r:s") == words{"cc", "-DX=1", "a#b", "+x", "@y", "%z", "^w", "q,r:s"});
  CHECK(split("größe") == words{"größe"});
  CHECK(split("a b\\ ") == words{"a", "b "});
}

TEST_CASE("everything else is left to the shell") {
  for (const auto* text :
       {"",       " \n",   "a | b", "a; b",      "a & b",    "a && b",    "a < b",    "a > b",   "(a)",
        "a $b",   "a `b`", "a *",   "a ?",       "a [b]",    "a ~",       "a=b c",    "a {b,c}", "a !b",
        "a\nb",   "a #b",  "a 'b",  "a \"b",     "a \"$b\"", "a \"`b`\"", "a \\",     "cd x",    "exit 3",
        "echo x", "if",    "! a",   "test -f x", "printf x", "exec a",    "\"cd\" x", "'' x",    "export A",
        "[ a ]",  ". x",   ": x",   "a\rb",      "umask 0",  "command a", "time a",   "a \\\nb", "kill 1"}) {
    INFO(text);
    CHECK(split(text) == words{"<shell>"});
  }
}

TEST_CASE("plain texts mean the same with and without the shell") {
  const temporary_folder folder;
  for (const auto* arguments : {"a 'b c' \"d e\" f\\ g", "\"\\\\ \\\" \\x\" 'it'\\''s' ''",
                                "-DX=1 a#b +x @y %z ^w q,r:s größe", "'\n' \"a\nb\" \"a\\\nb\""}) {
    words list;
    // env is a program of the same meaning everywhere; sh only takes the rest apart.
    REQUIRE(split_plain_command(std::string("env printf %s\\\\0 ") + arguments, list));
    CHECK(output_of(list, folder.path()) ==
          output_of({"/bin/sh", "-c", std::string("env printf %s\\\\0 ") + arguments}, folder.path()));
  }
}

TEST_CASE("another shell than a POSIX one is always used, and takes no values") {
  CHECK(rendered("touch a", "")->argv == words{"touch", "a"});
  CHECK(rendered("touch a", "", {}, "/usr/bin/bash")->argv == words{"touch", "a"});
  CHECK(rendered("touch a", "", {}, "/usr/bin/zsh")->argv == words{"/usr/bin/zsh", "-c", "touch a"});
  CHECK(rendered("touch a", "", {}, "python3")->through_shell);
  CHECK(findings_of("touch a", "/usr/bin/fish") == "");
  CHECK(
      findings_of("touch {{ params.v }}", "/usr/bin/fish") ==
      "unsafe_template: {{ params.v }}: values cannot be quoted safely for the shell \"/usr/bin/fish\"; pass the value "
      "through \"env\"\n");
}

TEST_CASE("a shell text that begins like an option is no option") {
  const temporary_folder folder;
  CHECK(rendered("-x; printf y", "")->argv == words{"/bin/sh", "-c", " -x; printf y"});
  CHECK(output_of(rendered("+x; printf y", "")->argv, folder.path()) == "y");
}

TEST_CASE("places where a value could become syntax are refused, at load and when rendering") {
  const std::vector<std::pair<std::string, std::string>> refused = {
      {"cat <<E\n{{ params.v }}\nE", "inside a here-document"},
      {"cat <<-'E' && x\n\ta\n{{ params.v }}\n\tE", "inside a here-document"},
      {"cat <<A <<B\nx\nA\n{{ params.v }}\nB", "inside a here-document"},
      {"cat <<{{ params.v }}", "as the delimiter of a here-document"},
      {"cat <<- {{ params.v }}", "as the delimiter of a here-document"},
      {"cat <<E\n`\nE\nx {{ params.v }}", "behind a here-document with expansions in it"},
      {"cat <<E\na\\\nE\nE\nx {{ params.v }}", "behind a here-document with expansions in it"},
      {"cat <<$E\nx\n$E\n{{ params.v }}", "behind a here-document"},
      {"cat <<E 'a\nb'\nE\n{{ params.v }}", "behind text in which the shells disagree about quoting"},
      {"x `y {{ params.v }}`", "inside backticks"},
      {"x \"`y {{ params.v }}`\"", "inside backticks"},
      {"x `echo '` {{ params.v }}", "behind backticks with quotes in them"},
      {"x $(y {{ params.v }})", "inside $(…)"},
      {"x $(y \"{{ params.v }}\")", "inside $(…)"},
      {"x \"$(y '{{ params.v }}')\"", "inside $(…)"},
      {"x $((1 + {{ params.v }}))", "inside $(…)"},
      {"x $(y (z) {{ params.v }})", "inside $(…)"},
      {"x $(case a in a) b;; esac; c) {{ params.v }}", "behind $(…) with a case in it"},
      {"x $(y # )\n) {{ params.v }}", "behind $(…) with a comment in it"},
      {"x $(cat <<E\n)\nE\n) {{ params.v }}", "behind $(…) with a here-document in it"},
      {"x $(y `z`) {{ params.v }}", "behind text in which the shells disagree about quoting"},
      {"x ${y:-{{ params.v }}}", "inside ${…}"},
      {"x ${y:-'}'} {{ params.v }}", "behind ${…} with quotes or expansions in it"},
      {"x # {{ params.v }}", "inside a comment"},
      {"x ${{ params.v }}", "directly behind a $"},
      {"x \\{{ params.v }}", "directly behind a backslash"},
      {"x \"\\{{ params.v }}\"", "directly behind a backslash"},
      {"x $'a' {{ params.v }}", "behind $'…' or $\"…\", which not every shell knows"},
      {"x $\"a\" {{ params.v }}", "behind $'…' or $\"…\", which not every shell knows"},
      {"x $[1] {{ params.v }}", "inside or behind $[…]"},
      {"(( {{ params.v }} ))", "inside or behind ((…))"},
      {"a[{{ params.v }}]=1", "inside […]"},
      {"a=([{{ params.v }}]=1)", "inside […]"},
      {"x <\\\n<E\n{{ params.v }}\nE", "behind text in which the shells disagree about quoting"},
  };
  for (const auto& [text, where] : refused) {
    const std::string command = text; // a lambda, as INFO makes one, cannot take a structured binding
    INFO(command);
    CHECK(findings_of(command) == "unsafe_template: {{ params.v }} stands " + where +
                                      ", where it could become shell syntax; pass the value through \"env\" and write "
                                      "\"$NAME\" there\n");
    CHECK_FALSE(rendered(command, "v").has_value());
  }
}

TEST_CASE("values are taken where the text can be followed") {
  for (const auto* command : {"x {{ params.v }}",
                              "x \"{{ params.v }}\" '{{ params.v }}'",
                              "x $(y) {{ params.v }}",
                              "x \"$(y \"a b\")\" {{ params.v }}",
                              "x `y` {{ params.v }}",
                              "x $((1 + (2))) {{ params.v }}",
                              "x ${y} {{ params.v }}",
                              "x # it's\n{{ params.v }}",
                              "cat <<E\nit's\nE\nx {{ params.v }}",
                              "cat <<-E\n\tit's \"\n\tE\nx {{ params.v }}",
                              "cat <<'E F'\n$(`\nE F\nx {{ params.v }}",
                              "cat <<\"E\" > y # it's\n'\nE\n{{ params.v }}",
                              "case $x in a) y {{ params.v }};; esac",
                              "x \"$\"{{ params.v }}",
                              "[ {{ params.v }} = x ] && y",
                              "x a[1] {{ params.v }}",
                              "x <{{ params.v }} >>{{ params.v }} 2>&1",
                              "x \\\\{{ params.v }}",
                              "x \"a\\\"b\" {{ params.v }}",
                              "x $# $? $$ {{ params.v }}",
                              "cat <<< {{ params.v }}",
                              "a() { b {{ params.v }}; }",
                              "x {{ inputs }};y {{ inputs }}\n",
                              "({{ inputs }})"}) {
    INFO(command);
    CHECK(findings_of(command) == "");
  }
}

TEST_CASE("a list glued to a word is refused") {
  CHECK(findings_of("x a{{ inputs }}").starts_with("list_in_word: {{ inputs }} stands for any number of words"));
  CHECK(findings_of("x {{ inputs }}a").starts_with("list_in_word"));
  CHECK(findings_of("x {{ inputs }}{{ outputs }}").starts_with("list_in_word"));
  CHECK(findings_of("x \"a{{ inputs }}b\"") == "");
}

TEST_CASE(
    "what a shell finds as a function in its environment, or in the file that bash reads first, needs the shell") {
  pipeline_builder b;
  b.asset("plain").command("hello a");
  b.asset("other").command("world a");
  b.asset("bash").command("hello a").with([](auto& settings) { settings.shell = "/bin/bash"; });
  b.asset("argv").argv({"hello", "a"});
  const auto p = b.build();
  const words functions = {"module", "hello"};
  const auto through_shell = [&](std::uint32_t asset, const words& found, bool reads_file) {
    return render_command({*p, asset_index(asset), "run-1", {}, {}, 0xFFFFFFFFU, found, reads_file})
        .value()
        .through_shell;
  };
  CHECK(through_shell(0, functions, false));
  CHECK(through_shell(2, functions, false));
  CHECK_FALSE(through_shell(1, functions, false));
  CHECK_FALSE(through_shell(3, functions, true)); // no shell was asked for
  CHECK_FALSE(through_shell(0, {}, true));        // sh does not read it
  CHECK(through_shell(2, {}, true));
  CHECK_FALSE(through_shell(2, {}, false));
}

TEST_CASE("env values take lists line by line") {
  pipeline_builder b;
  b.param("v", "$x");
  b.asset("a").command("x").outputs({"o1", "o2"});
  const auto p = b.build();
  const std::vector<std::string_view> inputs = {"i 1", "i2"};
  const command_scope scope{*p, asset_index(0U), "run-1", inputs};
  CHECK(render_env_value(scope, "plain").value() == "plain");
  CHECK(render_env_value(scope, "{{ inputs }}|{{ outputs }}|{{ params.v }}|{{ asset.name }}|{{ run.id }}").value() ==
        "i 1\ni2|o1\no2|$x|a|run-1");
  CHECK(render_env_value(scope, "{{{{x}}").value() == "{{x}}");
  for (const auto* wrong : {"{{ params.w }}", "{{ nothing }}", "{{ matrix.m }}", "{{ inputs[2] }}", "{{"})
    CHECK(render_env_value(scope, wrong).error().code == error_code::invalid_input);
}

TEST_CASE("rendering what was never checked fails instead of guessing") {
  pipeline_builder b;
  b.asset("spread").argv({"{{ inputs }}"});
  b.asset("glued").argv({"x", "a{{ inputs }}"});
  b.asset("unknown").argv({"x", "{{ params.x }}", "{{ y }}"});
  b.asset("broken").argv({"{{ y }}"});
  b.asset("broken_shell").command("x {{ y }}");
  b.asset("unknown_shell").command("x {{ params.y }}");
  b.asset("source").source();
  const auto p = b.build();
  for (std::uint32_t i = 0; i < p->assets.size(); ++i)
    CHECK(render_command({*p, asset_index(i), "", {}}).error().code == error_code::invalid_input);
}

TEST_CASE("paths take params and matrix, and values are no part of a glob") {
  pipeline_builder b;
  b.param("v", "a*[b]?\\");
  b.asset("a").matrix("m", {"x"});
  const auto p = b.build();
  const auto matrix = p->assets[0].matrix;
  CHECK(render_path(*p, matrix, "{{ matrix.m }}/{{ params.v }}/*.txt").value() == "x/a\\*\\[b\\]\\?\\\\/*.txt");
  CHECK(render_path(*p, matrix, "{{ outputs[0] }}").error().message.find("only params and matrix") !=
        std::string::npos);
  CHECK_FALSE(render_path(*p, matrix, "{{ matrix.n }}").has_value());
  CHECK_FALSE(render_path(*p, matrix, "{{ x").has_value());
  CHECK(render_path(*p, {}, "{{ matrix.m }}").error().message == "{{ matrix.m }}: the asset has no matrix");
}

TEST_CASE("params used are those of the command and of literal env values, sorted") {
  pipeline_builder b;
  b.param("v", "1").param("w", "2").param("x", "3");
  b.asset("a").argv({"p", "{{ params.w }}{{ params.v }}", "{{ params.w }}"}).with([](asset_settings& s) {
    s.env.push_back({"A", env_source::literal, "{{ params.x }}", false});
    s.env.push_back({"B", env_source::from_env, "{{ params.none }}", true});
  });
  b.asset("b").command("p");
  const auto p = b.build();
  CHECK(params_used(*p, asset_index(0U)) == words{"v", "w", "x"});
  CHECK(params_used(*p, asset_index(1U)).empty());
}

TEST_CASE("a value stays a value inside a set and behind a backslash of a path's glob") {
  const auto matches = [](const std::string& pattern, const std::string& value, const std::string& path) {
    pipeline_builder b;
    b.param("v", value);
    b.asset("a").matrix("m", {"x"});
    const auto p = b.build();
    return glob_matches(render_path(*p, p->assets.front().matrix, pattern).value(), path);
  };
  CHECK(matches("[{{ params.v }}]", "a-z", "a"));
  CHECK(matches("[{{ params.v }}]", "a-z", "-"));
  CHECK_FALSE(matches("[{{ params.v }}]", "a-z", "m")); // no range
  CHECK(matches("[{{ params.v }}]", "!a", "a"));        // no negation
  CHECK(matches("[{{ params.v }}]", "]a", "a"));        // no end of the set
  CHECK(matches("\\{{ params.v }}", "*", "\\*"));
  CHECK_FALSE(matches("\\{{ params.v }}", "*", "\\x")); // no wildcard
  CHECK(matches("x*/a{{ params.v }}", "-!]", "xy/a-!]"));
}

TEST_CASE("a long template is cut in messages, and of a text that is wrong everywhere a hundred mistakes are told") {
  const auto message = findings_of("echo {{ " + std::string(2000, 'x') + " }}");
  CHECK(message.find(std::string(70, 'x') + "…") != std::string::npos);
  CHECK(message.size() < 400);
  std::string many = "echo";
  for (int i = 0; i < 5000; ++i)
    many += " {{ params.nothing }}";
  const auto all = findings_of(many);
  CHECK(std::count(all.begin(), all.end(), '\n') == 100);
}

TEST_CASE("a path that begins with - is no option, a param is what it is") {
  const words dash = {"-n", "b"};
  const auto first = [&](const std::string& command, const words& inputs) {
    return received("printf '%s\\0' " + command, "-v", inputs);
  };
  CHECK(first("{{ inputs }}", dash) == words{"./-n", "b"});
  CHECK(first("{{ inputs }}", {"b", "-n"}) == words{"b", "./-n"});
  CHECK(first("{{ inputs[0] }}x", dash) == words{"./-nx"});
  CHECK(first("\"{{ inputs[0] }}\" '{{ inputs[0] }}'", dash) == words{"./-n", "./-n"});
  CHECK(first("\"{{ inputs }}\"", {"a", "-n"}) == words{"a ./-n"});
  CHECK(first("'cat {{ inputs[0] }}'", dash) == words{"cat ./-n"});
  CHECK(first("{{ params.v }}", dash) == words{"-v"});
  CHECK(first("\\\n{{ inputs[0] }}", dash) == words{"./-n"});
  SUBCASE("inside a word it is as it is") {
    CHECK(first("x{{ inputs[0] }} x'{{ inputs[0] }}' \"x\"{{ inputs[0] }} --o={{ inputs[0] }}", dash) ==
          words{"x-n", "x-n", "x-n", "--o=-n"});
    CHECK(first("x\\\n{{ inputs[0] }} {{ params.v }}{{ inputs[0] }} $X={{ inputs[0] }}", dash) ==
          words{"x-n", "-v-n", "=-n"});
  }
  SUBCASE("behind an empty value the word still begins") {
    CHECK(received("printf '%s\\0' {{ params.v }}{{ inputs[0] }}", "", dash) == words{"./-n"});
  }
  SUBCASE("and what a variable of the shell is set to") {
    CHECK(received("a={{ inputs[0] }}; b=\"{{ inputs[0] }}\"; printf '%s\\0' $a $b", "", dash) ==
          words{"./-n", "./-n"});
  }
}
