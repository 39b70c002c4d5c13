// `troupe logs`: what an attempt wrote.
#include "cli/asset_lookup.hpp"
#include "cli/explain_run.hpp"
#include "cli/log_screen.hpp"
#include "cli/run_output.hpp"
#include "cli/run_text.hpp"
#include "cli/verbs.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <thread>

namespace troupe_internal::cli {

namespace {

struct logs_arguments {
  std::string asset;
  std::string run;
  std::optional<std::uint32_t> attempt;
  bool follow = false;
  bool raw = false;
  output_filter filter;
};

constexpr std::size_t read_bytes = 64 * 1024;
constexpr auto look_for_output_every = std::chrono::milliseconds(100);
constexpr int looks_per_report = 5; // reading the report replays the run's events

/// The asset ran, and retention has let its run go (or its runs have been dropped with the history).
error no_longer_kept(const std::string& asset, const asset_record& record) {
  return fail(
      error_code::not_found,
      printable(asset) + " last ran in run #" + std::to_string(record.attempt_run.value) +
          ", which is no longer kept, and neither is its log: engine.keep_runs and engine.keep_logs say how much "
          "is kept. troupe run --force --only " +
          printable(asset) + " runs it again");
}

/// The run whose log is meant, as a whole.
result<run_report> find_report(const std::string& state, const std::string& pipeline,
                               const std::vector<run_record>& runs, const logs_arguments& arguments) {
  if (!arguments.run.empty()) {
    auto run = find_run(state, arguments.run);
    if (!run)
      return run.error();
    return read_run_report(state, run->run);
  }
  // Other pipelines in the state may have an asset of this name: theirs is not meant while the pipeline at hand has
  // runs.
  const bool has_runs = std::any_of(runs.begin(), runs.end(), [&](const auto& r) { return r.pipeline == pipeline; });
  std::string hint;
  for (const auto& run : runs) {
    if (run.attempts == 0 && run.finished_at)
      continue; // it executed nothing
    if (has_runs && run.pipeline != pipeline)
      continue;
    auto report = read_run_report(state, run.run);
    if (!report && report.error().code == error_code::not_found)
      continue; // a writer has dropped it meanwhile
    if (!report)
      return report;
    const auto* asset = find_in(*report, arguments.asset);
    if (asset != nullptr && (asset->attempts > 0 || (arguments.follow && !is_final(asset->status))))
      return report;
    if (asset == nullptr && hint.empty())
      hint = nearest_of(arguments.asset, report->assets);
    if (asset == nullptr && !members_in(*report, arguments.asset).empty())
      return report;
  }
  const auto known = remember_asset(state, has_runs ? pipeline : "", arguments.asset);
  if (!known)
    return known.error();
  if (*known && (*known)->record.attempt != attempt_state::none)
    return no_longer_kept(arguments.asset, (*known)->record);
  return fail(error_code::not_found, "no run executed an asset '" + printable(arguments.asset) + "'" + hint);
}

/// Reads what is new in the file, piece by piece; returns how far it has come.
off_t read_from(const unique_fd& file, off_t from, const std::function<bool(std::string_view)>& take) {
  std::array<char, read_bytes> buffer;
  for (ssize_t got = 0; (got = pread(file.get(), buffer.data(), buffer.size(), from)) > 0;) {
    from += got;
    if (!take({buffer.data(), static_cast<std::size_t>(got)}))
      break;
  }
  return from;
}

/// Writes a log: to a terminal what may reach one, elsewhere and if `raw` the bytes. Lines of a whole log are written
/// as a terminal leaves them.
class log_output {
public:
  log_output(const output& to, bool raw, bool whole)
      : to_(to), screen_(to), view_([this](std::string_view line) { to_.pass(line); }), raw_(raw), whole_(whole) {}

  /// Whether anybody reads on.
  bool add(std::string_view bytes) {
    if (!raw_ && to_.terminal)
      screen_.add(bytes);
    else if (!raw_ && whole_)
      view_.add(bytes);
    else
      to_.pass(bytes);
    return to_.stream.good();
  }
  void rest() {
    if (!raw_ && to_.terminal)
      screen_.show_unfinished();
    to_.stream.flush();
  }
  void finish() {
    if (!raw_ && to_.terminal)
      screen_.finish();
    else
      view_.finish();
    to_.stream.flush();
  }

private:
  const output& to_;
  log_screen screen_;
  log_view view_;
  bool raw_, whole_;
};

/// Prints the attempt's output as it comes until the attempt has ended.
int follow(invocation& with, const std::string& state, run_report report, const logs_arguments& arguments) {
  const auto* asset = find_in(report, arguments.asset);
  const std::uint32_t attempt = arguments.attempt.value_or(std::max(asset->attempts, 1U));
  const run_logs logs(state, report.run.run);
  off_t at = 0;
  log_output shown(with.io.out, arguments.raw, false);
  // An error is of a log that is none. One that is not there may come, or has been dropped.
  const auto copy = [&]() -> result<void> {
    const auto file = logs.open(log_name_of(logs, *asset, attempt), attempt);
    if (file)
      at = read_from(*file, at, [&](std::string_view bytes) { return shown.add(bytes); });
    return file || file.error().code == error_code::not_found ? result<void>() : file.error();
  };
  for (int look = 1;; ++look) {
    const bool over = asset->attempts > attempt ||
                      (asset->attempts == attempt && asset->status != asset_status::running) ||
                      is_final(asset->status) || report.run.status == run_status::interrupted;
    if (const auto copied = copy(); !copied) // after the look at the status: nothing is written later
      return with.report(copied.error());
    if (over || !with.io.out.stream) {
      shown.finish();
      return exit_ok;
    }
    shown.rest();
    std::this_thread::sleep_for(look_for_output_every);
    if (look % looks_per_report == 0) {
      auto again = read_run_report(state, report.run.run);
      if (!again && again.error().code == error_code::not_found) { // it has ended, and later runs have had it dropped
        const auto copied = copy();
        shown.finish();
        return copied ? exit_ok : with.report(copied.error());
      }
      if (!again)
        return with.report(again.error());
      report = std::move(*again);
      asset = find_in(report, arguments.asset);
      if (asset == nullptr)
        return with.report(fail(error_code::internal, "the run lost the asset " + printable(arguments.asset)));
    }
  }
}

/// An empty history holds no output; that is no mistake.
int no_logs(invocation& with, const std::string& asset) {
  if (!with.options.json) {
    with.io.err.stream << "no runs yet\n";
    return exit_ok;
  }
  json_writer json(with.io.out.stream);
  begin_document(json);
  json.key("run").null().key("number").null().member("asset", asset);
  for (const auto* key : {"attempt", "log", "text"})
    json.key(key).null();
  json.end_object().finish();
  return exit_ok;
}

/// The latest run of the pipeline that executed something, or the one named.
result<run_report> report_of_run(const std::string& state, const std::string& pipeline,
                                 const std::vector<run_record>& runs, const logs_arguments& arguments) {
  if (!arguments.run.empty()) {
    const auto run = find_run(state, arguments.run);
    if (!run)
      return run.error();
    return read_run_report(state, run->run);
  }
  for (const auto& run : runs) {
    if (run.pipeline != pipeline || run.attempts == 0)
      continue;
    auto report = read_run_report(state, run.run);
    if (report || report.error().code != error_code::not_found)
      return report;
  }
  return fail(error_code::not_found, "no run of " + printable(pipeline) + " that is kept executed anything");
}

/// Without an asset, of a whole matrix, or filtered: lines of several logs.
int many_logs(invocation& with, const std::string& state, const run_report& report, const logs_arguments& arguments) {
  if (with.options.json || arguments.follow || arguments.raw || arguments.attempt)
    return with.report(
        fail(error_code::invalid_input,
             "--json, --follow, --raw and --attempt are for the log of one asset: name it, and leave out "
             "--failed, --tail and --grep"));
  const auto count = print_outputs(with.io.out, state, report, arguments.asset, arguments.filter);
  if (!count)
    return with.report(count.error());
  if (*count == 0)
    with.io.err.stream << "nothing was written in run #" << report.run.run.value
                       << (arguments.filter.failed ? " by what failed" : "") << "\n";
  return exit_ok;
}

int logs(invocation& with, const logs_arguments& arguments) {
  if (arguments.follow && with.options.json)
    return with.report(fail(error_code::invalid_input, "--follow writes text as it comes; it does not go with --json"));
  std::string pipeline;
  auto state = with.state_folder(&pipeline);
  if (!state)
    return with.report(state.error());
  auto runs = list_runs(*state, 0);
  if (!runs)
    return with.report(runs.error());
  if (runs->empty() && arguments.run.empty() && !arguments.follow)
    return no_logs(with, arguments.asset);
  if (arguments.asset.empty()) {
    const auto last = report_of_run(*state, pipeline, *runs, arguments);
    return last ? many_logs(with, *state, *last, arguments) : with.report(last.error());
  }
  auto report = find_report(*state, pipeline, *runs, arguments);
  if (!report)
    return with.report(report.error());
  const bool is_matrix = find_in(*report, arguments.asset) == nullptr && !members_in(*report, arguments.asset).empty();
  if (!arguments.filter.empty() || (is_matrix && !with.options.json && !arguments.follow))
    return many_logs(with, *state, *report, arguments);
  const auto run = report->run.run;
  const auto* asset = find_in(*report, arguments.asset);
  if (const auto members = members_in(*report, arguments.asset); asset == nullptr && !members.empty())
    return with.report(is_a_matrix(arguments.asset, members));
  if (asset == nullptr)
    return with.report(fail(error_code::not_found, "run #" + std::to_string(run.value) + " has no asset '" +
                                                       printable(arguments.asset) + "'" +
                                                       nearest_of(arguments.asset, report->assets)));
  if (arguments.follow)
    return follow(with, *state, std::move(*report), arguments);

  std::uint32_t attempt = arguments.attempt.value_or(asset->last_log_attempt);
  if (attempt == 0)
    attempt = asset->attempts; // no output is known of; a live attempt may have written by now
  if (arguments.attempt && attempt > asset->attempts)
    return with.report(fail(error_code::not_found, printable(asset->name) + " had " +
                                                       counted(asset->attempts, "attempt") + " in run #" +
                                                       std::to_string(run.value)));
  const run_logs logs(*state, run);
  const auto& name = log_name_of(logs, *asset, attempt);
  const auto file = logs.open(name, attempt);
  const bool there = attempt > 0 && file;
  if (attempt > 0 && !file && file.error().code != error_code::not_found)
    return with.report(file.error());
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    begin_document(json);
    json.member("run", to_string(report->run.id)).member("number", run.value).member("asset", asset->name);
    json.member("attempt", attempt).key("log");
    if (there) {
      json.value(logs.path(name, attempt)).key("text").begin_text();
      read_from(*file, 0, [&](std::string_view bytes) {
        json.add_text(bytes);
        return with.io.out.stream.good();
      });
      json.end_text();
    } else {
      json.null().key("text").null();
    }
    json.end_object().finish();
    return exit_ok;
  }
  if (there) {
    log_output shown(with.io.out, arguments.raw, true);
    read_from(*file, 0, [&](std::string_view bytes) { return shown.add(bytes); });
    shown.finish();
  } else if (attempt == 0)
    with.io.err.stream << printable(asset->name) << " was not executed in run #" << run.value << " ("
                       << to_string(asset->status) << ")\n";
  else
    with.io.err.stream << "attempt " << attempt << " at " << printable(asset->name) << " in run #" << run.value
                       << (attempt == asset->last_log_attempt
                               ? " wrote output, but its log is gone (engine.keep_logs says how long logs are kept)"
                               : " wrote nothing")
                       << "\n";
  return exit_ok;
}

} // namespace

void declare_logs(command_spec& root, invocation& with) {
  auto to = std::make_shared<logs_arguments>();
  auto& verb = root.subcommand("logs", "Print what an attempt at an asset wrote, or all of a run");
  verb.positional("ASSET", to->asset, false, "the asset; default: all of the latest run, each line with its asset")
      .completes = completion::assets;
  verb.text("-r,--run", "RUN", to->run, "which run; default: the latest that executed the asset").completes =
      completion::runs;
  verb.number("--attempt", "N", to->attempt, 1, "which attempt; default: the last with output");
  verb.flag(
      "--raw", to->raw,
      "every byte as it was written: on a terminal also control sequences other than colours, everywhere also what "
      "was overwritten on the screen since");
  verb.flag("--failed", to->filter.failed, "only of assets that failed");
  verb.number("--tail", "N", to->filter.tail, 1, "only the last N lines of each");
  verb.text("--grep", "TEXT", to->filter.grep, "only lines that hold this text");
  verb.flag("--follow", to->follow, "go on as the attempt writes, until it has ended");
  verb.examples = {{"troupe logs report", "the latest output of report"},
                   {"troupe logs --failed --tail 20", "how what failed in the latest run ended"},
                   {"troupe logs report --run 42 --attempt 1", "what its first attempt in run #42 wrote"},
                   {"troupe logs report --follow", "what it writes now"}};
  verb.action = [to, &with] {
    to->asset = asset_called(with, to->asset);
    return logs(with, *to);
  };
}

} // namespace troupe_internal::cli
