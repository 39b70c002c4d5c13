// The graph on a terminal: level, mark, name, status, group, and what each asset needs.
//
//   demo: 4 assets, 3 dependencies; 1 stale, 2 fresh, 1 source
//
//   1  ▫ raw         source
//   2  ● n[x]        fresh    ← raw
//      ● n[y]        fresh    ← raw
//   3  ○ report      stale    ← n[*]
#include "views/view_model.hpp"

#include <algorithm>
#include <span>
#include <unordered_map>
#include <unordered_set>

namespace troupe_internal {
namespace {

constexpr std::size_t widest_name = 48;
constexpr std::size_t widest_group = 20;

struct look_style {
  const char* mark;
  tint colour;
};

look_style style_of(node_look look) {
  switch (look) {
  case node_look::source:
    return {"▫", tint::dim};
  case node_look::fresh:
    return {"●", tint::good};
  case node_look::maybe:
    return {"◐", tint::warn};
  case node_look::stale:
    return {"○", tint::warn};
  case node_look::running:
    return {"▶", tint::info};
  case node_look::failed:
    return {"✗", tint::bad};
  case node_look::unknown:
    break;
  }
  return {"·", tint::none};
}

std::string padded(std::string text, std::size_t width) {
  const std::size_t count = character_count(text);
  return count < width ? text + std::string(width - count, ' ') : text;
}

/// The names of what is needed; all assets of one matrix together as "name[*]".
std::vector<std::string> needed_names(const view_model& model, std::span<const view_edge> edges,
                                      const std::vector<std::uint32_t>& expansions) {
  std::unordered_map<std::uint32_t, std::uint32_t> count;
  for (const auto& e : edges)
    ++count[model.p.asset(model.nodes[e.from].asset).declaration];
  std::unordered_set<std::uint32_t> told;
  std::vector<std::string> names;
  for (const auto& e : edges) {
    const asset_spec& asset = model.p.asset(model.nodes[e.from].asset);
    const std::uint32_t needed = count[asset.declaration];
    if (needed == 1 || needed != expansions[asset.declaration])
      names.push_back(shortened(asset.name, widest_name));
    else if (told.insert(asset.declaration).second)
      names.push_back(visible(model.p.declarations[asset.declaration].name) + "[*]");
  }
  return names;
}

/// As many names as fit into `width` characters (0: all), then how many more there are.
std::string joined(const std::vector<std::string>& names, std::size_t width) {
  std::string text;
  std::size_t used = 0;
  for (std::size_t k = 0; k < names.size(); ++k) {
    const std::string next = (k == 0 ? "" : ", ") + names[k];
    const std::string more = k + 1 == names.size() ? "" : ", +" + std::to_string(names.size() - k - 1);
    const std::size_t length = character_count(next);
    if (width != 0 && k > 0 && used + length + more.size() > width)
      return text + ", +" + std::to_string(names.size() - k);
    text += next;
    used += length;
  }
  return text;
}

class writer {
public:
  writer(const view_model& model, const graph_text_options& options) : model_(model), options_(options) {
    expansions_.resize(model.p.declarations.size(), 0);
    for (const auto& asset : model.p.assets)
      ++expansions_[asset.declaration];
    for (std::uint32_t n = 0; n < model.nodes.size(); ++n) {
      names_.push_back(shortened(model.name(n), widest_name));
      groups_.push_back(shortened(model.p.settings_of(model.nodes[n].asset).group, widest_group));
      name_width_ = std::max(name_width_, character_count(names_.back()));
      group_width_ = std::max(group_width_, character_count(groups_.back()));
      if (model.nodes[n].look != node_look::unknown)
        look_width_ = std::max(look_width_, look_words(model.nodes[n].look).size());
    }
    level_width_ = std::to_string(model.levels).size();
  }

  std::string all() {
    std::string text = in_colour(model_.summary(), tint::strong) + "\n";
    std::vector<std::uint32_t> order(model_.nodes.size());
    std::vector<std::size_t> first_edge(model_.nodes.size() + 1, 0);
    for (std::uint32_t n = 0; n < order.size(); ++n)
      order[n] = n;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return model_.nodes[a].level < model_.nodes[b].level; });
    for (const auto& e : model_.edges)
      ++first_edge[e.to + 1];
    for (std::size_t n = 0; n < order.size(); ++n)
      first_edge[n + 1] += first_edge[n];
    for (std::size_t k = 0; k < order.size(); ++k) {
      const std::uint32_t n = order[k];
      const bool opens = k == 0 || model_.nodes[order[k - 1]].level != model_.nodes[n].level;
      if (k == 0)
        text += "\n";
      text += line(n, opens, std::span(model_.edges).subspan(first_edge[n], first_edge[n + 1] - first_edge[n])) + "\n";
    }
    return text;
  }

private:
  std::string line(std::uint32_t n, bool opens_level, std::span<const view_edge> edges) {
    const view_node& node = model_.nodes[n];
    const look_style style = style_of(node.look);
    std::string number = opens_level ? std::to_string(node.level + 1) : std::string();
    number.insert(0, level_width_ - number.size(), ' ');
    const bool has_more = look_width_ != 0 || group_width_ != 0 || !edges.empty();
    std::string text = in_colour(number, tint::dim) + "  " + in_colour(style.mark, style.colour) + " " +
                       (has_more ? padded(names_[n], name_width_) : names_[n]);
    std::size_t used = level_width_ + 4 + name_width_;
    if (look_width_ != 0) {
      const auto words = node.look == node_look::unknown ? std::string_view() : look_words(node.look);
      text += "  " + in_colour(padded(std::string(words), look_width_), style.colour);
      used += 2 + look_width_;
    }
    if (group_width_ != 0) {
      text += "  " + in_colour(padded(groups_[n], group_width_), tint::dim);
      used += 2 + group_width_;
    }
    if (!edges.empty()) {
      const std::size_t left =
          options_.columns == 0 ? 0 : std::max<std::size_t>(options_.columns, used + 20) - used - 4;
      text += "  " + in_colour("← " + joined(needed_names(model_, edges, expansions_), left), tint::dim);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  }

  [[nodiscard]] std::string in_colour(const std::string& text, tint colour) const {
    const auto last = text.find_last_not_of(' ');
    if (!options_.colour || last == std::string::npos)
      return text;
    return painted(colour, text.substr(0, last + 1)) + text.substr(last + 1);
  }

  const view_model& model_;
  const graph_text_options& options_;
  std::vector<std::string> names_, groups_;
  std::vector<std::uint32_t> expansions_; // how many assets each declaration makes
  std::size_t name_width_ = 0, group_width_ = 0, look_width_ = 0, level_width_ = 1;
};

} // namespace

std::string graph_as_text(const graph_view& view, const graph_text_options& options) {
  const view_model model(view);
  return writer(model, options).all();
}

std::optional<graph_format> graph_format_from(std::string_view word) {
  if (word == "text")
    return graph_format::text;
  if (word == "dot")
    return graph_format::dot;
  if (word == "mermaid")
    return graph_format::mermaid;
  if (word == "svg")
    return graph_format::svg;
  if (word == "json")
    return graph_format::json;
  return std::nullopt;
}

} // namespace troupe_internal
