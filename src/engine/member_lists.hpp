// Which members of a folder have changed: the listings of folders as they were counted, kept in the state by content.
// Knows nothing of how folders are counted. That a listing is not there costs a name in a message, nothing else.
#pragma once

#include "adapters/state/state_dir.hpp"
#include "core/freshness/freshness.hpp"
#include "engine/catalog.hpp"
#include "engine/file_table.hpp"
#include "ports/file_system.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace troupe_internal {

/// Listings are files of their own beside the journal: STATE/members/XX/DIGEST, where DIGEST is that of the bytes, so
/// that nobody takes a damaged one for a listing. Any thread.
class member_lists {
public:
  /// `locked`: the state's folder where it is locked, and what is kept goes there. Null: it is kept in memory, as far
  /// as there is room, and what lies in `state_folder` is found all the same.
  member_lists(std::string state_folder, state_dir::handle locked)
      : state_folder_(std::move(state_folder)), locked_(std::move(locked)) {}

  void keep(std::vector<folder_listing> listings);
  [[nodiscard]] std::optional<std::string> find(const digest& content) const;

private:
  std::string state_folder_;
  state_dir::handle locked_;
  mutable std::shared_ptr<const kept_folder> lists_; ///< STATE/members; null: not opened yet, or there is none
  mutable std::mutex mutex_;
  std::map<digest, std::string> kept_;
  std::set<digest> written_;
  std::size_t bytes_kept_ = 0;
};

/// Where a reason of judge_freshness() names a folder, what has changed in it takes its place: "d/e/f" for "d". At most
/// three members; then "d (17 more)".
void name_changed_members(std::vector<reason>& reasons, const asset_record& record, const fingerprint& now,
                          std::span<const file_version> outputs, bool source, const catalog& names,
                          const file_table& table, const member_lists& lists);

/// Deletes old listings of contents that no file in `current` has: what is older than `oldest`, and the oldest of those
/// that take more room than is meant for them. Asks `enough` now and then whether to go on another time.
void delete_old_listings(const state_dir& dir, const std::set<digest>& current, timestamp oldest,
                         const std::function<bool()>& enough);

} // namespace troupe_internal
