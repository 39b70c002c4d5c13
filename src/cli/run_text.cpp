// The words, the tables, the ends of logs.
#include "cli/run_text.hpp"

#include "cli/log_text.hpp"
#include "core/journal/event_json.hpp"
#include "engine/project.hpp"
#include "views/reason_text.hpp"
#include "views/text.hpp"

#include <algorithm>
#include <ctime>
#include <unistd.h>
#include <utility>

namespace troupe_internal::cli {

namespace {

std::string run_name(run_number run) {
  return "#" + std::to_string(run.value);
}

/// Which attempt it was that failed; of an asset that failed before one, none.
std::string attempt_of(std::uint32_t attempts) {
  return attempts == 0 ? "" : " (attempt " + std::to_string(attempts) + ")";
}

} // namespace

std::string counts_text(const status_counts& counts) {
  static constexpr asset_status order[] = {asset_status::failed,  asset_status::blocked,  asset_status::cancelled,
                                           asset_status::running, asset_status::retrying, asset_status::ready,
                                           asset_status::waiting, asset_status::skipped,  asset_status::succeeded,
                                           asset_status::fresh};
  std::string out;
  for (const auto status : order)
    if (const auto count = counts[static_cast<std::size_t>(status)]; count > 0)
      out += (out.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(to_string(status));
  return out.empty() ? "nothing" : out;
}

tint tint_of(asset_status status) {
  switch (status) {
  case asset_status::succeeded:
    return tint::good;
  case asset_status::failed:
    return tint::bad;
  case asset_status::blocked:
  case asset_status::cancelled:
  case asset_status::retrying:
    return tint::warn;
  case asset_status::running:
  case asset_status::ready:
    return tint::info;
  case asset_status::waiting:
  case asset_status::fresh:
  case asset_status::skipped:
    return tint::dim;
  }
  return tint::none;
}

tint tint_of(run_status status) {
  switch (status) {
  case run_status::succeeded:
    return tint::good;
  case run_status::failed:
    return tint::bad;
  case run_status::cancelled:
  case run_status::interrupted:
    return tint::warn;
  case run_status::queued:
  case run_status::running:
    return tint::info;
  }
  return tint::none;
}

std::string leftover_text(const ended_process& one) {
  std::string text = "ended process " + std::to_string(one.pid) + " (" + printable(one.name) +
                     "), which an earlier run had left running: ";
  switch (one.why) {
  case leftover_proof::mark:
    return text + "its environment names this state, and a run that is gone";
  case leftover_proof::descendant:
    return text + "it descends from a command of that run";
  case leftover_proof::group:
    return text + "it is in the process group of a command of that run";
  }
  return text;
}

std::string local_time(timestamp t) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
  std::tm parts{};
  localtime_r(&seconds, &parts);
  char buffer[32];
  std::strftime(buffer, sizeof buffer, "%Y-%m-%d %H:%M:%S", &parts);
  return buffer;
}

std::string ago(timestamp then, timestamp now) {
  return now - then < std::chrono::seconds(1) ? "just now" : to_human(now - then) + " ago";
}

std::string short_path(const std::string& path) {
  char here[4096];
  if (::getcwd(here, sizeof here) == nullptr)
    return path;
  const std::string prefix = std::string(here) + "/";
  return path.starts_with(prefix) ? path.substr(prefix.size()) : path;
}

const std::string& log_name_of(const run_logs& logs, const asset_run_report& asset, std::uint32_t attempt) {
  // Runs of before there were identities named their logs after the asset.
  const bool by_name = asset.log_name.empty() || (!logs.has(asset.log_name, attempt) && logs.has(asset.name, attempt));
  return by_name ? asset.name : asset.log_name;
}

std::string log_of(const run_logs& logs, const asset_run_report& asset, std::uint32_t attempt) {
  return logs.path(log_name_of(logs, asset, attempt), attempt);
}

std::string log_of(const run_logs& logs, const asset_run_report& asset) {
  return asset.last_log_attempt > 0 ? log_of(logs, asset, asset.last_log_attempt) : std::string();
}

void print_failures(const output& to, const std::string& state_folder, const run_report& report, std::size_t most,
                    const std::function<std::vector<std::string>(const std::string&)>& more_of, std::size_t log_lines) {
  const run_logs logs(state_folder, report.run.run);
  std::size_t shown = 0, failed = 0;
  for (const auto& asset : report.assets) {
    const bool given_up = was_given_up(asset, report.run.status);
    if ((asset.status != asset_status::failed && !given_up) || ++failed > most)
      continue;
    ++shown;
    const auto* what = given_up ? "failed, not tried again: " : asset.allowed ? "failed (allowed to): " : "failed: ";
    to.stream << "\n"
              << to.colours.paint(asset.allowed ? tint::warn : tint::bad, what)
              << to.colours.paint(tint::strong, printable(asset.name)) << attempt_of(asset.attempts) << ": "
              << (asset.error.empty() ? "no more is known" : printable(asset.error)) << "\n";
    for (const auto& line : more_of ? more_of(asset.name) : std::vector<std::string>())
      to.stream << "  " << printable(line) << "\n";
    const auto log = log_of(logs, asset);
    if (log.empty())
      continue;
    to.stream << "  log: " << printable(short_path(log)) << "\n";
    if (log_lines == 0)
      continue;
    const auto file = logs.open(log_name_of(logs, asset, asset.last_log_attempt), asset.last_log_attempt);
    if (!file && file.error().code != error_code::not_found)
      to.stream << "  the log is not shown: " << printable(file.error().message) << "\n";
    if (!file)
      continue;
    for (const auto& line : last_lines(file->get(), log_lines))
      to.stream << to.colours.paint(tint::dim, "  | ") << line << "\n";
  }
  if (failed > shown)
    to.stream << "\n… and " << failed - shown << " more failed: troupe show " << report.run.run.value << "\n";
}

void print_summary(const output& to, run_status status, run_number run, const status_counts& counts, duration took,
                   const progress_totals& totals) {
  std::string more;
  if (totals.unchanged > 0)
    more += "; " + std::to_string(totals.unchanged) + " produced what was there before";
  if (totals.spared > 0)
    more += "; early cut-off spared " + counted(totals.spared, "asset");
  to.stream << to.colours.paint(tint_of(status), "run " + run_name(run) + " " + std::string(to_string(status)))
            << " in " << to_human(took) << ": " << counts_text(counts) << more << "\n";
}

namespace {

/// Empty for what a person asked for at the command line.
std::string cause_text(const run_cause& cause) {
  if (cause == run_cause{})
    return {};
  std::string text(to_string(cause.kind));
  if (!cause.trigger.empty())
    text += " " + printable(cause.trigger);
  if (!cause.by.empty())
    text += " " + printable(cause.by);
  std::vector<std::string> events;
  for (const auto id : cause.events)
    events.push_back(std::to_string(id));
  return text + (events.empty() ? "" : " (" + counted(events.size(), "event") + ": " + listed(events, 5) + ")");
}

} // namespace

void print_run(const output& to, const std::string& state_folder, const run_report& report, bool with_fresh,
               timestamp now) {
  const auto& run = report.run;
  to.stream << to.colours.paint(tint::strong, "run " + run_name(run.run)) << " of " << printable(run.pipeline) << ": "
            << to.colours.paint(tint_of(run.status), to_string(run.status)) << "\n"
            << "  id        " << to_string(run.id) << "\n"
            << (never_started(run) ? "  queued    " : "  started   ") << local_time(run.started_at) << " ("
            << ago(run.started_at, now) << ")\n";
  if (run.queued_at && !never_started(run))
    to.stream << "  waited    " << to_human(run.started_at - *run.queued_at) << " in the queue\n";
  if (const auto cause = cause_text(run.cause); !cause.empty())
    to.stream << "  cause     " << cause << "\n";
  if (run.dequeued)
    to.stream << "  left      " << local_time(run.finished_at.value_or(run.started_at))
              << ", never started: " << to_string(*run.dequeued)
              << (run.continued_by.value != 0 ? " by run " + run_name(run.continued_by) : "") << "\n";
  else if (run.finished_at)
    to.stream << "  finished  " << local_time(*run.finished_at) << ", took "
              << to_human(*run.finished_at - run.started_at)
              << (run.timed_out ? ", ended: it took longer than its timeout" : "") << "\n";
  const auto& request = run.request;
  std::string asked;
  for (const auto& word : request.selection)
    asked += " " + word;
  for (const auto& word : request.exclude)
    asked += " --exclude " + word;
  for (const auto& [key, value] : request.params)
    asked.append(" --param ").append(key).append("=").append(value);
  asked += std::string(request.only ? " --only" : "") + (request.force ? " --force" : "");
  to.stream << "  asked     " << (asked.empty() ? "everything" : printable(asked.substr(1))) << "\n";
  status_counts counts{};
  for (const auto& asset : report.assets)
    ++counts[static_cast<std::size_t>(asset.status)];
  to.stream << "  assets    " << counts_text(counts) << "\n";

  table rows({{"ASSET", false, true, true},
              {"STATUS", false, false},
              {"TRIES", true, false},
              {"DURATION", true, false},
              {"WHY", false, true}});
  std::size_t hidden = 0;
  for (const auto& asset : report.assets) {
    if (asset.status == asset_status::fresh && !with_fresh) {
      ++hidden;
      continue;
    }
    std::string why = reason_words(asset.reasons);
    if (asset.status == asset_status::blocked)
      why = "blocked by " + asset.because +
            (asset.error.empty() || asset.error == "needs " + asset.because ? "" : ": " + asset.error);
    else if (was_given_up(asset, run.status))
      why = asset.error + "; not tried again, because the run " +
            (run.status == run_status::interrupted ? "was interrupted" : "stopped");
    else if (!asset.error.empty())
      why = asset.error;
    rows.row({asset.name,
              {std::string(to_string(asset.status)) + (asset.status == asset_status::succeeded && !asset.changed
                                                           ? ", unchanged"
                                                       : asset.allowed ? ", allowed"
                                                                       : ""),
               asset.allowed ? tint::warn : tint_of(asset.status)},
              asset.attempts == 0 ? "" : std::to_string(asset.attempts),
              asset.attempts == 0 || asset.status == asset_status::running ? "" : to_human(asset.took),
              why});
  }
  if (!rows.empty())
    to.stream << "\n";
  rows.print(to);
  if (hidden > 0)
    to.stream << (rows.empty() ? "\n" : "")
              << to.colours.paint(tint::dim, counted(hidden, "fresh asset") + " not listed (--all lists them)") << "\n";
  print_failures(to, state_folder, report, report.assets.size());
  bool first = true;
  for (const auto& asset : report.assets)
    for (const auto& warning : asset.warnings) {
      to.stream << (std::exchange(first, false) ? "\n" : "") << to.colours.paint(tint::warn, "warning: ")
                << warning_line(asset.name, warning.what)
                << (asset.attempts > 1 ? " (attempt " + std::to_string(warning.attempt) + ")" : "") << "\n";
    }
}

void print_runs(const output& to, const std::vector<run_record>& runs, timestamp now) {
  table rows({{"RUN", true, false},
              {"PIPELINE", false, true},
              {"STATUS", false, false},
              {"STARTED", false, false},
              {"DURATION", true, false},
              {"ASSETS", false, true}});
  for (const auto& run : runs)
    rows.row(
        {run_name(run.run),
         run.pipeline,
         {std::string(to_string(run.status)), tint_of(run.status)},
         (never_started(run) ? "queued " : "") + local_time(run.started_at) + " (" + ago(run.started_at, now) + ")",
         run.finished_at && !run.dequeued ? to_human(*run.finished_at - run.started_at) : std::string(),
         run.finished_at && !run.dequeued ? counts_text(run.counts) : std::string()});
  rows.print(to);
}

} // namespace troupe_internal::cli
