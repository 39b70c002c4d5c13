// Definitions that were: their texts, what changed from one to another, and those of a past run. Knows the journal;
// knows nothing of how it is shown.
#pragma once

#include "base/result.hpp"
#include "core/model/report.hpp"
#include "engine/run_definitions.hpp"
#include "ports/journal_store.hpp"

#include <map>
#include <optional>
#include <vector>

namespace troupe_internal {

/// Texts by digest: of what records name, else of what the events that are kept have recorded. One thread at a time.
class definition_texts {
public:
  /// `snapshot` outlives it; null: there is no state.
  explicit definition_texts(const journal_snapshot* snapshot) : snapshot_(snapshot) {}
  /// Null: it was not recorded, or is not kept any more. Valid as long as this.
  [[nodiscard]] result<const asset_definition*> find(const digest& of);
  /// An event that holds one.
  void add(const definition_recorded& e) { known_.try_emplace(e.of, e.definition); }

private:
  const journal_snapshot* snapshot_;
  std::map<digest, std::optional<asset_definition>> known_;
  bool events_read_ = false;
};

/// Whether a reason is about the definition, so that what changed can be told.
[[nodiscard]] bool is_about_definition(const reason& why);
/// Adds to such reasons from what to what; `was`: what the asset was last made with.
[[nodiscard]] result<void> tell_changes(std::vector<reason>& reasons, const digest& was, const asset_definition& now,
                                        definition_texts& texts);
/// The same for reasons of now, of an asset of this pipeline.
[[nodiscard]] result<void> tell_changes_now(std::vector<reason>& reasons, const asset_record& record, asset_index asset,
                                            run_definitions& definitions, definition_texts& texts);

/// The assets of a run with the digests of what they were executed with, and with what changed, where a reason of
/// theirs is about it. With every_attempt, the report gets the texts as well.
[[nodiscard]] result<void> tell_definitions(const journal_snapshot& snapshot, const std::vector<asset_id>& ids,
                                            run_report& report);

} // namespace troupe_internal
