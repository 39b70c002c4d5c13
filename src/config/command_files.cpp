// What is declared is asked before the disk is.
#include "config/command_files.hpp"

#include "config/command_words.hpp"
#include "config/path_text.hpp"
#include "core/command/command.hpp"
#include "core/command/template_text.hpp"
#include "core/model/missing_input.hpp"
#include "core/pipeline/glob.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace troupe_internal::config {
namespace {

/// Whether a word may be a path: with an extension or a folder, not an option.
bool looks_like_path(std::string_view word) {
  return word.size() > 2 && word.front() != '-' && word.find_first_of("./") != std::string_view::npos &&
         word.find_first_of("*?[$`\\\n") == std::string_view::npos;
}

/// How many steps from asset to asset may be taken in all to find out who depends on whom.
constexpr std::size_t most_steps = 50'000'000;

class searcher {
public:
  searcher(const pipeline& p, const asset_graph& graph, const std::function<bool(std::string_view)>& is_file,
           findings& out)
      : p_(p), graph_(graph), is_file_(is_file), out_(out) {}

  void search(asset_index asset) {
    seen_.clear();
    seen_reading_.clear();
    upstream_.clear();
    if (const auto depfile = p_.depfile_of(asset)) { // the command's own, whether it writes it or reads it
      seen_.emplace(p_.path(*depfile));
      seen_reading_.emplace(p_.path(*depfile));
    }
    const auto words = words_of(p_.declaration(asset));
    for (const auto& word : words)
      if (word.written && looks_like_path(word.text) && !has_template(word.text)) {
        read_in_folder(asset, word.text);
        seen_.insert(path_.text);
        seen_reading_.insert(path_.text);
      }
    for (const auto& word : words)
      if (!word.written && looks_like_path(word.text))
        consider(asset, word);
  }

private:
  void consider(asset_index asset, const command_word& word) {
    const bool rendered = has_template(word.text);
    if (rendered) {
      const auto text = render_path(p_, p_.asset(asset).matrix, word.text);
      if (!text) // {{ outputs[0] }} and the like are declared
        return;
      read_in_folder(asset, *text);
    } else {
      read_in_folder(asset, word.text);
    }
    if (!path_.problem.empty() || path_.glob)
      return;
    const bool reads = !word.program && !word.only_named;
    const bool warned = reads && seen_reading_.insert(path_.text).second && warn_of_other_maker(asset);
    if (!seen_.insert(path_.text).second || warned)
      return;
    if (rendered || word.text.front() == '/' || path_.text.front() == '/' || path_.text.starts_with("../"))
      return;
    // The cheaper question first: whether a word is a file is a system call, whether it is declared a look at all that
    // is.
    if ((declares_few(asset) && is_declared(asset)) || !exists() || is_declared(asset))
      return;
    out_.warning(p_.declaration(asset).command_where, "undeclared_file",
                 path_.text + " is in the command of " + in_quotes(p_.declaration(asset).name) +
                     " but not in inputs: editing it will re-run nothing");
  }

  void read_in_folder(asset_index asset, std::string_view word) {
    const std::string& cwd = p_.settings_of(asset).cwd;
    if (word.starts_with(p_.folder) && word.size() > p_.folder.size() && word[p_.folder.size()] == '/')
      read_path(word.substr(p_.folder.size() + 1), path_);
    else
      read_path(cwd == "." || word.starts_with('/') ? std::string(word) : cwd + "/" + std::string(word), path_);
  }

  /// Whether another asset makes the file, and the order of the two is open, which is warned of.
  bool warn_of_other_maker(asset_index asset) {
    const auto known = p_.paths.find(path_.text);
    const auto maker = graph_.maker_of(p_, known ? graph_.same().text_of(p_, path_index(*known)) : path_.text);
    if (!maker || *maker == asset || p_.asset(*maker).declaration == p_.asset(asset).declaration ||
        is_upstream(asset, *maker))
      return false;
    const auto name = in_quotes(p_.declaration(asset).name);
    const bool needs = is_upstream(*maker, asset);
    out_.warning(p_.declaration(asset).command_where, "undeclared_input",
                 path_.text + ", an output of " + in_quotes(p_.asset(*maker).name) + ", is in the command of " + name +
                     (needs ? ", but " + in_quotes(p_.asset(*maker).name) + " needs " + name +
                                  ": what the command finds there is what the run before has left"
                            : ", which does not depend on it: which of the two runs first is left to chance; add it to "
                              "the inputs of " +
                                  name));
    return true;
  }

  [[nodiscard]] bool is_upstream(asset_index asset, asset_index other) {
    const auto direct = graph_.upstream(asset);
    if (std::binary_search(direct.begin(), direct.end(), other))
      return true;
    auto [entry, is_new] = upstream_.try_emplace(asset.value);
    auto& all = entry->second;
    if (is_new) {
      std::vector<asset_index> open(direct.begin(), direct.end());
      for (const auto one : direct)
        all.insert(one.value);
      while (!open.empty() && steps_ < most_steps) {
        const auto next = open.back();
        open.pop_back();
        for (const auto above : graph_.upstream(next)) {
          ++steps_;
          if (all.insert(above.value).second)
            open.push_back(above);
        }
      }
    }
    return steps_ >= most_steps || all.contains(other.value); // where that cannot be told, nothing is
  }

  [[nodiscard]] bool declares_few(asset_index asset) const {
    constexpr std::size_t few = 16;
    const auto& spec = p_.asset(asset);
    auto declared = spec.inputs.size() + spec.outputs.size() + spec.deps.size();
    for (auto dep = spec.deps.begin(); dep != spec.deps.end() && declared <= few; ++dep)
      declared += p_.asset(*dep).outputs.size();
    return declared <= few;
  }

  [[nodiscard]] bool exists() {
    const auto [known, is_new] = exists_.emplace(path_.text, false);
    if (is_new)
      known->second = is_file_(path_.text);
    return known->second;
  }

  [[nodiscard]] bool is_declared(asset_index asset) const {
    const auto& spec = p_.asset(asset);
    for (const auto input : spec.inputs) {
      const auto text = p_.path(input.path);
      if (input.glob ? glob_takes(text, path_.text) : is_at_or_beneath(path_.text, text))
        return true;
    }
    if (is_output_of(asset))
      return true;
    return std::any_of(spec.deps.begin(), spec.deps.end(), [&](asset_index dep) { return is_output_of(dep); });
  }

  [[nodiscard]] bool is_output_of(asset_index asset) const {
    const auto outputs = p_.asset(asset).outputs;
    return std::any_of(outputs.begin(), outputs.end(),
                       [&](path_index output) { return is_at_or_beneath(path_.text, p_.path(output)); });
  }

  const pipeline& p_;
  const asset_graph& graph_;
  const std::function<bool(std::string_view)>& is_file_;
  findings& out_;
  declared_path path_;
  std::unordered_map<std::string, bool> exists_;
  std::unordered_set<std::string> seen_, seen_reading_; // in this asset's command; as what may be read
  std::unordered_map<std::uint32_t, std::unordered_set<std::uint32_t>> upstream_; // of assets asked about for this one
  std::size_t steps_ = 0;
};

} // namespace

void warn_of_undeclared_files(const pipeline& p, const asset_graph& graph,
                              const std::function<bool(std::string_view)>& is_file, bool thorough, findings& out) {
  if (p.assets.size() > max_searched_assets && !thorough)
    return;
  searcher s(p, graph, is_file, out);
  std::uint32_t declaration = static_cast<std::uint32_t>(-1);
  for (std::uint32_t i = 0; i < p.assets.size(); ++i)
    if (p.assets[i].declaration != declaration) { // the first combination speaks for all
      declaration = p.assets[i].declaration;
      s.search(asset_index(i));
    }
}

void warn_of_missing_inputs(const pipeline& p, const asset_graph& graph,
                            const std::function<bool(std::string_view)>& is_there, findings& out) {
  std::unordered_map<std::uint32_t, bool> known;
  const auto is_missing = [&](path_index path) {
    const auto [entry, is_new] = known.emplace(path.value, false);
    if (is_new)
      entry->second = !is_there(p.path(path));
    return entry->second;
  };
  for (std::uint32_t i = 0; i < p.assets.size(); ++i) {
    const auto& spec = p.assets[i];
    for (std::size_t k = 0; k < spec.inputs.size(); ++k)
      if (!spec.inputs[k].glob && !spec.inputs[k].optional && !graph.is_made(p, asset_index(i), spec.inputs[k].path) &&
          is_missing(spec.inputs[k].path))
        out.warning(spec.input_places[k], "missing_input",
                    "asset " + std::string(spec.name) + ": " + missing_input_text(p.path(spec.inputs[k].path)));
    for (std::size_t k = 0; k < spec.outputs.size() && p.is_source(asset_index(i)); ++k)
      if (is_missing(spec.outputs[k]))
        out.warning(spec.output_places[k], "missing_input",
                    "asset " + std::string(spec.name) + ": " + missing_source_text(p.path(spec.outputs[k])));
  }
}

} // namespace troupe_internal::config
