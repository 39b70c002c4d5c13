// Building the graph: who makes which path, who needs whom, in which order. Everything here is linear in the size of
// the pipeline, but for globs (sorted outputs, each glob looks only at those that begin as it does), and nothing
// recurses: a chain of a million assets is as good as any.
#include "core/asset_graph.hpp"

#include "base/check.hpp"
#include "core/cycles.hpp"
#include "core/edge_reason.hpp"
#include "core/glob.hpp"
#include "core/parent_paths.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <set>
#include <tuple>
#include <unordered_map>

namespace troupe {
namespace {

constexpr std::uint32_t no_path = 0xFFFFFFFFU;
constexpr std::uint32_t not_looked_up = 0xFFFFFFFEU;
constexpr std::size_t most_graph_findings = 100; // mistakes that are told; one more word says that there are more
constexpr std::size_t most_explained = 30; // edges of a cycle whose reasons are told; the cycle itself is always whole

// What comparing globs with outputs may cost, in comparisons of short texts (some 20 ns each): tens of thousands of
// globs that say nothing of where they look, over as many outputs.
constexpr std::uint64_t most_glob_cost = 500'000'000;
constexpr std::uint64_t steps_of_a_comparison = 64; // of pattern times text, beyond which one counts as several

place at_or(std::span<const place> places, std::size_t k, place fallback) {
  return k < places.size() ? places[k] : fallback;
}

} // namespace

class asset_graph::builder {
public:
  builder(const pipeline& p, diagnostics& out) : p_(p), out_(out) {
    for (const auto& item : out.items)
      if (item.level == severity::error) {
        wrong_already_.emplace(item.where.line, item.where.column);
        ++reported_count_;
      }
  }

  std::optional<asset_graph> build() {
    register_outputs();
    compare_folders();
    sort_outputs();
    collect_upstream();
    invert();
    if (!put_in_order())
      report_cycles();
    return failed_ ? std::nullopt : std::optional(std::move(g_));
  }

private:
  // ── what each path is ──────────────────────────────────────────────────────────────────────────────────────────

  void register_outputs() {
    g_.producer_.assign(p_.paths.size(), no_asset);
    for (std::uint32_t i = 0; i < p_.assets.size(); ++i) {
      const auto& outputs = p_.assets[i].outputs;
      for (std::size_t k = 0; k < outputs.size(); ++k) {
        std::uint32_t& maker = g_.producer_[outputs[k].value];
        if (maker == no_asset)
          maker = i;
        else
          report_duplicate(outputs[k], i, k, maker);
      }
    }
  }

  void report_duplicate(path_index path, std::uint32_t i, std::size_t k, std::uint32_t maker) {
    std::string message;
    if (maker == i)
      message = text(path) + " stands twice among the outputs of " + name(i);
    else
      message = text(path) + " is an output of " + name(i) + " and of " + name(maker) + ": a file has one maker";
    if (maker != i && p_.assets[maker].declaration == p_.assets[i].declaration)
      message += "; name the matrix variables in the output, as in out/{{ matrix." +
                 std::string(p_.assets[i].matrix.empty() ? "x" : p_.assets[i].matrix.front().variable) + " }}";
    else if (const place first = declared(maker); maker != i && first.line != 0)
      message += " (" + name(maker) + " is declared at line " + std::to_string(first.line) + ")";
    report(at_or(p_.assets[i].output_places, k, declared(i)), "duplicate_output", std::move(message));
  }

  /// Walks the folders above each output: another output there is an error; an input there is a folder that contains
  /// the output, noted for collect_upstream().
  void compare_folders() {
    std::vector<bool> folder_input(p_.paths.size(), false);
    bool any = false;
    for (const auto& asset : p_.assets)
      for (const input_ref input : asset.inputs)
        if (!input.glob && g_.producer_[input.path.value] == no_asset)
          folder_input[input.path.value] = any = true;
    std::string_view walked; // neighbours mostly share their folder: what is above it is looked up once
    std::vector<path_index> inputs_above;
    std::uint32_t output_above = no_path;
    for (std::uint32_t i = 0; i < p_.assets.size(); ++i) {
      const auto& outputs = p_.assets[i].outputs;
      for (std::size_t k = 0; k < outputs.size(); ++k) {
        const std::string_view folder = parent_path(p_.path(outputs[k]));
        if (folder != walked) {
          walked = folder;
          output_above = nearest_output(folder);
          inputs_above.clear();
          for (auto above = folder; any && !above.empty(); above = parent_path(above))
            if (const auto known = p_.paths.find(above); known && folder_input[*known])
              inputs_above.emplace_back(*known);
        }
        if (output_above != no_path)
          report_prefix(outputs[k], i, k, path_index(output_above));
        for (const path_index above : inputs_above)
          contained_.emplace_back(above.value, i);
      }
    }
    std::sort(contained_.begin(), contained_.end());
    contained_.erase(std::unique(contained_.begin(), contained_.end()), contained_.end());
  }

  void report_prefix(path_index path, std::uint32_t i, std::size_t k, path_index above) {
    const std::uint32_t other = g_.producer_[above.value];
    report(at_or(p_.assets[i].output_places, k, declared(i)), "output_prefix",
           text(path) + ", an output of " + name(i) + ", lies in " + text(above) + ", an output of " +
               (other == i ? "the same asset" : name(other)) + ": one output cannot be part of another");
  }

  /// The path that is an output and is `path` or the nearest folder above it; no_path if there is none.
  [[nodiscard]] std::uint32_t nearest_output(std::string_view path) const {
    for (auto above = path; !above.empty(); above = parent_path(above))
      if (const auto known = p_.paths.find(above); known && g_.producer_[*known] != no_asset)
        return *known;
    return no_path;
  }

  void sort_outputs() {
    const auto has_glob = [](const asset_spec& asset) {
      return std::any_of(asset.inputs.begin(), asset.inputs.end(), [](input_ref input) { return input.glob; });
    };
    if (std::none_of(p_.assets.begin(), p_.assets.end(), has_glob))
      return;
    for (std::uint32_t path = 0; path < g_.producer_.size(); ++path)
      if (g_.producer_[path] != no_asset) {
        g_.sorted_outputs_.emplace_back(path);
        output_bytes_ += p_.path(path_index(path)).size();
      }
    std::sort(g_.sorted_outputs_.begin(), g_.sorted_outputs_.end(),
              [&](path_index a, path_index b) { return p_.path(a) < p_.path(b); });
  }

  // ── edges ──────────────────────────────────────────────────────────────────────────────────────────────────────

  void collect_upstream() {
    g_.up_start_.reserve(p_.assets.size() + 1);
    g_.up_start_.push_back(0);
    std::vector<std::uint32_t> needs;
    for (std::uint32_t i = 0; i < p_.assets.size(); ++i) {
      needs.clear();
      const asset_spec& asset = p_.assets[i];
      for (const asset_index named : asset.deps)
        if (named.value == i)
          report(declared(i), "self_dependency", name(i) + " names itself in its deps");
        else
          needs.push_back(named.value);
      for (std::size_t k = 0; k < asset.inputs.size(); ++k)
        asset.inputs[k].glob ? add_glob(i, k, needs) : add_literal(i, k, needs);
      std::sort(needs.begin(), needs.end());
      needs.erase(std::unique(needs.begin(), needs.end()), needs.end());
      for (const std::uint32_t needed : needs)
        g_.up_.emplace_back(needed);
      g_.up_start_.push_back(static_cast<std::uint32_t>(g_.up_.size()));
    }
  }

  void add_literal(std::uint32_t i, std::size_t k, std::vector<std::uint32_t>& needs) {
    const path_index path = p_.assets[i].inputs[k].path;
    const std::uint32_t maker = g_.producer_[path.value];
    if (maker == i)
      return report_own(i, k, text(path) + " is both an input and an output of " + name(i));
    if (maker != no_asset)
      return needs.push_back(maker);
    if (const std::uint32_t above = output_above(path); above != no_path) {
      const std::uint32_t owner = g_.producer_[above];
      if (owner == i)
        report_own(i, k, text(path) + ", an input of " + name(i) + ", lies in its output " + text(path_index(above)));
      else
        needs.push_back(owner);
    }
    const auto first = std::lower_bound(contained_.begin(), contained_.end(), std::pair(path.value, 0U));
    for (auto it = first; it != contained_.end() && it->first == path.value; ++it)
      if (it->second == i)
        report_own(i, k, text(path) + ", an input of " + name(i) + ", contains an output of it");
      else
        needs.push_back(it->second);
  }

  void report_own(std::uint32_t i, std::size_t k, const std::string& finding) {
    report(at_or(p_.assets[i].input_places, k, declared(i)), "self_dependency",
           finding + ": every run would change what it reads, so it would never be fresh; leave it out of the inputs");
  }

  [[nodiscard]] std::uint32_t output_above(path_index path) {
    if (output_above_.empty())
      output_above_.assign(p_.paths.size(), not_looked_up);
    std::uint32_t& known = output_above_[path.value];
    if (known == not_looked_up)
      known = nearest_output(parent_path(p_.path(path)));
    return known;
  }

  void add_glob(std::uint32_t i, std::size_t k, std::vector<std::uint32_t>& needs) {
    const path_index glob = p_.assets[i].inputs[k].path;
    auto [entry, is_new] = makers_by_glob_.try_emplace(glob.value);
    auto& makers = entry->second;
    if (is_new && can_afford(glob, at_or(p_.assets[i].input_places, k, declared(i)))) {
      for (const path_index output : g_.outputs_matching(p_, p_.path(glob)))
        makers.push_back(g_.producer_[output.value]);
      if (const auto above = nearest_output(glob_root(p_.path(glob))); above != no_path)
        makers.push_back(g_.producer_[above]);
      std::sort(makers.begin(), makers.end());
      makers.erase(std::unique(makers.begin(), makers.end()), makers.end());
    }
    std::copy_if(makers.begin(), makers.end(), std::back_inserter(needs), [&](std::uint32_t m) { return m != i; });
  }

  /// Whether a glob is compared with all outputs that begin as it does; once that is too much, no more are.
  [[nodiscard]] bool can_afford(path_index glob, place where) {
    if (glob_cost_ > most_glob_cost)
      return false;
    const auto pattern = p_.path(glob);
    const std::string prefix = glob_prefix(pattern);
    const auto& outputs = g_.sorted_outputs_;
    const auto first =
        std::partition_point(outputs.begin(), outputs.end(), [&](path_index o) { return p_.path(o) < prefix; });
    const auto end =
        std::partition_point(first, outputs.end(), [&](path_index o) { return p_.path(o).starts_with(prefix); });
    const auto count = static_cast<std::uint64_t>(end - first);
    const std::uint64_t mean_length = outputs.empty() ? 0 : output_bytes_ / outputs.size();
    glob_cost_ += count * (1 + pattern.size() * mean_length / steps_of_a_comparison);
    if (glob_cost_ > most_glob_cost)
      report(
          where, "too_many_comparisons",
          "comparing the globs with the outputs would take too long; let globs begin with the folder they look into");
    return glob_cost_ <= most_glob_cost;
  }

  void invert() {
    const std::size_t size = p_.assets.size();
    g_.down_start_.assign(size + 1, 0);
    for (const asset_index needed : g_.up_)
      ++g_.down_start_[needed.value + 1];
    for (std::size_t i = 0; i < size; ++i)
      g_.down_start_[i + 1] += g_.down_start_[i];
    std::vector<std::uint32_t> next(g_.down_start_.begin(), g_.down_start_.end() - 1);
    g_.down_.resize(g_.up_.size());
    for (std::uint32_t i = 0; i < size; ++i)
      for (std::uint32_t e = g_.up_start_[i]; e < g_.up_start_[i + 1]; ++e)
        g_.down_[next[g_.up_[e].value]++] = asset_index(i);
  }

  // ── order ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /// A. B. Kahn's algorithm, always taking the first declared of those ready. Those ready ahead of the scan wait for it
  /// to come by; only what becomes ready behind it needs a heap. False if some are never ready.
  bool put_in_order() {
    const auto size = static_cast<std::uint32_t>(p_.assets.size());
    std::vector<std::uint32_t> missing(size);
    for (std::uint32_t i = 0; i < size; ++i)
      missing[i] = g_.up_start_[i + 1] - g_.up_start_[i];
    g_.order_.reserve(size);
    std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> behind;
    for (std::uint32_t scan = 0; scan < size || !behind.empty();) {
      std::uint32_t taken = scan;
      if (!behind.empty()) {
        taken = behind.top();
        behind.pop();
      } else if (missing[scan++] != 0) {
        continue;
      }
      g_.order_.emplace_back(taken);
      for (std::uint32_t e = g_.down_start_[taken]; e < g_.down_start_[taken + 1]; ++e)
        if (const std::uint32_t dependent = g_.down_[e].value; --missing[dependent] == 0 && dependent < scan)
          behind.push(dependent);
    }
    return g_.order_.size() == size;
  }

  void report_cycles() {
    for (const auto& cycle : find_cycles(g_.up_, g_.up_start_)) {
      std::string chain;
      std::string why;
      for (std::size_t k = 0; k < cycle.size(); ++k) {
        const asset_index needing = cycle[k];
        const asset_index needed = cycle[(k + 1) % cycle.size()];
        chain += name(needing.value) + " -> ";
        if (k >= most_explained)
          continue;
        const auto reason = explain_edge(p_, needing, needed);
        TROUPE_CHECK(reason.has_value(), "every edge of the graph has a reason");
        why += "; " + name(needing.value) + " needs " + name(needed.value) + ": " + in_words(p_, *reason, needed);
      }
      if (cycle.size() > most_explained)
        why += "; and so on";
      report(declared(cycle.front().value), "cycle",
             "these assets need each other: " + chain + name(cycle.front().value) + why);
    }
  }

  // ── words ──────────────────────────────────────────────────────────────────────────────────────────────────────

  [[nodiscard]] std::string name(std::uint32_t i) const { return std::string(p_.assets[i].name); }
  [[nodiscard]] std::string text(path_index path) const { return std::string(p_.path(path)); }
  [[nodiscard]] place declared(std::uint32_t i) const { return p_.declaration(asset_index(i)).where; }

  /// One mistake in a matrix shows in every asset it expands to: what stands at one place is told once. Where something
  /// was found wrong before, only a cycle is worth telling: the rest may follow from it.
  void report(place where, std::string_view code, std::string message) {
    failed_ = true;
    if (reported_count_ > most_graph_findings ||
        (where.line != 0 && !reported_.emplace(where.line, where.column, code).second) ||
        (where.line != 0 && code != "cycle" && wrong_already_.contains({where.line, where.column})))
      return;
    if (reported_count_++ == most_graph_findings)
      return out_.error(where, "too_many_errors",
                        "more than " + std::to_string(most_graph_findings) + " mistakes; the rest is not shown");
    out_.error(where, code, std::move(message));
  }

  const pipeline& p_;
  diagnostics& out_;
  asset_graph g_;
  bool failed_ = false;
  std::size_t reported_count_ = 0; // with those of the list it adds to
  std::uint64_t output_bytes_ = 0; // of the sorted outputs
  std::uint64_t glob_cost_ = 0;
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::string_view>> reported_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> wrong_already_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>>
      contained_;                           // (path of a folder input, asset with an output in it)
  std::vector<std::uint32_t> output_above_; // by path; made when first asked
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> makers_by_glob_;
};

std::optional<asset_graph> asset_graph::build(const pipeline& p, diagnostics& out) {
  return builder(p, out).build();
}

std::vector<path_index> asset_graph::outputs_matching(const pipeline& p, std::string_view glob) const {
  const std::string prefix = glob_prefix(glob);
  const auto by_text = [&](path_index a, std::string_view text) { return p.path(a) < text; };
  std::vector<path_index> matching;
  for (auto it = std::lower_bound(sorted_outputs_.begin(), sorted_outputs_.end(), std::string_view(prefix), by_text);
       it != sorted_outputs_.end() && p.path(*it).starts_with(prefix); ++it)
    if (glob_matches(glob, p.path(*it)))
      matching.push_back(*it);
  return matching;
}

} // namespace troupe
