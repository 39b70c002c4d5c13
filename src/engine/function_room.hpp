// What all functions of an engine share: threads, values, deadlines, folders for what they leave lying about. Knows
// nothing of runs.
#pragma once

#include "adapters/journal/value_files.hpp"
#include "adapters/state/state_dir.hpp"
#include "engine/deadline_watch.hpp"
#include "engine/function_threads.hpp"
#include "engine/value_cache.hpp"
#include "ports/journal_store.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// A function that is being called, as people and programs are told of it.
struct function_report {
  run_number run;
  std::string asset; ///< "PIPELINE/ASSET"
  std::uint32_t attempt = 0;
  duration running{};         ///< so far
  bool stopping = false;      ///< it was asked to stop, and has not returned
  std::optional<double> done; ///< what it last said of its progress; nullopt: nothing yet
  std::string words;
};

struct function_options {
  unsigned threads = 1; ///< functions at a time
  std::uint64_t memory_for_values = std::uint64_t{256} << 20U;
  std::uint64_t value_limit = std::uint64_t{4} << 30U;
  bool durable = true; ///< values are forced to disk
  /// Called on the function's thread each time that it tells how far it is. It may not call the engine.
  std::function<void(const function_report&)> progress{};
  /// Called on the function's thread when it has returned, before anybody hears of that.
  std::function<void()> returned{};
};

/// Any thread.
class function_room {
public:
  /// While it lives, a function of this asset is being called.
  class call {
  public:
    call(function_room& room, run_number run, std::string_view in, std::string_view asset, std::uint32_t attempt,
         const troupe_stop& stop);
    ~call();
    call(const call&) = delete;
    call& operator=(const call&) = delete;

    /// How far it is. `done`: of 1.
    void progress(double done, std::string_view words);

  private:
    friend class function_room;
    /// The room's mutex is held.
    [[nodiscard]] function_report report() const;

    function_room& room_;
    const run_number run_;
    const std::string_view pipeline_;
    const std::string_view asset_;
    const std::uint32_t attempt_;
    const troupe_stop& stop_;
    const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    std::optional<double> done_; ///< guarded by the room's mutex, as words_ is
    std::string words_;
  };
  /// All that are being called, those that began first at the front.
  [[nodiscard]] std::vector<function_report> calls();
  /// The functions that are being called, for people: "waits of run #3".
  [[nodiscard]] std::vector<std::string> being_called();

  function_room(state_dir::handle dir, const function_options& how);
  function_room(const function_room&) = delete;
  function_room& operator=(const function_room&) = delete;

  [[nodiscard]] function_threads& threads() { return threads_; }
  [[nodiscard]] value_store& values() { return values_; }
  [[nodiscard]] value_cache& cache() { return cache_; }
  [[nodiscard]] deadline_watch& deadlines() { return deadlines_; }
  [[nodiscard]] std::uint64_t value_limit() const { return how_.value_limit; }
  /// Whether the calling thread runs a function of this engine.
  [[nodiscard]] bool is_here() const { return function_threads::is_here(this); }

  /// Makes a folder of this name in the state; its path.
  [[nodiscard]] result<std::string> make_scratch(const std::string& name);
  void remove_scratch(const std::string& name);
  /// Removes what an earlier process has left: folders of its functions, and values that no record of an asset names.
  /// While no run is live.
  [[nodiscard]] result<void> tidy(const journal_snapshot& snapshot);

private:
  const state_dir::handle dir_;
  const function_options how_;
  value_files values_;
  value_cache cache_;
  deadline_watch deadlines_;
  std::mutex mutex_; ///< guards what follows
  std::shared_ptr<const kept_folder> scratch_;
  std::set<const call*> calls_;
  function_threads threads_; ///< last: its work uses the others
};

} // namespace troupe_internal
