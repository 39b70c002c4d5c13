// Part by part.
#include "core/freshness/definition_change.hpp"

#include <algorithm>
#include <memory>
#include <string_view>

namespace troupe_internal {

namespace {

std::string quoted(const std::string& element) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-{}";
  if (!element.empty() && element.find_first_not_of(plain) == std::string::npos)
    return element;
  if (element.find("{{") != std::string::npos && element.find_first_of("'\"\\\n") == std::string::npos)
    return element; // a template: its own blanks divide nothing
  std::string text = "'";
  for (const auto c : element)
    text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

bool lists_inputs(const asset_definition& definition) {
  return std::any_of(definition.command.begin(), definition.command.end(), [](const std::string& text) {
    for (auto at = text.find("{{"); at != std::string::npos; at = text.find("{{", at + 2)) {
      const auto name = text.find_first_not_of(' ', at + 2);
      if (name != std::string::npos && text.compare(name, 6, "inputs") == 0)
        return true;
    }
    return false;
  });
}

bool has_globs(const asset_definition& definition) {
  return std::any_of(definition.inputs.begin(), definition.inputs.end(),
                     [](const std::string& input) { return input.find_first_of("*?[") != std::string::npos; });
}

const char* word_of(command_form form) {
  return form == command_form::shell      ? "shell text"
         : form == command_form::list     ? "list"
         : form == command_form::function ? "function"
                                          : "none";
}

std::string in_lines(const std::vector<std::string>& texts) {
  std::string lines;
  for (const auto& text : texts)
    lines += (lines.empty() ? "" : "\n") + text;
  return lines;
}

const std::string* value_of(const asset_definition& definition, const std::string& param) {
  const auto found = std::find_if(definition.params.begin(), definition.params.end(),
                                  [&](const defined_param& one) { return one.name == param; });
  return found == definition.params.end() ? nullptr : &found->value;
}

/// Params that both use, with other values, as "name=value" on both sides.
template <class Add>
void add_params(const asset_definition& was, const asset_definition& now, const Add& add) {
  for (const auto& param : now.params)
    if (const auto* before = value_of(was, param.name); before != nullptr && *before != param.value)
      add(param.name + "=" + *before, param.name + "=" + param.value);
}

bool names_param(const std::string& text, const std::string& param) {
  return text.find("params." + param) != std::string::npos;
}

void compare_commands(reason& why, const asset_definition& was, const asset_definition& now) {
  reason_change change;
  const auto add = [&](const std::string& before, const std::string& after) {
    if (before == after)
      return;
    change.was += (change.was.empty() ? "" : "\n") + before;
    change.now += (change.now.empty() ? "" : "\n") + after;
  };
  add(command_text(was), command_text(now));
  if (was.form != now.form)
    add(std::string("as ") + word_of(was.form), std::string("as ") + word_of(now.form));
  if (was.form == command_form::shell && now.form == command_form::shell)
    add("shell " + was.shell, "shell " + now.shell);
  add("cwd " + was.cwd, "cwd " + now.cwd);
  add(in_lines(was.more), in_lines(now.more));
  add_params(was, now, add);
  if (!change.was.empty() || !change.now.empty())
    why.change = std::make_shared<const reason_change>(std::move(change));
  else if (lists_inputs(now) && has_globs(now))
    why.note = "its text is the same; it lists the files that its globs match, and these are others";
  else
    why.note = "its text is the same; values that are filled into it are others";
}

std::string shown(const asset_definition& definition, const std::string& name) {
  const auto found = std::find_if(definition.env.begin(), definition.env.end(),
                                  [&](const defined_variable& variable) { return variable.name == name; });
  if (found == definition.env.end())
    return "not set";
  const std::string secret = found->secret ? "a secret " : "";
  switch (found->source) {
  case variable_source::literal:
    return found->secret ? "a secret" : found->text;
  case variable_source::environment:
    return secret + "from the variable " + found->text;
  case variable_source::file:
    return secret + "from the file " + found->text;
  }
  return found->text;
}

std::string inherited(const asset_definition& definition) {
  if (definition.inherits_env)
    return "all";
  std::string names;
  for (const auto& name : definition.inherited)
    names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "none" : names;
}

} // namespace

std::string command_text(const asset_definition& definition) {
  if (definition.form == command_form::shell)
    return definition.command.empty() ? std::string() : definition.command.front();
  std::string text;
  for (const auto& element : definition.command)
    text += (text.empty() ? "" : " ") + quoted(element);
  return text;
}

void tell_that_nothing_was_recorded(reason& why) {
  if (why.kind == reason_kind::command_changed)
    why.note = "the earlier command was not recorded";
  else if (why.kind == reason_kind::env_changed)
    why.note = "how it was declared before was not recorded";
}

void tell_change(reason& why, const asset_definition& was, const asset_definition& now) {
  if (why.kind == reason_kind::command_changed)
    return compare_commands(why, was, now);
  if (why.kind == reason_kind::param_changed) {
    const auto* before = value_of(was, why.detail);
    const auto* after = value_of(now, why.detail);
    if (before != nullptr && after != nullptr && *before != *after)
      why.change = std::make_shared<const reason_change>(reason_change{*before, *after});
  }
  if (why.kind != reason_kind::env_changed)
    return;
  const bool all = why.detail == "(inherit_env)";
  reason_change change{all ? inherited(was) : shown(was, why.detail), all ? inherited(now) : shown(now, why.detail)};
  if (change.was == change.now) { // then a param that it names
    const auto text = change.now;
    change = {};
    add_params(was, now, [&](const std::string& before, const std::string& after) {
      if (!names_param(text, after.substr(0, after.find('='))))
        return;
      change.was += (change.was.empty() ? "" : ", ") + before;
      change.now += (change.now.empty() ? "" : ", ") + after;
    });
  }
  if (change.was != change.now)
    why.change = std::make_shared<const reason_change>(std::move(change));
  else
    why.note = "it is declared as before; its value is another";
}

} // namespace troupe_internal
