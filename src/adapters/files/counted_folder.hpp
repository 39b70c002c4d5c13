// A folder as it counts: one stat and one digest for all that lies in it and all that its links lead to. Knows nothing
// of single files' content.
#pragma once

#include "adapters/files/linked_files.hpp"
#include "base/result.hpp"
#include "core/model/materialization.hpp"
#include "core/pipeline/exclusion.hpp"
#include "ports/file_system.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// What is the same for all folders of one file system object.
struct folder_setting {
  int at;                ///< a descriptor of `root`
  std::string_view root; ///< absolute
  const look_bounds& bounds;
  linked_files* shared;
};

/// What a look at a folder found besides its stat and content.
struct folder_remarks {
  std::uint64_t members_elsewhere = 0; ///< reached through links, outside of root
  /// The links that lead out of the folder, but not out of root, or to nothing (yet): paths as given to the look, or
  /// absolute.
  std::vector<std::string> links_inside{};
};

/// The stat of a folder: that of all members and of all that its links lead to, folded, so that equal means unchanged.
/// The folder's path is relative to `at`, or absolute.
[[nodiscard]] result<file_stat> stat_folder(const folder_setting& where, const folder_filter& folder, link_rule links,
                                            folder_remarks* remarks = nullptr);

/// The digest of a folder. Each member adds to it, in the order of names:
///   d name                a folder; its members follow
///   f name content        a file; x if its owner may execute it
///   l name text           a link that counts by its text
/// and where links count by what they lead to (each name and text has its length before it):
///   i name place          a link to what lies in this folder, at `place`
///   F name content        a link to a file elsewhere; X if its owner may execute it
///   D name content        a link to a folder elsewhere, which counts as if it were named itself
///   c name text           a link back to a folder that leads here, or to one above
///   s name place          a link to a folder that was met before at `place`, where that leads back
///   o name                in a folder elsewhere: neither file nor folder
/// What the filter leaves out does not count, nor do links that lead there count by the place. Where anything
/// changes meanwhile, as for a file (see read_file_record); a member that goes away is left out. `listings` gets these
/// bytes for this folder and each D, unless one has more than max_listed_members: the digest of such a listing is the
/// content.
[[nodiscard]] result<file_record> read_folder(const folder_setting& where, const folder_filter& folder, link_rule links,
                                              std::vector<folder_listing>* listings = nullptr,
                                              folder_remarks* remarks = nullptr);

} // namespace troupe_internal
