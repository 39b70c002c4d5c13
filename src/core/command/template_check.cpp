// What can be known of templates at load, once for each declaration: names without a value, values where none may
// stand.
#include "core/command/command.hpp"

#include "core/command/command_paths.hpp"
#include "core/command/expansion.hpp"
#include "core/command/shell_text.hpp"
#include "core/command/template_text.hpp"
#include "core/pipeline/nearest_name.hpp"

#include <algorithm>

namespace troupe_internal {
namespace {

constexpr std::size_t most_template_findings = 100; // of one asset: a text may be wrong everywhere

class checker {
public:
  checker(const pipeline& p, asset_index asset, diagnostics& out)
      : p_(p), first_(asset.value), spec_(p.asset(asset)), declaration_(p.declaration(asset)),
        paths_(p.folder, declaration_.settings->cwd), out_(out) {}

  // The pieces of a text, each one sure to have a value; what has none is reported.
  std::vector<template_piece> pieces_of(std::string_view text, const std::string& what) {
    std::vector<template_problem> problems;
    auto pieces = parse_template(text, problems);
    for (const auto& problem : problems)
      report("bad_template", problem.message + " (in " + what + ")");
    for (std::size_t i = 0; i < pieces.size() && reported_ < most_template_findings; ++i)
      if (auto wrong = unknown(pieces[i]))
        report("unknown_template", *wrong + " (in " + what + ")");
      else if (pieces[i].writes_file() && is_secret(p_, pieces[i]))
        report("secret_in_file", shown(pieces[i].written) +
                                     " would write a secret into a file that is kept with the logs; hand it over in "
                                     "\"env\" (in " +
                                     what + ")");
    if (!paths_.at_home())
      steps_up(pieces, what);
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
        if (!is_list(piece))
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
                                        quoted_name(declaration_.settings->shell) + "; pass the value through \"env\"");
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
      else if (is_list(pieces[i]) && slot.quotes == shell_quotes::none &&
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
  // Before paths were given relative to cwd, this is how they were led back to the pipeline's folder.
  void steps_up(const std::vector<template_piece>& pieces, const std::string& what) {
    std::string before;
    for (const auto& piece : pieces) {
      const bool path = piece.name == template_name::inputs || piece.name == template_name::outputs ||
                        (piece.name == template_name::matrix && !unknown_variable(p_, spec_.matrix, piece) &&
                         values_of_variable(p_, spec_.matrix, piece).path);
      if (path && ends_in_step_up(before))
        report("path_under_cwd", "../ stands directly before " + shown(piece.written) +
                                     ", but paths are now given relative to cwd: remove ../ (in " + what + ")");
      if (piece.name == template_name::literal)
        before += piece.text;
      else if ((piece.name == template_name::param || piece.name == template_name::matrix) &&
               !unknown_variable(p_, spec_.matrix, piece))
        values_of_variable(p_, spec_.matrix, piece).each([&](std::string_view value, bool) { before += value; });
      else
        before += '?';
    }
  }

  static bool glues(const template_piece& next) {
    return next.name != template_name::literal ||
           std::string_view(" \t\n;&|<>()").find(next.text.front()) == std::string_view::npos;
  }

  std::optional<std::string> unknown(const template_piece& piece) const {
    switch (piece.name) {
    case template_name::param:
      return unknown_variable(p_, spec_.matrix, piece);
    case template_name::matrix:
      return unknown_matrix(piece);
    case template_name::pool:
      return unknown_pool(piece);
    case template_name::outputs:
    case template_name::inputs:
      return unknown_path(piece);
    default:
      return std::nullopt;
    }
  }

  /// The combinations have the same names; a list may be of another length in each.
  std::optional<std::string> unknown_matrix(const template_piece& piece) const {
    auto why = unknown_variable(p_, spec_.matrix, piece);
    for (auto i = first_; !why && piece.index && i < p_.assets.size() && p_.assets[i].declaration == spec_.declaration;
         ++i)
      why = unknown_variable(p_, p_.assets[i].matrix, piece);
    return why;
  }

  std::optional<std::string> unknown_pool(const template_piece& piece) const {
    if (declaration_.settings->pools.contains(piece.text))
      return std::nullopt;
    nearest_name nearest(piece.text);
    for (const auto& [name, slots] : declaration_.settings->pools)
      nearest.consider(name);
    return shown(piece.written) + ": the asset takes no slots of a pool " + quoted_name(piece.text) +
           (nearest.hint().empty() ? "; name it in its \"pools\"" : nearest.hint());
  }

  std::optional<std::string> unknown_path(const template_piece& piece) const {
    auto why = piece.text.empty() ? std::nullopt : unknown_path_name(piece);
    if (why || !piece.index)
      return why;
    // The combinations may have different numbers of inputs.
    for (auto i = first_; !why && i < p_.assets.size() && p_.assets[i].declaration == spec_.declaration; ++i)
      why = unknown_number(p_.assets[i], piece);
    return why;
  }

  std::optional<std::string> unknown_path_name(const template_piece& piece) const {
    const bool inputs = piece.name == template_name::inputs;
    const auto number = inputs ? number_of_input(declaration_, piece.text) : number_of_output(declaration_, piece.text);
    const std::string written = shown(piece.written);
    if (!number) {
      nearest_name nearest(piece.text);
      for (const auto& one : declaration_.input_names)
        if (inputs)
          nearest.consider(one.name);
      for (const auto name : declaration_.output_names)
        if (!inputs)
          nearest.consider(name);
      return written + ": the asset has no " + (inputs ? "input" : "output") + " with the name " +
             quoted_name(piece.text) + nearest.hint();
    }
    const bool list = inputs && declaration_.input_names[*number].list;
    if (!list && piece.index)
      return written + ": that is one path, and no list";
    if (list && !piece.index && piece.part != path_part::whole)
      return written + ": that is a list; [0] names one of it, as in {{ inputs." + std::string(piece.text) + "[0] }}";
    return std::nullopt;
  }

  std::optional<std::string> unknown_number(const asset_spec& spec, const template_piece& piece) const {
    const std::string written = shown(piece.written);
    if (piece.name == template_name::outputs) {
      if (piece.rest || *piece.index < spec.outputs.size())
        return std::nullopt;
      return written + ": the asset has " + count(spec.outputs.size(), "output") + ", counted from 0";
    }
    std::vector<input_ref> inputs;
    if (piece.text.empty())
      inputs.assign(spec.inputs.begin(), spec.inputs.end());
    else
      for (const auto& one : spec.named)
        if (one.name == *number_of_input(declaration_, piece.text))
          inputs.push_back(spec.inputs[one.input]);
    for (std::size_t i = 0; i < inputs.size() && i < *piece.index + (piece.rest ? 0U : 1U); ++i)
      if (inputs[i].glob)
        return written + ": how many files the glob " + quoted_name(p_.path(inputs[i].path)) +
               " matches is known only when the asset runs; name the file";
      else if (inputs[i].optional)
        return written + ": whether the optional input " + quoted_name(p_.path(inputs[i].path)) +
               " is there is known only when the asset runs; give inputs names";
    if (!piece.rest && *piece.index >= inputs.size())
      return written + ": the asset has " + count(inputs.size(), "input") +
             (piece.text.empty() ? "" : " of that name") + ", counted from 0";
    return std::nullopt;
  }

  [[nodiscard]] bool is_list(const template_piece& piece) const {
    return piece.names_list() || names_input_list(declaration_, piece) ||
           ((piece.name == template_name::param || piece.name == template_name::matrix) &&
            !unknown_variable(p_, spec_.matrix, piece) && stands_for_list(p_, spec_.matrix, piece));
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
  const std::uint32_t first_; // of the combinations
  const asset_spec& spec_;
  const asset_declaration& declaration_;
  const command_paths paths_;
  diagnostics& out_;
  std::size_t reported_ = 0;
};

} // namespace

void check_templates(const pipeline& p, asset_index asset, diagnostics& out) {
  checker check(p, asset, out);
  if (p.declaration(asset).kind == command_kind::argv || p.declaration(asset).kind == command_kind::function)
    check.argv();
  else if (p.declaration(asset).kind == command_kind::shell)
    check.shell();
  check.environment();
}

} // namespace troupe_internal
