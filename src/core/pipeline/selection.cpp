// Selections as bitmaps over the assets: an atom marks, a term grows its marks level by level, an argument intersects,
// the arguments unite.
#include "core/pipeline/selection.hpp"

#include "core/pipeline/glob.hpp"
#include "core/pipeline/nearest_name.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace troupe_internal {
namespace {

using marks = std::vector<bool>;

constexpr std::uint32_t all_levels = std::numeric_limits<std::uint32_t>::max();

struct term {
  std::string_view atom;
  std::uint32_t up = 0;   ///< levels
  std::uint32_t down = 0; ///< levels
};

error refuse(const std::string& argument, const std::string& why) {
  return fail(error_code::invalid_input, "selection \"" + argument + "\": " + why);
}

/// Splits at the commas outside of brackets.
std::vector<std::string_view> split_terms(std::string_view argument) {
  std::vector<std::string_view> terms;
  int depth = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i < argument.size(); ++i) {
    const char c = argument[i];
    if (c == '\\')
      ++i;
    else if (c == '[')
      ++depth;
    else if (c == ']')
      depth = std::max(0, depth - 1);
    else if (c == ',' && depth == 0) {
      terms.push_back(argument.substr(start, i - start));
      start = i + 1;
    }
  }
  terms.push_back(argument.substr(start));
  return terms;
}

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "" means all levels; a number too large for any graph means all as well.
std::uint32_t levels(std::string_view digits) {
  std::uint32_t n = all_levels;
  if (!digits.empty() && std::from_chars(digits.data(), digits.data() + digits.size(), n).ec != std::errc())
    n = all_levels;
  return n;
}

term parse_term(std::string_view text) {
  term t{.atom = text};
  if (const auto plus = t.atom.find('+'); plus != std::string_view::npos && all_digits(t.atom.substr(0, plus))) {
    t.up = levels(t.atom.substr(0, plus));
    t.atom.remove_prefix(plus + 1);
  }
  if (const auto plus = t.atom.rfind('+'); plus != std::string_view::npos && all_digits(t.atom.substr(plus + 1))) {
    t.down = levels(t.atom.substr(plus + 1));
    t.atom.remove_suffix(t.atom.size() - plus);
  }
  return t;
}

class selector {
public:
  selector(const pipeline& p, const asset_graph& graph) : p_(p), graph_(graph) {}

  [[nodiscard]] result<marks> argument(const std::string& text) const {
    if (text.empty())
      return refuse(text, "is empty");
    if (const auto exact = p_.find(text))
      return only(*exact);
    auto selected = terms(text);
    if (!selected) // a path may hold commas
      if (const auto maker = maker_of(text))
        return only(*maker);
    return selected;
  }

private:
  [[nodiscard]] marks only(asset_index asset) const {
    marks selected(p_.assets.size(), false);
    selected[asset.value] = true;
    return selected;
  }

  [[nodiscard]] result<marks> terms(const std::string& text) const {
    marks selected(p_.assets.size(), true);
    for (const auto part : split_terms(text)) {
      const term t = parse_term(part);
      if (t.atom.empty())
        return refuse(text, part.empty() ? "nothing stands between two commas, or at an end"
                                         : "\"" + std::string(part) + "\" has a + but no name");
      marks of_term = atom(t.atom);
      if (std::find(of_term.begin(), of_term.end(), true) == of_term.end())
        return refuse(text, nothing_found(t.atom));
      grow(of_term, t);
      for (std::size_t i = 0; i < selected.size(); ++i)
        selected[i] = selected[i] && of_term[i];
    }
    if (std::find(selected.begin(), selected.end(), true) == selected.end())
      return refuse(text, "no asset is in all of its parts");
    return selected;
  }

  /// The asset that makes a file, which is named as outputs are.
  [[nodiscard]] std::optional<asset_index> maker_of(std::string_view path) const {
    while (path.starts_with("./"))
      path.remove_prefix(2);
    while (path.size() > 1 && path.ends_with('/'))
      path.remove_suffix(1);
    return path.empty() ? std::nullopt : graph_.maker_of(p_, path);
  }

  [[nodiscard]] marks atom(std::string_view text) const {
    marks found(p_.assets.size(), false);
    if (text.starts_with("tag:"))
      mark_settings(found, text.substr(4), [](const asset_settings& s, const auto& matches) {
        return std::any_of(s.tags.begin(), s.tags.end(), matches);
      });
    else if (text.starts_with("group:"))
      mark_settings(found, text.substr(6),
                    [](const asset_settings& s, const auto& matches) { return !s.group.empty() && matches(s.group); });
    else if (const auto exact = p_.find(text))
      found[exact->value] = true;
    else
      mark_names(found, text);
    if (std::find(found.begin(), found.end(), true) == found.end())
      if (const auto maker = maker_of(text))
        found[maker->value] = true;
    return found;
  }

  template <class Has>
  void mark_settings(marks& found, std::string_view pattern, const Has& has) const {
    const auto matches = [&](std::string_view name) { return wildcard_matches(pattern, name); };
    const std::vector<bool> declared =
        by_declaration([&](const asset_declaration& d) { return has(*d.settings, matches); });
    for (std::size_t i = 0; i < found.size(); ++i)
      found[i] = declared[p_.assets[i].declaration];
  }

  void mark_names(marks& found, std::string_view pattern) const {
    const bool glob = is_glob(pattern);
    const std::vector<bool> declared = by_declaration(
        [&](const asset_declaration& d) { return d.name == pattern || wildcard_matches(pattern, d.name); });
    // "base[inner]" in the notation of a matrix: each side is a pattern of its own
    const auto bracket = pattern.ends_with(']') ? pattern.find('[') : std::string_view::npos;
    const bool notation = bracket != std::string_view::npos && bracket > 0;
    const auto base = notation ? pattern.substr(0, bracket) : std::string_view();
    const auto inner = notation ? pattern.substr(bracket + 1, pattern.size() - bracket - 2) : std::string_view();
    for (std::size_t i = 0; i < found.size(); ++i) {
      const asset_spec& asset = p_.assets[i];
      found[i] = declared[asset.declaration] || (glob && wildcard_matches(pattern, asset.name));
      if (!found[i] && notation && !asset.matrix.empty()) {
        const auto own = p_.declarations[asset.declaration].name;
        found[i] = wildcard_matches(base, own) &&
                   wildcard_matches(inner, asset.name.substr(own.size() + 1, asset.name.size() - own.size() - 2));
      }
    }
  }

  template <class Predicate>
  [[nodiscard]] std::vector<bool> by_declaration(const Predicate& predicate) const {
    std::vector<bool> holds(p_.declarations.size());
    std::transform(p_.declarations.begin(), p_.declarations.end(), holds.begin(), predicate);
    return holds;
  }

  /// Upstream and downstream of the atom's own assets: what one adds, the other does not follow.
  void grow(marks& selected, const term& t) const {
    marks with_up = selected;
    if (t.up != 0)
      spread(with_up, t.up, [&](asset_index i) { return graph_.upstream(i); });
    if (t.down != 0)
      spread(selected, t.down, [&](asset_index i) { return graph_.downstream(i); });
    for (std::size_t i = 0; i < selected.size(); ++i)
      selected[i] = selected[i] || with_up[i];
  }

  template <class Neighbours>
  static void spread(marks& selected, std::uint32_t most_levels, const Neighbours& neighbours) {
    std::vector<asset_index> level;
    for (std::size_t i = 0; i < selected.size(); ++i)
      if (selected[i])
        level.emplace_back(i);
    std::vector<asset_index> next;
    for (std::uint32_t n = 0; n < most_levels && !level.empty(); ++n, level.swap(next)) {
      next.clear();
      for (const asset_index i : level)
        for (const asset_index other : neighbours(i))
          if (!selected[other.value]) {
            selected[other.value] = true;
            next.push_back(other);
          }
    }
  }

  [[nodiscard]] std::string nothing_found(std::string_view atom) const {
    const bool tag = atom.starts_with("tag:");
    const bool group = atom.starts_with("group:");
    const auto wanted = tag ? atom.substr(4) : group ? atom.substr(6) : atom;
    nearest_name nearest(wanted);
    for (const auto& d : p_.declarations) {
      if (tag)
        for (const auto& name : d.settings->tags)
          nearest.consider(name);
      else if (group)
        nearest.consider(d.settings->group);
      else
        nearest.consider(d.name);
    }
    if (!tag && !group)
      for (const auto& asset : p_.assets)
        nearest.consider(asset.name);
    if (!tag && !group && wanted.find('=') != std::string_view::npos)
      return "no asset is named \"" + std::string(wanted) + "\"; a param gets its value with --param " +
             std::string(wanted);
    if (!tag && !group)
      if (const auto other = other_meaning(wanted); !other.empty())
        return "no asset is named \"" + std::string(wanted) + "\"" + other;
    const std::string what = tag ? "no asset has the tag " : group ? "no asset is in the group " : "no asset is named ";
    return what + "\"" + std::string(wanted) + "\"" + nearest.hint();
  }

  /// What is no asset's name may be a tag or a group.
  [[nodiscard]] std::string other_meaning(std::string_view wanted) const {
    for (const auto& d : p_.declarations) {
      const auto& tags = d.settings->tags;
      if (std::find(tags.begin(), tags.end(), wanted) != tags.end())
        return ", but there is a tag of that name: tag:" + std::string(wanted);
      if (d.settings->group == wanted)
        return ", but there is a group of that name: group:" + std::string(wanted);
    }
    return {};
  }

  const pipeline& p_;
  const asset_graph& graph_;
};

std::vector<asset_index> to_list(const marks& selected) {
  std::vector<asset_index> list;
  for (std::size_t i = 0; i < selected.size(); ++i)
    if (selected[i])
      list.emplace_back(i);
  return list;
}

} // namespace

result<std::vector<asset_index>> select_assets(const pipeline& p, const asset_graph& graph,
                                               const std::vector<std::string>& arguments) {
  marks selected(p.assets.size(), arguments.empty());
  const selector select(p, graph);
  for (const auto& argument : arguments) {
    const auto found = select.argument(argument);
    if (!found)
      return found.error();
    for (std::size_t i = 0; i < selected.size(); ++i)
      selected[i] = selected[i] || (*found)[i];
  }
  return to_list(selected);
}

std::vector<asset_index> with_upstream(const asset_graph& graph, const std::vector<asset_index>& selected) {
  marks reached(graph.size(), false);
  std::vector<asset_index> open = selected;
  for (const asset_index i : selected)
    reached[i.value] = true;
  while (!open.empty()) {
    const asset_index i = open.back();
    open.pop_back();
    for (const asset_index needed : graph.upstream(i))
      if (!reached[needed.value]) {
        reached[needed.value] = true;
        open.push_back(needed);
      }
  }
  return to_list(reached);
}

} // namespace troupe_internal
