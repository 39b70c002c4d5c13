// Walks the tree of commands once for each shell.
#include "cli/completions.hpp"

#include <functional>
#include <set>

namespace troupe_internal::cli {

namespace {

/// 'text' for a shell, whatever is in it.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text)
    out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

/// For fish, where \' works inside single quotes and closing them for it would not join words.
std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\')
      out += '\\';
    out += c;
  }
  return out + "'";
}

/// Calls for every command that is not hidden, with the words that lead to it: "", "run", "journal verify".
void walk(const command_spec& command, const std::string& path,
          const std::function<void(const command_spec&, const std::string&)>& visit) {
  visit(command, path);
  for (const auto& sub : command.commands)
    if (!sub->hidden)
      walk(*sub, path.empty() ? sub->name : path + " " + sub->name, visit);
}

/// All options that take a value, as a shell pattern; -f and --state are told apart by the scripts.
std::string value_options(const command_spec& root, std::string_view separator) {
  std::set<std::string> names;
  walk(root, "", [&](const command_spec& command, const std::string&) {
    for (const auto& option : command.options)
      if (!option.meta.empty()) {
        names.insert(option.long_name);
        if (!option.short_name.empty())
          names.insert(option.short_name);
      }
  });
  for (const char* told_apart : {"-f", "--file", "--state"})
    names.erase(told_apart);
  std::string out;
  for (const auto& name : names)
    out += (out.empty() ? "" : std::string(separator)) + name;
  return out;
}

/// The call, in bash and zsh, that offers what can stand somewhere; empty: nothing.
std::string offer(completion kind, const std::vector<std::string>& words) {
  switch (kind) {
  case completion::nothing:
    return "";
  case completion::files:
    return "_troupe_files";
  case completion::folders:
    return "_troupe_folders";
  case completion::assets:
    return "_troupe_names assets";
  case completion::runs:
    return "_troupe_names runs";
  case completion::words:
    break;
  }
  std::string call = "_troupe_words";
  for (const auto& word : words)
    call += " " + shell_quoted(word);
  return call;
}

/// The body that bash and zsh share: $cur, $prev, $verb (the command's words) and the helpers are there.
std::string shared_cases(const command_spec& root) {
  std::string values, options, rest;
  for (const auto& option : root.options)
    if (!option.meta.empty())
      values += "    *:" + option.long_name + (option.short_name.empty() ? "" : "|*:" + option.short_name) + ") " +
                (offer(option.completes, option.words).empty() ? ":" : offer(option.completes, option.words)) +
                "; return ;;\n";
  walk(root, "", [&](const command_spec& command, const std::string& path) {
    std::string names;
    for (const auto& option : command.options) {
      names += " " + option.long_name;
      if (&command == &root || option.meta.empty())
        continue;
      const auto call = offer(option.completes, option.words);
      values += "    " + shell_quoted(path) + ":" + option.long_name +
                (option.short_name.empty() ? "" : "|" + shell_quoted(path) + ":" + option.short_name) + ") " +
                (call.empty() ? ":" : call) + "; return ;;\n";
    }
    if (&command != &root)
      options += "      " + shell_quoted(path) + ") _troupe_words" + names + " \"${global[@]}\" ;;\n";
    std::string call;
    if (!command.commands.empty()) {
      call = "_troupe_words";
      for (const auto& sub : command.commands)
        if (!sub->hidden)
          call += " " + sub->name;
    } else if (!command.arguments.empty()) {
      call = offer(command.arguments.front().completes, command.arguments.front().words);
    }
    if (!call.empty())
      rest += "    " + shell_quoted(path) + ") " + call + " ;;\n";
  });
  std::string global;
  for (const auto& option : root.options)
    global += option.long_name + " ";
  return "  local -a global=(" + global + "--help)\n" + "  case \"$verb:$prev\" in\n" + values +
         "  esac\n"
         "  if [[ $cur == -* ]]; then\n"
         "    case \"$verb\" in\n" +
         options +
         "      *) _troupe_words \"${global[@]}\" --version ;;\n"
         "    esac\n"
         "    return\n"
         "  fi\n"
         "  case \"$verb\" in\n" +
         rest + "  esac\n";
}

std::string paths_pattern(const command_spec& root) {
  std::string out;
  walk(root, "", [&](const command_spec& command, const std::string& path) {
    if (&command != &root)
      out += (out.empty() ? "" : "|") + shell_quoted(path);
  });
  return out;
}

} // namespace

std::string bash_completions(const command_spec& root) {
  return R"sh(# bash completion for troupe, made by `troupe completions bash`
_troupe_words() {
  local word
  for word in "$@"; do [[ $word == "$cur"* ]] && COMPREPLY+=("$word"); done
}
_troupe_names() { # $1: assets or runs
  local word plain=${cur//\\/}
  plain=${plain#[\"\']}
  while IFS= read -r word; do
    [[ $word == "$plain"* ]] && COMPREPLY+=("$(printf %q "$word")")
  done < <("${COMP_WORDS[0]/#\~/$HOME}" __complete "$1" "${where[@]}" 2>/dev/null)
}
_troupe_files() {
  compopt -o filenames 2>/dev/null
  local word
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$cur")
}
_troupe_folders() {
  compopt -o filenames 2>/dev/null
  local word
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -d -- "$cur")
}
_troupe() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb='' word i
  local -a where=()
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case "$word" in
      -f|--file|--state) ((i + 1 < COMP_CWORD)) && where+=("$word" "${COMP_WORDS[i+1]}"); ((i++)) ;;
      )sh" +
         value_options(root, "|") +
         R"sh() ((i++)) ;;
      -*) ;;
      *)
        case "${verb:+$verb }$word" in
          )sh" +
         paths_pattern(root) +
         R"sh() verb="${verb:+$verb }$word" ;;
        esac ;;
    esac
  done
)sh" + shared_cases(root) +
         R"sh(}
complete -F _troupe troupe
)sh";
}

std::string zsh_completions(const command_spec& root) {
  return R"sh(#compdef troupe
# zsh completion for troupe, made by `troupe completions zsh`
_troupe_words() { compadd -- "$@" }
_troupe_names() { # $1: assets or runs
  local -a names
  names=("${(@f)$(_call_program names ${(q)words[1]} __complete $1 ${(q)where} 2>/dev/null)}")
  compadd -- ${names:#}
}
_troupe_files() { _files }
_troupe_folders() { _files -/ }
_troupe() {
  local cur=${words[CURRENT]} prev=${words[CURRENT-1]} verb='' word
  local -i i
  local -a where
  for ((i = 2; i < CURRENT; i++)); do
    word=${words[i]}
    case "$word" in
      -f|--file|--state) ((i + 1 < CURRENT)) && where+=("$word" "${words[i+1]}"); ((i++)) ;;
      )sh" +
         value_options(root, "|") +
         R"sh() ((i++)) ;;
      -*) ;;
      *)
        case "${verb:+$verb }$word" in
          )sh" +
         paths_pattern(root) +
         R"sh() verb="${verb:+$verb }$word" ;;
        esac ;;
    esac
  done
)sh" + shared_cases(root) +
         R"sh(}
if [[ $funcstack[1] == _troupe ]]; then _troupe "$@"; else compdef _troupe troupe; fi
)sh";
}

std::string fish_completions(const command_spec& root) {
  std::string paths;
  walk(root, "", [&](const command_spec& command, const std::string& path) {
    if (&command != &root)
      paths += " " + fish_quoted(path);
  });
  std::string out = R"sh(# fish completion for troupe, made by `troupe completions fish`
function __troupe_at # succeeds where the words so far lead to the command $argv[1]
    set -l at
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case -f --file --state )sh" +
                    value_options(root, " ") +
                    R"sh(
                set skip 1
            case '-*'
            case '*'
                if contains -- (string join ' ' $at $word))sh" +
                    paths + R"sh(
                    set at $at $word
                end
        end
    end
    test "$at" = "$argv[1]"
end
function __troupe_names # assets or runs
    set -l words (commandline -opc)
    set -l where
    for i in (seq (count $words))
        if contains -- $words[$i] -f --file --state; and test $i -lt (count $words)
            set where $where $words[$i] $words[(math $i + 1)]
        end
    end
    $words[1] __complete $argv[1] $where 2>/dev/null
end
complete -c troupe -f
)sh";
  const auto offered = [](completion kind, const std::vector<std::string>& words) -> std::string {
    switch (kind) {
    case completion::nothing:
      return "";
    case completion::files:
      return " -F";
    case completion::folders:
      return " -a '(__fish_complete_directories)'";
    case completion::assets:
      return " -a '(__troupe_names assets)'";
    case completion::runs:
      return " -a '(__troupe_names runs)'";
    case completion::words:
      break;
    }
    std::string list;
    for (const auto& word : words)
      list += (list.empty() ? "" : " ") + word;
    return " -a " + fish_quoted(list);
  };
  // fish refuses -x (a value, and no files) together with -F (files), and then forgets the whole option.
  const auto value_of = [&](const option_spec& option) -> std::string {
    if (option.meta.empty())
      return "";
    return (option.completes == completion::files ? " -r" : " -x") + offered(option.completes, option.words);
  };
  walk(root, "", [&](const command_spec& command, const std::string& path) {
    const std::string at = &command == &root
                               ? "complete -c troupe"
                               : "complete -c troupe -n " + fish_quoted("__troupe_at " + shell_quoted(path));
    for (const auto& option : command.options)
      out += at + (option.short_name.empty() ? "" : " -s " + option.short_name.substr(1)) + " -l " +
             option.long_name.substr(2) + value_of(option) + " -d " + fish_quoted(option.help) + "\n";
    const std::string here = "complete -c troupe -n " + fish_quoted("__troupe_at " + shell_quoted(path));
    for (const auto& sub : command.commands)
      if (!sub->hidden)
        out += here + " -a " + sub->name + " -d " + fish_quoted(sub->help) + "\n";
    if (command.commands.empty() && !command.arguments.empty())
      if (const auto what = offered(command.arguments.front().completes, command.arguments.front().words);
          !what.empty())
        out += here + what + "\n";
  });
  return out;
}

} // namespace troupe_internal::cli
