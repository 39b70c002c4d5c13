// How much of a journal is looked at before it is trusted: by whoever opens it, by whoever reads events, by its writer.
// Knows tables and check values, not what records say. The reasons: docs/adr.
#pragma once

#include "adapters/journal/lmdb_pages.hpp"
#include "adapters/journal/lmdb_tables.hpp"

#include <cstdint>
#include <functional>
#include <future>
#include <string>
#include <thread>

namespace troupe_internal {

/// The pages of every table, but for those that hold events or definitions: their number grows with the history and
/// with the pipelines, and most commands read none of them. What is wrong; empty if nothing is.
[[nodiscard]] std::string inspect_projections(lmdb_file& file, const lmdb_meta& version);

/// Every page and every record's check value. The first thing that is wrong; empty if nothing is.
[[nodiscard]] std::string inspect_everything(lmdb_file& file, const lmdb_meta& version);

/// The same, except that pages with definitions are counted and not read: this is what a writer builds on. A writer
/// reads definitions only if a definition has changed, and inspects their tables before that.
/// `enough`, if any, is called often; true ends the inspection, and the result is then no answer.
/// `projections_sound`, if any, is called once all is sound that inspect_projections() looks at, except that events may
/// use the same pages: enough to read projections, not to write.
[[nodiscard]] std::string inspect_for_writing(lmdb_file& file, const lmdb_meta& version,
                                              const std::function<bool()>& enough = {},
                                              const std::function<void()>& projections_sound = {});

/// A journal up to this size is looked at when it is opened: no thread is worth it.
inline constexpr std::uint64_t small_journal_bytes = std::uint64_t{1} << 20U;

/// An inspection whose answer is asked for later. One thread asks.
class pending_inspection {
public:
  pending_inspection() = default; ///< nothing is pending
  /// `beside`: on a thread of its own, if there is one to be had; else when the answer is asked for.
  pending_inspection(std::function<std::string()> look, bool beside);
  pending_inspection(pending_inspection&&) noexcept = default;
  pending_inspection& operator=(pending_inspection&& other) noexcept;
  ~pending_inspection();

  [[nodiscard]] bool is_pending() const { return answer_.valid(); }
  /// Waits for it; once.
  [[nodiscard]] std::string take();

private:
  std::function<void()> begin_; ///< only while it was not begun
  std::future<std::string> answer_;
  std::thread worker_;
};

/// The pages of definitions, as of the access's transaction. Damage is state_unusable.
[[nodiscard]] result<void> inspect_definitions(lmdb_access& access);

/// Inspects the tables of definitions once, before a writer uses them for the first time.
class definition_guard {
public:
  /// Pages and check values, as of the access's transaction, which has not changed these tables. Damage is
  /// state_unusable.
  [[nodiscard]] result<void> require_sound(lmdb_access& access);

private:
  bool sound_ = false;
};

/// The pages of events from number `first` on, as of the access's transaction. Damage is state_unusable.
[[nodiscard]] result<void> inspect_events(lmdb_access& access, std::uint64_t first);

} // namespace troupe_internal
