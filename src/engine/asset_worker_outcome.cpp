// What an attempt has come to: how its process ended, what it reported, what it made.
#include "engine/asset_worker.hpp"

#include "base/check.hpp"
#include "base/utf8.hpp"
#include "core/model/delta.hpp"
#include "core/model/result_limits.hpp"
#include "core/model/warning.hpp"
#include "core/pipeline/ignored_warnings.hpp"
#include "engine/attempt_report.hpp"
#include "engine/discovered_inputs.hpp"
#include "engine/file_makers.hpp"
#include "engine/state_layout.hpp"

#include <algorithm>
#include <filesystem>
#include <string.h>
#include <sys/stat.h>

namespace troupe_internal {

namespace {

std::string_view word_of_work(const pipeline& p, asset_index asset) {
  return p.declaration(asset).kind == command_kind::function ? "function" : "command";
}

} // namespace

execution asset_worker::finish(asset_index asset, std::uint32_t attempt, const attempt_start& start, work_end end,
                               const recent_glances* quick) {
  auto out = std::move(end.so_far);
  out.took = setup_.time.monotonic() - start.monotonic;
  if (out.outcome == outcome_kind::succeeded)
    check_products(asset, attempt, start.at, &end, quick, out);
  else if (says_skipped(asset, out))
    judge_skip(asset, attempt, out);
  drop_ignored(setup_.p.settings_of(asset), out.warnings);
  hide_secrets(out);
  if (out.outcome == outcome_kind::succeeded)
    maker_of(asset).succeeded(asset, *out.made);
  else
    maker_of(asset).drop_report(asset, attempt);
  return out;
}

bool asset_worker::says_skipped(asset_index asset, const execution& out) const {
  const auto& codes = setup_.p.settings_of(asset).skip_exit_codes;
  return out.outcome == outcome_kind::exited && std::binary_search(codes.begin(), codes.end(), out.exit_code);
}

void asset_worker::judge_skip(asset_index asset, std::uint32_t attempt, execution& out) const {
  const std::string status = "exit status " + std::to_string(out.exit_code);
  std::vector<file_version> now;
  if (const auto seen = setup_.looks.observe_outputs(asset, look::anew, now); !seen) {
    const bool stopped = setup_.files.broken_off();
    out.outcome = stopped ? outcome_kind::cancelled : outcome_kind::exited;
    out.message = stopped ? "the run was stopped while its outputs were read"
                          : status + ", and an output cannot be read: " + seen.error().message;
    return;
  }
  const auto& before = found_[asset.value]->outputs; // sorted alike
  for (std::size_t i = 0; i < now.size(); ++i)
    if (i >= before.size() || now[i].path != before[i].path || now[i].content != before[i].content) {
      out.message = status + " says that there was nothing to do (\"skip_exit_codes\"), but its output \"" +
                    std::string(setup_.names.path_text(now[i].path)) +
                    "\" was written: write nothing, or end with another status";
      return;
    }
  out.outcome = outcome_kind::skipped;
  out.message = status;
  // What a failed attempt left, of this run or of an earlier one, may be half made: nobody goes on with it.
  const auto& record = *records_[asset.value];
  out.made_before = record.last.has_value() && attempt == 1 &&
                    (record.attempt == attempt_state::succeeded || record.attempt == attempt_state::none);
}

std::optional<std::string> asset_worker::take_version(const work_end& end, production& made) {
  std::string_view text = end.standard_output;
  if (end.more_output)
    return "it wrote more than " + std::to_string(max_version_output >> 20U) +
           " MiB to its standard output, which is its data version: let it write a digest";
  while (text.ends_with('\n'))
    text.remove_suffix(1);
  if (text.empty())
    return "it wrote nothing to its standard output, which is its data version (\"data_version\": \"stdout\")";
  const bool is_text = text.size() <= max_version_text && is_utf8(text) && text.find('\0') == std::string_view::npos;
  made.reported_version = is_text ? std::string(text) : "xxh3:" + to_hex(content_digest(text));
  return std::nullopt;
}

std::optional<std::string> asset_worker::take_report(asset_index asset, std::uint32_t attempt, timestamp started_at,
                                                     work_end& end, production& made) {
  auto report = end.report ? result<std::optional<attempt_report>>(std::move(end.report))
                           : maker_of(asset).take_report(asset, attempt);
  if (!report)
    return report.error().message;
  if (setup_.p.takes_version_from_stdout(asset)) {
    if (*report && !(*report)->data_version.empty())
      return "the result file (TROUPE_RESULT) has a \"data_version\", and \"data_version\": \"stdout\" says that the "
             "standard output is it: leave one of the two out";
    if (auto problem = take_version(end, made))
      return problem;
  }
  if (!*report) {
    found_[asset.value]->now.discovered.clear();
    return std::nullopt;
  }
  if (!(*report)->data_version.empty())
    made.reported_version = std::move((*report)->data_version);
  made.metadata = std::move((*report)->metadata);
  if (auto problem = take_discovered(asset, **report, started_at); !problem.empty())
    return problem;
  return std::nullopt;
}

void asset_worker::check_products(asset_index asset, std::uint32_t attempt, timestamp started_at, work_end* end,
                                  const recent_glances* quick, execution& out) {
  const auto refuse = [&](outcome_kind kind, std::string message) {
    out.outcome = kind;
    out.message = std::move(message);
    out.made.reset();
  };
  const bool source = setup_.p.is_source(asset);
  production made;
  made_elsewhere_[asset.value].reset();
  if (quick != nullptr)
    found_[asset.value]->now.discovered.clear(); // there is no result file
  else if (!source)
    if (auto problem = take_report(asset, attempt, started_at, *end, made))
      return refuse(setup_.files.broken_off() ? outcome_kind::cancelled : outcome_kind::bad_result,
                    std::move(*problem));
  const recent_glances none;
  if (const auto outputs =
          setup_.looks.observe_outputs(asset, look::anew, made.outputs, quick != nullptr ? *quick : none);
      !outputs && setup_.files.broken_off())
    return refuse(outcome_kind::cancelled, "the run was stopped while what the command made was read");
  else if (!outputs)
    return refuse(outcome_kind::output_missing, "an output cannot be read: " + outputs.error().message);
  for (const auto& output : made.outputs) {
    if (output.content != absent_file)
      continue;
    const std::string name(setup_.names.path_text(output.path));
    if (std::error_code unknown; std::filesystem::is_symlink(join_path(setup_.p.folder, name), unknown))
      return refuse(outcome_kind::output_missing, (source ? "the source's file \"" : "the output \"") + name +
                                                      "\" is a link to something that does not exist");
    const std::string ended = "the " + std::string(word_of_work(setup_.p, asset)) + " ended well, but its output \"";
    return refuse(outcome_kind::output_missing,
                  (source ? "the source's file \"" : ended) + name +
                      (source ? "\" does not exist" : "\" is not there: write it, or correct \"outputs\""));
  }
  warn_of_folders(asset, out);
  if (!made.reported_version.empty())
    made.data_version = version_of_report(made.reported_version);
  else if (end != nullptr && end->value)
    made.data_version =
        made.outputs.empty()
            ? end->value->version
            : content_digest(to_hex(end->value->version) + to_hex(version_of_outputs(made.outputs, setup_.names)));
  else if (!made.outputs.empty())
    made.data_version = version_of_outputs(made.outputs, setup_.names);
  else
    made.data_version =
        content_digest(run_text_ + "/" + std::string(setup_.p.asset(asset).name) + "/" + std::to_string(attempt));
  if (end != nullptr && end->value)
    made.value = std::move(end->value->kept);
  if (!source) {
    warn_of_unwritten(asset, started_at, quick, out);
    note_declaration(setup_.p, asset, setup_.names, setup_.pipeline_file, made);
  }
  out.made = std::move(made);
  if (const auto& elsewhere = made_elsewhere_[asset.value])
    out.makers = elsewhere->makers;
}

void asset_worker::note_makers(asset_index asset, std::span<const asset_index> makers, path_slot slot,
                               const digest& content, bool moved) {
  for (const auto maker : makers) {
    if (setup_.p.is_source(maker))
      continue;
    auto& elsewhere = made_elsewhere_[asset.value];
    if (!elsewhere)
      elsewhere = std::make_unique<made_elsewhere>();
    auto& known = elsewhere->makers;
    if (std::find(known.begin(), known.end(), maker) == known.end())
      known.push_back(maker);
    elsewhere->files.push_back({slot, content, moved});
  }
}

void asset_worker::warn_of_folders(asset_index asset, execution& out) const {
  const auto& p = setup_.p;
  for (const auto output : p.asset(asset).outputs) {
    const auto glob = setup_.looks.graph().glob_if_folder(output);
    if (!glob)
      continue;
    const auto seen = setup_.files.glance(p.path(output));
    if (seen && seen->kind == file_kind::folder)
      out.warnings.push_back(
          make_warning("unexpected_folder", std::string(p.path(output)) +
                                                " is a folder, and was taken for a file until now; what reads " +
                                                std::string(p.path(*glob)) + " may have run too soon: run again"));
  }
}

void asset_worker::warn_of_unwritten(asset_index asset, timestamp started_at, const recent_glances* quick,
                                     execution& out) const {
  for (const auto output : setup_.p.asset(asset).outputs) {
    const path_slot slot(output.value);
    const auto* glance = quick != nullptr ? quick->find(slot) : nullptr;
    const auto stat = glance != nullptr ? *glance : setup_.table.last_stat(slot);
    const auto before = [&](const file_stat& seen) {
      return from_unix_ns(std::max(seen.mtime_ns, seen.ctime_ns)) + timestamp_granularity(seen) < started_at;
    };
    const auto changed_before = [&](const struct stat& seen) {
      const auto& newest = seen.st_mtim.tv_sec > seen.st_ctim.tv_sec ? seen.st_mtim : seen.st_ctim;
      file_stat times;
      times.mtime_ns = times.ctime_ns = std::int64_t{newest.tv_sec} * 1'000'000'000 + newest.tv_nsec;
      return before(times);
    };
    if (!before(stat))
      continue;
    // A link may be new though what it leads to is old, and a folder though its members are.
    const auto text = setup_.p.path(output);
    struct stat itself;
    if (lstat(join_path(setup_.p.folder, text).c_str(), &itself) != 0 || !changed_before(itself))
      continue;
    std::string whose = "it is as it was before";
    if (const auto& last = records_[asset.value]->last)
      whose = last->adopted ? "it is as it was adopted"
                            : "it is as run #" + std::to_string(last->run.value) + ", attempt " +
                                  std::to_string(last->attempt) + " left it";
    out.warnings.push_back(make_warning("output_not_written", "its " + std::string(word_of_work(setup_.p, asset)) +
                                                                  " ended well and did not write the output " +
                                                                  std::string(text) + ": " + whose +
                                                                  "; a clean build would fail. Write it, or correct "
                                                                  "\"outputs\""));
  }
}

std::string asset_worker::take_discovered(asset_index asset, const attempt_report& report, timestamp started_at) {
  auto& now = found_[asset.value]->now;
  const auto before = std::move(now.discovered); // as they were when the asset was ready
  now.discovered.clear();
  file_makers makers(setup_.p, setup_.looks.graph(), setup_.files);
  discovered_inputs discovered(setup_.p, setup_.looks.graph(), setup_.names, makers, asset, now.inputs);
  const auto take = [&](const std::vector<std::string>& reported, const std::string& source) -> std::string {
    for (const auto& path : reported) {
      if (secrets_ && secrets_->in(path))
        return source +
               " names an input whose path holds a secret value, and paths are recorded: give the file another name";
      const auto input = discovered.input(path);
      if (!input)
        continue;
      const auto known = std::lower_bound(before.begin(), before.end(), input->id,
                                          [](const file_version& file, path_id id) { return file.path < id; });
      if (known != before.end() && known->path == input->id) {
        now.discovered.push_back(*known); // if another asset makes it, that is known since then: it went first
        continue;
      }
      const auto found = setup_.table.observe(input->slot);
      if (!found)
        return source + " names an input that cannot be read: " + found.error().message;
      // Nobody looked at it before the attempt: if it changed since, what the command read is not known, and next time
      // it runs again.
      const auto stat = setup_.files.stat(input->path);
      if (!stat && stat.error().code == error_code::stopped)
        return stat.error().message;
      const auto written_since = [&](timestamp moment) {
        return stat && std::max(stat->mtime_ns, stat->ctime_ns) >= to_unix_ns(moment);
      };
      file_version version;
      version.path = input->id;
      version.content = written_since(started_at) ? content_digest("changed during the attempt") : found->content;
      version.executable = found->executable;
      now.discovered.push_back(version);
      // Of what another asset may have written while this one read, the granularity of file times counts too.
      const auto granularity = stat ? timestamp_granularity(*stat) : duration::zero();
      note_makers(asset, makers.makers_of(input->path), input->slot, found->content,
                  found->content != absent_file && written_since(started_at - granularity));
    }
    return {};
  };
  auto problem = take(report.inputs, "the result file (TROUPE_RESULT)");
  if (const auto depfile = setup_.p.depfile_of(asset); depfile && problem.empty())
    problem = take(report.depfile_inputs, "the depfile " + std::string(setup_.p.path(*depfile)));
  std::sort(now.discovered.begin(), now.discovered.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return problem;
}

materialized asset_worker::changes_made(asset_index asset, const execution& done) const {
  TROUPE_CHECK(done.made.has_value(), "what a failed attempt made");
  const auto& record = *records_[asset.value];
  auto changes = make_delta(record.last ? &*record.last : nullptr, found_[asset.value]->now, *done.made, done.took);
  changes.since = setup_.since;
  const auto definition = setup_.definitions->known(asset);
  if (definition && (!record.last || record.last->definition != *definition))
    changes.definition = *definition;
  return changes;
}

} // namespace troupe_internal
