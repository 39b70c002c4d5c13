// Which file each path of a pipeline names, however it is spelt: relative, absolute, through a link. Knows only what it
// is handed; the system is asked elsewhere.
#pragma once

#include "base/interner.hpp"
#include "base/strong_id.hpp"
#include "core/pipeline/pipeline.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal {

/// A file or folder, whatever its spellings. Equal to the path_index of the path that is spelt as the system resolves
/// it, if the pipeline has one. Never written to disk.
using file_number = strong_id<struct file_number_tag>;

/// What was found out about the paths of one pipeline. Only what differs from the texts is listed.
struct path_facts {
  using texts = std::vector<std::pair<path_index, std::string>>; ///< sorted by path
  texts files; ///< literal paths: the name by which the system knows the file (see path_identities)
  texts globs; ///< globs and exclusions: the same pattern, with the folders before its first wildcard resolved
  texts links; ///< literal inputs that are links: the name of each file on the chain, in order; a path may come often
  std::string root; ///< the pipeline's folder as the system resolves it; empty: unknown
};

/// The identity of a file is a text: its folder resolved by the system as far as that exists (links followed), its last
/// component as it is; relative to the pipeline's folder if it lies in there, else absolute. Computed when a pipeline
/// is loaded and never recorded, so that the folder may be moved. Any thread may read.
class path_identities {
public:
  /// By the texts alone: every path is a file of its own.
  path_identities() = default;
  path_identities(const pipeline& p, path_facts facts);

  /// Whether every path is its own file.
  [[nodiscard]] bool trivial() const { return numbers_.empty(); }
  [[nodiscard]] file_number of(path_index path) const {
    return numbers_.empty() ? file_number(path.value) : numbers_[path.value];
  }
  [[nodiscard]] std::string_view text(const pipeline& p, file_number file) const {
    return file.value < p.paths.size() ? p.paths.text(file.value)
                                       : others_->text(file.value - static_cast<std::uint32_t>(p.paths.size()));
  }
  [[nodiscard]] std::string_view text_of(const pipeline& p, path_index path) const { return text(p, of(path)); }
  /// The file with this identity, if any path of the pipeline names it.
  [[nodiscard]] std::optional<file_number> find(const pipeline& p, std::string_view identity) const;
  /// One more than the largest number.
  [[nodiscard]] std::size_t size(const pipeline& p) const { return p.paths.size() + (others_ ? others_->size() : 0); }

  /// The pattern that matches identities.
  [[nodiscard]] std::string_view pattern(const pipeline& p, path_index glob) const;
  /// The files on the chain of links that a literal input is.
  [[nodiscard]] std::span<const std::pair<path_index, file_number>> links(path_index input) const;

  /// The folder an identity lies in; "" above the root of all, or where that is not known.
  [[nodiscard]] std::string_view parent(std::string_view identity) const;
  [[nodiscard]] bool is_beneath(std::string_view identity, std::string_view folder) const;

private:
  std::vector<file_number> numbers_; ///< by path; empty if every path is its own
  std::shared_ptr<interner> others_; ///< identities that no path is spelt as: number - p.paths.size(); null: none
  path_facts::texts patterns_;
  std::vector<std::pair<path_index, file_number>> links_; ///< sorted by path
  std::string root_;
};

} // namespace troupe_internal
