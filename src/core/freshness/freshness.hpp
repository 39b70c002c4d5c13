// Whether an asset is fresh, and if not, why: the comparison of what it was last made from with what is there now.
// Knows nothing of how either was found out.
#pragma once

#include "base/time.hpp"
#include "core/model/materialization.hpp"
#include "core/model/reason.hpp"
#include "core/pipeline/pipeline.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// Turns ids into words for reasons' details.
class name_source {
public:
  virtual ~name_source() = default;
  [[nodiscard]] virtual std::string_view asset_name(asset_id id) const = 0;
  [[nodiscard]] virtual std::string_view path_text(path_id id) const = 0;
};

/// The rest of what decides.
struct freshness_policy {
  bool forced = false;
  bool always = false;
  bool source = false; ///< a source: its outputs are what it is made from
  std::optional<duration> max_age;
  timestamp now;                ///< the start of the run, or of its last resumption
  std::string_view cycle{};     ///< not empty: it reads this file, whose maker needs it in turn
  const pipeline* of = nullptr; ///< with `asset`: to tell what a change of what is executed came from
  asset_index asset;
};

/// From when a materialization ages: from the start of the run (or of its last resumption) that made it. Records of
/// format 1 do not have that; then from the start of the attempt.
[[nodiscard]] timestamp ages_from(const materialization& last);
/// The age at which it has expired: a little before `max_age`, so that a run that starts at the same time each day is
/// not a moment too early on every second one.
[[nodiscard]] duration expires_at_age(duration max_age);

/// The digest that stands for a file that is not there.
inline constexpr digest absent_file{};

/// Appends the reasons why an asset with this record is stale; none: it is fresh. `now` holds the fingerprint as of
/// now, `outputs` the content of its declared outputs (both sorted by path). A record of rule 0 is judged by
/// `declared`, the definition as declared.
void judge_freshness(const asset_record& record, const fingerprint& now, std::span<const file_version> outputs,
                     const freshness_policy& policy, const name_source& names, std::vector<reason>& reasons,
                     const fingerprint* declared = nullptr);

/// Why the value that a function handed on cannot be handed on once more, by what is recorded of it: there is none, or
/// the function's codec does not read it.
[[nodiscard]] std::optional<reason> judge_value(const stored_value& kept, const function_declaration& function);

/// The data version of outputs: a digest over their names, contents, and which of them are executable.
[[nodiscard]] digest version_of_outputs(std::span<const file_version> outputs, const name_source& names);
/// The data version that a reported text stands for.
[[nodiscard]] digest version_of_report(std::string_view reported);
/// What a dependent sees of an asset that failed and is allowed to.
[[nodiscard]] digest version_of_allowed_failure();

} // namespace troupe_internal
