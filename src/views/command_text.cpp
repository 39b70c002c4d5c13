// Words are quoted with single quotes, in which a shell reads nothing.
#include "views/command_text.hpp"

#include "core/command/shell_text.hpp"

#include <algorithm>

namespace troupe_internal::cli {

namespace {

bool is_harmless(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-./:,+@%").find(c) != std::string_view::npos;
}

std::string value_word(const defined_variable& variable) {
  switch (variable.source) {
  case variable_source::literal:
    return shell_word(variable.text);
  case variable_source::environment:
    return "\"$" + variable.text + "\"";
  case variable_source::file:
    return "\"$(cat " + shell_word(variable.text) + ")\"";
  }
  return {};
}

} // namespace

std::string shell_word(std::string_view text) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_harmless))
    return std::string(text);
  std::string out;
  append_quoted(out, text, shell_quotes::none);
  return out;
}

std::string command_words(const shown_command& command) {
  if (command.through_shell && !command.argv.empty())
    return command.argv.back();
  std::string out;
  for (const auto& word : command.argv)
    out += (out.empty() ? "" : " ") + shell_word(word);
  return out;
}

std::string pasted(const shown_command& command) {
  std::string out = "cd " + shell_word(command.folder) + " && \\\n";
  std::string variables;
  for (const auto& name : command.inherited)
    if (!command.inherits_env)
      variables += " " + name + "=\"$" + name + "\"";
  for (const auto& variable : command.env)
    variables += " " + variable.name + "=" + value_word(variable);
  if (!command.inherits_env)
    out += "env -i" + variables + " \\\n";
  else if (!variables.empty())
    out += "env" + variables + " \\\n";
  std::string words;
  for (const auto& word : command.argv)
    words += (words.empty() ? "" : " ") + shell_word(word);
  return out + words + "\n";
}

void write_command(json_writer& json, const shown_command& command) {
  json.begin_object().key("argv").begin_array();
  for (const auto& word : command.argv)
    json.value(word);
  json.end_array().member("shell", command.through_shell).member("folder", command.folder).key("env").begin_object();
  for (const auto& variable : command.env) {
    json.key(variable.name).begin_object();
    json.member(variable.source == variable_source::literal       ? "value"
                : variable.source == variable_source::environment ? "from_env"
                                                                  : "from_file",
                variable.text);
    json.end_object();
  }
  json.end_object().end_object();
}

} // namespace troupe_internal::cli
