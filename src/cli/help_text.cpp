// How the help of a command is laid out.
#include "cli/command_line.hpp"

#include <algorithm>

namespace troupe_internal::cli {

namespace {

struct entry {
  std::string left, right;
};

void section(std::string& out, std::string_view title, const std::vector<entry>& entries) {
  if (entries.empty())
    return;
  std::size_t width = 0;
  for (const auto& e : entries)
    width = std::max(width, std::min<std::size_t>(e.left.size(), 32));
  out += "\n";
  out += title;
  out += ":\n";
  for (const auto& e : entries) {
    out += "  " + e.left;
    if (e.left.size() > width)
      out += "\n  " + std::string(width, ' ');
    else
      out += std::string(width - e.left.size(), ' ');
    out += "  " + e.right + "\n";
  }
}

std::vector<entry> entries_of(const std::vector<option_spec>& options) {
  std::vector<entry> entries;
  for (const auto& option : options) {
    std::string left = option.short_name.empty() ? "    " : option.short_name + ", ";
    left += option.long_name;
    if (!option.meta.empty())
      left += " " + option.meta;
    if (!option.meta_of_flag.empty())
      left += "[=" + option.meta_of_flag + "]";
    std::string right = option.help;
    if (!option.words.empty()) {
      right += ": ";
      for (std::size_t i = 0; i < option.words.size(); ++i)
        right += (i == 0 ? "" : ", ") + option.words[i];
    }
    if (option.repeatable)
      right += " (may be given several times)";
    entries.push_back({left, right});
  }
  return entries;
}

} // namespace

std::string help_text(const command_spec& root, const command_spec& command, const std::string& path) {
  std::string out = command.help + "\n\nUsage: " + path;
  if (!command.commands.empty())
    out += " COMMAND";
  if (!root.options.empty() || !command.options.empty())
    out += " [OPTIONS]";
  for (const auto& argument : command.arguments) {
    const auto name = argument.name + (argument.many ? "…" : "");
    out += argument.required ? " " + name : " [" + name + "]";
  }
  out += "\n";

  std::vector<entry> commands;
  for (const auto& sub : command.commands)
    if (!sub->hidden)
      commands.push_back({sub->name, sub->help});
  section(out, "Commands", commands);

  std::vector<entry> arguments;
  for (const auto& argument : command.arguments) {
    std::string right = argument.help;
    for (std::size_t i = 0; i < argument.words.size(); ++i)
      right += (i == 0 ? ": " : ", ") + argument.words[i];
    arguments.push_back({argument.name, right});
  }
  section(out, "Arguments", arguments);
  if (&command != &root)
    section(out, "Options", entries_of(command.options));
  std::vector<option_spec> everywhere;
  for (const auto& option : root.options)
    if (&command == &root || std::none_of(command.options.begin(), command.options.end(),
                                          [&](const auto& own) { return own.long_name == option.long_name; }))
      everywhere.push_back(option);
  auto global = entries_of(everywhere);
  global.push_back({"-h, --help", "show this help"});
  if (&command == &root)
    global.push_back({"    --version", "show the version"});
  section(out, &command == &root ? "Options" : "Global options", global);

  if (!command.examples.empty()) {
    out += "\nExamples:\n";
    for (const auto& e : command.examples)
      out += "  " + e.line + "\n      " + e.does + "\n";
  }
  if (&command == &root)
    out += "\n'" + root.name + " COMMAND --help' tells more about a command.\n";
  return out;
}

} // namespace troupe_internal::cli
