// A hand-written reader: the grammar is {{ name [ "[" digits [":"] "]" ] [ ".stem" … ] [ "|" filter ] }}, with blanks
// between.
#include "core/command/template_text.hpp"

#include "core/pipeline/nearest_name.hpp"

#include <array>
#include <charconv>
#include <tuple>
#include <utility>

namespace troupe_internal {
namespace {

constexpr std::array<std::string_view, 7> known_names = {"params.", "matrix.", "asset.name", "run.id",
                                                         "inputs",  "outputs", "pools."};

constexpr std::array<std::pair<std::string_view, path_part>, 4> path_parts = {{{".name", path_part::name},
                                                                               {".stem", path_part::stem},
                                                                               {".ext", path_part::extension},
                                                                               {".dir", path_part::folder}}};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Reads what stands between brackets, "3" or "3:", into index and rest.
bool read_index(std::string_view text, template_piece& piece) {
  piece.rest = text.ends_with(':');
  if (piece.rest)
    text.remove_suffix(1);
  std::uint32_t index = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), index);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size())
    return false;
  piece.index = index;
  return true;
}

std::string no_template(std::string_view inside) {
  const auto hint = nearest_hint(inside, known_names);
  return "is no template: there are params.NAME, matrix.NAME, asset.name, run.id, inputs, outputs and pools.NAME" +
         (hint.empty() ? "; write {{{{ for a literal {{" : hint);
}

// Takes "[3]" or "[3:]" and a ".stem" behind it off the end of a reference; a message if there is something else.
std::optional<std::string> take_brackets(std::string_view& reference, template_piece& piece) {
  const auto open = reference.find('[');
  if (open == std::string_view::npos)
    return std::nullopt;
  const auto whole = std::exchange(reference, trimmed(reference.substr(0, open)));
  const auto close = whole.find(']', open);
  if (close == std::string_view::npos || !read_index(whole.substr(open + 1, close - open - 1), piece))
    return "has no number between its brackets: {{ " + std::string(reference) + "[0] }} is the first";
  auto behind = trimmed(whole.substr(close + 1));
  piece.part = take_part(behind);
  if (!behind.empty())
    return "has " + std::string(behind) + " behind its brackets, where only .name, .stem, .ext and .dir may stand";
  if (piece.rest && piece.part != path_part::whole)
    return "takes a part of several paths: [" + std::to_string(*piece.index) + "] names one";
  return std::nullopt;
}

std::optional<std::string> read_list_name(std::string_view behind, template_piece& piece) {
  if (behind.empty())
    return std::nullopt;
  piece.text = behind.substr(1); // without the dot
  if (!piece.index && piece.text.find('.') != std::string_view::npos)
    piece.part = take_part(piece.text);
  return std::nullopt;
}

// Fills in name, text, index and part from a reference; a message if it is none.
std::optional<std::string> read_reference(std::string_view inside, template_piece& piece) {
  if (inside.empty())
    return "names nothing; write {{{{ for a literal {{";
  if (inside == "asset.name" || inside == "run.id") {
    piece.name = inside == "run.id" ? template_name::run_id : template_name::asset_name;
    return std::nullopt;
  }
  auto reference = inside;
  const auto wrong = take_brackets(reference, piece);
  for (const auto& [word, name, noun] :
       {std::tuple<std::string_view, template_name, std::string_view>{"params.", template_name::param, "param"},
        {"matrix.", template_name::matrix, "matrix variable"},
        {"pools.", template_name::pool, "pool"}}) {
    if (!reference.starts_with(word))
      continue;
    piece.name = name;
    piece.text = reference.substr(word.size());
    if (wrong)
      return wrong;
    return piece.text.empty() ? std::optional("names no " + std::string(noun)) : std::nullopt;
  }
  for (const auto& [list, name] : {std::pair<std::string_view, template_name>{"inputs", template_name::inputs},
                                   std::pair<std::string_view, template_name>{"outputs", template_name::outputs}}) {
    const auto behind = reference.starts_with(list) ? reference.substr(list.size()) : std::string_view("x");
    if (!behind.empty() && (behind.front() != '.' || behind.size() == 1))
      continue;
    piece.name = name;
    return wrong ? wrong : read_list_name(behind, piece);
  }
  return no_template(inside);
}

// Reads `join ","`, `file`, `file0` or `rsp`.
std::optional<std::string> read_filter(std::string_view text, template_piece& piece) {
  static constexpr std::array<std::pair<std::string_view, value_filter>, 3> files = {
      {{"file", value_filter::file}, {"file0", value_filter::file0}, {"rsp", value_filter::rsp}}};
  for (const auto& [word, filter] : files)
    if (text == word) {
      piece.filter = filter;
      return std::nullopt;
    }
  constexpr std::string_view join = "join";
  if (text.starts_with(join)) {
    const auto separator = trimmed(text.substr(join.size()));
    if (separator.size() < 2 || separator.front() != separator.back() ||
        (separator.front() != '"' && separator.front() != '\''))
      return "needs the text between two values in quotes: join \",\"";
    piece.filter = value_filter::join;
    piece.separator = separator.substr(1, separator.size() - 2);
    return std::nullopt;
  }
  return "has an unknown filter " + std::string(text) + ": there are join \"TEXT\", file, file0 and rsp";
}

// Reads what stands between the braces: a reference, and a filter behind "|".
std::optional<std::string> read_name(std::string_view inside, template_piece& piece) {
  const auto bar = inside.find('|');
  if (auto wrong = read_reference(trimmed(inside.substr(0, bar)), piece))
    return wrong;
  return bar == std::string_view::npos ? std::nullopt : read_filter(trimmed(inside.substr(bar + 1)), piece);
}

} // namespace

path_part take_part(std::string_view& text) {
  for (const auto& [word, part] : path_parts)
    if (text.ends_with(word)) {
      text.remove_suffix(word.size());
      return part;
    }
  return path_part::whole;
}

std::string_view part_of(std::string_view path, path_part part) {
  const auto slash = path.rfind('/');
  const auto name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  const auto dot = name.rfind('.');
  const bool extended = dot != std::string_view::npos && dot != 0;
  switch (part) {
  case path_part::name:
    return name;
  case path_part::stem:
    return extended ? name.substr(0, dot) : name;
  case path_part::extension:
    return extended ? name.substr(dot) : std::string_view();
  case path_part::folder:
    return slash == std::string_view::npos ? std::string_view(".")
           : slash == 0                    ? std::string_view("/")
                                           : path.substr(0, slash);
  case path_part::whole:
    break;
  }
  return path;
}

std::string shown(std::string_view written) {
  constexpr std::size_t longest = 80;
  if (written.size() <= longest)
    return std::string(written);
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(written[end]) & 0xC0U) == 0x80) // not within a character
    --end;
  return std::string(written.substr(0, end)) + "…";
}

std::vector<template_piece> parse_template(std::string_view text, std::vector<template_problem>& problems) {
  std::vector<template_piece> pieces;
  parse_template(text, pieces, problems);
  return pieces;
}

void parse_template(std::string_view text, std::vector<template_piece>& pieces,
                    std::vector<template_problem>& problems) {
  const auto literal = [&](std::string_view part) {
    if (!part.empty())
      pieces.push_back({.name = template_name::literal, .text = part, .written = part});
  };
  std::size_t at = 0;
  while (at < text.size()) {
    const auto open = text.find("{{", at);
    literal(text.substr(at, open == std::string_view::npos ? open : open - at));
    if (open == std::string_view::npos)
      break;
    if (text.substr(open, 4) == "{{{{") {
      literal(text.substr(open, 2));
      at = open + 4;
      continue;
    }
    const auto close = text.find("}}", open + 2);
    if (close == std::string_view::npos) {
      problems.push_back({text.substr(open), "{{ has no }} behind it; write {{{{ for a literal {{"});
      break;
    }
    template_piece piece;
    piece.written = text.substr(open, close + 2 - open);
    if (auto wrong = read_name(trimmed(text.substr(open + 2, close - open - 2)), piece))
      problems.push_back({piece.written, shown(piece.written) + " " + *wrong});
    else
      pieces.push_back(piece);
    at = close + 2;
  }
}

} // namespace troupe_internal
