// Building the graph: who needs whom. Everything here is linear in the size of the pipeline, but for globs (each looks
// only at the outputs that begin as it does).
#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/cycles.hpp"
#include "core/pipeline/edge_reason.hpp"
#include "core/pipeline/glob.hpp"
#include "core/pipeline/graph_findings.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace troupe_internal {
namespace {

constexpr std::size_t most_explained = 30; // edges of a cycle whose reasons are told; the cycle itself is always whole

// What comparing globs with outputs may cost, in comparisons of short texts (some 20 ns each): tens of thousands of
// globs that say nothing of where they look, over as many outputs.
constexpr std::uint64_t most_glob_cost = 500'000'000;

/// Whether a name looks like a file's: "gen.h", "a.tar.gz", but not "v1.2" or ".d".
bool has_extension(std::string_view identity) {
  const auto name = identity.substr(identity.rfind('/') + 1);
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size())
    return false;
  const char first = name[dot + 1];
  return (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
}

} // namespace

class asset_graph::builder {
public:
  builder(const pipeline& p, diagnostics& out, disk_facts facts)
      : p_(p), tell_(p, out), kind_of_(std::move(facts.kind_of)) {
    g_.same_ = std::move(facts.same);
  }

  std::optional<asset_graph> build() {
    g_.outputs_ = output_index(p_, same(), [&](asset_index asset, std::size_t k, asset_index maker) {
      tell_.duplicate_output(asset, k, maker);
    });
    compare_folders();
    check_exclusions();
    connect(all_edges);
    if (g_.rows_.has_cycle() && !reaches_.empty())
      leave_out_folders();
    if (g_.rows_.has_cycle())
      report_cycles();
    for (const auto& [reach, k] : told_)
      tell_.folder_left_out(reach.reader, k, reach.output, *g_.outputs_.maker(reach.output), same());
    std::sort(g_.taken_for_files_.begin(), g_.taken_for_files_.end());
    return tell_.failed() ? std::nullopt : std::optional(std::move(g_));
  }

private:
  enum edges : std::uint8_t { all_edges, firm_edges, kept_edges };

  /// A glob that could match something in an output of another asset, which is a folder or may become one.
  struct glob_reach {
    asset_index reader;
    file_number output;
    bool maybe = false; ///< the output looks like a file, and is not there to be looked at
    auto operator<=>(const glob_reach&) const = default;
  };
  struct folder_reached {
    file_number output;
    bool maybe = false; ///< as in glob_reach
    bool whole = false; ///< the glob matches it too
  };
  struct glob_makers {
    std::vector<file_number> whole;
    std::vector<file_number> inside; ///< outputs in folders that it takes as wholes
    std::vector<file_number> around; ///< outputs in which the glob begins, or through which it gets there
    std::vector<folder_reached> folders;
  };

  [[nodiscard]] const path_identities& same() const { return g_.same_; }
  [[nodiscard]] std::string_view identity(path_index path) const { return same().text_of(p_, path); }
  [[nodiscard]] asset_index maker(file_number output) const { return *g_.outputs_.maker(output); }

  // ── what each path is ──────────────────────────────────────────────────────────────────────────────────────────

  /// Walks the folders above each output: another output there is an error; an input there is a folder that contains
  /// the output, noted for add_literal().
  void compare_folders() {
    std::vector<bool> folder_input(same().size(p_), false);
    bool any = false;
    for (const auto& asset : p_.assets)
      for (const input_ref input : asset.inputs)
        if (!input.glob && !g_.producer(input.path))
          folder_input[same().of(input.path).value] = any = true;
    for (const auto& asset : p_.assets)
      for (const input_ref input : asset.inputs)
        for (const auto& [path, target] : same().links(input.path)) // it may be a link to a folder
          folder_input[target.value] = any = true;
    std::string_view walked; // neighbours mostly share their folder: what is above it is looked up once
    std::vector<file_number> inputs_above;
    std::optional<file_number> output_above;
    for (std::uint32_t i = 0; i < p_.assets.size(); ++i) {
      const auto& outputs = p_.assets[i].outputs;
      for (std::size_t k = 0; k < outputs.size(); ++k) {
        const std::string_view folder = same().parent(identity(outputs[k]));
        if (folder != walked || folder.empty()) {
          walked = folder;
          output_above = g_.outputs_.at_or_above(p_, same(), folder);
          inputs_above.clear();
          for (auto above = folder; any && !above.empty(); above = same().parent(above))
            if (const auto known = same().find(p_, above); known && folder_input[known->value])
              inputs_above.push_back(*known);
        }
        if (output_above)
          tell_.output_prefix(asset_index(i), k, *output_above, maker(*output_above), same());
        for (const auto above : inputs_above)
          contained_.emplace_back(above, same().of(outputs[k]));
      }
    }
    std::sort(contained_.begin(), contained_.end());
    contained_.erase(std::unique(contained_.begin(), contained_.end()), contained_.end());
  }

  void check_exclusions() {
    for (std::uint32_t i = 0; i < p_.assets.size(); ++i) {
      const auto& asset = p_.assets[i];
      for (std::size_t k = 0; k < asset.inputs.size() && !asset.exclusions.empty(); ++k)
        if (!asset.inputs[k].glob)
          for (const path_index pattern : asset.exclusions)
            if (is_excluded(p_, same(), asset_index(i), identity(asset.inputs[k].path))) {
              tell_.excluded_input(asset_index(i), k, asset.exclusions.size() == 1 ? p_.path(pattern) : "");
              break;
            }
    }
  }

  // ── edges ──────────────────────────────────────────────────────────────────────────────────────────────────────

  void connect(edges which) {
    std::vector<asset_index> up;
    std::vector<std::uint32_t> start;
    start.reserve(p_.assets.size() + 1);
    start.push_back(0);
    std::vector<asset_index> needs;
    for (std::uint32_t i = 0; i < p_.assets.size(); ++i) {
      const asset_index reader(i);
      const asset_spec& asset = p_.assets[i];
      needs.clear();
      for (const asset_index named : asset.deps)
        if (named == reader)
          tell_.names_itself(reader);
        else
          needs.push_back(named);
      for (std::size_t k = 0; k < asset.inputs.size(); ++k)
        asset.inputs[k].glob ? add_glob(reader, k, which, needs) : add_literal(reader, k, needs);
      std::sort(needs.begin(), needs.end());
      needs.erase(std::unique(needs.begin(), needs.end()), needs.end());
      up.insert(up.end(), needs.begin(), needs.end());
      start.push_back(static_cast<std::uint32_t>(up.size()));
    }
    g_.rows_ = graph_rows(std::move(up), std::move(start));
  }

  void add_literal(asset_index reader, std::size_t k, std::vector<asset_index>& needs) {
    const path_index path = p_.asset(reader).inputs[k].path;
    const file_number file = same().of(path);
    for (const auto& [input, target] : same().links(path)) {
      add_contained(reader, k, target, needs);
      if (const auto made = g_.outputs_.at_or_above(p_, same(), same().text(p_, target)); !made)
        continue;
      else if (maker(*made) == reader)
        tell_.reads_own(reader, k,
                        ", an input of " + tell_.name(reader) + ", is a link to its output " +
                            tell_.text(same(), *made));
      else
        needs.push_back(maker(*made));
    }
    if (const auto made = g_.outputs_.maker(file)) {
      if (*made == reader)
        return tell_.reads_own(reader, k, " is both an input and an output of " + tell_.name(reader));
      return needs.push_back(*made);
    }
    if (const auto above = output_above(file)) {
      if (maker(*above) == reader)
        tell_.reads_own(reader, k,
                        ", an input of " + tell_.name(reader) + ", lies in its output " + tell_.text(same(), *above));
      else
        needs.push_back(maker(*above));
    }
    add_contained(reader, k, file, needs);
  }

  void add_contained(asset_index reader, std::size_t k, file_number folder, std::vector<asset_index>& needs) {
    for (auto it = std::lower_bound(contained_.begin(), contained_.end(), std::pair(folder, file_number()));
         it != contained_.end() && it->first == folder; ++it) {
      if (is_excluded(p_, same(), reader, same().text(p_, it->second)))
        continue;
      if (maker(it->second) == reader)
        tell_.reads_own(reader, k, ", an input of " + tell_.name(reader) + ", contains an output of it");
      else
        needs.push_back(maker(it->second));
    }
  }

  [[nodiscard]] std::optional<file_number> output_above(file_number file) {
    if (output_above_.empty())
      output_above_.assign(same().size(p_), std::nullopt);
    auto& known = output_above_[file.value];
    if (!known)
      known = g_.outputs_.at_or_above(p_, same(), same().parent(same().text(p_, file)));
    return *known;
  }

  void add_glob(asset_index reader, std::size_t k, edges which, std::vector<asset_index>& needs) {
    const bool excludes = !p_.asset(reader).exclusions.empty();
    const auto& makers = makers_of(p_.asset(reader).inputs[k].path, reader, k);
    for (const auto output : makers.whole)
      if (maker(output) != reader && (!excludes || !is_excluded(p_, same(), reader, same().text(p_, output))))
        needs.push_back(maker(output));
    for (const auto output : makers.inside)
      if (excludes && is_excluded(p_, same(), reader, same().text(p_, output)))
        continue;
      else if (maker(output) == reader)
        tell_.reads_own(reader, k,
                        ", an input of " + tell_.name(reader) + ", takes a folder that contains its output " +
                            tell_.text(same(), output));
      else
        needs.push_back(maker(output));
    for (const auto output : makers.around)
      if (maker(output) != reader && (!excludes || !is_emptied(p_, same(), reader, same().text(p_, output))))
        needs.push_back(maker(output));
    if (which == firm_edges)
      return;
    for (const auto& [output, maybe, whole] : makers.folders) {
      const auto taken_out = whole ? is_excluded : is_emptied;
      if (maker(output) == reader || (excludes && taken_out(p_, same(), reader, same().text(p_, output))))
        continue;
      if (which == all_edges)
        reaches_.emplace_back(glob_reach{reader, output, maybe}, k);
      else if (std::binary_search(g_.left_out_.begin(), g_.left_out_.end(), std::pair(reader, output)))
        continue;
      needs.push_back(maker(output));
    }
  }

  const glob_makers& makers_of(path_index glob, asset_index reader, std::size_t k) {
    auto [entry, is_new] = makers_by_glob_.try_emplace(glob.value);
    auto& makers = entry->second;
    const auto pattern = same().pattern(p_, glob);
    if (!is_new || !can_afford(pattern, reader, k))
      return makers;
    for (const auto& one : g_.outputs_.related(p_, same(), pattern)) {
      if (one.inside)
        makers.inside.push_back(one.output);
      const bool folder = one.reaches && reaches_into(glob, one, makers);
      if (one.whole && !folder)
        makers.whole.push_back(one.output);
    }
    for (const auto& [path, link] : same().links(glob)) // on the way to where it starts
      if (const auto made = g_.outputs_.at_or_above(p_, same(), same().text(p_, link)))
        makers.around.push_back(*made);
    // It starts in what another makes: whatever it matches, it matches in there.
    if (const auto above = g_.outputs_.at_or_above(p_, same(), glob_root(pattern)))
      makers.around.push_back(*above);
    return makers;
  }

  /// Is the output a folder? What is there decides. Where nothing is there, a name with an extension is taken for a
  /// file's, unless the pattern asks for a folder just there: then the edge is drawn as long as it closes no cycle.
  bool reaches_into(path_index glob, const output_index::relative& one, glob_makers& makers) {
    const auto [known, is_new] = kinds_.try_emplace(one.output.value, file_kind::absent);
    if (is_new && kind_of_)
      known->second = kind_of_(same().text(p_, one.output));
    const bool absent = known->second == file_kind::absent;
    const bool file_name = has_extension(same().text(p_, one.output));
    const bool folder = known->second == file_kind::folder || (absent && !file_name);
    if (folder || (absent && one.by_name && !one.whole))
      makers.folders.push_back({one.output, !folder, one.whole});
    else
      g_.taken_for_files_.emplace_back(one.output, glob);
    return folder;
  }

  /// Whether a glob is compared with all outputs that begin as it does; once that is too much, no more are.
  [[nodiscard]] bool can_afford(std::string_view pattern, asset_index reader, std::size_t k) {
    if (glob_cost_ > most_glob_cost)
      return false;
    glob_cost_ += g_.outputs_.cost(p_, same(), pattern);
    if (glob_cost_ > most_glob_cost)
      tell_.too_many_comparisons(reader, k);
    return glob_cost_ <= most_glob_cost;
  }

  // ── cycles ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /// Folders into which globs reach, and whose makers need the reader by what is declared, are left out of the globs;
  /// so are outputs that most likely are no folders at all.
  void leave_out_folders() {
    const auto part = strong_parts(g_.rows_.targets(), g_.rows_.starts());
    connect(firm_edges);
    std::vector<bool> needs_reader(p_.assets.size(), false);
    std::vector<asset_index> marked;
    std::optional<asset_index> searched;
    for (const auto& [reach, k] : reaches_) { // in order of readers
      const auto made_by = maker(reach.output);
      if (part[reach.reader.value] != part[made_by.value])
        continue;
      if (searched != reach.reader) {
        for (const auto asset : marked)
          needs_reader[asset.value] = false;
        marked.assign(1, reach.reader);
        for (std::size_t at = 0; at < marked.size(); ++at)
          for (const auto next : g_.rows_.downstream(marked[at]))
            if (part[next.value] == part[reach.reader.value] && !needs_reader[next.value]) {
              needs_reader[next.value] = true;
              marked.push_back(next);
            }
        searched = reach.reader;
      }
      if (!reach.maybe && !needs_reader[made_by.value])
        continue;
      g_.left_out_.emplace_back(reach.reader, reach.output);
      if (reach.maybe)
        g_.taken_for_files_.emplace_back(reach.output, p_.asset(reach.reader).inputs[k].path);
      else
        told_.emplace_back(reach, k);
    }
    std::sort(g_.left_out_.begin(), g_.left_out_.end());
    g_.left_out_.erase(std::unique(g_.left_out_.begin(), g_.left_out_.end()), g_.left_out_.end());
    connect(kept_edges);
  }

  void report_cycles() {
    for (const auto& cycle : find_cycles(g_.rows_.targets(), g_.rows_.starts())) {
      std::string chain;
      std::string why;
      std::string ways_out;
      for (std::size_t k = 0; k < cycle.size(); ++k) {
        const asset_index needing = cycle[k];
        const asset_index needed = cycle[(k + 1) % cycle.size()];
        chain += tell_.name(needing) + " -> ";
        if (k >= most_explained)
          continue;
        const auto reason = explain_edge(p_, g_, needing, needed);
        TROUPE_CHECK(reason.has_value(), "every edge of the graph has a reason");
        why += "; " + tell_.name(needing) + " needs " + tell_.name(needed) + ": " + in_words(p_, *reason, needed);
        if (reason->kind == edge_kind::glob || reason->kind == edge_kind::glob_beneath ||
            reason->kind == edge_kind::contains)
          ways_out += "; if " + tell_.name(needing) + " does not read " + std::string(p_.path(reason->output)) +
                      ", write \"!" + glob_of_path(p_.path(reason->output)) + "\" in its inputs";
      }
      if (cycle.size() > most_explained)
        why += "; and so on";
      tell_.cycle(cycle.front(), "these assets need each other: " + chain + tell_.name(cycle.front()) + why + ways_out);
    }
  }

  const pipeline& p_;
  graph_findings tell_;
  std::function<file_kind(std::string_view)> kind_of_;
  asset_graph g_;
  std::uint64_t glob_cost_ = 0;
  std::vector<std::pair<file_number, file_number>> contained_;          // a folder that is an input, an output in it
  std::vector<std::optional<std::optional<file_number>>> output_above_; // by file; made when first asked
  std::unordered_map<std::uint32_t, glob_makers> makers_by_glob_;
  std::unordered_map<std::uint32_t, file_kind> kinds_;
  std::vector<std::pair<glob_reach, std::size_t>> reaches_; // with the number of the input
  std::vector<std::pair<glob_reach, std::size_t>> told_;
};

std::optional<asset_graph> asset_graph::build(const pipeline& p, diagnostics& out, disk_facts facts) {
  return builder(p, out, std::move(facts)).build();
}

} // namespace troupe_internal
