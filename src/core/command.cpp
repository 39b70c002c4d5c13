// Rendering: names to values, values to where they stand. What can be known at load is checked at load, once for each
// declaration; rendering then only fails on a pipeline that was never checked.
#include "core/command.hpp"

#include "core/glob.hpp"
#include "core/nearest_name.hpp"
#include "core/shell_text.hpp"
#include "core/template_text.hpp"

#include <algorithm>
#include <optional>

namespace troupe {
namespace {

std::string quote(std::string_view name) {
  return '"' + shown(name) + '"';
}

std::optional<std::string_view> matrix_value_of(std::span<const matrix_value> matrix, std::string_view variable) {
  for (const auto& [name, value] : matrix)
    if (name == variable)
      return value;
  return std::nullopt;
}

// Why a param or matrix name cannot be filled in; nullopt if it can.
std::optional<std::string> unknown_variable(const pipeline& p, std::span<const matrix_value> matrix,
                                            const template_piece& piece) {
  nearest_name nearest(piece.text);
  if (piece.name == template_name::param) {
    if (p.params.contains(piece.text))
      return std::nullopt;
    for (const auto& [name, value] : p.params)
      nearest.consider(name);
    return shown(piece.written) + ": there is no param " + quote(piece.text) +
           (p.params.empty() ? "; declare it under \"params\"" : nearest.hint());
  }
  if (matrix_value_of(matrix, piece.text))
    return std::nullopt;
  for (const auto& [name, value] : matrix)
    nearest.consider(name);
  return shown(piece.written) + ": " +
         (matrix.empty() ? "the asset has no matrix"
                         : "the matrix has no variable " + quote(piece.text) + nearest.hint());
}

std::string_view variable_value(const pipeline& p, std::span<const matrix_value> matrix, const template_piece& piece) {
  return piece.name == template_name::param ? std::string_view(p.params.find(piece.text)->second.text)
                                            : *matrix_value_of(matrix, piece.text);
}

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

// ---- Checks at load ----

constexpr std::size_t most_template_findings = 100; // of one asset: a text may be wrong everywhere

class checker {
public:
  checker(const pipeline& p, asset_index asset, diagnostics& out)
      : p_(p), spec_(p.asset(asset)), declaration_(p.declaration(asset)), out_(out) {}

  // The pieces of a text, each one sure to have a value; what has none is reported.
  std::vector<template_piece> pieces_of(std::string_view text, const std::string& what) {
    std::vector<template_problem> problems;
    auto pieces = parse_template(text, problems);
    for (const auto& problem : problems)
      report("bad_template", problem.message + " (in " + what + ")");
    for (std::size_t i = 0; i < pieces.size() && reported_ < most_template_findings; ++i)
      if (auto wrong = unknown(pieces[i]))
        report("unknown_template", *wrong + " (in " + what + ")");
    return pieces;
  }

  void argv() {
    for (std::size_t i = 0; i < declaration_.command.size(); ++i) {
      const auto text = declaration_.command[i];
      if (!has_template(text))
        continue;
      const std::string what = "element " + std::to_string(i + 1) + " of the command";
      const auto pieces = pieces_of(text, what);
      for (const auto& piece : pieces) {
        if (!piece.is_list())
          continue;
        if (pieces.size() > 1)
          report("list_in_word", shown(piece.written) +
                                     " stands for any number of words, so it has to be an element by "
                                     "itself (in " +
                                     what + ")");
        else if (i == 0)
          report("list_in_word", shown(piece.written) + " cannot be the program to run");
      }
    }
  }

  void shell() {
    const auto text = declaration_.command.front();
    if (!has_template(text))
      return;
    const auto pieces = pieces_of(text, "the command");
    if (!is_posix_shell(declaration_.settings->shell)) {
      for (const auto& piece : pieces)
        if (piece.name != template_name::literal)
          report("unsafe_template", shown(piece.written) + ": values cannot be quoted safely for the shell " +
                                        quote(declaration_.settings->shell) + "; pass the value through \"env\"");
      return;
    }
    shell_scanner scanner;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (pieces[i].name == template_name::literal) {
        scanner.text(pieces[i].text);
        continue;
      }
      const auto slot = scanner.slot();
      if (!slot.refuse.empty())
        report("unsafe_template", shown(pieces[i].written) + " stands " + std::string(slot.refuse) +
                                      ", where it could become shell syntax; pass the value through \"env\" and write "
                                      "\"$NAME\" there");
      else if (pieces[i].is_list() && slot.quotes == shell_quotes::none &&
               (slot.glued || (i + 1 < pieces.size() && glues(pieces[i + 1]))))
        report("list_in_word",
               shown(pieces[i].written) + " stands for any number of words, so blanks have to stand around it");
    }
  }

  void environment() {
    for (const auto& entry : declaration_.settings->env)
      if (entry.source == env_source::literal && has_template(entry.text))
        static_cast<void>(pieces_of(entry.text, "the env value " + entry.name));
  }

private:
  static bool glues(const template_piece& next) {
    return next.name != template_name::literal ||
           std::string_view(" \t\n;&|<>()").find(next.text.front()) == std::string_view::npos;
  }

  std::optional<std::string> unknown(const template_piece& piece) const {
    const std::string written = shown(piece.written);
    switch (piece.name) {
    case template_name::param:
    case template_name::matrix:
      return unknown_variable(p_, spec_.matrix, piece);
    case template_name::outputs:
      if (piece.index && *piece.index >= spec_.outputs.size())
        return written + ": the asset has " + count(spec_.outputs.size(), "output") + ", counted from 0";
      return std::nullopt;
    case template_name::inputs:
      if (piece.index && *piece.index >= spec_.inputs.size())
        return written + ": the asset has " + count(spec_.inputs.size(), "input") + ", counted from 0";
      for (std::size_t i = 0; piece.index && i <= *piece.index; ++i)
        if (spec_.inputs[i].glob)
          return written + ": how many files the glob " + quote(p_.path(spec_.inputs[i].path)) +
                 " matches is known only when the asset runs; name the file";
      return std::nullopt;
    default:
      return std::nullopt;
    }
  }

  static std::string count(std::size_t n, const std::string& noun) {
    return (n == 0 ? "no " : std::to_string(n) + " ") + noun + (n == 1 ? "" : "s");
  }

  void report(std::string_view code, std::string message) {
    if (++reported_ > most_template_findings)
      return;
    out_.error(declaration_.command_where.line != 0 ? declaration_.command_where : declaration_.where, code,
               std::move(message));
  }

  const pipeline& p_;
  const asset_spec& spec_;
  const asset_declaration& declaration_;
  diagnostics& out_;
  std::size_t reported_ = 0;
};

// ---- Rendering ----

class renderer {
public:
  explicit renderer(const command_scope& scope) : scope_(scope), spec_(scope.p.asset(scope.asset)) {}

  // Hands each value of a piece to `take`, in order; false and `wrong` set if it has none.
  template <class Take>
  bool values(const template_piece& piece, Take&& take) {
    switch (piece.name) {
    case template_name::literal:
      take(piece.text);
      return true;
    case template_name::param:
    case template_name::matrix:
      if (auto why = unknown_variable(scope_.p, spec_.matrix, piece))
        return refuse(std::move(*why));
      take(variable_value(scope_.p, spec_.matrix, piece));
      return true;
    case template_name::asset_name:
      take(spec_.name);
      return true;
    case template_name::run_id:
      take(scope_.run_id);
      return true;
    case template_name::inputs:
      return list(piece, scope_.inputs.size(), [&](std::size_t i) { take(std::string_view(scope_.inputs[i])); });
    case template_name::outputs:
      return list(piece, spec_.outputs.size(), [&](std::size_t i) { take(scope_.p.path(spec_.outputs[i])); });
    }
    return false;
  }

  std::optional<std::vector<template_piece>> pieces_of(std::string_view text) {
    std::vector<template_problem> problems;
    auto pieces = parse_template(text, problems);
    if (problems.empty())
      return pieces;
    refuse(problems.front().message);
    return std::nullopt;
  }

  bool argv_element(std::string_view text, std::vector<std::string>& argv) {
    if (!has_template(text)) {
      argv.emplace_back(text);
      return true;
    }
    const auto pieces = pieces_of(text);
    if (!pieces)
      return false;
    if (pieces->size() == 1)
      return values(pieces->front(), [&](std::string_view value) { argv.emplace_back(value); });
    std::string element;
    for (const auto& piece : *pieces) {
      if (piece.is_list())
        return refuse(shown(piece.written) + " inside a longer element");
      if (!values(piece, [&](std::string_view value) { element += value; }))
        return false;
    }
    argv.push_back(std::move(element));
    return true;
  }

  bool shell_text(std::string_view text, std::string& out) {
    if (!has_template(text)) {
      out = text;
      return true;
    }
    const auto pieces = pieces_of(text);
    if (!pieces)
      return false;
    shell_scanner scanner;
    for (const auto& piece : *pieces) {
      if (piece.name == template_name::literal) {
        scanner.text(piece.text);
        out += piece.text;
        continue;
      }
      const auto slot = scanner.slot();
      if (!slot.refuse.empty())
        return refuse(shown(piece.written) + " stands " + std::string(slot.refuse));
      bool first = true;
      const auto insert = [&](std::string_view value) {
        if (!std::exchange(first, false))
          out += ' ';
        append_quoted(out, value, slot.quotes);
      };
      if (!values(piece, insert))
        return false;
    }
    return true;
  }

  bool env_text(std::string_view text, std::string& out) {
    const auto pieces = pieces_of(text);
    if (!pieces)
      return false;
    for (const auto& piece : *pieces) {
      bool first = true;
      const auto insert = [&](std::string_view value) {
        if (!std::exchange(first, false))
          out += '\n';
        out += value;
      };
      if (!values(piece, insert))
        return false;
    }
    return true;
  }

  [[nodiscard]] error failure() { return fail(error_code::invalid_input, std::move(wrong_)); }

private:
  template <class Take>
  bool list(const template_piece& piece, std::size_t size, Take&& take) {
    if (!piece.index) {
      for (std::size_t i = 0; i < size; ++i)
        take(i);
      return true;
    }
    if (*piece.index >= size)
      return refuse(shown(piece.written) + ": there is none of that number");
    take(*piece.index);
    return true;
  }

  bool refuse(std::string why) {
    wrong_ = std::move(why);
    return false;
  }

  const command_scope& scope_;
  const asset_spec& spec_;
  std::string wrong_;
};

void collect_params(std::string_view text, std::vector<std::string>& names) {
  if (!has_template(text))
    return;
  std::vector<template_problem> ignored; // reported by check_templates()
  for (const auto& piece : parse_template(text, ignored))
    if (piece.name == template_name::param)
      names.emplace_back(piece.text);
}

} // namespace

result<rendered_command> render_command(const command_scope& scope) {
  const auto& declaration = scope.p.declaration(scope.asset);
  const std::string& shell = declaration.settings->shell;
  renderer r(scope);
  rendered_command out;
  if (declaration.kind == command_kind::argv) {
    for (const auto text : declaration.command)
      if (!r.argv_element(text, out.argv))
        return r.failure();
    if (out.argv.empty())
      return fail(error_code::invalid_input, "the command has no program to run");
    return out;
  }
  if (declaration.kind == command_kind::none)
    return fail(error_code::invalid_input, "a source has no command");
  std::string text;
  if (!r.shell_text(declaration.command.front(), text))
    return r.failure();
  const bool spare = may_skip_shell(shell) && !(scope.bash_reads_file && shell.ends_with("bash"));
  if (spare && split_plain_command(text, out.argv) &&
      std::find(scope.functions.begin(), scope.functions.end(), out.argv.front()) == scope.functions.end())
    return out;
  // A text that begins with - or + would be read as more options.
  if (text.starts_with('-') || text.starts_with('+'))
    text.insert(0, 1, ' ');
  out.argv = {shell, "-c", std::move(text)};
  out.through_shell = true;
  return out;
}

result<std::string> render_env_value(const command_scope& scope, std::string_view text) {
  if (!has_template(text))
    return std::string(text);
  renderer r(scope);
  std::string out;
  if (!r.env_text(text, out))
    return r.failure();
  return out;
}

result<std::string> render_path(const pipeline& p, std::span<const matrix_value> matrix, std::string_view text) {
  std::vector<template_problem> problems;
  const auto pieces = parse_template(text, problems);
  if (!problems.empty())
    return fail(error_code::invalid_input, problems.front().message);
  std::string out;
  for (const auto& piece : pieces) {
    if (piece.name == template_name::literal) {
      out += piece.text;
      continue;
    }
    if (piece.name != template_name::param && piece.name != template_name::matrix)
      return fail(error_code::invalid_input,
                  shown(piece.written) + " is not known yet where paths are named; only params and matrix are");
    if (auto why = unknown_variable(p, matrix, piece))
      return fail(error_code::invalid_input, std::move(*why));
    append_path_value(out, variable_value(p, matrix, piece));
  }
  return out;
}

void check_templates(const pipeline& p, asset_index asset, diagnostics& out) {
  checker check(p, asset, out);
  if (p.declaration(asset).kind == command_kind::argv)
    check.argv();
  else if (p.declaration(asset).kind == command_kind::shell)
    check.shell();
  check.environment();
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

} // namespace troupe
