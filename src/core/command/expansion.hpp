// What an asset's templates stand for, piece by piece, before anything is quoted: the one place both what is executed
// and its fingerprint come from. Knows nothing of shells but where a word begins.
#pragma once

#include "base/result.hpp"
#include "core/command/command.hpp"
#include "core/command/command_paths.hpp"
#include "core/command/matrix_reference.hpp"
#include "core/command/secret_mask.hpp"
#include "core/command/shell_text.hpp"
#include "core/command/template_text.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal {

/// The value of a secret param in a fingerprint, before its name. No value of anything holds a NUL.
inline constexpr std::string_view secret_param_mark{"\0secret.", 8};
/// The value of {{ run.id }} in a fingerprint, likewise.
inline constexpr std::string_view run_id_mark{"\0run.id", 7};
/// What stands for the path of a file that Troupe writes, before its kind and its content.
inline constexpr std::string_view response_mark{"\0response.", 10};

/// Fills in the templates of one asset. One thread at a time.
class expansion {
public:
  /// All outlive this.
  expansion(const command_scope& scope, const command_paths& paths, value_use use)
      : scope_(scope), spec_(scope.p.asset(scope.asset)), paths_(paths), use_(use) {}

  /// Hands every element that the text of one becomes to `take`, in order.
  template <class Take>
  bool argv_element(std::span<const template_piece> pieces, Take&& take) {
    if (pieces.size() == 1)
      return values(pieces.front(), [&](std::string_view value, bool path) {
        text_.clear();
        append(text_, value, path);
        take(std::string_view(text_));
      });
    text_.clear();
    for (const auto& piece : pieces) {
      if (is_list(piece))
        return refuse(shown(piece.written) + " inside a longer element");
      if (!values(piece, [&](std::string_view value, bool path) { append(text_, value, path); }))
        return false;
    }
    take(std::string_view(text_));
    return true;
  }

  /// Appends the text with its values; those of a list are lines.
  bool env_value(std::span<const template_piece> pieces, std::string& out);

  /// Hands the literal pieces of a shell text to `literal` and each value to `insert`, with its place and whether it is
  /// the first of its template, in order.
  template <class Literal, class Insert>
  bool shell_text(std::span<const template_piece> pieces, Literal&& literal, Insert&& insert) {
    // Only a path like an option asks where words begin, and to quote.
    const bool follow = use_ != value_use::fingerprint || inserts_dash(pieces);
    shell_scanner scanner;
    for (const auto& piece : pieces) {
      if (piece.name == template_name::literal) {
        if (follow)
          scanner.text(piece.text);
        literal(piece.text);
        continue;
      }
      shell_slot slot;
      if (follow)
        slot = scanner.slot();
      if (!slot.refuse.empty())
        return refuse(shown(piece.written) + " stands " + std::string(slot.refuse));
      bool first = true;
      bool begins = slot.begins;
      const auto take = [&](std::string_view value, bool path) {
        const bool prefixed = path && begins && value.starts_with('-');
        if (prefixed)
          passed_otherwise_ = true;
        insert(prefixed ? std::string_view(text_.assign("./").append(value)) : value, slot,
               std::exchange(first, false));
        if (follow)
          scanner.inserted(value);
        begins = true; // the next of a list is a word by itself, or stands behind a blank
      };
      if (!values(piece, take))
        return false;
    }
    return true;
  }

  /// Whether a path was passed otherwise than as declared.
  [[nodiscard]] bool passed_otherwise() const { return passed_otherwise_; }
  /// Why the last call was false.
  [[nodiscard]] error failure() { return fail(error_code::invalid_input, std::move(wrong_)); }

  bool refuse(std::string why) {
    wrong_ = std::move(why);
    return false;
  }

private:
  // Hands each value of a piece, and whether it is a path, to `take`, in order; false and `wrong_` set if it has none.
  template <class Take>
  bool values(const template_piece& piece, Take&& take) {
    if (piece.filter == value_filter::none)
      return unfiltered(piece, take);
    if (piece.writes_file())
      return in_file(piece, take);
    std::string joined;
    bool first = true;
    if (!unfiltered(piece, [&](std::string_view value, bool path) {
          if (!std::exchange(first, false))
            joined += piece.separator;
          append(joined, value, path);
        }))
      return false;
    take(std::string_view(joined), false);
    return true;
  }

  // The path of a file with the values; of the file its kind and content count, and where it is does not.
  template <class Take>
  bool in_file(const template_piece& piece, Take&& take) {
    if (use_ == value_use::shown) {
      take(piece.written, false);
      return true;
    }
    std::string content;
    bool good = true;
    if (!unfiltered(piece, [&](std::string_view value, bool path) {
          good = add_to_file(content, piece.filter, value, path) && good;
        }))
      return false;
    if (!good)
      return refuse(shown(piece.written) + ": a value holds a line end, and \"file\" writes a value a line: use file0");
    if (use_ == value_use::fingerprint) {
      content.insert(0, std::string(response_mark) + std::to_string(static_cast<int>(piece.filter)) + '.');
      take(std::string_view(content), false);
      return true;
    }
    if (scope_.responses == nullptr)
      return refuse(shown(piece.written) + ": no file can be written here");
    const auto path = (*scope_.responses)(content);
    if (!path)
      return refuse(path.error().message);
    take(std::string_view(*path), false);
    return true;
  }

  /// False where the kind of file cannot say the value.
  bool add_to_file(std::string& content, value_filter kind, std::string_view value, bool path);

  template <class Take>
  bool unfiltered(const template_piece& piece, Take&& take) {
    switch (piece.name) {
    case template_name::literal:
      take(piece.text, false);
      return true;
    case template_name::param:
    case template_name::matrix:
      if (auto why = unknown_variable(scope_.p, spec_.matrix, piece))
        return refuse(std::move(*why));
      if (use_ == value_use::fingerprint && is_secret(scope_.p, piece))
        take(std::string_view(path_.assign(secret_param_mark).append(piece.text)), false);
      else if (use_ == value_use::shown && is_secret(scope_.p, piece))
        take(secret_mark, false);
      else
        values_of_variable(scope_.p, spec_.matrix, piece).each([&](std::string_view value, bool path) {
          take(path ? passed(value) : value, path);
        });
      return true;
    case template_name::asset_name:
      take(spec_.name, false);
      return true;
    case template_name::run_id:
      take(use_ == value_use::fingerprint ? run_id_mark : scope_.run_id, false);
      return true;
    case template_name::pool:
      return pool(piece, take);
    case template_name::inputs:
      if (!piece.text.empty())
        return named_input(piece, take);
      return list(piece, scope_.inputs.size(), [&](std::size_t i) { path_value(piece, scope_.inputs[i], take); });
    case template_name::outputs:
      if (!piece.text.empty())
        return named_output(piece, take);
      return list(piece, spec_.outputs.size(),
                  [&](std::size_t i) { path_value(piece, scope_.p.path(spec_.outputs[i]), take); });
    }
    return false;
  }

  template <class Take>
  void path_value(const template_piece& piece, std::string_view path, Take&& take) {
    if (piece.part == path_part::whole || piece.part == path_part::folder)
      take(passed(part_of(path, piece.part)), true);
    else
      take(part_of(path, piece.part), false);
  }

  template <class Take>
  bool pool(const template_piece& piece, Take&& take) {
    const auto& pools = scope_.p.settings_of(scope_.asset).pools;
    const auto found = pools.find(piece.text);
    if (found == pools.end())
      return refuse(shown(piece.written) + ": the asset takes no slots of that pool");
    take(std::string_view(path_.assign(std::to_string(found->second))), false);
    return true;
  }

  // The paths that inputs of one name stand for, in the order written.
  template <class Take>
  bool named_input(const template_piece& piece, Take&& take) {
    const auto name = number_of_input(scope_.p.declaration(scope_.asset), piece.text);
    if (!name)
      return refuse(shown(piece.written) + ": the asset has no input of that name");
    named_.clear();
    for (const auto& one : spec_.named) {
      if (one.name != *name)
        continue;
      const auto from = scope_.input_starts.empty() ? one.input : scope_.input_starts[one.input];
      const auto to = scope_.input_starts.empty() ? one.input + 1 : scope_.input_starts[one.input + 1];
      for (auto i = from; i < to && i < scope_.inputs.size(); ++i)
        named_.push_back(scope_.inputs[i]);
    }
    return list(piece, named_.size(), [&](std::size_t i) { path_value(piece, named_[i], take); });
  }

  template <class Take>
  bool named_output(const template_piece& piece, Take&& take) {
    const auto number = number_of_output(scope_.p.declaration(scope_.asset), piece.text);
    if (!number || *number >= spec_.outputs.size())
      return refuse(shown(piece.written) + ": the asset has no output of that name");
    path_value(piece, scope_.p.path(spec_.outputs[*number]), take);
    return true;
  }

  template <class Take>
  bool list(const template_piece& piece, std::size_t size, Take&& take) {
    if (!piece.index || piece.rest) {
      for (std::size_t i = piece.index.value_or(0); i < size; ++i)
        take(i);
      return true;
    }
    if (*piece.index >= size)
      return refuse(shown(piece.written) + ": there is none of that number");
    take(*piece.index);
    return true;
  }

  [[nodiscard]] bool is_list(const template_piece& piece) const {
    return piece.names_list() || names_input_list(scope_.p.declaration(scope_.asset), piece) ||
           ((piece.name == template_name::matrix || piece.name == template_name::param) &&
            !unknown_variable(scope_.p, spec_.matrix, piece) && stands_for_list(scope_.p, spec_.matrix, piece));
  }

  std::string_view passed(std::string_view path) {
    const auto text = paths_.as_passed(path, scope_.steps_up, use_ == value_use::fingerprint, path_);
    if (text != path)
      passed_otherwise_ = true;
    return text;
  }

  void append(std::string& out, std::string_view value, bool path) {
    if (path && value.starts_with('-') && begins_word(out)) {
      passed_otherwise_ = true;
      out += "./";
    }
    out += value;
  }

  [[nodiscard]] bool inserts_dash(std::span<const template_piece> pieces);

  const command_scope& scope_;
  const asset_spec& spec_;
  const command_paths& paths_;
  value_use use_;
  bool passed_otherwise_ = false;
  std::string text_, path_; // reused
  std::vector<std::string_view> named_;
  std::string wrong_;
};

} // namespace troupe_internal
