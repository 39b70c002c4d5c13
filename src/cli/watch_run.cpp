// A run as the user sees it: progress while it goes on, then how it ended. What `run` and `resume` share.
#include "adapters/system/system_clock.hpp"
#include "cli/event_stream.hpp"
#include "cli/logging.hpp"
#include "cli/output_lines.hpp"
#include "cli/progress.hpp"
#include "cli/run_arguments.hpp"
#include "cli/run_text.hpp"
#include "cli/signals.hpp"
#include "engine/shown_commands.hpp"
#include "views/command_text.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace troupe_internal::cli {

namespace {

constexpr std::size_t failures_shown = 20; // `troupe show` tells all

std::uint32_t total(const status_counts& counts) {
  std::uint32_t sum = 0;
  for (const auto count : counts)
    sum += count;
  return sum;
}

std::vector<std::string> allowed_to_fail(const project& on, const std::vector<asset_index>& failed) {
  std::vector<std::string> names;
  for (const auto asset : failed)
    if (on.p->settings_of(asset).allow_failure)
      names.emplace_back(on.p->asset(asset).name);
  return names;
}

/// Of the first that failed. What they are is shown beside how they ended: where that cannot be told, nothing is.
std::map<std::string, shown_command> commands_of(const project& on, const std::vector<asset_index>& failed) {
  const auto most = std::min<std::size_t>(failed.size(), failures_shown);
  std::map<std::string, shown_command> commands;
  const auto shown = shown_commands(on, {failed.begin(), failed.begin() + static_cast<std::ptrdiff_t>(most)});
  if (shown)
    for (const auto& [asset, command] : *shown)
      commands.emplace(on.p->asset(asset).name, command);
  return commands;
}

bool prints_outputs(const run_manner& manner) {
  return manner.output == "all" || manner.output == "live";
}

/// The same for those that begin, on one line each.
std::map<asset_index, std::string> command_lines(const project& on, const std::vector<asset_index>& assets) {
  std::map<asset_index, std::string> lines;
  const auto shown = shown_commands(on, assets);
  if (!shown)
    return lines; // of what cannot be filled in, the attempt itself says why
  for (const auto& [asset, command] : *shown)
    lines.emplace(asset, command_words(command));
  return lines;
}

void tell(const output& to, const project& on, const run_result& ended, duration took, const progress_totals& totals,
          const std::optional<run_report>& report, const run_manner& manner) {
  const auto assets = total(ended.counts);
  const bool well = ended.status == run_status::succeeded;
  if (ended.status == run_status::succeeded && ended.counts[static_cast<std::size_t>(asset_status::fresh)] == assets &&
      totals.started == 0) {
    if (!manner.quiet && !manner.silent_if_fresh)
      to.stream << to.colours.paint(tint::good, "all fresh") << ": " << counted(assets, "asset") << ", nothing to do ("
                << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms)\n";
    return;
  }
  const auto allowed = allowed_to_fail(on, ended.failed);
  if (report) {
    const auto commands = commands_of(on, ended.failed);
    const auto more_of = [&](const std::string& asset) {
      std::vector<std::string> lines;
      if (const auto found = commands.find(asset); found != commands.end())
        lines.push_back("command: " + command_words(found->second));
      if (const auto index = on.p->find(asset); index && !on.p->settings_of(*index).owners.empty())
        lines.push_back("owners: " + listed(on.p->settings_of(*index).owners, 5));
      return lines;
    };
    const bool shows_logs = manner.output.empty() || manner.output == "failed"; // else they are shown, or not wanted
    print_failures(to, on.state_folder, *report, failures_shown, more_of, shows_logs ? usual_log_lines : 0);
    to.stream << "\n";
  }
  if (manner.quiet && well)
    return;
  print_summary(to, ended.status, ended.run, ended.counts, took, totals);
  if (totals.printed > 0 && !prints_outputs(manner))
    to.stream << to.colours.paint(tint::dim, counted(totals.printed, "asset") + " printed something: troupe logs")
              << "\n";
  if (!allowed.empty())
    to.stream << "allowed to fail: " << printable(listed(allowed, 20)) << "\n";
  if (ended.status == run_status::failed || ended.status == run_status::cancelled)
    to.stream << to.colours.paint(tint::dim, "troupe show " + std::to_string(ended.run.value) +
                                                 " tells more; troupe resume " + std::to_string(ended.run.value) +
                                                 " goes on with it")
              << "\n";
}

} // namespace

int watch_run(invocation& with, const project& on, const run_manner& manner, const run_function& go) {
  // With --json standard output is the document's alone.
  const output& watched = with.options.json ? with.io.err : with.io.out;
  const system_clock time;
  stop_request stop;
  std::optional<result<run_result>> ended;
  progress_totals totals;
  std::size_t warnings = 0;
  {
    const signal_guard guard(stop);
    output_lines outputs(*on.p, on.state_folder, manner.output == "live");
    auto anew = on; // what was seen when the file was read is the run's
    anew.seen.reset();
    anew.journal_seen.reset();
    progress_manner how{.command_started = with.io.started, .quiet = manner.quiet};
    if (prints_outputs(manner))
      how.outputs = &outputs;
    if (manner.verbose)
      how.commands_of = [&anew](const std::vector<asset_index>& assets) { return command_lines(anew, assets); };
    progress shown(watched, *on.p, time, std::move(how));
    redirect_logging([&shown](std::string_view line) { shown.print_line(line); });
    std::optional<event_stream> events;
    if (with.options.lines)
      events.emplace(with.io.out, *on.p, time, shown);
    ended = go(events ? static_cast<run_observer&>(*events) : shown, stop);
    redirect_logging({});
    events.reset(); // all of it is written
    shown.finish();
    totals = shown.totals();
    warnings = shown.warnings();
    with.ended = shown.ended();
  }
  with.signalled = stop.signal();
  if (!*ended) {
    const int status = with.report(ended->error());
    const auto code = ended->error().code;
    if ((code == error_code::stopped || code == error_code::state_locked) && stop.signal() > 0)
      return 128 + stop.signal(); // the state's lock was waited for
    return ended->error().code == error_code::io ? static_cast<int>(exit_state) : status; // no fault of the pipeline's
  }
  const auto& run = **ended;
  // What the user waited: the run, and the opening before it and the closing after it.
  const auto took = std::max(time.monotonic() - with.io.started, run.finished_at - run.started_at);

  std::optional<run_report> report;
  // An asset that was to be tried again when the run stopped has failed as well.
  const bool any_failed = !run.failed.empty() || totals.given_up > 0;
  if (with.options.json || any_failed) {
    auto read = read_run_report(on.state_folder, run.run);
    if (!read)
      return with.report(read.error());
    report = std::move(*read);
  }
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    const run_logs logs(on.state_folder, run.run);
    if (with.options.lines) {
      json.begin_object().member("event", "run_ended").member("at", to_rfc3339(run.finished_at));
      write_run_members(json, report->run, count_assets(*report));
      json.end_object().finish();
    } else {
      write_run(
          json, *report, [&](const auto& asset, auto attempt) { return log_of(logs, asset, attempt); }, with.ended);
    }
  }
  tell(watched, on, run, took, totals, any_failed ? report : std::nullopt, manner);
  const bool refused = manner.strict && warnings > 0;
  if (refused && run.status == run_status::succeeded)
    watched.stream << watched.colours.paint(tint::bad, counted(warnings, "warning"))
                   << ": the exit status is that of a failed run (--strict)\n";
  watched.stream << std::flush;
  if (run.status == run_status::succeeded)
    return refused ? exit_failed : exit_ok;
  return stop.signal() > 0 ? 128 + stop.signal() : static_cast<int>(exit_failed);
}

} // namespace troupe_internal::cli
