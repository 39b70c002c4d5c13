// Which folder a path leads to: links followed, as the system does it, with as few questions to the system as possible.
// Knows nothing of pipelines.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace troupe_internal {

/// The identity of a folder or file, as core/pipeline/path_identities has it: relative to the root if it lies in there
/// ("." is the root), else absolute; without links, "." and "..". What does not exist is taken by its text from where
/// it begins to be missing. Remembers what it has seen: for one moment, one thread.
///
/// Links are found by asking for each name, and in a folder of which many names are asked by reading it once.
class folder_resolver {
public:
  /// `at` is a descriptor of the folder `root`; `root` is absolute and has no links in it.
  folder_resolver(int at, std::string root) : at_(at), root_(std::move(root)) {}

  struct listing;
  struct resolved_folder {
    std::string identity;
    std::vector<std::string> links;   ///< identities of the links on the way, in order
    const listing* content = nullptr; ///< what is known of its names
  };
  /// A folder by its path, relative to the root or absolute; all of it is resolved. The reference stays good.
  const resolved_folder& resolve(std::string_view path);
  /// False only if the name is no link in that folder, as far as is known already: the quick question before
  /// chain_of().
  [[nodiscard]] static bool may_be_link(const resolved_folder& in, std::string_view name);
  /// A file by its path: its folder is resolved, the last component is kept.
  [[nodiscard]] std::string identity_of(std::string_view path);
  /// The files that one comes by when the file is opened: what it links to, what that links to, and the links on the
  /// way; identities, in order. Empty for what is no link.
  [[nodiscard]] std::vector<std::string> chain_of(std::string_view identity);

private:
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

public:
  struct listing {
    bool missing = false;
    bool listed = false;
    std::uint32_t asked = 0;
    std::unordered_set<std::string, text_hash, std::equal_to<>>
        links; ///< if listed: names of links, and of what may be
  };

private:
  struct walk {
    resolved_folder at;
    int hops = 0;
  };
  [[nodiscard]] std::string join(std::string_view folder, std::string_view name) const;
  [[nodiscard]] std::string above(std::string_view folder) const;
  void step(walk& w, std::string_view name);
  void follow(walk& w, std::string_view path);
  /// Where the link leads; empty if it is none.
  [[nodiscard]] std::string target_of(const std::string& folder, std::string_view name);
  void list(const std::string& folder, listing& into);

  int at_;
  std::string root_;
  std::unordered_map<std::string, resolved_folder, text_hash, std::equal_to<>> folders_; ///< by path as asked
  std::unordered_map<std::string, listing, text_hash, std::equal_to<>> listings_;        ///< by identity
};

} // namespace troupe_internal
