// What holds for any value and any shell text: bytes arrive unchanged, no value is ever executed, and a fingerprint
// tells what is executed from all else.
#include "unit/core/command/support.hpp"

#include "core/freshness/definition.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

using namespace troupe_internal;
using namespace troupe_internal::test;

namespace {

rc::Gen<std::string> any_bytes() {
  const auto byte = rc::gen::weightedOneOf<char>(
      {{3, rc::gen::elementOf(std::string("'\"\\$`(){}[]<>|&;#!~*?=- \t\n-%"))},
       {2, rc::gen::elementOf(std::string("aE0_./"))},
       {1, rc::gen::map(rc::gen::inRange(1, 256), [](int c) { return static_cast<char>(c); })}});
  return rc::gen::container<std::string>(byte);
}

} // namespace

TEST_CASE("property: any bytes arrive unchanged from unquoted, single-quoted and double-quoted places") {
  const temporary_folder folder;
  CHECK(rc::check([&] {
    const auto value = *any_bytes();
    const std::vector<std::string> inputs =
        *rc::gen::resize(3, rc::gen::container<std::vector<std::string>>(any_bytes()));
    for (const auto* shell : {"/bin/sh", "bash"}) {
      const auto r =
          rendered("printf '%s\\0' {{ params.v }} \"a{{ params.v }}b\" 'c{{ params.v }}d' {{ inputs }} e{{ params.v }}",
                   value, inputs, shell);
      RC_ASSERT(r.has_value());
      std::vector<std::string> expected = {value, "a" + value + "b", "c" + value + "d"};
      for (const auto& input : inputs)
        expected.push_back((input.starts_with('-') ? "./" : "") + input);
      expected.push_back("e" + value);
      RC_ASSERT(split_at_nul(output_of(r->argv, folder.path())) == expected);
    }
  }));
}

TEST_CASE("property: a plain command means the same split as under the shell") {
  const temporary_folder folder;
  CHECK(rc::check([&] {
    const auto piece = rc::gen::elementOf(std::vector<std::string>{"a",  "B9", "'", "\"",    "\\",      " ", "  ", "\t",
                                                                   "\n", "=",  "#", "-",     "%s",      "$", "`",  ",",
                                                                   ":",  "@",  "é", "'x y'", "\"x y\"", "]"});
    std::string text = "env printf %s\\\\0";
    for (const auto& p : *rc::gen::container<std::vector<std::string>>(piece))
      text += p;
    std::vector<std::string> words;
    if (!split_plain_command(text, words))
      return;
    RC_ASSERT(output_of(words, folder.path()) == output_of({"/bin/sh", "-c", text}, folder.path()));
  }));
}

TEST_CASE("property: whatever text surrounds it, a value is refused or stays data") {
  const auto any = [](std::vector<std::string> texts) { return rc::gen::elementOf(std::move(texts)); };
  const auto piece = rc::gen::weightedOneOf<std::string>(
      {{4, any({"'", "\"", "`", "\\", "$'", "$\"", "\\'", "\\\"", "' ", "\" "})},
       {2, any({"$(", "$((", ")", "))", "(", "((", "${x", "${x:-", "}", "$[", "[", "]", "<(", "a["})},
       {2, any({"#", " #", "\n", " ", " ", "a", "x=", ";", "|", "<", ">", "!", "&&", "{", "{{{{", "\\\n"})},
       {1, any({"<<E", "<<-E", "<<'E'", "<<", "<\\\n<E", "E", "\nE\n", "\n\tE\n", "a\\\nE\n", "$\\\n("})},
       {1, any({"case x in x)", ";; esac", "echo ", ": ", "if :; then ", "; fi", "f() ", "[[ ", " ]]", "a[0]="})},
       // Where shells and simple readings part company.
       {6, any({": $'a\\'b' ", ": $(case x in x) echo \"", ": `echo '` ", ": \"${x:-'}'}\" ", ": $(: # )\n) '",
                ": \"$(: ')' \"", "cat <<E\n", ": $", ": \\", ": # ", ": \"$(echo ", "cat <<E\n`\nE\n",
                "cat <<E\n$(\nE\n)\n", "cat <<E 'a\nE\n", "cat <<$x\n", "cat <<\\E\n", ": $((1 << 2)) ",
                "((1 << 2))\n"})}});
  // However the value ends up in the text, one of these would make the file.
  const std::vector<std::string> values = {
      "$(>MARK)`>MARK`';>MARK;'\";>MARK;\"\n>MARK\nE\n>MARK\n)>MARK;}>MARK;a[$(>MARK)]#",
      "\\';>MARK;#",
      "$(>MARK)",
      "';>MARK;'",
      "\";>MARK;\"",
      "\n>MARK\n",
      "\\\n>MARK\n",
      "\nE\n>MARK\n"};
  const char* more = std::getenv("TROUPE_MORE_CASES");
  const int cases = more != nullptr ? std::atoi(more) : 2;
  int executed = 0;
  for (int round = 0; round < cases; ++round)
    CHECK(rc::check([&] {
      std::string text;
      const auto some = [&](int most) {
        for (int count = *rc::gen::inRange(0, most + 1); count > 0; --count)
          text += *piece;
      };
      const auto value = *rc::gen::elementOf(values);
      some(3);
      text += *piece; // most of what is dangerous is so directly before the value
      text += "{{ params.v }}";
      some(3);
      const temporary_folder folder;
      for (const auto* shell : {"/bin/dash", "/bin/bash"}) {
        const auto r = rendered(text, value, {}, shell);
        if (!r || !r->through_shell)
          return;
        ++executed;
        static_cast<void>(output_of(r->argv, folder.path()));
        RC_ASSERT(!std::filesystem::exists(folder / "MARK"));
      }
    }));
  CHECK(executed > 0);
}

namespace {

/// What a command is made of, besides its text.
struct surroundings {
  std::string param;
  std::vector<std::string> inputs;
  std::string run;
};

/// What printf is handed, and the fingerprint's digest of the command.
struct executed {
  std::vector<std::string> words;
  digest command;
  digest order_blind; ///< as a fingerprint would be that takes the inputs as a set
};

executed execution_of(const std::vector<std::string>& command, const surroundings& s, const std::string& folder) {
  pipeline_builder b;
  b.param("v", s.param);
  auto& a = b.asset("a").outputs({"out", "-out"});
  if (command.size() == 1)
    a.command(command.front());
  else
    a.argv(command);
  const auto p = b.build();
  auto inputs = views_of(s.inputs);
  const command_scope scope{*p, asset_index(0U), s.run, inputs};
  const auto r = render_command(scope);
  RC_ASSERT(r.has_value());
  const auto digest_of = [&] {
    fingerprint f;
    definer().define(
        scope, [](const env_entry&) { return std::nullopt; }, f);
    return f.command;
  };
  const auto command_digest = digest_of();
  std::sort(inputs.begin(), inputs.end());
  return {split_at_nul(output_of(r->argv, folder)), command_digest, digest_of()};
}

} // namespace

TEST_CASE("property: the fingerprint is the same exactly where what is executed is the same") {
  const temporary_folder folder;
  const auto piece = rc::gen::elementOf(std::vector<std::string>{
      "{{ inputs }} ", " {{ inputs }}", "{{ inputs }}\t", "{{ inputs[0] }}", "{{inputs[1]}}", "{{ params.v }}",
      "\"{{ params.v }}\"", "'{{ params.v }}'", "{{ outputs }} ", "{{ outputs[1] }}", "a", " ", "b "});
  const auto value = rc::gen::elementOf(std::vector<std::string>{"", "a", "b", "-n", "./-n", "a b", "'", "$x", "-"});
  const auto path = rc::gen::elementOf(std::vector<std::string>{"a", "b", "-n", "./-n", "a b", "x'y", "-"});
  int equal = 0, different = 0, missed = 0;
  CHECK(rc::check([&] {
    const bool list = *rc::gen::arbitrary<bool>();
    std::vector<std::string> command = {"printf '%s\\0' "};
    if (list)
      command = {"printf", "%s\\0"};
    for (int count = *rc::gen::inRange(1, 5); count > 0; --count) {
      const auto text = *piece;
      if (!list)
        command.front() += text.starts_with("{{ inputs }}") || text.starts_with("{{ outputs }}") ? " " + text : text;
      else
        command.push_back(text.find("inputs }}") != text.npos    ? "{{ inputs }}"
                          : text.find("outputs }}") != text.npos ? "{{ outputs }}"
                                                                 : text);
    }
    if (list)
      command.push_back("end");
    else
      command.front() += " end";
    surroundings one{*value, {*path, *path}, "run-1"};
    surroundings other = one;
    other.run = "run-2";
    if (*rc::gen::inRange(0, 3) == 0)
      other.param = *value;
    if (*rc::gen::inRange(0, 3) == 0)
      std::reverse(other.inputs.begin(), other.inputs.end());
    if (*rc::gen::inRange(0, 3) == 0)
      other.inputs[1] = *path;
    const auto first = execution_of(command, one, folder.path());
    const auto second = execution_of(command, other, folder.path());
    RC_ASSERT((first.words == second.words) == (first.command == second.command));
    ++(first.words == second.words ? equal : different);
    missed += first.words != second.words && first.order_blind == second.order_blind ? 1 : 0;
  }));
  CHECK(equal > 10);
  CHECK(different > 10);
  CHECK(missed > 0); // the cases would find a fingerprint that takes no note of the order
}
