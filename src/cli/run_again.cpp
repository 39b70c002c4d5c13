// A run, a wait, a run.
#include "cli/run_again.hpp"

#include "adapters/system/system_clock.hpp"
#include "cli/asset_lookup.hpp"
#include "cli/beside_supervisor.hpp"
#include "cli/input_watch.hpp"
#include "cli/signals.hpp"
#include "core/pipeline/parent_paths.hpp"
#include "engine/state_layout.hpp"
#include "engine/state_wait.hpp"
#include "views/text.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe_internal::cli {

namespace {

constexpr int by_signal = 128;
constexpr std::size_t most_listed = 3;

std::vector<std::string> names_of(const pipeline& p, const std::vector<std::string>& paths) {
  std::vector<std::string> names;
  for (const auto& path : paths)
    names.push_back(printable(relative_to(p.folder, path)));
  return names;
}

/// The runs, and what is known between them.
class watched_runs {
public:
  watched_runs(invocation& with, const run_arguments& arguments, input_watch& files)
      : with_(with), arguments_(arguments), files_(files) {}

  int go(const std::function<int()>& once) {
    if (!look())
      return once(); // which says what is wrong
    for (;;) {
      const int status = once();
      if (status > by_signal)
        return status;
      if (with_.signalled > 0) // it came when the run was at its end already
        return by_signal + with_.signalled;
      auto during = files_.take();
      const auto values = on_->p->values_read;
      if (look() && (on_->p->values_read != values || (!during.files.empty() && !is_own(during.files)))) {
        before_ = std::move(during.files);
        announce(before_);
      } else {
        before_.clear();
        if (const int ended = wait(); ended != 0)
          return ended;
      }
      if (const int ended = wait_for_state(); ended != 0)
        return ended;
      with_.io.started = system_clock().monotonic();
    }
  }

private:
  /// Watches what the pipeline reads now; false if it has mistakes: then what was watched is watched on.
  bool look() {
    const auto request = with_.project_request();
    diagnostics said_by_the_run;
    auto on = request ? open_project(*request, said_by_the_run) : request.error();
    if (!on)
      return false;
    const auto selection = located(*on, arguments_.options.selection);
    auto inputs = inputs_to_watch(*on, selection, arguments_.options.only);
    if (!inputs)
      return false;
    on_ = std::move(*on);
    const auto own = [this](const std::string& path) {
      if (path == on_->state_folder || lies_beneath(path, on_->state_folder))
        return true;
      const auto maker = on_->graph->maker_of(*on_->p, relative_to(on_->p->folder, path));
      return maker && !on_->p->is_source(*maker);
    };
    for (const auto& problem : files_.set(std::move(*inputs), own))
      if (told_.insert(problem).second)
        with_.warn(problem);
    return true;
  }

  /// Whether the same files changed while the run before went on, which they had started: then it is the runs that
  /// change them, and another run would change them again.
  [[nodiscard]] bool is_own(const std::vector<std::string>& during) {
    const bool own = !before_.empty() && std::includes(before_.begin(), before_.end(), during.begin(), during.end());
    if (own)
      with_.warn(listed(names_of(*on_->p, during), most_listed) +
                 " changed during two runs in a row: this starts no further run until it changes again");
    return own;
  }

  void announce(const std::vector<std::string>& changed) {
    const auto& to = with_.io.out;
    const auto what = changed.empty() ? "values" : listed(names_of(*on_->p, changed), most_listed);
    to.stream << to.colours.paint(tint::dim, "changed: " + what) << "\n" << std::flush;
  }

  int wait() {
    const auto& to = with_.io.out;
    to.stream << to.colours.paint(tint::dim, "watching " + counted(files_.folders(), "folder") + "; Ctrl-C ends this")
              << "\n"
              << std::flush;
    stop_request stop;
    const signal_guard guard(stop);
    for (;;) {
      const auto changed = files_.wait(stop);
      if (stop.count() > 0)
        return by_signal + stop.signal();
      if (changed.files.empty() && !values_changed())
        continue;
      announce(changed.files);
      return 0;
    }
  }

  /// Whether the pipeline reads other values from files than it did; true if it has mistakes now, too.
  [[nodiscard]] bool values_changed() const {
    const auto request = with_.project_request();
    diagnostics said_by_the_run;
    const auto on = request ? open_project(*request, said_by_the_run) : request.error();
    return !on || on->p->values_read != on_->p->values_read;
  }

  /// Another process may run meanwhile.
  int wait_for_state() {
    if (supervisor_here(with_)) // it takes the run on
      return 0;
    stop_request stop;
    const signal_guard guard(stop);
    wait_setup how;
    how.told = [this](const std::string& line) { with_.io.err.stream << printable(line) << "\n" << std::flush; };
    const auto ended = wait_until_free(on_->state_folder, how, stop);
    return !ended && stop.count() > 0 ? by_signal + stop.signal() : 0;
  }

  invocation& with_;
  const run_arguments& arguments_;
  input_watch& files_;
  std::optional<project> on_;
  std::vector<std::string> before_; ///< what changed during the last run and started the next; empty: it was not so
  std::set<std::string> told_;
};

} // namespace

int run_and_watch(invocation& with, const run_arguments& arguments, const std::function<int()>& once) {
  auto files = input_watch::open();
  if (!files)
    return with.report(files.error());
  return watched_runs(with, arguments, **files).go(once);
}

} // namespace troupe_internal::cli
