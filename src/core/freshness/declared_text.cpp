// Copies of what the pipeline holds; paths with templates are kept by the declaration, others are those of any asset.
#include "core/freshness/declared_text.hpp"

#include "core/command/command.hpp"
#include "core/command/secret_mask.hpp"

#include <algorithm>

namespace troupe_internal {

namespace {

command_form form_of(command_kind kind) {
  switch (kind) {
  case command_kind::none:
    return command_form::none;
  case command_kind::argv:
    return command_form::list;
  case command_kind::shell:
    return command_form::shell;
  case command_kind::function:
    return command_form::function;
  }
  return command_form::none;
}

/// "/bin/bash -euo pipefail -c"; the path alone where it is called as shells are.
std::string shell_as_called(const asset_declaration& declared) {
  std::string words = declared.settings->shell;
  for (const auto& option : declared.settings->shell_options)
    words += " " + option;
  if (declared.script && declared.settings->shell_options.empty())
    words += " -e -c";
  return words;
}

variable_source source_of(env_source source) {
  switch (source) {
  case env_source::literal:
    return variable_source::literal;
  case env_source::from_env:
    return variable_source::environment;
  case env_source::from_file:
    return variable_source::file;
  }
  return variable_source::literal;
}

} // namespace

std::vector<std::uint32_t> assets_of_declarations(const pipeline& p) {
  std::vector<std::uint32_t> counts(p.declarations.size(), 0);
  for (std::uint32_t i = 0; i < p.assets.size(); ++i)
    ++counts[p.assets[i].declaration];
  return counts;
}

asset_definition declared_text(const pipeline& p, asset_index asset, const std::vector<std::uint32_t>& counts) {
  const auto& spec = p.asset(asset);
  const auto& declared = p.declaration(asset);
  const auto& settings = *declared.settings;
  asset_definition text;
  text.form = form_of(declared.kind);
  text.command.assign(declared.command.begin(), declared.command.end());
  if (declared.kind == command_kind::shell)
    text.shell = shell_as_called(declared);
  if (runs_command(declared.kind))
    text.cwd = settings.cwd;
  for (const auto& entry : settings.env) {
    const bool hidden = entry.secret && entry.source == env_source::literal;
    text.env.push_back({entry.name, source_of(entry.source), hidden ? std::string() : entry.text, entry.secret});
  }
  text.inherits_env = settings.inherit_env;
  if (!settings.inherit_env)
    text.inherited = settings.inherit_names;
  text.version = settings.version;
  if (declared.input_templates.empty()) {
    for (const auto& input : spec.inputs)
      text.inputs.emplace_back(p.path(input.path));
    for (const auto pattern : spec.exclusions)
      text.inputs.push_back("!" + std::string(p.path(pattern)));
  } else {
    text.inputs.assign(declared.input_templates.begin(), declared.input_templates.end());
  }
  text.deps.assign(declared.dep_templates.begin(), declared.dep_templates.end());
  for (std::size_t i = text.deps.empty() ? 0 : spec.deps.size(); i < spec.deps.size();) {
    const auto declaration = p.asset(spec.deps[i]).declaration;
    std::size_t same = i;
    while (same < spec.deps.size() && p.asset(spec.deps[same]).declaration == declaration)
      ++same;
    if (same - i == counts[declaration] && same - i > 1)
      text.deps.emplace_back(p.declarations[declaration].name);
    else
      for (auto each = i; each < same; ++each)
        text.deps.emplace_back(p.asset(spec.deps[each]).name);
    i = same;
  }
  for (std::size_t i = 0; i < spec.outputs.size(); ++i) {
    const bool templated = i < declared.output_templates.size() && !declared.output_templates[i].empty();
    text.outputs.emplace_back(templated ? declared.output_templates[i] : p.path(spec.outputs[i]));
  }
  if (declared.rare != nullptr) {
    if (!declared.rare->depfile.empty())
      text.more.push_back("depfile " + std::string(declared.rare->depfile));
    if (declared.rare->stdout_version)
      text.more.emplace_back("data_version stdout");
  }
  if (!p.params.empty())
    for (const auto& name : params_used(p, asset))
      if (const auto found = p.params.find(name); found != p.params.end())
        text.params.push_back({name, found->second.secret ? std::string(secret_mark) : found->second.text});
  std::sort(text.params.begin(), text.params.end(),
            [](const defined_param& a, const defined_param& b) { return a.name < b.name; });
  return text;
}

} // namespace troupe_internal
