// A hand-written reader: the grammar is {{ blanks name [ "[" digits "]" ] blanks }}.
#include "core/command/template_text.hpp"

#include "core/pipeline/nearest_name.hpp"

#include <array>
#include <charconv>

namespace troupe_internal {
namespace {

constexpr std::array<std::string_view, 6> known_names = {"params.", "matrix.", "asset.name",
                                                         "run.id",  "inputs",  "outputs"};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Reads "[3]"; nullopt if the text is anything else.
std::optional<std::uint32_t> read_index(std::string_view text) {
  if (text.size() < 3 || text.front() != '[' || text.back() != ']')
    return std::nullopt;
  std::uint32_t index = 0;
  const char* end = text.data() + text.size() - 1;
  const auto read = std::from_chars(text.data() + 1, end, index);
  return read.ec == std::errc() && read.ptr == end ? std::optional(index) : std::nullopt;
}

// Fills in name, text and index from what stands between the braces; a message if it is no name.
std::optional<std::string> read_name(std::string_view inside, template_piece& piece) {
  const auto starts = [&](std::string_view with) { return inside.substr(0, with.size()) == with; };
  if (inside.empty())
    return "names nothing; write {{{{ for a literal {{";
  if (starts("params.") || starts("matrix.")) {
    piece.name = starts("params.") ? template_name::param : template_name::matrix;
    piece.text = inside.substr(7);
    if (piece.text.empty())
      return "names no " + std::string(piece.name == template_name::param ? "param" : "matrix variable");
    return std::nullopt;
  }
  if (inside == "asset.name" || inside == "run.id") {
    piece.name = inside == "run.id" ? template_name::run_id : template_name::asset_name;
    return std::nullopt;
  }
  for (const auto& [list, name] : {std::pair<std::string_view, template_name>{"inputs", template_name::inputs},
                                   std::pair<std::string_view, template_name>{"outputs", template_name::outputs}}) {
    if (!starts(list))
      continue;
    const auto rest = trimmed(inside.substr(list.size()));
    piece.name = name;
    if (rest.empty())
      return std::nullopt;
    if ((piece.index = read_index(rest)))
      return std::nullopt;
    if (rest.front() == '[')
      return "has no number between its brackets: {{ " + std::string(list) + "[0] }} is the first";
  }
  const auto hint = nearest_hint(inside, known_names);
  return "is no template: there are params.NAME, matrix.NAME, asset.name, run.id, inputs and outputs" +
         (hint.empty() ? "; write {{{{ for a literal {{" : hint);
}

} // namespace

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
      pieces.push_back({template_name::literal, part, std::nullopt, part});
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
