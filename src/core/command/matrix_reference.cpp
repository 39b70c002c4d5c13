// The longest declared name wins: first the variable, then, of a row, the column.
#include "core/command/matrix_reference.hpp"

#include "core/pipeline/nearest_name.hpp"

namespace troupe_internal {
namespace {

/// A matrix template, taken apart.
struct matrix_reference {
  const matrix_value* value = nullptr; ///< null: there is no such variable
  const matrix_cell* cell = nullptr;   ///< null: the value itself, or its id
  bool id = false;
  path_part part = path_part::whole;
  std::string_view unknown; ///< what stands behind the variable and means nothing
};

/// What follows a name and its dot; nullopt if the text does not begin with the name. Empty: the name is all.
std::optional<std::string_view> behind(std::string_view text, std::string_view name) {
  if (text == name)
    return std::string_view();
  if (text.size() > name.size() + 1 && text.starts_with(name) && text[name.size()] == '.')
    return text.substr(name.size() + 1);
  return std::nullopt;
}

path_part part_named(std::string_view word) {
  const auto whole = "." + std::string(word);
  std::string_view text = whole;
  const auto part = take_part(text);
  return text.empty() ? part : path_part::whole;
}

void find_column(std::string_view rest, matrix_reference& found) {
  std::string_view left;
  for (const auto& cell : found.value->more->row) {
    const auto more = behind(rest, cell.column);
    if (more && (found.cell == nullptr || cell.column.size() > found.cell->column.size()) &&
        (more->empty() || part_named(*more) != path_part::whole)) {
      found.cell = &cell;
      left = *more;
    }
  }
  if (found.cell == nullptr)
    found.unknown = rest;
  else if (!left.empty())
    found.part = part_named(left);
}

matrix_reference find_reference(std::span<const matrix_value> matrix, const template_piece& piece) {
  matrix_reference found;
  std::string_view rest;
  for (const auto& one : matrix)
    if (const auto more = behind(piece.text, one.variable);
        more && (found.value == nullptr || one.variable.size() > found.value->variable.size())) {
      found.value = &one;
      rest = *more;
    }
  if (found.value == nullptr || rest.empty())
    return found;
  found.id = rest == "id";
  if (found.id)
    return found;
  const bool is_row = found.value->more != nullptr && !found.value->more->row.empty();
  if (is_row)
    find_column(rest, found);
  if (found.cell == nullptr) {
    found.part = part_named(rest);
    found.unknown = found.part == path_part::whole ? rest : std::string_view();
  }
  return found;
}

std::optional<std::string> unknown_matrix(std::span<const matrix_value> matrix, const template_piece& piece) {
  const auto written = shown(piece.written);
  const auto found = find_reference(matrix, piece);
  if (found.value == nullptr) {
    nearest_name nearest(piece.text.substr(0, piece.text.find('.')));
    for (const auto& one : matrix)
      nearest.consider(one.variable);
    return written + ": " +
           (matrix.empty() ? "the asset has no matrix"
                           : "the matrix has no variable " + quoted_name(piece.text) + nearest.hint());
  }
  if (!found.unknown.empty()) {
    nearest_name nearest(found.unknown);
    if (found.value->more != nullptr)
      for (const auto& cell : found.value->more->row)
        nearest.consider(cell.column);
    const bool is_row = found.value->more != nullptr && !found.value->more->row.empty();
    return written + ": the values of " + quoted_name(found.value->variable) +
           (is_row ? " have no column " + quoted_name(found.unknown) +
                         (nearest.hint().empty() ? " (in every row)" : nearest.hint())
                   : " are no rows, so only .id, .name, .stem, .ext and .dir may follow");
  }
  const bool list = found.cell != nullptr && found.cell->list;
  if (!list && piece.index)
    return written + ": that is one value, and no list";
  if (list && !piece.index && found.part != path_part::whole)
    return written + ": that is a list; [0] names one of it, as in {{ matrix." +
           std::string(piece.text.substr(0, piece.text.rfind('.'))) + "[0]" +
           std::string(piece.text.substr(piece.text.rfind('.'))) + " }}";
  if (list && piece.index && !piece.rest && *piece.index >= found.cell->texts.size())
    return written + ": the list has " + std::to_string(found.cell->texts.size()) + " values in " +
           quoted_name(found.value->id()) + ", counted from 0";
  return std::nullopt;
}

std::optional<std::string> unknown_param(const pipeline& p, const template_piece& piece) {
  const auto written = shown(piece.written);
  if (!p.params.contains(piece.text)) {
    nearest_name nearest(piece.text);
    for (const auto& [name, value] : p.params)
      nearest.consider(name);
    return written + ": there is no param " + quoted_name(piece.text) +
           (p.params.empty() ? "; declare it under \"params\"" : nearest.hint());
  }
  const auto& param = p.params.find(piece.text)->second;
  const bool list = param.kind == param_value::type::list;
  if (piece.index && !list)
    return written + ": that is one value, and no list";
  if (piece.part != path_part::whole)
    return written + ": a param is a text and no path, so that nothing may follow its name";
  if (piece.index && !piece.rest && *piece.index >= param.items.size())
    return written + ": the list has " + std::to_string(param.items.size()) + " values, counted from 0";
  return std::nullopt;
}

} // namespace

std::string quoted_name(std::string_view name) {
  return '"' + shown(name) + '"';
}

std::optional<std::string> unknown_variable(const pipeline& p, std::span<const matrix_value> matrix,
                                            const template_piece& piece) {
  return piece.name == template_name::param ? unknown_param(p, piece) : unknown_matrix(matrix, piece);
}

variable_values values_of_variable(const pipeline& p, std::span<const matrix_value> matrix,
                                   const template_piece& piece) {
  variable_values values;
  if (piece.name == template_name::param) {
    const auto& param = p.params.find(piece.text)->second;
    if (param.kind != param_value::type::list) {
      values.one = param.text;
    } else if (piece.index && !piece.rest) {
      values.one = param.items[*piece.index];
    } else {
      values.is_list = true;
      values.list = param.items.subspan(std::min<std::size_t>(piece.index.value_or(0), param.items.size()));
    }
    return values;
  }
  const auto found = find_reference(matrix, piece);
  const auto part = piece.index ? piece.part : found.part;
  if (found.id) {
    values.one = found.value->id();
  } else if (found.cell == nullptr) {
    values.one = part_of(found.value->value, part);
    values.path = found.value->is_path() && (part == path_part::whole || part == path_part::folder);
  } else if (!found.cell->list) {
    values.one = part_of(found.cell->texts.front(), part);
  } else if (!piece.index || piece.rest) {
    values.is_list = true;
    values.list = found.cell->texts.subspan(std::min<std::size_t>(piece.index.value_or(0), found.cell->texts.size()));
  } else {
    values.one = part_of(found.cell->texts[*piece.index], part);
  }
  return values;
}

bool stands_for_list(const pipeline& p, std::span<const matrix_value> matrix, const template_piece& piece) {
  if (piece.filter != value_filter::none)
    return false;
  if (piece.name != template_name::param && piece.name != template_name::matrix)
    return piece.names_list();
  return values_of_variable(p, matrix, piece).is_list;
}

std::optional<std::uint32_t> number_of_input(const asset_declaration& of, std::string_view name) {
  for (std::uint32_t i = 0; i < of.input_names.size(); ++i)
    if (of.input_names[i].name == name)
      return i;
  return std::nullopt;
}

std::optional<std::uint32_t> number_of_output(const asset_declaration& of, std::string_view name) {
  for (std::uint32_t i = 0; i < of.output_names.size(); ++i)
    if (of.output_names[i] == name)
      return i;
  return std::nullopt;
}

bool names_input_list(const asset_declaration& of, const template_piece& piece) {
  if (piece.name != template_name::inputs || piece.text.empty() || piece.filter != value_filter::none)
    return false;
  const auto number = number_of_input(of, piece.text);
  return number && of.input_names[*number].list && (!piece.index || piece.rest);
}

bool is_secret(const pipeline& p, const template_piece& piece) {
  if (piece.name != template_name::param)
    return false;
  const auto param = p.params.find(piece.text);
  return param != p.params.end() && param->second.secret;
}

} // namespace troupe_internal
