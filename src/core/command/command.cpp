// Rendering: what the templates expand to, to where it stands. What can be wrong is found at load (template_check);
// rendering then only fails on a pipeline that was never checked.
#include "core/command/command.hpp"

#include "core/command/expansion.hpp"
#include "core/pipeline/glob.hpp"

#include <algorithm>

namespace troupe_internal {
namespace {

// In a glob any character may be escaped; elsewhere only those that could make it one.
void append_path_value(std::string& out, std::string_view value) {
  // A backslash that stands before the template is one, whatever the value begins with.
  const auto last = out.find_last_not_of('\\');
  if ((out.size() - (last == std::string::npos ? 0 : last + 1)) % 2 == 1)
    out += '\\';
  const std::string_view special = is_glob(out) ? "*?[]\\-!" : "*?[]\\";
  for (const char c : value) {
    if (special.find(c) != std::string_view::npos)
      out += '\\';
    out += c;
  }
}

bool pieces_of(std::string_view text, std::vector<template_piece>& pieces, expansion& values) {
  std::vector<template_problem> problems;
  pieces.clear();
  parse_template(text, pieces, problems);
  return problems.empty() || values.refuse(problems.front().message);
}

/// Whether a shell reads the text as one word that is just this, wherever it stands.
bool needs_no_quotes(std::string_view value) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-./:,+@%").find(c) != std::string_view::npos;
  };
  return !value.empty() && std::all_of(value.begin(), value.end(), is_plain);
}

bool render_shell_text(std::string_view text, expansion& values, value_use use, std::string& out) {
  if (!has_template(text)) {
    out = text;
    return true;
  }
  std::vector<template_piece> pieces;
  return pieces_of(text, pieces, values) && values.shell_text(
                                                pieces, [&](std::string_view literal) { out += literal; },
                                                [&](std::string_view value, const shell_slot& slot, bool first) {
                                                  if (!first)
                                                    out += ' ';
                                                  if (use == value_use::shown && needs_no_quotes(value))
                                                    out += value;
                                                  else
                                                    append_quoted(out, value, slot.quotes);
                                                });
}

void collect_params(std::string_view text, std::vector<std::string>& names) {
  if (!has_template(text))
    return;
  std::vector<template_problem> ignored; // reported by check_templates()
  for (const auto& piece : parse_template(text, ignored))
    if (piece.name == template_name::param)
      names.emplace_back(piece.text);
}

} // namespace

result<rendered_command> render_command(const command_scope& scope, value_use use) {
  const auto& declaration = scope.p.declaration(scope.asset);
  const std::string& shell = declaration.settings->shell;
  const command_paths paths(scope.p.folder, declaration.settings->cwd);
  expansion values(scope, paths, use);
  rendered_command out;
  if (declaration.kind == command_kind::argv) {
    std::vector<template_piece> pieces;
    for (const auto text : declaration.command) {
      if (!has_template(text))
        out.argv.emplace_back(text);
      else if (!pieces_of(text, pieces, values) ||
               !values.argv_element(pieces, [&](std::string_view element) { out.argv.emplace_back(element); }))
        return values.failure();
    }
    if (out.argv.empty())
      return fail(error_code::invalid_input, "the command has no program to run");
    return out;
  }
  if (!runs_command(declaration.kind))
    return fail(error_code::invalid_input, "a source or a function has no command");
  std::string text;
  if (!render_shell_text(declaration.command.front(), values, use, text))
    return values.failure();
  const auto& options = declaration.settings->shell_options;
  const bool spare =
      !declaration.script && may_skip_shell(shell, options) && !(scope.bash_reads_file && shell.ends_with("bash"));
  if (spare && split_plain_command(text, out.argv) &&
      std::find(scope.functions.begin(), scope.functions.end(), out.argv.front()) == scope.functions.end())
    return out;
  // A text that begins with - or + would be read as more options.
  if (text.starts_with('-') || text.starts_with('+'))
    text.insert(0, 1, ' ');
  out.argv = {shell};
  if (!options.empty())
    out.argv.insert(out.argv.end(), options.begin(), options.end());
  else if (declaration.script)
    out.argv.insert(out.argv.end(), {"-e", "-c"});
  else
    out.argv.emplace_back("-c");
  out.argv.push_back(std::move(text));
  out.through_shell = true;
  return out;
}

result<std::string> render_env_value(const command_scope& scope, std::string_view text, value_use use) {
  if (!has_template(text))
    return std::string(text);
  const command_paths paths(scope.p.folder, scope.p.settings_of(scope.asset).cwd);
  expansion values(scope, paths, use);
  std::vector<template_piece> pieces;
  std::string out;
  if (!pieces_of(text, pieces, values) || !values.env_value(pieces, out))
    return values.failure();
  return out;
}

namespace {

/// What is known where paths and assets are named: params and matrix; for a depfile the outputs, too.
class early_text {
public:
  early_text(const pipeline& p, std::span<const matrix_value> matrix, bool paths)
      : p_(p), matrix_(matrix), paths_(paths) {}
  early_text(const pipeline& p, asset_index knows_outputs_of)
      : p_(p), matrix_(p.asset(knows_outputs_of).matrix), paths_(true), outputs_of_(knows_outputs_of) {}

  [[nodiscard]] result<std::vector<std::string>> items(std::string_view text, bool lists) const {
    std::vector<template_problem> problems;
    const auto pieces = parse_template(text, problems);
    if (!problems.empty())
      return fail(error_code::invalid_input, problems.front().message);
    for (const auto& piece : pieces)
      if (auto why = refused(piece))
        return fail(error_code::invalid_input, std::move(*why));
    if (lists && pieces.size() == 1 && is_list(pieces.front())) {
      std::vector<std::string> all;
      values_of_variable(p_, matrix_, pieces.front()).each([&](std::string_view value, bool) {
        append_value(all.emplace_back(), value);
      });
      return all;
    }
    std::string out;
    for (const auto& piece : pieces)
      if (piece.name == template_name::literal)
        out += piece.text;
      else if (is_list(piece))
        return fail(error_code::invalid_input,
                    shown(piece.written) + " stands for any number of values: " +
                        (lists ? "it has to be an item by itself, or say how they are joined: {{ … | join \",\" }}"
                               : "[0] names one of them"));
      else
        append(out, piece);
    return std::vector{std::move(out)};
  }

private:
  [[nodiscard]] std::optional<std::string> refused(const template_piece& piece) const {
    if (piece.name == template_name::literal)
      return std::nullopt;
    if (piece.writes_file())
      return shown(piece.written) + " is a file that is written when the command starts, and " +
             (paths_ ? "paths" : "assets and values") + " are named before";
    if (piece.name == template_name::outputs && outputs_of_)
      return outputs(piece).empty() && !piece.names_list()
                 ? std::optional(shown(piece.written) + ": the asset has no such output")
                 : std::nullopt;
    if (piece.name != template_name::param && piece.name != template_name::matrix)
      return shown(piece.written) + " is not known yet where " + (paths_ ? "paths" : "assets and values") +
             " are named; only params" + (outputs_of_ ? ", matrix and outputs are" : " and matrix are");
    if (auto why = unknown_variable(p_, matrix_, piece))
      return why;
    if (is_secret(p_, piece))
      return shown(piece.written) + " is a secret, and " + (paths_ ? "paths" : "names and values") +
             " are recorded and shown";
    return std::nullopt;
  }
  [[nodiscard]] bool is_list(const template_piece& piece) const {
    if (piece.name == template_name::outputs)
      return piece.names_list();
    return piece.name != template_name::literal && stands_for_list(p_, matrix_, piece);
  }
  /// Those that a piece names.
  [[nodiscard]] std::vector<std::string_view> outputs(const template_piece& piece) const {
    std::vector<std::string_view> named;
    const auto& all = p_.asset(*outputs_of_).outputs;
    std::size_t first = piece.index.value_or(0);
    std::size_t end = piece.index && !piece.rest ? first + 1 : all.size();
    if (!piece.text.empty()) {
      const auto number = number_of_output(p_.declaration(*outputs_of_), piece.text);
      first = number.value_or(all.size());
      end = first + 1;
    }
    for (auto i = first; i < end && i < all.size(); ++i)
      named.push_back(part_of(p_.path(all[i]), piece.part));
    return named;
  }
  void append_value(std::string& out, std::string_view value) const {
    if (paths_)
      append_path_value(out, value);
    else
      out += value;
  }
  void append(std::string& out, const template_piece& piece) const {
    bool first = true;
    const auto add = [&](std::string_view value) {
      if (!std::exchange(first, false))
        append_value(out, piece.separator);
      append_value(out, value);
    };
    if (piece.name == template_name::outputs)
      for (const auto output : outputs(piece))
        add(output);
    else
      values_of_variable(p_, matrix_, piece).each([&](std::string_view value, bool) { add(value); });
  }

  const pipeline& p_;
  std::span<const matrix_value> matrix_;
  bool paths_;
  std::optional<asset_index> outputs_of_;
};

} // namespace

result<std::string> render_path(const pipeline& p, std::span<const matrix_value> matrix, std::string_view text) {
  auto items = early_text(p, matrix, true).items(text, false);
  if (!items)
    return items.error();
  return std::move(items->front());
}

result<std::string> render_depfile(const pipeline& p, asset_index asset, std::string_view text) {
  auto items = early_text(p, asset).items(text, false);
  if (!items)
    return items.error();
  return std::move(items->front());
}

result<std::vector<std::string>> render_paths(const pipeline& p, std::span<const matrix_value> matrix,
                                              std::string_view text) {
  return early_text(p, matrix, true).items(text, true);
}

result<std::vector<std::string>> render_names(const pipeline& p, std::span<const matrix_value> matrix,
                                              std::string_view text) {
  return early_text(p, matrix, false).items(text, true);
}

bool inserts_secret(const pipeline& p, std::string_view text) {
  std::vector<template_problem> reported_otherwise;
  const auto pieces = parse_template(text, reported_otherwise);
  return std::any_of(pieces.begin(), pieces.end(), [&](const auto& piece) { return is_secret(p, piece); });
}

std::vector<std::string> params_used(const pipeline& p, asset_index asset) {
  std::vector<std::string> names;
  for (const auto text : p.declaration(asset).command)
    collect_params(text, names);
  for (const auto& entry : p.settings_of(asset).env)
    if (entry.source == env_source::literal)
      collect_params(entry.text, names);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

bool inserts_inputs(const pipeline& p, asset_index asset) {
  const auto inserts = [](std::string_view text) {
    if (!has_template(text))
      return false;
    std::vector<template_problem> reported_at_load;
    const auto pieces = parse_template(text, reported_at_load);
    return std::any_of(pieces.begin(), pieces.end(),
                       [](const auto& piece) { return piece.name == template_name::inputs; });
  };
  const auto& command = p.declaration(asset).command;
  const auto& env = p.settings_of(asset).env;
  return std::any_of(command.begin(), command.end(), inserts) ||
         std::any_of(env.begin(), env.end(),
                     [&](const env_entry& e) { return e.source == env_source::literal && inserts(e.text); });
}

} // namespace troupe_internal
