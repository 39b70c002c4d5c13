// What two listings of a folder differ in. Knows the bytes of listings (see read_folder in
// adapters/files/counted_folder.hpp), no disk.
#pragma once

#include "base/digest.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// One member of a folder.
struct listed_member {
  char kind = 0;
  std::string_view name;   ///< relative to the folder
  std::string_view counts; ///< what counts of it besides: the digest of its content, a place, a text
  friend bool operator==(const listed_member&, const listed_member&) = default;
};

/// The members in the order of the listing; nullopt: this is none. The views are into `bytes`.
[[nodiscard]] std::optional<std::vector<listed_member>> parse_listing(std::string_view bytes);

enum class member_change : unsigned char { added, removed, content, executable };

struct changed_member {
  std::string name; ///< relative to the folder
  member_change how = member_change::content;
  bool behind_link = false; ///< what a link leads to has changed, not the link
  friend bool operator==(const changed_member&, const changed_member&) = default;
};

/// The listing with this content, if it is known.
using listing_source = std::function<std::optional<std::string>(const digest&)>;

/// The members that differ, sorted by name; behind a link to a folder those of that folder, where both its listings are
/// known. Empty where one of the two is not known.
[[nodiscard]] std::vector<changed_member> compare_listings(const digest& before, const digest& now,
                                                           const listing_source& known);

} // namespace troupe_internal
