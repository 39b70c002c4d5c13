// Which shell texts mean the same without a shell. Everything not known to be plain goes to the shell, which is only
// slower.
#include "core/command/command.hpp"

#include <algorithm>
#include <array>

namespace troupe_internal {
namespace {

// Reserved words, and builtins that have no program of the same meaning. `true` and `false` are programs as well; echo,
// printf, test, kill and pwd are too, but not quite the same ones.
constexpr std::array<std::string_view, 84> shell_words = {
    "!",       ".",         ":",        "[",       "[[",      "]]",      "{",       "}",       "alias",   "bg",
    "bind",    "break",     "builtin",  "caller",  "case",    "cd",      "chdir",   "command", "compgen", "complete",
    "compopt", "continue",  "coproc",   "declare", "dirs",    "disown",  "do",      "done",    "echo",    "elif",
    "else",    "enable",    "esac",     "eval",    "exec",    "exit",    "export",  "fc",      "fg",      "fi",
    "for",     "function",  "getopts",  "hash",    "help",    "history", "if",      "in",      "jobs",    "kill",
    "let",     "local",     "login",    "logout",  "mapfile", "newgrp",  "popd",    "printf",  "pushd",   "pwd",
    "read",    "readarray", "readonly", "return",  "select",  "set",     "shift",   "shopt",   "source",  "suspend",
    "test",    "then",      "time",     "times",   "trap",    "type",    "typeset", "ulimit",  "umask",   "unalias",
    "unset",   "until",     "wait",     "while"};

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-./:,+@%^]").find(c) != std::string_view::npos || (static_cast<unsigned char>(c) >= 0x80);
}

// Reads one word from `at` on; false if only a shell can.
bool read_word(std::string_view text, std::size_t& at, std::string& word, bool first) {
  const std::size_t start = at;
  for (; at < text.size() && text[at] != ' ' && text[at] != '\t'; ++at) {
    const char c = text[at];
    if (c == '\'') {
      const auto close = text.find('\'', at + 1);
      if (close == std::string_view::npos)
        return false;
      word += text.substr(at + 1, close - at - 1);
      at = close;
    } else if (c == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '$' || text[at] == '`')
          return false;
        if (text[at] == '\\' && at + 1 < text.size() &&
            std::string_view("$`\"\\\n").find(text[at + 1]) != std::string_view::npos && text[++at] == '\n')
          continue; // a backslash and a newline are nothing
        word += text[at];
      }
      if (at == text.size())
        return false;
    } else if (c == '\\') {
      if (++at == text.size() || text[at] == '\n')
        return false;
      word += text[at];
    } else if (is_plain(c) || (c == '=' && !first) || (c == '#' && at != start)) {
      word += c;
    } else {
      return false;
    }
  }
  return true;
}

} // namespace

bool split_plain_command(std::string_view text, std::vector<std::string>& words) {
  words.clear();
  constexpr std::string_view blanks = " \t\n";
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos)
    return false;
  // A trailing backslash quotes the blank behind it, so only newlines may be cut from the end.
  text = text.substr(begin, text.find_last_not_of('\n') + 1 - begin);
  std::size_t at = 0;
  while ((at = std::min(text.find_first_not_of(" \t", at), text.size())) < text.size()) {
    std::string word;
    if (!read_word(text, at, word, words.empty()))
      return false;
    if (words.empty() && (word.empty() || std::find(shell_words.begin(), shell_words.end(), word) != shell_words.end()))
      return false;
    words.push_back(std::move(word));
  }
  return true;
}

} // namespace troupe_internal
