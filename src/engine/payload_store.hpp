// The texts that came with events: short ones are part of the event, others files in the state's folder `payloads`.
// Knows no trigger, and not what the texts say.
#pragma once

#include "adapters/state/state_dir.hpp"
#include "base/result.hpp"
#include "core/model/trigger_event.hpp"
#include "ports/journal_store.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace troupe_internal {

/// Any thread.
class payload_store {
public:
  explicit payload_store(state_dir::handle dir) : dir_(std::move(dir)) {}

  /// Keeps a text; on disk when this returns. `name`: of the file, if it takes one; nobody else uses it. Errors:
  /// state_unusable.
  [[nodiscard]] result<kept_text> keep(std::string_view text, const uuid& name);
  /// An event that has the text does not come to be.
  void drop(const kept_text& text) noexcept;
  /// The text. not_found where its file is gone, state_unusable where it is another one.
  [[nodiscard]] result<std::string> read(const kept_text& text) const;
  /// The absolute path of a text's file.
  [[nodiscard]] std::string path_of(const text_file& file) const;
  /// Deletes files that were made before `oldest`, or before the oldest event that the history has, unless an event
  /// without a fate needs them. How many went. Errors: of reading the history.
  [[nodiscard]] result<std::uint64_t> tidy(const journal_snapshot& history, timestamp oldest);

private:
  [[nodiscard]] result<std::shared_ptr<const kept_folder>> folder();

  state_dir::handle dir_;
  std::mutex mutex_;
  std::shared_ptr<const kept_folder> folder_; ///< under mutex_; null: not used yet
};

/// The name of that folder.
inline constexpr const char* payloads_folder = "payloads";
/// When a file was made, by its name.
[[nodiscard]] timestamp made_at(const uuid& name);

} // namespace troupe_internal
