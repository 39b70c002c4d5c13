// One look at a pipeline against its state and its files: what is stale, and all that a run needs to know to begin.
// Knows nothing of actors or of writing.
#pragma once

#include "adapters/files/posix_file_system.hpp"
#include "core/freshness/plan.hpp"
#include "core/run/run_logic.hpp"
#include "engine/catalog.hpp"
#include "engine/environment.hpp"
#include "engine/examiner.hpp"
#include "engine/file_table.hpp"
#include "engine/member_lists.hpp"
#include "engine/project.hpp"
#include "engine/run_definitions.hpp"
#include "ports/clock.hpp"
#include "ports/journal_store.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal {

/// Which assets are in a run, and of which freshness is ignored; by asset_index.
struct run_scope {
  std::vector<bool> in_run;
  std::vector<bool> forced;
  bool restates = false; ///< fresh records of an old rule are to be written by the newer one
};

/// Selection, --exclude, --only, --force.
[[nodiscard]] result<run_scope> scope_of(const project& on, const run_options& options);
/// What is recorded of a run that is asked for so. Values of secret params are masked.
[[nodiscard]] run_request request_of(const project& on, const run_options& options);
/// The scope on a graph: what it needs may change with what is recorded.
using scope_maker = std::function<result<run_scope>(const project&)>;

/// What planning shows while it goes through the assets, and asks.
struct planning_view {
  /// It begins (again) with this project and scope: what was shown before does not count.
  std::function<void(const project&, const run_scope&)> begins{};
  /// Every asset of the scope, with its record.
  std::function<void(asset_index, const asset_record&)> see{};
  /// Now and for all later looks at files: whether to break off; then what is made is good for what it has read alone.
  std::function<bool()> enough{};
  state_dir::handle state{};          ///< where the state is locked: what folders hold may be kept there
  std::shared_ptr<state_names> ids{}; ///< who gives out the state's ids; null: nobody else needs any meanwhile
};

/// How many CPUs this process may use, by its affinity and by the quotas of its cgroups; at least 1.
[[nodiscard]] unsigned usable_cpus();

/// Values of env entries that count in the fingerprint: from this process's environment, or a file of the pipeline.
/// `files` outlives it.
[[nodiscard]] env_lookup make_lookup(const file_system& files);
/// The same for a project whose environment may be another process's; a variable that this one was not asked about is
/// this process's own.
[[nodiscard]] env_lookup make_lookup(const file_system& files, const project& on);

/// The files that `from_file` names as secrets, for look_bounds. Null where the pipeline names none, or there is no key
/// to count them by.
[[nodiscard]] std::shared_ptr<const keyed_files> secret_files_of(const project& on);

/// Members refer to each other: built in place, never moved.
class planning {
public:
  /// `snapshot` null: no state yet. `time` outlives this. `keep_all`: keep the records of all assets of the scope, not
  /// only of those to do.
  [[nodiscard]] static result<std::unique_ptr<planning>> make(const project& on, const scope_maker& scope_for,
                                                              const journal_snapshot* snapshot, const clock& time,
                                                              bool keep_all, const planning_view& view = {});

  project on; ///< with the graph that the plan is made with: it has the recorded edges
  run_scope scope;
  std::unique_ptr<catalog> names;
  std::unique_ptr<posix_file_system> files;
  std::unique_ptr<member_lists> lists;
  std::unique_ptr<file_table> table;
  std::unique_ptr<examiner> looks;
  std::unique_ptr<planner> plan;
  std::vector<digest> versions;   ///< by asset_index: data versions as of now; all zero where there is none
  std::vector<bool> has_version;  ///< by asset_index
  std::vector<duration> expected; ///< by asset_index: how long it last took; 0: unknown
  std::vector<std::unique_ptr<asset_record>> records; ///< by asset_index: see keep_all
  std::vector<std::uint64_t> recorded;                ///< by asset_index: definition_key() of what the state has of it
  std::optional<run_definitions> definitions;
  /// Assets of the scope that need an asset outside it which was never materialized, or whose last attempt did not
  /// succeed and left nobody knows what (those that are fresh have nothing to use of it).
  /// One entry for each of those outside.
  std::vector<blocked_outside> blocked_from_outside;
  std::vector<asset_warning> warnings;
  bool broken_off = false;          ///< there is no plan
  std::vector<event> restated;      ///< record_restated, where the scope asks for them
  path_id pipeline_file;            ///< as the state names it (recorded_file)
  orphan_set orphans;               ///< that are left out, or refused
  std::vector<std::string> removed; ///< orphans that are no longer there, for people
  std::vector<path_id> own_work;    ///< declared outputs of assets that clear theirs, made last by that asset; sorted

private:
  planning() = default;
  /// Unless the asset ignores it.
  void warn(asset_index asset, attempt_warning what);
  void drop(const recorded_edge& edge);
  [[nodiscard]] result<void> use(const project& project, const scope_maker& scope_for, timestamp now);
  /// Adds to `edges` those that the graph lacks: then nothing else counts.
  [[nodiscard]] result<void> judge_all(const journal_snapshot* snapshot, bool keep_all, const planning_view& view,
                                       std::vector<recorded_edge>& edges);
};

/// What planning has learnt and the journal does not know yet: new names first, then files; to be appended before any
/// event that uses them.
[[nodiscard]] std::vector<event> names_and_files(planning& plan);

/// The definitions that the state does not have yet of these assets, and of those whose records are restated or adopted
/// by `restating`, which are made to name them. To be appended after the names, before any event that names them.
[[nodiscard]] std::vector<event> definitions_to_record(planning& plan, std::vector<asset_index> assets,
                                                       std::vector<event>& restating);

} // namespace troupe_internal
