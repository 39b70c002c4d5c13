// Words are cut where a shell would cut them, roughly; a word that is cut wrongly names no file.
#include "app/config/command_files.hpp"

#include "app/config/path_text.hpp"
#include "core/glob.hpp"
#include "core/template_text.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace troupe::config {
namespace {

// Whether a word may be the path of a file in the pipeline's folder: with an extension or a folder, not an option.
bool looks_like_path(std::string_view word) {
  return word.size() > 2 && word.front() != '-' && word.front() != '/' &&
         word.find_first_of("./") != std::string_view::npos && !has_template(word) &&
         word.find_first_of("*?[$`\\\n") == std::string_view::npos;
}

// Calls `take` with each word of a shell text that is not written to by >.
template <class Take>
void shell_words(std::string_view text, Take&& take) {
  constexpr std::string_view breaks = " \t\n'\"`;&|<>()=";
  bool written = false;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find_first_of(breaks, at), text.size());
    if (end > at) {
      if (!written)
        take(text.substr(at, end - at));
      written = false;
    }
    if (end < text.size() && text[end] == '>')
      written = true;
    else if (end < text.size() && text[end] == '&' && written)
      written = true; // >&2
    at = end + 1;
  }
}

class searcher {
public:
  searcher(const pipeline& p, const std::function<bool(std::string_view)>& is_file, findings& out)
      : p_(p), is_file_(is_file), out_(out) {}

  void search(asset_index asset) {
    const auto& declaration = p_.declaration(asset);
    const auto word = [&](std::string_view text) {
      if (looks_like_path(text))
        consider(asset, text);
    };
    seen_.clear();
    if (declaration.kind == command_kind::argv)
      for (const auto text : declaration.command)
        word(text);
    else if (declaration.kind == command_kind::shell)
      shell_words(declaration.command.front(), word);
  }

private:
  void consider(asset_index asset, std::string_view word) {
    const std::string& cwd = p_.settings_of(asset).cwd;
    read_path(cwd == "." ? std::string(word) : cwd + "/" + std::string(word), path_);
    if (!path_.problem.empty() || path_.text.front() == '/' || path_.text.starts_with("../") ||
        !seen_.insert(path_.text).second)
      return;
    // The cheaper question first: whether a word is a file is a system call, whether it is declared a look at all that
    // is.
    if ((declares_few(asset) && is_declared(asset)) || !exists() || is_declared(asset))
      return;
    out_.warning(p_.declaration(asset).command_where, "undeclared_file",
                 path_.text + " is in the command of " + in_quotes(p_.declaration(asset).name) +
                     " but not in inputs: editing it will re-run nothing");
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
      if (input.glob ? glob_matches(text, path_.text) : is_at_or_beneath(path_.text, text))
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
  const std::function<bool(std::string_view)>& is_file_;
  findings& out_;
  declared_path path_;
  std::unordered_map<std::string, bool> exists_;
  std::unordered_set<std::string> seen_; // in this asset's command
};

} // namespace

void warn_of_undeclared_files(const pipeline& p, const std::function<bool(std::string_view)>& is_file, bool thorough,
                              findings& out) {
  if (p.assets.size() > max_searched_assets && !thorough)
    return;
  searcher s(p, is_file, out);
  std::uint32_t declaration = static_cast<std::uint32_t>(-1);
  for (std::uint32_t i = 0; i < p.assets.size(); ++i)
    if (p.assets[i].declaration != declaration) { // the first combination speaks for all
      declaration = p.assets[i].declaration;
      s.search(asset_index(i));
    }
}

} // namespace troupe::config
