// Values that are too long for the records of their assets: one file each, in a folder of the state, named by the
// digest. Knows nothing of what the values mean, or of who needs them.
#pragma once

#include "adapters/state/state_dir.hpp"
#include "ports/value_store.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace troupe_internal {

/// In a state's folder: where the values are.
inline constexpr const char* values_folder = "values";

/// value_store on the disk. The folder is made with the first value.
class value_files final : public value_store {
public:
  /// `durable`: a value is forced to disk before anybody hears that it was kept.
  value_files(state_dir::handle dir, bool durable) : dir_(std::move(dir)), durable_(durable), use_(entry_use::write) {}
  /// Of a state that is only read, whoever made it.
  explicit value_files(state_dir::handle dir) : dir_(std::move(dir)), durable_(false), use_(entry_use::read) {}

  [[nodiscard]] result<std::unique_ptr<draft>> begin() override;
  [[nodiscard]] bool has(const stored_value& which) const override;
  [[nodiscard]] result<std::string> read(const stored_value& which) const override;
  /// Whether its bytes are what was kept, without keeping them in memory. Errors as those of read().
  [[nodiscard]] result<void> check(const stored_value& which) const;
  void drop(const stored_value& which) override;
  [[nodiscard]] result<void> sweep(const std::function<bool(const digest&)>& is_needed) override;

private:
  class file_draft;
  [[nodiscard]] static error damaged(const kept_folder& in, const stored_value& which);
  [[nodiscard]] static result<unique_fd> open_value(const kept_folder& in, const stored_value& which);
  /// Reads all of it, into memory or (null) nowhere, and checks it.
  [[nodiscard]] static result<void> scan(const kept_folder& in, int file, const stored_value& which, char* into);
  /// Null where there is none yet.
  [[nodiscard]] std::shared_ptr<const kept_folder> folder() const;
  [[nodiscard]] result<std::shared_ptr<const kept_folder>> make_folder();

  const state_dir::handle dir_;
  const bool durable_;
  const entry_use use_;
  std::atomic<std::uint64_t> drafts_{0};
  std::atomic<std::uint64_t> open_drafts_{0};
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const kept_folder> folder_; ///< guarded by mutex_
};

} // namespace troupe_internal
