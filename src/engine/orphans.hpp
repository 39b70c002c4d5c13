// Files that an asset of this pipeline made and that no asset declares any more. Knows how they are found; what becomes
// of them is for the examiner, `troupe clean` and the run to do.
#pragma once

#include "adapters/files/posix_file_system.hpp"
#include "base/result.hpp"
#include "engine/catalog.hpp"
#include "engine/file_table.hpp"
#include "engine/project.hpp"
#include "ports/journal_store.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// A file or folder that is as an asset of this pipeline and file left it, though that asset is gone or no longer
/// declares an output with that template. A path of the same template for other params is no orphan.
struct orphaned_output {
  std::string path;  ///< its identity (core/pipeline/path_identities), however it was declared
  std::string asset; ///< that made it
  run_number run;    ///< in which; 0: adopted
};

/// Those of a pipeline, by path. Immutable once made; any thread may read.
class orphan_set {
public:
  orphan_set() = default;
  explicit orphan_set(std::vector<orphaned_output> found);
  [[nodiscard]] bool empty() const { return by_path_.empty(); }
  [[nodiscard]] const std::map<std::string, orphaned_output, std::less<>>& all() const { return by_path_; }
  /// The orphan that the file is, or lies in; null if there is none.
  [[nodiscard]] const orphaned_output* at_or_above(std::string_view identity) const;
  /// The first orphan that is the folder or lies in it; null if there is none.
  [[nodiscard]] const orphaned_output* at_or_below(std::string_view identity) const;

private:
  std::map<std::string, orphaned_output, std::less<>> by_path_;
};

/// Notes in a production by which file, and with which texts, the outputs of the asset were declared: what
/// find_orphans() goes by. `made.outputs` is complete.
void note_declaration(const pipeline& p, asset_index asset, const catalog& names, path_id pipeline_file,
                      production& made);

/// Computed from the records and the files as they are now; nothing is stored, so that what another branch of the
/// repository declares again is no orphan there. Reads each candidate whose stat does not vouch for it. state_unusable
/// for a damaged journal.
[[nodiscard]] result<orphan_set> find_orphans(const project& on, const journal_snapshot& snapshot, catalog& names,
                                              file_table& table, const posix_file_system& files);

/// "out/C.txt, left over from the asset s[C]" for messages.
[[nodiscard]] std::string describe(const orphaned_output& one);

struct orphan_cleaning {
  std::vector<orphaned_output> orphans; ///< all there were, in order of path
  bool removed = false;
};
/// The pipeline's orphans; removes them if `confirm` says so (it is not asked if there are none). Takes the state's
/// lock only to remove. Removes no folder that holds a mount point, and follows no link. An absent state has no
/// orphans.
[[nodiscard]] result<orphan_cleaning>
clean_orphans(const project& on, const std::function<bool(const std::vector<orphaned_output>&)>& confirm);

} // namespace troupe_internal
