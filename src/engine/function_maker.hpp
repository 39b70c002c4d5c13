// Makes assets by functions of the host: finds what they take, calls them on threads of their own, keeps what they hand
// on. Knows nothing of freshness or of outputs.
#pragma once

#include "adapters/process/state_logs.hpp"
#include "engine/attempt_maker.hpp"
#include "engine/catalog.hpp"
#include "engine/function_room.hpp"
#include "engine/host_function.hpp"
#include "ports/journal_store.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace troupe_internal {

/// What is the same for all functions of a run.
struct function_surroundings {
  const pipeline& p;
  const catalog& names;
  const journal_store& store;
  const function_set& functions;
  function_room& room; ///< others may use it too
  state_logs& logs;
  uuid run_id;
  run_number run;
  std::string events_file{}; ///< what triggered the run, as JSON; empty: nothing did
};

class function_maker final : public attempt_maker {
public:
  explicit function_maker(function_surroundings around);

  [[nodiscard]] result<void> prepare(asset_index asset, const findings& found) override;
  void make(asset_index asset, std::uint32_t attempt, std::function<void(process_spawned)> spawned,
            std::function<void(work_end)> ended) override;
  /// A function cannot be ended: it is asked to stop, however urgent it is.
  void end_all(urgency how) override;
  void succeeded(asset_index asset, const production& made) override;

  [[nodiscard]] const function_surroundings& around() const { return around_; }
  [[nodiscard]] const std::string& run_text() const { return run_text_; }
  /// A value that the asset takes, with this type. Errors: in words for people, with the asset that makes it.
  [[nodiscard]] result<held_value> argument(asset_index asset, std::size_t number, const troupe_type& as);

private:
  [[nodiscard]] work_end carry_out(asset_index asset, std::uint32_t attempt, troupe_stop& stop,
                                   function_room::call& called);
  /// What is kept of the value of an asset, which has this version. Errors: there is none.
  [[nodiscard]] result<stored_value> kept_value(asset_index asset, const digest& version) const;

  function_surroundings around_;
  std::string run_text_;
  /// By asset_index: data versions of its arguments, as its last examination found them.
  std::vector<std::unique_ptr<std::vector<digest>>> versions_;
  std::atomic<bool> ending_{false};

  mutable std::mutex mutex_; ///< guards what follows
  std::set<troupe_stop*> running_;
  struct made_here {
    digest version;
    stored_value kept;
  };
  std::map<asset_index, made_here> made_;       ///< by this run
  std::map<asset_index, held_value> handed_on_; ///< by attempts that have ended, and may have succeeded
};

} // namespace troupe_internal
