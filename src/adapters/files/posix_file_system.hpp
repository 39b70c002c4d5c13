// The file system port on the disk. Names are bytes. Knows nothing of what is recorded.
#pragma once

#include "adapters/files/counted_folder.hpp"
#include "adapters/files/folder_resolver.hpp"
#include "adapters/files/linked_files.hpp"
#include "adapters/files/look_bounds.hpp"
#include "adapters/system/unique_fd.hpp"
#include "ports/file_system.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

namespace troupe_internal {

/// Relative paths are taken from the root as it was when this was opened (it keeps a descriptor, so that a stat costs
/// one system call and no allocation). Errors carry code io and name the path, unless the port says otherwise. Any
/// thread, several at once.
class posix_file_system final : public file_system {
public:
  /// `root` is an absolute path of a folder that exists. A look that `bounds` has broken off is an error of the code
  /// stopped.
  [[nodiscard]] static result<std::unique_ptr<posix_file_system>> open(std::string root, look_bounds bounds = {});

  /// Answers questions for identities of many paths at one moment; must not outlive this.
  [[nodiscard]] folder_resolver resolver() const { return {at_.get(), real_root_}; }
  [[nodiscard]] const std::string& real_root() const { return real_root_; }

  [[nodiscard]] result<file_stat> stat(std::string_view name, link_rule links = link_rule::content) const override;
  [[nodiscard]] result<file_stat> glance(std::string_view name) const override;
  [[nodiscard]] result<file_record> read(std::string_view name, link_rule links = link_rule::content,
                                         std::vector<folder_listing>* listings = nullptr) const override;
  [[nodiscard]] bool many_are_elsewhere() const override { return any_elsewhere_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t members_elsewhere(std::string_view name) const override;
  /// Whether links_inside() would say something of any folder.
  [[nodiscard]] bool links_are_inside() const { return any_inside_.load(std::memory_order_relaxed); }
  /// Links in a folder that lead out of it and into the root's folder, or to nothing: as the last look at it found.
  [[nodiscard]] std::vector<std::string> links_inside(std::string_view name) const;
  [[nodiscard]] result<std::vector<std::string>> glob(std::string_view pattern, const std::vector<std::string>& skip,
                                                      glob_remarks* remarks) const override;
  using file_system::glob;
  [[nodiscard]] std::string real_folder(std::string_view path) const override;
  [[nodiscard]] result<void> make_parent(std::string_view path) const override;
  [[nodiscard]] result<void> remove(std::string_view path) const override;
  [[nodiscard]] result<std::string> read_text(std::string_view path, std::uint64_t limit) const override;
  [[nodiscard]] bool broken_off() const override { return bounds_.broken_off(); }

private:
  posix_file_system(std::string root, std::string real_root, unique_fd at, look_bounds bounds)
      : root_(std::move(root)), real_root_(std::move(real_root)), at_(std::move(at)), bounds_(std::move(bounds)) {}
  [[nodiscard]] folder_setting setting() const { return {at_.get(), root_, bounds_, &linked_}; }
  void remember(std::string_view name, folder_remarks remarks) const;

  std::string root_;
  std::string real_root_; // without links
  unique_fd at_;
  look_bounds bounds_;
  mutable linked_files linked_;
  mutable std::mutex mutex_;
  // Of folders with many members elsewhere, and of those with links inside.
  mutable std::map<std::string, std::uint64_t, std::less<>> elsewhere_;
  mutable std::map<std::string, std::vector<std::string>, std::less<>> inside_;
  mutable std::atomic<bool> any_elsewhere_{false};
  mutable std::atomic<bool> any_inside_{false};
};

/// The folder at an absolute path; none if there is none.
[[nodiscard]] std::optional<folder_identity> identity_of_folder(const std::string& path);

/// mkdir -p, relative to the descriptor `at` or absolute. Any thread.
[[nodiscard]] result<void> make_folders(int at, std::string_view path);

/// The folder a path lies in, as the path spells it; empty for the folder it is relative to.
[[nodiscard]] std::string_view parent_of(std::string_view path);

} // namespace troupe_internal
