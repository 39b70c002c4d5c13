// Changes in folders as the system reports them (inotify), by the folders' paths. Knows no pattern and no trigger.
#pragma once

#include "adapters/system/unique_fd.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace troupe_internal {

/// Something happened in a folder.
struct folder_event {
  enum class kind : std::uint8_t {
    created,
    written,
    closed, ///< somebody who could write it has closed it
    moved_in,
    moved_out,
    deleted,
    attributes,
    folder_gone, ///< the folder itself was moved, removed or unmounted, and is not watched any more; it has no name
  };
  kind what = kind::created;
  std::string folder; ///< as it was given to watch()
  std::string name;
  bool is_folder = false;
  friend bool operator==(const folder_event&, const folder_event&) = default;
};

/// What is wanted of a folder.
enum class folder_interest : std::uint8_t {
  itself,  ///< that it is gone
  entries, ///< and names that appear
  all,     ///< and every change in it
};

enum class folder_outcome : std::uint8_t {
  watching,
  absent,    ///< it is no folder
  exhausted, ///< the system has no watches left
  refused,   ///< it cannot be read
};

/// One thread at a time.
class folder_events {
public:
  virtual ~folder_events() = default;
  /// More of a folder that is watched already is added to that.
  virtual folder_outcome watch(const std::string& folder, folder_interest wanted) = 0;
  /// What has not been read of it is dropped. One that is not watched is no error.
  virtual void unwatch(const std::string& folder) = 0;
  /// Unwatches all others.
  virtual void keep_only(const std::function<bool(const std::string& folder)>& wanted) = 0;
  /// Adds what has happened; does not wait. False if some of it was lost: then everything has to be looked at.
  [[nodiscard]] virtual bool read(std::vector<folder_event>& into) = 0;
  /// Readable when there is something to read.
  [[nodiscard]] virtual int descriptor() const = 0;
  [[nodiscard]] virtual std::size_t watches() const = 0;
  /// Whether changes in the folder are reported at all: by no network file system, whose other machines' changes the
  /// system does not see, and by no overlay. Empty: they are; else the name of its kind.
  [[nodiscard]] virtual std::string unreliable(const std::string& folder) const = 0;
};

/// On one inotify instance.
class inotify_events final : public folder_events {
public:
  /// io where the system has no instance left.
  [[nodiscard]] static result<std::unique_ptr<folder_events>> open();

  folder_outcome watch(const std::string& folder, folder_interest wanted) override;
  void unwatch(const std::string& folder) override;
  void keep_only(const std::function<bool(const std::string& folder)>& wanted) override;
  [[nodiscard]] bool read(std::vector<folder_event>& into) override;
  [[nodiscard]] int descriptor() const override { return fd_.get(); }
  [[nodiscard]] std::size_t watches() const override { return watches_.size(); }
  [[nodiscard]] std::string unreliable(const std::string& folder) const override;

private:
  explicit inotify_events(unique_fd fd) : fd_(std::move(fd)) {}
  void take(int watch, std::uint32_t mask, const std::string& name, std::vector<folder_event>& into);
  void forget(int watch, std::vector<folder_event>& into);

  struct watched {
    int watch = -1;
  };
  unique_fd fd_;
  std::map<std::string, watched> folders_;
  std::map<int, std::set<std::string>> watches_; ///< one folder may have several paths
};

} // namespace troupe_internal
