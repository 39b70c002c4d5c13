// Paragraphs.
#include "cli/definitions_text.hpp"

#include "core/freshness/definition_change.hpp"
#include "views/text.hpp"

#include <string_view>

namespace troupe_internal::cli {

namespace {

/// A text of several lines keeps them, each under the first.
void print_text(const output& to, std::string_view name, std::string_view text) {
  if (text.empty())
    return;
  std::string label(name);
  label.resize(9, ' ');
  for (bool first = true; !text.empty(); first = false) {
    const auto end = text.find('\n');
    to.stream << "  " << (first ? label : std::string(label.size(), ' ')) << printable(text.substr(0, end)) << "\n";
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
}

void print_list(const output& to, std::string_view name, const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts)
    all += (all.empty() ? "" : "  ") + text;
  print_text(to, name, all);
}

std::string text_of(const defined_variable& variable) {
  const std::string secret = variable.secret ? " (a secret)" : "";
  switch (variable.source) {
  case variable_source::literal:
    return variable.name + "=" + (variable.secret ? "***" : variable.text);
  case variable_source::environment:
    return variable.name + " from the variable " + variable.text + secret;
  case variable_source::file:
    return variable.name + " from the file " + variable.text + secret;
  }
  return variable.name;
}

} // namespace

void print_definitions(const output& to, const run_report& report) {
  std::map<digest, std::vector<std::string>> assets;
  std::size_t unknown = 0;
  for (const auto& asset : report.assets)
    if (asset.definition && report.definitions.contains(*asset.definition))
      assets[*asset.definition].push_back(printable(asset.name));
    else
      ++unknown;
  for (const auto& asset : report.assets) { // in the order of the assets
    const auto found = asset.definition ? assets.find(*asset.definition) : assets.end();
    if (found == assets.end())
      continue;
    const auto& definition = report.definitions.at(found->first);
    to.stream << "\n" << to.colours.paint(tint::strong, listed(found->second, 5)) << "\n";
    print_text(to, "command", command_text(definition));
    if (definition.form == command_form::shell)
      print_text(to, "shell", definition.shell);
    if (definition.cwd != ".")
      print_text(to, "cwd", definition.cwd);
    for (const auto& variable : definition.env)
      print_text(to, "env", text_of(variable));
    if (!definition.inherits_env)
      print_text(to, "inherits", definition.inherited.empty() ? "nothing" : listed(definition.inherited, 20));
    print_text(to, "version", definition.version);
    std::vector<std::string> params;
    for (const auto& param : definition.params)
      params.push_back(param.name + "=" + param.value);
    print_list(to, "params", params);
    print_list(to, "inputs", definition.inputs);
    print_list(to, "deps", definition.deps);
    print_list(to, "outputs", definition.outputs);
    print_list(to, "keys", definition.more);
    assets.erase(found);
  }
  if (unknown > 0)
    to.stream << "\nof " << counted(unknown, "asset") << " no definition was recorded\n";
}

} // namespace troupe_internal::cli
