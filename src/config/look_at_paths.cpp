// Most paths lead through no link, and share their folder with the path before them: those cost a comparison.
#include "config/look_at_paths.hpp"

#include "config/findings.hpp"
#include "core/pipeline/glob.hpp"
#include "core/pipeline/parent_paths.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>

namespace troupe_internal::config {
namespace {

/// Which roles a path has.
enum role : std::uint8_t { literal_input = 1, output = 2, pattern = 4 };

std::vector<std::uint8_t> roles_of(const pipeline& p) {
  std::vector<std::uint8_t> roles(p.paths.size(), 0);
  for (const auto& asset : p.assets) {
    for (const auto& input : asset.inputs)
      roles[input.path.value] |= input.glob ? pattern : literal_input;
    for (const auto path : asset.outputs)
      roles[path.value] |= output;
    for (const auto path : asset.exclusions)
      roles[path.value] |= pattern;
  }
  return roles;
}

std::string below(std::string_view folder, std::string_view rest) {
  if (folder == ".")
    return std::string(rest);
  return (folder == "/" ? "/" : std::string(folder) + "/").append(rest);
}

class looker {
public:
  looker(const pipeline& p, const posix_file_system& files, const links_seen& seen)
      : p_(p), resolver_(files.resolver()), seen_(seen) {
    facts_.root = files.real_root();
  }

  path_facts look() {
    const auto roles = roles_of(p_);
    for (std::uint32_t i = 0; i < roles.size(); ++i) {
      const path_index path(i);
      if ((roles[i] & (literal_input | output)) != 0)
        literal(path, (roles[i] & literal_input) != 0);
      if ((roles[i] & pattern) != 0)
        glob(path);
    }
    return std::move(facts_);
  }

private:
  void literal(path_index path, bool is_input) {
    const auto text = p_.path(path);
    const auto& folder = folder_of(text);
    const auto last = text.substr(text.rfind('/') + 1);
    const bool as_written = folder.identity == parent_path(text) && last != "..";
    auto identity = as_written ? std::string() : resolver_.identity_of(text);
    if (is_input) {
      for (const auto& link : folder.links)
        facts_.links.emplace_back(path, link);
      if (may_be_link(path) && (!as_written || folder_resolver::may_be_link(folder, last)))
        for (auto& file : resolver_.chain_of(as_written ? text : std::string_view(identity)))
          facts_.links.emplace_back(path, std::move(file));
    }
    if (!as_written && identity != text)
      facts_.files.emplace_back(path, std::move(identity));
  }

  void glob(path_index path) {
    const auto text = p_.path(path);
    const auto root = glob_root(text);
    const auto& folder = resolver_.resolve(root.empty() ? "." : std::string_view(root));
    for (const auto& link : folder.links)
      facts_.links.emplace_back(path, link);
    if (folder.identity != (root.empty() ? "." : root))
      facts_.globs.emplace_back(path, below(glob_of_path(folder.identity), glob_rest(text)));
  }

  [[nodiscard]] bool may_be_link(path_index path) const {
    const bool unseen = path.value >= seen_.paths && path.value < seen_.again_from;
    return unseen || std::binary_search(seen_.links.begin(), seen_.links.end(), path.value);
  }

  /// Neighbours mostly share their folder.
  const folder_resolver::resolved_folder& folder_of(std::string_view text) {
    const auto parent = parent_path(text);
    if (last_ == nullptr || parent != last_text_) {
      last_text_ = parent;
      last_ = &resolver_.resolve(parent);
    }
    return *last_;
  }

  const pipeline& p_;
  folder_resolver resolver_;
  const links_seen& seen_;
  path_facts facts_;
  std::string_view last_text_;
  const folder_resolver::resolved_folder* last_ = nullptr;
};

bool are_in_each_others_way(const path_identities& same, std::string_view a, std::string_view b) {
  return a == b || same.is_beneath(a, b) || same.is_beneath(b, a);
}

} // namespace

disk_facts look_at_paths(const pipeline& p, const posix_file_system& files, const links_seen& seen) {
  disk_facts facts;
  facts.same = path_identities(p, looker(p, files, seen).look());
  facts.kind_of = [&files](std::string_view identity) {
    const auto found = files.glance(identity);
    return found ? found->kind : file_kind::absent;
  };
  return facts;
}

void check_reserved(const pipeline& p, const path_identities& same, const posix_file_system& files,
                    const std::string& state, diagnostics& out) {
  auto resolver = files.resolver();
  const auto with_chain = [&](const std::string& path) {
    auto names = resolver.chain_of(resolver.identity_of(path));
    names.insert(names.begin(), resolver.identity_of(path));
    return names;
  };
  std::error_code failed;
  const auto working = std::filesystem::current_path(failed).string();
  const auto from_here = [&](const std::string& path) { return path.starts_with('/') ? path : working + "/" + path; };
  const auto folders = with_chain(state.empty() ? p.engine.state_dir : from_here(state));
  const auto pipeline_files = p.file == "-" ? std::vector<std::string>() : with_chain(from_here(p.file));
  const auto plain_file = p.file.substr(p.file.rfind('/') + 1);
  const bool nothing_new =
      same.trivial() && folders.size() == 1 && folders.front() == p.engine.state_dir &&
      (pipeline_files.empty() || (pipeline_files.size() == 1 && pipeline_files.front() == plain_file));
  if (nothing_new)
    return; // the texts have said it all
  std::uint32_t reported = static_cast<std::uint32_t>(-1);
  for (const auto& spec : p.assets)
    for (std::size_t i = 0; i < spec.outputs.size() && spec.declaration != reported; ++i) {
      const auto identity = same.text_of(p, spec.outputs[i]);
      const auto text = [&] { return in_quotes(p.path(spec.outputs[i])); };
      if (std::any_of(folders.begin(), folders.end(),
                      [&](const auto& folder) { return are_in_each_others_way(same, identity, folder); }))
        out.error(spec.output_places[i], "output_in_state",
                  "the output " + text() + " and Troupe's own state in " + in_quotes(folders.back()) +
                      " would be in each other's way");
      else if (std::any_of(pipeline_files.begin(), pipeline_files.end(),
                           [&](const auto& file) { return identity == file || same.is_beneath(file, identity); }))
        out.error(spec.output_places[i], "output_is_pipeline",
                  "the output " + text() + " is this pipeline file, or a folder around it");
      else
        continue;
      reported = spec.declaration;
    }
}

void warn_of_raised_paths(const std::vector<raised_path>& raised, const posix_file_system& files, diagnostics& out) {
  auto resolver = files.resolver();
  for (const auto& path : raised) {
    // A pattern leads through links up to its first wildcard; a ".." is before that.
    const auto folder = glob_root(path.written);
    const auto taken = glob_root(path.taken);
    const auto& by_system = resolver.resolve(folder.empty() ? "." : folder);
    const auto& by_text = resolver.resolve(taken.empty() ? "." : taken);
    if (by_system.links.empty() || by_system.identity == by_text.identity)
      continue;
    const auto rest = std::string(glob_rest(path.written));
    out.warning(path.where, "dot_dot_after_link",
                "in " + in_quotes(path.written) + " a \"..\" comes after the link " + by_system.links.front() +
                    ": Troupe takes the path by its text, as " + in_quotes(path.taken) +
                    ", where the system reads it as " + in_quotes(below(by_system.identity, rest)) +
                    "; write the one that is meant");
  }
}

} // namespace troupe_internal::config
