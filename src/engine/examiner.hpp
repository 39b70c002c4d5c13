// Puts together what an asset is made from as of now: definition, files, globs, upstream versions. Knows nothing of
// runs or of actors.
#pragma once

#include "core/freshness/definition.hpp"
#include "core/freshness/freshness.hpp"
#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/pipeline.hpp"
#include "engine/catalog.hpp"
#include "engine/file_table.hpp"
#include "engine/orphans.hpp"
#include "ports/asset_executor.hpp"
#include "ports/file_system.hpp"
#include "ports/value_store.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal {

/// Whether an examination looks at every file anew, or takes what file_table::observe_all() has just found (planning:
/// nothing is executed, so the inputs for {{ inputs }} are put together only where the fingerprint asks for them).
enum class look : std::uint8_t { anew, as_remembered };

/// All that an examination found. Meant to be reused: its vectors keep their memory.
struct findings {
  fingerprint now;
  std::vector<file_version> outputs;       ///< of the declared outputs, sorted by path
  std::vector<std::string_view> inputs;    ///< for {{ inputs }}: literal inputs, each glob's matches in its place
  std::vector<std::uint32_t> input_starts; ///< see command_scope; empty if the asset names no inputs
  std::uint32_t steps_up = 0;              ///< see command_scope; 0 where no path asks
  std::optional<std::string> impossible;   ///< see examination
  std::vector<attempt_warning> warnings;   ///< without those that the asset ignores
  /// What its globs found by way of links, and another asset makes that it does not depend on.
  std::vector<recorded_edge> by_links;
  /// The links that its globs matched or were led through, or may be once they lead somewhere.
  std::vector<std::pair<path_index, std::string>> links;
  std::vector<std::string> missing; ///< of each literal input, or file of a source, that is not there and nobody makes
  std::optional<reason>
      value; ///< why the value that it handed on is of no use any more; nothing: it is, or none is due
  /// The definition as declared, if the asset's record is to be judged by it (rule 0).
  std::unique_ptr<fingerprint> declared;
  /// Of planning, which examines many assets in a row.
  struct memory {
    definer defines;
    const asset_settings* of = nullptr; ///< steps_up is of their cwd
    std::uint32_t steps_up = 0;
  };
  std::unique_ptr<memory> remembers;

  /// For judge_freshness().
  [[nodiscard]] const fingerprint* declared_definition() const { return declared.get(); }
};

/// Any thread, as long as each has a `findings` of its own.
class examiner {
public:
  /// `state_folder`: absolute; left out of globs.
  examiner(const pipeline& p, const asset_graph& graph, catalog& names, file_table& table, const file_system& files,
           std::string state_folder, env_lookup lookup);

  [[nodiscard]] const asset_graph& graph() const { return graph_; }
  /// Files that are no input by accident; before any examination.
  void leave_out(orphan_set orphans) { orphans_ = std::move(orphans); }
  /// Where values are that functions handed on; before any examination. Null: those in files are not looked for.
  void use_values(const value_store* values) { values_ = values; }
  [[nodiscard]] const orphan_set& orphans() const { return orphans_; }

  /// `before`: the asset's record, for the inputs it discovered. `version_of`: data version of an upstream by name.
  /// `seen`: what was seen of its files a moment ago. `failed`: upstreams that failed and were allowed to: an input
  /// that one of them makes may be missing.
  void examine(asset_index asset, const asset_record& before, const std::function<digest(asset_index)>& version_of,
               look how, findings& out, const recent_glances& seen = {},
               std::span<const asset_index> failed = {}) const;
  /// The content of the declared outputs now, sorted by path; an error names the file.
  [[nodiscard]] result<void> observe_outputs(asset_index asset, look how, std::vector<file_version>& out,
                                             const recent_glances& seen = {}) const;
  /// Why the asset cannot start now though `before`, its last examination, found that it could: a literal input that
  /// was there is gone. Blocks for a stat an input.
  [[nodiscard]] std::optional<std::string> lost_since(asset_index asset, const findings& before) const;
  /// All slots of literal inputs and outputs of the assets, each once, in the order given.
  [[nodiscard]] std::vector<path_slot> slots_of(const std::vector<asset_index>& assets) const;

private:
  [[nodiscard]] file_version version_of(asset_index asset, path_slot slot, const file_look& found) const;
  void warn_of_members_elsewhere(asset_index asset, findings& out) const;
  void add_input(asset_index asset, path_slot slot, look how, const recent_glances& seen, std::vector<file_version>& to,
                 findings& out) const;
  /// Why an asset cannot start without this input, which is not there; nullopt if it can. `makers` make it.
  [[nodiscard]] std::optional<std::string> why_missing(path_index input, std::span<const asset_index> makers,
                                                       std::span<const asset_index> failed) const;
  void add_glob(asset_index asset, path_index glob, findings& out) const;
  [[nodiscard]] std::uint32_t steps_up(asset_index asset, findings::memory* remembered) const;
  void define(asset_index asset, const asset_record& before, definer& defines, findings& out) const;
  /// Whether an orphan is left out of the asset's inputs; what follows from it is in `out`.
  [[nodiscard]] bool leaves_out(asset_index asset, const orphaned_output& one, std::string_view input,
                                findings& out) const;
  void refuse_folder(const orphaned_output& inside, std::string_view path, findings& out) const;
  [[nodiscard]] std::optional<reason> look_for_value(asset_index asset, const asset_record& before) const;
  void check_literal(asset_index asset, path_index input, findings& out) const;

  const pipeline& p_;
  const asset_graph& graph_;
  catalog& names_;
  file_table& table_;
  const file_system& files_;
  std::vector<std::string> skip_; ///< the state folder, as globs name it
  std::string real_state_;        ///< its identity
  env_lookup lookup_;
  orphan_set orphans_;
  const value_store* values_ = nullptr;
};

} // namespace troupe_internal
