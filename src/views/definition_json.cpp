// Key by key, as a pipeline file has them.
#include "views/definition_json.hpp"

namespace troupe_internal::cli {

namespace {

void write_texts(json_writer& json, std::string_view key, const std::vector<std::string>& texts) {
  json.key(key).begin_array();
  for (const auto& text : texts)
    json.value(text);
  json.end_array();
}

void write_command(json_writer& json, const asset_definition& definition) {
  switch (definition.form) {
  case command_form::none:
    json.key("command").null();
    break;
  case command_form::shell:
    json.member("command", definition.command.empty() ? std::string() : definition.command.front());
    break;
  case command_form::list:
    write_texts(json, "command", definition.command);
    break;
  case command_form::function:
    json.key("command").null();
    write_texts(json, "function", definition.command);
    break;
  }
  json.key("shell");
  if (definition.form == command_form::shell)
    json.value(definition.shell);
  else
    json.null();
  json.key("cwd");
  if (definition.form == command_form::none || definition.form == command_form::function)
    json.null();
  else
    json.value(definition.cwd);
}

void write_env(json_writer& json, const asset_definition& definition) {
  json.key("env").begin_object();
  for (const auto& variable : definition.env) {
    json.key(variable.name);
    if (variable.source == variable_source::literal && !variable.secret) {
      json.value(variable.text);
      continue;
    }
    json.begin_object();
    if (variable.source != variable_source::literal)
      json.member(variable.source == variable_source::environment ? "from_env" : "from_file", variable.text);
    json.member("secret", variable.secret).end_object();
  }
  json.end_object();
  if (definition.inherits_env)
    json.member("inherit_env", true);
  else
    write_texts(json, "inherit_env", definition.inherited);
}

} // namespace

void write_definition(json_writer& json, const asset_definition& definition) {
  json.begin_object();
  write_command(json, definition);
  write_env(json, definition);
  json.key("version");
  if (definition.version.empty())
    json.null();
  else
    json.value(definition.version);
  write_texts(json, "inputs", definition.inputs);
  write_texts(json, "deps", definition.deps);
  write_texts(json, "outputs", definition.outputs);
  if (!definition.more.empty())
    write_texts(json, "keys", definition.more);
  json.key("params").begin_object();
  for (const auto& param : definition.params)
    json.member(param.name, param.value);
  json.end_object().end_object();
}

} // namespace troupe_internal::cli
