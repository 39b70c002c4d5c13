// `troupe graph`: what depends on what.
#include "cli/verbs.hpp"
#include "core/pipeline/selection.hpp"
#include "views/graph_view.hpp"

namespace troupe_internal::cli {

namespace {

struct graph_arguments {
  std::vector<std::string> selection;
  std::string format = "text";
  bool no_status = false;
};

/// How all assets stand; empty where the state cannot tell, which is no reason not to draw the graph.
std::vector<node_status> statuses_of(invocation& with, const project& on) {
  auto assets = asset_statuses(on, {});
  if (!assets) {
    with.warn("drawn without statuses: " + assets.error().message);
    return {};
  }
  std::vector<node_status> statuses(on.p->assets.size(), node_status::unknown);
  for (const auto& asset : *assets)
    statuses[asset.asset.value] = node_status_of(standing_of(asset.record.attempt, asset.action));
  return statuses;
}

int graph(invocation& with, const graph_arguments& arguments) {
  auto on = with.open();
  if (!on)
    return with.report(on.error());
  if (!arguments.no_status) {
    if (auto recorded = with_recorded_edges(*on))
      *on = std::move(*recorded);
    else
      with.warn("drawn without the edges that are recorded: " + recorded.error().message);
  }
  auto selected = select_assets(*on->p, *on->graph, arguments.selection);
  if (!selected)
    return with.report(selected.error());
  const graph_view view{*on->p, *on->graph, std::move(*selected),
                        arguments.no_status ? std::vector<node_status>() : statuses_of(with, *on)};
  const auto format = with.options.json ? graph_format::json : *graph_format_from(arguments.format);
  auto& to = with.io.out;
  switch (format) {
  case graph_format::text: {
    const auto size = to.size();
    to.stream << graph_as_text(
        view, {.colour = to.colours.on, .columns = size ? static_cast<std::size_t>(size->columns) : 0});
    break;
  }
  case graph_format::dot:
    to.stream << graph_as_dot(view);
    break;
  case graph_format::mermaid:
    to.stream << graph_as_mermaid(view);
    break;
  case graph_format::json:
    to.stream << graph_as_json(view);
    break;
  case graph_format::svg: {
    auto svg = graph_as_svg(view);
    if (!svg)
      return with.report(svg.error());
    to.stream << *svg;
    break;
  }
  }
  return exit_ok;
}

} // namespace

void declare_graph(command_spec& root, invocation& with) {
  auto to = std::make_shared<graph_arguments>();
  auto& verb = root.subcommand("graph", "Show what depends on what, and how each asset stands");
  verb.positionals("SELECTION", to->selection, "which assets; default: all").completes = completion::assets;
  verb.choice("--format", "FORMAT", to->format, {"text", "dot", "mermaid", "svg", "json"},
              "how it is drawn (default: text; svg needs Graphviz)");
  verb.flag("--no-status", to->no_status, "without looking at the state: the graph alone");
  verb.examples = {{"troupe graph", "levels of assets, in the terminal"},
                   {"troupe graph --format svg > graph.svg", "a picture"},
                   {"troupe graph +report --format mermaid", "report and all it needs, for a Markdown page"}};
  verb.action = [to, &with] { return graph(with, *to); };
}

} // namespace troupe_internal::cli
