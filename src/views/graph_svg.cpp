// The graph as one SVG file: Graphviz lays it out, and what comes back is made to stand alone. Its classes get colours
// for light and dark, its titles (the tooltips) what is known of each asset, and a legend is put below.
#include "adapters/process/text_filter.hpp"
#include "views/graph_style.hpp"
#include "views/view_model.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace troupe_internal {
namespace {

constexpr std::size_t most_listed = 8; // of inputs, outputs in a tooltip
constexpr std::size_t widest_tooltip = 120;

std::string rules(const scheme& s) {
  std::string css = std::string("svg.troupe{background:") + s.background + "}.troupe text{fill:" + s.text +
                    "}.troupe .cluster>text,.troupe .legend text{fill:" + s.dim_text +
                    "}.troupe .cluster>path,.troupe .cluster>polygon{fill:" + s.group_fill + ";stroke:" + s.group_line +
                    "}.troupe .edge path{stroke:" + s.edge + "}.troupe .edge polygon{fill:" + s.edge +
                    ";stroke:" + s.edge + "}.troupe .implied path{stroke:" + s.implied_edge +
                    "}.troupe .implied polygon{fill:" + s.implied_edge + ";stroke:" + s.implied_edge + "}";
  for (std::size_t look = 0; look < node_look_count; ++look) {
    const std::string name(look_class(static_cast<node_look>(look)));
    std::string selectors;
    for (const char* shape : {"path", "polygon", "rect"})
      selectors += (selectors.empty() ? "" : ",") + (".troupe ." + name) + ">" + shape;
    css += selectors + "{fill:" + s.nodes[look].fill + ";stroke:" + s.nodes[look].line + "}.troupe ." + name +
           ">polyline{stroke:" + s.nodes[look].line + "}";
  }
  return css;
}

/// Hovering over an edge brings it out; nothing moves.
std::string style_element() {
  return "<style>.troupe text{font-family:Helvetica,Arial,sans-serif}.troupe .cluster>text{font-weight:600}" +
         rules(light_scheme) + "@media (prefers-color-scheme:dark){" + rules(dark_scheme) +
         "}.troupe .edge:hover path{stroke-width:2.4}</style>\n";
}

std::string listed(const pipeline& p, std::string_view what, const std::vector<path_index>& paths) {
  std::string text;
  for (std::size_t k = 0; k < std::min(paths.size(), most_listed); ++k)
    text += (k == 0 ? "\n" + std::string(what) + ": " : ", ") + shortened(p.path(paths[k]), widest_tooltip);
  if (paths.size() > most_listed)
    text += " and " + std::to_string(paths.size() - most_listed) + " more";
  return text;
}

std::string node_tooltip(const view_model& model, std::uint32_t n) {
  const asset_index i = model.nodes[n].asset;
  const asset_spec& asset = model.p.asset(i);
  std::string text = visible(asset.name);
  if (model.nodes[n].look != node_look::unknown)
    text += " (" + std::string(look_words(model.nodes[n].look)) + ")";
  if (const auto about = model.p.declaration(i).description; !about.empty())
    text += "\n" + shortened(about, 4 * widest_tooltip);
  std::vector<path_index> inputs;
  for (const input_ref input : asset.inputs)
    inputs.push_back(input.path);
  text += listed(model.p, "inputs", inputs);
  text += listed(model.p, "outputs", {asset.outputs.begin(), asset.outputs.end()});
  return text;
}

std::string edge_tooltip(const view_model& model, const view_edge& e) {
  return visible(model.name(e.to)) + " needs " + visible(model.name(e.from)) + ": " +
         visible(in_words(model.p, e.reason, model.nodes[e.from].asset));
}

std::optional<std::uint32_t> number_after(std::string_view text, std::string_view prefix) {
  std::uint32_t n = 0;
  if (!text.starts_with(prefix))
    return std::nullopt;
  const auto [end, ec] = std::from_chars(text.data() + prefix.size(), text.data() + text.size(), n);
  return ec == std::errc() && end == text.data() + text.size() ? std::optional(n) : std::nullopt;
}

/// What stands in the place of one of Graphviz's titles: n7, n3&#45;&gt;n7, cluster_2, or the graph's own name.
std::string title_text(const view_model& model, std::string_view title) {
  constexpr std::string_view arrow = "&#45;&gt;";
  if (const auto group = number_after(title, "cluster_"); group && *group < model.groups.size())
    return visible(model.groups[*group].name);
  if (const auto node = number_after(title, "n"); node && *node < model.nodes.size())
    return node_tooltip(model, *node);
  if (const auto at = title.find(arrow); at != std::string_view::npos) {
    const auto from = number_after(title.substr(0, at), "n");
    const auto to = number_after(title.substr(at + arrow.size()), "n");
    if (from && to) {
      const auto before = [](const view_edge& e, std::pair<std::uint32_t, std::uint32_t> ends) {
        return std::pair(e.to, e.from) < ends;
      };
      const auto e = std::lower_bound(model.edges.begin(), model.edges.end(), std::pair(*to, *from), before);
      if (e != model.edges.end() && e->from == *from && e->to == *to)
        return edge_tooltip(model, *e);
    }
  }
  return model.summary();
}

std::string with_titles(const view_model& model, std::string_view svg) {
  constexpr std::string_view open = "<title>";
  constexpr std::string_view close = "</title>";
  std::string text;
  text.reserve(svg.size() + svg.size() / 2);
  for (;;) {
    const auto at = svg.find(open);
    const auto end = svg.find(close, at == std::string_view::npos ? 0 : at);
    if (at == std::string_view::npos || end == std::string_view::npos)
      return text += svg;
    text += svg.substr(0, at + open.size());
    text += xml_escaped(title_text(model, svg.substr(at + open.size(), end - at - open.size())));
    text += close;
    svg.remove_prefix(end + close.size());
  }
}

struct legend {
  std::string text;
  double width = 0;
  double height = 0;
};

/// One swatch for each look that occurs; none where there is nothing to tell apart.
legend legend_at(const view_model& model, double top) {
  const auto counts = model.look_counts();
  legend made;
  double x = 18;
  std::size_t looks = 0;
  for (const auto look : {node_look::source, node_look::fresh, node_look::maybe, node_look::stale, node_look::running,
                          node_look::failed, node_look::unknown}) {
    if (counts[static_cast<std::size_t>(look)] == 0)
      continue;
    ++looks;
    const std::string words(look_words(look));
    const std::string corner = look == node_look::source || look == node_look::failed ? "0" : "3";
    const std::string line = look == node_look::stale     ? " stroke-dasharray=\"4 3\""
                             : look == node_look::maybe   ? " stroke-dasharray=\"1 3\""
                             : look == node_look::running ? " stroke-width=\"2.6\""
                                                          : "";
    const node_colours& colours = light_scheme.nodes[static_cast<std::size_t>(look)];
    made.text += "<g class=\"" + std::string(look_class(look)) + "\"><rect x=\"" + std::to_string(std::lround(x)) +
                 "\" y=\"" + std::to_string(std::lround(top)) + "\" width=\"18\" height=\"11\" rx=\"" + corner +
                 "\" fill=\"" + colours.fill + "\" stroke=\"" + colours.line + "\"" + line + "/><text x=\"" +
                 std::to_string(std::lround(x + 24)) + "\" y=\"" + std::to_string(std::lround(top + 9.5)) +
                 "\" font-size=\"11\">" + words + "</text></g>\n";
    x += 24 + 6.5 * static_cast<double>(words.size()) + 18;
  }
  if (looks < 2)
    return {};
  return {"<g class=\"legend\">\n" + made.text + "</g>\n", x, 30};
}

/// The head is written anew: Graphviz's has a size without the legend, and a document type that names a web address.
result<std::string> stand_alone(const view_model& model, const std::string& svg) {
  const auto refuse = [] { return fail(error_code::io, "Graphviz gave no SVG that could be understood"); };
  const auto head = svg.find("<svg ");
  const auto box = svg.find("viewBox=\"", head == std::string::npos ? 0 : head);
  const auto body = svg.find('>', box == std::string::npos ? 0 : box);
  const auto foot = svg.rfind("</svg>");
  if (head == std::string::npos || box == std::string::npos || body == std::string::npos || foot == std::string::npos ||
      foot < body)
    return refuse();
  double sizes[4] = {};
  const char* at = svg.data() + box + std::string_view("viewBox=\"").size();
  for (double& size : sizes) {
    while (*at == ' ')
      ++at;
    const auto [end, ec] = std::from_chars(at, svg.data() + body, size);
    if (ec != std::errc())
      return refuse();
    at = end;
  }
  const legend below = legend_at(model, sizes[3] + 4);
  const std::string width = std::to_string(std::lround(std::max(sizes[2], below.width)));
  const std::string height = std::to_string(std::lround(sizes[3] + below.height));
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" class=\"troupe\" "
         "role=\"img\" width=\"" +
         width + "pt\" height=\"" + height + "pt\" viewBox=\"0 0 " + width + " " + height + "\">\n" + style_element() +
         with_titles(model, std::string_view(svg).substr(body + 1, foot - body - 1)) + below.text + "</svg>\n";
}

} // namespace

result<std::string> graph_as_svg(const graph_view& view, const graphviz_options& options) {
  const view_model model(view);
  auto svg = run_text_filter({options.program, "-Tsvg"}, graph_as_dot(view), options.timeout);
  if (!svg) {
    if (svg.error().code == error_code::not_found)
      return fail(error_code::not_found, "an SVG needs Graphviz, whose program \"" + options.program +
                                             "\" is not installed: apt-get install graphviz (on other systems the "
                                             "package is called graphviz too); --format dot and --format mermaid need "
                                             "nothing");
    return fail(svg.error().code, "Graphviz could not draw the graph: " + svg.error().message +
                                      "; select fewer assets, or use --format dot");
  }
  return stand_alone(model, *svg);
}

} // namespace troupe_internal
