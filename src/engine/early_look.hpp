// Looks at the files of a pipeline while its text is still being read, on a thread of its own: a stat waits for the
// system, reading text for the processor. Knows nothing of records or of what a stat means.
#pragma once

#include "base/large_pages.hpp"
#include "config/load_pipeline.hpp"
#include "core/model/materialization.hpp"
#include "core/pipeline/pipeline.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace troupe_internal {

/// What it finds is how files were at some moment after the command began, maybe before the state was locked. So it may
/// only vouch for what is recorded, never contradict it: a stat that differs has to be taken again.
class early_look {
public:
  /// `at_work`, if any, is told whether there is something to look at, whenever that may have changed; on the thread.
  explicit early_look(std::function<void(bool)> at_work = {}) : at_work_(std::move(at_work)) {}
  ~early_look();
  early_look(const early_look&) = delete;
  early_look& operator=(const early_look&) = delete;

  /// The next paths of `p`, in the order of their numbers; their text stays where it is as long as `p` lives. One
  /// thread.
  void add(const std::shared_ptr<const pipeline>& p, std::span<const std::string_view> paths);
  /// Which of the paths are links, once all are added. The caller's thread takes its share of the looking, from the
  /// last path backwards, until the two meet; a large folder that the other is still looking at is not waited for.
  [[nodiscard]] config::links_seen find_links();
  /// Ends the looking, and returns by path_index what was found so far: kind absent where nothing was, or where nobody
  /// has looked yet. A second call returns nothing. A look at a large folder is waited for, unless `enough` says that
  /// nobody wants it any more.
  [[nodiscard]] large_vector<file_stat> take(const std::function<bool()>& enough = {});

private:
  void work();
  void look();
  void look_from_the_back();
  void stop(const std::function<bool()>& enough);

  std::function<void(bool)> at_work_;
  std::shared_ptr<const pipeline> p_; // holds the texts
  std::mutex mutex_;
  std::condition_variable more_, ended_;
  large_vector<std::string_view> paths_; // all; with the mutex held
  std::size_t first_ = 0;                // of paths_ that nobody has taken yet; with the mutex held
  std::size_t last_ = 0;                 // behind the last such; with the mutex held
  std::atomic<bool> stopped_{false};     // set with the mutex held
  std::atomic<bool> broken_off_{false};
  bool over_ = false;                // under mutex_
  std::vector<std::uint32_t> links_; // numbers of paths that are links; with the mutex held
  std::atomic<std::size_t> looked_at_{0};
  large_vector<file_stat> seen_; // the thread's while there is one
  large_vector<file_stat> back_; // of the last paths, backwards; a folder is absent there: planning looks at it
  std::thread thread_;
};

} // namespace troupe_internal
