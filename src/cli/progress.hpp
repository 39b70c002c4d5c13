// Shows a run while it goes on: a block repainted by a thread of its own on a terminal, lines where it is none or
// where another job has the terminal. Knows
// how to write to terminals; what it shows is progress_model's.
#pragma once

#include "cli/output_lines.hpp"
#include "cli/progress_model.hpp"
#include "ports/clock.hpp"
#include "ports/run_observer.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace troupe_internal::cli {

/// What is shown beside how the run goes.
struct progress_manner {
  /// By the clock of the moments; the block says how long that is ago. None: when the run began.
  std::optional<duration> command_started{};
  bool quiet = false; ///< nothing of what goes well
  /// Whose lines are shown, if not null; it outlives the progress, and nobody else uses it.
  output_lines* outputs = nullptr;
  /// The commands of assets that begin, on one line each, for people; empty: they are not shown. On the painting
  /// thread: it may take its time.
  std::function<std::map<asset_index, std::string>(const std::vector<asset_index>&)> commands_of{};
};

/// Observes one run. The observer's calls cost a lock and some text; all writing happens on the painting thread, at
/// most ten times a second. Nobody else may write to the output between run_began and finish. The cursor is never
/// hidden and rests below the block, so that nothing needs to be restored, whatever ends the process.
class progress final : public run_observer {
public:
  progress(const output& to, const pipeline& p, const clock& time, progress_manner how = {});
  ~progress() override;
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  void run_began(const run_outline& outline) override;
  void attempt_began(asset_index asset, std::uint32_t attempt, const std::vector<reason>& reasons,
                     duration expected) override;
  void attempt_ended(asset_index asset, const attempt_end& end) override;
  void asset_settled(asset_index asset, asset_status status, asset_index because, std::string_view message) override;
  void run_stopping(stop_cause cause) override;
  void warned(asset_index asset, const attempt_warning& warning) override;
  void noted(std::string_view text) override { print_line(text); }
  void leftovers_ended(const std::vector<ended_process>& processes) override;

  /// A line for the screen from elsewhere (a log message); any thread.
  void print_line(std::string_view text);
  /// Removes the block, writes the lines that are left, ends the thread. Repeated calls do nothing.
  void finish();
  /// After finish(): how many different warnings there were.
  [[nodiscard]] std::size_t warnings() const { return warned_.size(); }
  /// After finish(): what an earlier run had left running, and was ended.
  [[nodiscard]] const std::vector<ended_process>& ended() const { return ended_; }
  /// After finish().
  [[nodiscard]] const progress_totals& totals() const { return model_.totals(); }

private:
  /// The beginning or the end of an attempt, and the lines before it: what it brings is fetched by the painting thread.
  struct turn {
    std::string lines;
    asset_index asset;
    std::uint32_t attempt = 0;
    bool began = false;
  };
  [[nodiscard]] bool has_turns() const { return how_.outputs != nullptr || how_.commands_of; }
  [[nodiscard]] std::string text_of(std::vector<turn> turns);
  void paint_until_finished();
  void paint(std::unique_lock<std::mutex>& held, bool last);

  const output& to_;
  const pipeline& p_;
  const clock& time_;
  const progress_manner how_;
  const bool repaint_;
  std::mutex mutex_;
  std::condition_variable wake_;
  progress_model model_;                      // under mutex_
  std::set<std::string, std::less<>> warned_; // under mutex_
  std::vector<ended_process> ended_;          // under mutex_
  std::vector<turn> turns_;                   // under mutex_
  bool finished_ = false;                     // under mutex_
  bool began_ = false;                        // under mutex_
  unsigned continued_ = 0;                    // painting thread: times_continued() when it last painted
  std::vector<std::size_t> on_screen_;        // painting thread: width of each line of the block that is on the screen
  std::thread painter_;
};

} // namespace troupe_internal::cli
