// Templates in argv, shell text, env and paths. Values that are anything are rendered beside values that are letters:
// the two texts have to consist of the same words and operators, the one with the values where the other has the
// letters. From time to time a shell is asked as well.
#include "fuzz/fuzz.hpp"
#include "fuzz/shell_words.hpp"
#include "fuzz/targets.hpp"

#include "core/command/command.hpp"
#include "core/command/template_text.hpp"
#include "core/pipeline/glob.hpp"
#include "support/pipeline_builder.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace troupe_internal::fuzz {
namespace {

/// What the templates of one text stand for.
struct values {
  std::string param;
  std::vector<std::string> inputs;
};

/// Letters that no text of an input is likely to hold, for each value others.
const values letters{"Qx7aQ", {"Qx7bQ", "Qx7cQ"}};

/// What a path is inserted as: at the start of a word, an element or a line it is no option.
std::string as_path(const std::string& path, bool begins) {
  return begins && path.starts_with('-') ? "./" + path : path;
}

std::string with(std::string_view text, const values& of) {
  std::string out;
  const auto begins = [&] {
    return out.empty() || std::string_view(" \t\n").find(out.back()) != std::string_view::npos;
  };
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with(letters.param)) {
      out += of.param;
      at += letters.param.size();
    } else if (text.substr(at).starts_with(letters.inputs[0])) {
      out += as_path(of.inputs[0], begins());
      at += letters.inputs[0].size();
    } else if (text.substr(at).starts_with(letters.inputs[1])) {
      out += as_path(of.inputs[1], begins());
      at += letters.inputs[1].size();
    } else {
      out += text[at++];
    }
  }
  return out;
}

/// The token with the values in place of the letters, which have to be quoted.
shell_token with(const shell_token& token, const values& of) {
  shell_token out{token.is_operator, {}};
  const auto& text = token.text;
  const auto begins = [&] {
    if (out.text.empty() || std::string_view(" \t\n").find(out.text.back().c) != std::string_view::npos)
      return true;
    // NAME=: what a variable is set to
    if (out.text.size() < 2 || out.text.back().c != '=' || (out.text.front().c >= '0' && out.text.front().c <= '9'))
      return false;
    return std::all_of(out.text.begin(), out.text.end(), [&](const auto& one) {
      return !one.quoted &&
             (&one == &out.text.back() || std::isalnum(static_cast<unsigned char>(one.c)) != 0 || one.c == '_');
    });
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto is = [&](const std::string& word) {
      if (text.size() - at < word.size())
        return false;
      for (std::size_t i = 0; i < word.size(); ++i)
        if (text[at + i].c != word[i] || !text[at + i].quoted)
          return false;
      return true;
    };
    const std::string* value = is(letters.param)       ? &of.param
                               : is(letters.inputs[0]) ? &of.inputs[0]
                               : is(letters.inputs[1]) ? &of.inputs[1]
                                                       : nullptr;
    if (value == nullptr) {
      out.text.push_back(text[at++]);
      continue;
    }
    for (const char c : value == &of.param ? *value : as_path(*value, begins()))
      out.text.push_back({c, true});
    at += letters.param.size();
  }
  return out;
}

std::string in_words(const std::vector<shell_token>& tokens) {
  std::string out;
  for (const auto& token : tokens) {
    out += token.is_operator ? "operator " : "word ";
    for (const auto& [c, quoted] : token.text)
      out.append(1, c).append(quoted ? "'" : "");
    out += '\n';
  }
  return out;
}

std::unique_ptr<pipeline> pipeline_of(std::string_view command, bool argv, const std::string& param) {
  test::pipeline_builder b;
  b.param("v", param);
  b.param("empty", "");
  auto& a = b.asset("a").literal_input("in/1").literal_input("in/2").outputs({"out/x.txt", "out/y.txt"});
  a.matrix("m", {"one"});
  if (argv)
    a.argv({"program", std::string(command), "last"});
  else
    a.command(std::string(command));
  return b.build();
}

result<rendered_command> render(const pipeline& p, const values& of) {
  const std::vector<std::string_view> inputs(of.inputs.begin(), of.inputs.end());
  return render_command({p, asset_index(0U), "run-1", inputs});
}

/// Runs words that hold nothing but quotes and text under a shell and compares what printf is handed.
void ask_a_shell(const std::string& shell, const std::string& text, const std::vector<shell_token>& tokens) {
  if (tokens.size() < 3)
    return; // with no words at all, printf's format is applied to an empty one
  std::string expected;
  for (std::size_t i = 2; i < tokens.size(); ++i) { // behind printf and its format
    for (const auto& one : tokens[i].text)
      expected += one.c;
    expected += '\0';
  }
  int ends[2];
  FUZZ_CHECK(::pipe2(ends, O_CLOEXEC) == 0, "there is a pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  std::string program = shell, option = "-c", script = text;
  const std::array<char*, 4> argv = {program.data(), option.data(), script.data(), nullptr};
  const std::array<char*, 1> environment = {nullptr};
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string said;
  char buffer[4096];
  for (ssize_t count = 1; failed == 0 && count != 0;) {
    count = ::read(ends[0], buffer, sizeof buffer);
    if (count < 0 && errno != EINTR) // libFuzzer's clock interrupts
      break;
    said.append(buffer, static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  }
  ::close(ends[0]);
  if (failed != 0)
    return; // there is no such shell here
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  FUZZ_CHECK(said == expected, shell + " was handed " + text + "\nand said " + said);
}

void check_shell_text(std::string_view command, const values& given) {
  const auto plain_p = pipeline_of(command, false, letters.param);
  const auto p = pipeline_of(command, false, given.param);
  const auto plain = render(*plain_p, letters);
  const auto rendered = render(*p, given);
  diagnostics list;
  check_templates(*p, asset_index(0U), list);
  FUZZ_CHECK(list.has_errors() || rendered.has_value(), rendered.has_error() ? rendered.error().message : "");
  FUZZ_CHECK(plain.has_value() == rendered.has_value(), command);
  if (!rendered || list.has_errors())
    return;

  // Executed directly or by a shell: of the words of the one, the words of the other follow.
  if (!rendered->through_shell && !plain->through_shell) {
    // Of A=… only the other comparison tells whether the name is quoted.
    const bool option = given.inputs[0].starts_with('-') || given.inputs[1].starts_with('-');
    std::vector<std::string> expected;
    for (const auto& word : plain->argv)
      expected.push_back(with(word, given));
    FUZZ_CHECK(rendered->argv == expected || (option && command.find('=') != command.npos), command);
  }
  const auto text_of = [](const rendered_command& c) {
    if (c.through_shell)
      return c.argv.back();
    std::string text;
    for (const auto& word : c.argv) {
      text += '\'';
      for (const char c1 : word)
        text += c1 == '\'' ? std::string("'\\''") : std::string(1, c1);
      text += "' ";
    }
    return text;
  };
  if (rendered->through_shell != plain->through_shell)
    return; // a value that holds what a direct command could not
  const auto plain_tokens = shell_tokens(text_of(*plain));
  if (!plain_tokens)
    return; // beyond what the other reader knows
  const auto tokens = shell_tokens(text_of(*rendered));
  FUZZ_CHECK(tokens.has_value(), text_of(*rendered));
  std::vector<shell_token> expected;
  for (const auto& token : *plain_tokens)
    expected.push_back(with(token, given));
  FUZZ_CHECK(*tokens == expected, text_of(*rendered) + "\n" + in_words(*tokens) + "expected\n" + in_words(expected));
}

/// The text reduced to what is harmless to a shell, whatever it is: quotes, blanks, a few letters, templates.
std::string harmless(std::string_view text) {
  constexpr std::string_view allowed = "'\"\\ \tabc=-,.{}[]0123456789vpmnirus";
  std::string out = "printf '%s\\0' ";
  for (const char c : text)
    out += allowed.find(c) != std::string_view::npos ? c : 'a';
  return out;
}

void check_with_a_shell(std::string_view bytes, std::string_view command, const values& given) {
  if (number_of(bytes) % 32 != 0)
    return;
  const auto text = harmless(command);
  const auto p = pipeline_of(text, false, given.param);
  diagnostics list;
  check_templates(*p, asset_index(0U), list);
  const auto rendered = render(*p, given);
  if (list.has_errors() || !rendered || !rendered->through_shell)
    return;
  const auto& script = rendered->argv.back();
  const auto tokens = shell_tokens(script);
  // Braces and brackets unquoted would be expanded, and that is the text's own doing.
  if (!tokens || script.size() > 8192)
    return;
  for (const auto& token : *tokens)
    for (const auto& [c, quoted] : token.text)
      if (!quoted && (c == '{' || c == '}' || c == '[' || c == ']'))
        return;
  ask_a_shell("/bin/sh", script, *tokens);
  if (number_of(bytes) % 64 == 0)
    ask_a_shell("/bin/bash", script, *tokens);
}

void check_argv(const pipeline& plain_p, const pipeline& p, std::string_view element, const values& given) {
  const auto plain = render(plain_p, letters);
  const auto rendered = render(p, given);
  FUZZ_CHECK(plain.has_value() == rendered.has_value(), element);
  if (!rendered)
    return;
  FUZZ_CHECK(!rendered->through_shell && rendered->argv.size() == plain->argv.size(), element);
  for (std::size_t i = 0; i < plain->argv.size(); ++i)
    FUZZ_CHECK(rendered->argv[i] == with(plain->argv[i], given), rendered->argv[i]);
  const std::vector<std::string_view> inputs(given.inputs.begin(), given.inputs.end());
  const std::vector<std::string_view> plain_inputs(letters.inputs.begin(), letters.inputs.end());
  const auto env = render_env_value({p, asset_index(0U), "run-1", inputs}, element);
  const auto plain_env = render_env_value({plain_p, asset_index(0U), "run-1", plain_inputs}, element);
  FUZZ_CHECK(env.has_value() && *env == with(*plain_env, given), element);
}

/// A value is a part of a path, never of a glob: the pattern matches the path with the value in it, and no other.
void check_path(const pipeline& plain_p, const pipeline& p, std::string_view text, const values& given) {
  const auto matrix = p.assets.front().matrix;
  const auto plain = render_path(plain_p, matrix, text);
  const auto path = render_path(p, matrix, text);
  FUZZ_CHECK(plain.has_value() == path.has_value(), text);
  if (!path)
    return;
  FUZZ_CHECK(is_glob(*plain) == is_glob(*path), *path);
  if (!given.param.empty() && given.param.front() == '.')
    return; // hidden files have rules of their own
  const auto characters = [](std::string_view value) {
    return std::count_if(value.begin(), value.end(),
                         [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
  };
  if (text.find_first_of("*?[") != text.npos &&
      (given.param.find('/') != std::string::npos || characters(given.param) != characters(letters.param)))
    return; // wildcards of the text itself may count characters, and take no slash
  // Wherever the letters match, the values match in their place.
  for (const std::string_view before : {"", "a", "*", "x/", "["})
    for (const std::string_view behind : {"", "b", "]", "/y.txt"}) {
      const auto one = std::string(before) + letters.param + std::string(behind);
      if (!glob_matches(*plain, one) || ("/" + with(one, given) + "/").find("//") != std::string::npos)
        continue; // without its letters it is no path, or another
      FUZZ_CHECK(glob_matches(*path, with(one, given)), *path + " against " + with(one, given));
      if (given.param.find('Z') == std::string::npos && text.find_first_of("*?[") == text.npos)
        FUZZ_CHECK(!glob_matches(*path, std::string(before) + "Z" + std::string(behind)), *path);
    }
}

void check_pieces(std::string_view text) {
  std::vector<template_problem> problems;
  const auto pieces = parse_template(text, problems);
  FUZZ_CHECK(has_template(text) || (problems.empty() && pieces.size() <= 1), text);
  std::string back;
  for (const auto& piece : pieces)
    back += piece.name == template_name::literal ? std::string(piece.text) : std::string(piece.written);
  if (!problems.empty())
    return;
  // What is left out is the half of each {{{{.
  FUZZ_CHECK(back.size() <= text.size() && (text.size() - back.size()) % 2 == 0, text);
  FUZZ_CHECK(text.find("{{{{") != text.npos || back == text, text);
}

/// What stands in a response file, as gcc's buildargv() reads it.
std::vector<std::string> arguments_in(std::string_view text) {
  std::vector<std::string> found;
  for (std::size_t at = 0; at < text.size();) {
    if (std::string_view(" \t\n\v\f\r").find(text[at]) != std::string_view::npos) {
      ++at;
      continue;
    }
    std::string one;
    char quote = 0;
    for (; at < text.size() && (quote != 0 || std::string_view(" \t\n\v\f\r").find(text[at]) == std::string_view::npos);
         ++at) {
      if (text[at] == '\\' && at + 1 < text.size())
        one += text[++at];
      else if (quote == 0 && (text[at] == '"' || text[at] == '\''))
        quote = text[at];
      else if (text[at] == quote)
        quote = 0;
      else
        one += text[at];
    }
    found.push_back(std::move(one));
  }
  return found;
}

/// The text may be any; of all inputs in a response file each is one argument, whatever is in it.
void check_files(std::string_view text, const values& given) {
  const std::vector<std::string_view> inputs(given.inputs.begin(), given.inputs.end());
  std::string content;
  const response_writer writes = [&](const std::string& written) -> result<std::string> {
    content = written;
    return std::string("/values");
  };
  const auto any = pipeline_of(text, true, given.param);
  command_scope scope{*any, asset_index(0U), "run-1", inputs};
  scope.responses = &writes;
  static_cast<void>(render_command(scope));
  for (const std::string_view filter : {"rsp", "file0"}) {
    const auto p = pipeline_of("@{{ inputs | " + std::string(filter) + " }}", true, given.param);
    command_scope one{*p, asset_index(0U), "run-1", inputs};
    one.responses = &writes;
    const auto rendered = render_command(one);
    FUZZ_CHECK(rendered.has_value() && rendered->argv.at(1) == "@/values", filter);
    std::vector<std::string> read;
    if (filter == "rsp")
      read = arguments_in(content);
    for (std::size_t at = 0; filter != "rsp" && at < content.size(); at = content.find('\0', at) + 1)
      read.push_back(content.substr(at, content.find('\0', at) - at));
    std::vector<std::string> expected;
    for (const auto& input : given.inputs)
      expected.push_back(input.starts_with('-') ? "./" + input : input);
    if (given.inputs[0].find('\0') == std::string::npos && given.inputs[1].find('\0') == std::string::npos)
      FUZZ_CHECK(read == expected, content);
  }
}

} // namespace

void fuzz_template(std::string_view bytes) {
  input in(bytes);
  const std::string text(in.text());
  values given;
  given.param = in.text();
  given.inputs = {std::string(in.text()), std::string(in.text())};
  check_pieces(text);
  if (text.find("Qx7") != std::string::npos)
    return;
  std::vector<template_problem> problems;
  const auto pieces = parse_template(text, problems);
  if (std::any_of(pieces.begin(), pieces.end(), [](const auto& piece) { return piece.writes_file(); }))
    return check_files(text, given);
  const auto plain = pipeline_of(text, true, letters.param);
  const auto p = pipeline_of(text, true, given.param);
  check_argv(*plain, *p, text, given);
  check_path(*plain, *p, text, given);
  check_shell_text(text, given);
  check_with_a_shell(bytes, text, given);
}

} // namespace troupe_internal::fuzz
