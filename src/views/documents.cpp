// Writing the documents.
#include "views/documents.hpp"

#include "core/journal/event_json.hpp"
#include "core/model/result_limits.hpp"
#include "views/command_text.hpp"
#include "views/definition_json.hpp"
#include "views/reason_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace troupe_internal::cli {

namespace {

std::int64_t milliseconds(duration d) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

/// With microseconds, the unit in which the kernel counts.
std::string exact_milliseconds(duration d) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(d).count();
  return std::to_string(us / 1'000) + '.' + std::to_string(1'000 + us % 1'000).substr(1);
}

void write_resources(json_writer& json, const std::optional<resource_use>& used) {
  json.key("resources");
  if (!used) {
    json.null();
    return;
  }
  json.begin_object().key("user_ms").raw(exact_milliseconds(used->user_cpu));
  json.key("system_ms").raw(exact_milliseconds(used->system_cpu));
  json.member("peak_memory_bytes", used->peak_memory_kib * 1024)
      .member("peak_is_bound", used->peak_is_bound)
      .member("read_bytes", used->blocks_in * 512)
      .member("written_bytes", used->blocks_out * 512)
      .end_object();
}

void text_or_null(json_writer& json, std::string_view key, std::string_view text) {
  json.key(key);
  if (text.empty())
    json.null();
  else
    json.value(text);
}

void write_counts(json_writer& json, const status_counts& counts) {
  json.key("counts").begin_object();
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 0)
      json.member(to_string(static_cast<asset_status>(i)), counts[i]);
  json.end_object();
}

std::string_view code_word(error_code code) {
  switch (code) {
  case error_code::invalid_input:
    return "invalid_input";
  case error_code::not_found:
    return "not_found";
  case error_code::state_locked:
    return "state_locked";
  case error_code::state_unusable:
    return "state_unusable";
  case error_code::io:
    return "io";
  case error_code::busy:
    return "busy";
  case error_code::key_conflict:
    return "key_conflict";
  case error_code::stopped:
    return "stopped";
  case error_code::internal:
    return "internal";
  }
  return "internal";
}

void write_findings(json_writer& json, std::string_view key, std::span<const diagnostics> files, severity level) {
  json.key(key).begin_array();
  for (const auto& findings : files)
    for (const auto& item : findings.items) {
      if (item.level != level)
        continue;
      json.begin_object()
          .member("file", findings.file)
          .member("line", item.where.line)
          .member("column", item.where.column)
          .member("code", item.code)
          .member("message", item.message)
          .end_object();
    }
  json.end_array();
}
void write_findings(json_writer& json, std::string_view key, const diagnostics& findings, severity level) {
  write_findings(json, key, std::span(&findings, 1), level);
}

/// Metadata is JSON as the command wrote it; what is not (any more) is told as text, so that the document stays valid.
void write_metadata(json_writer& json, const std::string& metadata) {
  json.key("metadata");
  if (metadata.empty()) {
    json.null();
    return;
  }
  boost::json::error_code wrong;
  boost::json::parse_options options;
  options.max_depth = max_result_depth;
  const auto parsed = boost::json::parse(metadata, wrong, {}, options);
  if (wrong)
    json.value(metadata);
  else
    json.raw(metadata);
}

} // namespace

void begin_document(json_writer& json) {
  json.begin_object().member("format", 1);
}

void write_error(json_writer& json, const error& e, const diagnostics& findings, std::span<const ended_process> ended) {
  begin_document(json);
  json.key("error").begin_object().member("code", code_word(e.code)).member("message", e.message).end_object();
  write_findings(json, "errors", findings, severity::error);
  write_leftovers(json, ended);
  json.end_object().finish();
}

void write_reasons(json_writer& json, const std::vector<reason>& reasons) {
  json.key("reasons").begin_array();
  for (const auto& r : reasons) {
    json.begin_object().member("kind", to_string(r.kind)).member("detail", r.detail);
    if (r.change)
      json.member("was", r.change->was).member("now", r.change->now);
    if (!r.note.empty())
      json.member("note", r.note);
    json.end_object();
  }
  json.end_array();
}

std::string data_version_text(const production& made) {
  return made.reported_version.empty() ? to_hex(made.data_version) : made.reported_version;
}

status_counts count_assets(const run_report& report) {
  status_counts counts{};
  for (const auto& asset : report.assets)
    ++counts[static_cast<std::size_t>(asset.status)];
  return counts;
}

namespace {

void write_cause(json_writer& json, const run_cause& cause) {
  json.key("cause").begin_object().member("kind", to_string(cause.kind));
  text_or_null(json, "trigger", cause.trigger);
  json.key("events").begin_array();
  for (const auto id : cause.events)
    json.value(id);
  json.end_array();
  text_or_null(json, "by", cause.by);
  json.end_object();
}

void write_number_or_null(json_writer& json, std::string_view key, run_number run) {
  json.key(key);
  if (run.value != 0)
    json.value(run.value);
  else
    json.null();
}

} // namespace

void write_run_members(json_writer& json, const run_record& run, const status_counts& counts) {
  json.member("run", to_string(run.id))
      .member("number", run.run.value)
      .member("pipeline", run.pipeline)
      .member("status", to_string(run.status));
  const bool started = !never_started(run);
  text_or_null(json, "started_at", started ? to_rfc3339(run.started_at) : std::string());
  json.key("finished_at");
  if (run.finished_at)
    json.value(to_rfc3339(*run.finished_at));
  else
    json.null();
  json.key("duration_ms");
  if (run.finished_at && started)
    json.value(milliseconds(*run.finished_at - run.started_at));
  else
    json.null();
  write_cause(json, run.cause);
  text_or_null(json, "queued_at", run.queued_at ? to_rfc3339(*run.queued_at) : std::string());
  write_number_or_null(json, "continues", run.continues);
  write_number_or_null(json, "continued_by", run.continued_by);
  text_or_null(json, "reason",
               run.timed_out  ? "timed_out"
               : run.dequeued ? std::string(to_string(*run.dequeued))
                              : std::string());
  write_counts(json, counts);
}

namespace {

/// Null where the outcome does not come with one.
void write_exit_code(json_writer& json, std::optional<outcome_kind> outcome, std::int32_t code) {
  json.key("exit_code");
  if (outcome == outcome_kind::succeeded || outcome == outcome_kind::exited || outcome == outcome_kind::skipped ||
      outcome == outcome_kind::output_missing || outcome == outcome_kind::bad_result)
    json.value(code);
  else
    json.null();
}

void write_signal(json_writer& json, std::int32_t signal) {
  json.key("signal");
  if (signal != 0)
    json.value(signal);
  else
    json.null();
}

void write_waits(json_writer& json, const std::vector<told_wait>& waits) {
  json.key("waits").begin_array();
  for (const auto& one : waits) {
    json.begin_object().member("for", to_string(one.what));
    text_or_null(json, "name", one.name);
    json.member("ms", one.ms).end_object();
  }
  json.end_array();
}

void write_each_attempt(json_writer& json, const asset_run_report& asset, const log_finder& log_of) {
  json.key("each_attempt").begin_array();
  for (const auto& one : asset.each_attempt) {
    json.begin_object().member("attempt", one.attempt).member("started_at", to_rfc3339(one.started_at));
    json.key("ended_at");
    if (one.ended_at)
      json.value(to_rfc3339(*one.ended_at)).member("duration_ms", milliseconds(one.took));
    else
      json.null().key("duration_ms").null();
    text_or_null(json, "outcome", one.outcome ? to_string(*one.outcome) : std::string_view{});
    text_or_null(json, "error", one.error);
    write_exit_code(json, one.outcome, one.exit_code);
    write_signal(json, one.signal);
    write_resources(json, one.resources);
    write_waits(json, one.waits);
    text_or_null(json, "log", one.has_log ? log_of(asset, one.attempt) : std::string());
    json.end_object();
  }
  json.end_array();
}

} // namespace

void write_asset_run_members(json_writer& json, const asset_run_report& asset, const log_finder& log_of) {
  json.member("status", to_string(asset.status)).member("attempts", asset.attempts);
  json.key("started_at");
  if (asset.started_at)
    json.value(to_rfc3339(*asset.started_at));
  else
    json.null();
  json.key("duration_ms");
  if (asset.attempts > 0)
    json.value(milliseconds(asset.took));
  else
    json.null();
  write_reasons(json, asset.reasons);
  write_waits(json, asset.waits);
  json.key("data_version");
  if (!asset.reported_version.empty())
    json.value(asset.reported_version);
  else if (asset.data_version)
    json.value(to_hex(*asset.data_version));
  else
    json.null();
  json.member("changed", asset.changed).member("allowed", asset.allowed);
  text_or_null(json, "error", asset.error);
  write_exit_code(json, asset.outcome, asset.exit_code);
  write_signal(json, asset.signal);
  write_resources(json, asset.resources);
  write_metadata(json, asset.metadata);
  text_or_null(json, "because", asset.because);
  text_or_null(json, "log", asset.last_log_attempt > 0 ? log_of(asset, asset.last_log_attempt) : std::string());
  json.key("warnings").begin_array();
  for (const auto& warning : asset.warnings)
    json.begin_object()
        .member("code", warning.what.code)
        .member("attempt", warning.attempt)
        .member("message", warning.what.text)
        .end_object();
  json.end_array();
}

void write_leftovers(json_writer& json, std::span<const ended_process> ended) {
  if (ended.empty())
    return;
  json.key("leftovers_ended").begin_array();
  for (const auto& one : ended)
    json.begin_object().member("pid", one.pid).member("name", one.name).member("why", to_string(one.why)).end_object();
  json.end_array();
}

void write_run(json_writer& json, const run_report& report, const log_finder& log_of,
               std::span<const ended_process> ended) {
  begin_document(json);
  write_run_members(json, report.run, count_assets(report));
  json.key("assets").begin_object();
  for (const auto& asset : report.assets) {
    json.key(asset.name).begin_object();
    write_asset_run_members(json, asset, log_of);
    if (report.detail == report_detail::every_attempt) {
      write_each_attempt(json, asset, log_of);
      text_or_null(json, "definition", asset.definition ? to_hex(*asset.definition) : std::string());
    }
    json.end_object();
  }
  json.end_object();
  if (report.detail == report_detail::every_attempt) {
    json.key("definitions").begin_object();
    for (const auto& [of, definition] : report.definitions) {
      json.key(to_hex(of));
      write_definition(json, definition);
    }
    json.end_object();
  }
  write_leftovers(json, ended);
  json.end_object().finish();
}

void write_no_run(json_writer& json) {
  begin_document(json);
  for (const auto* key : {"run", "number", "pipeline", "status", "started_at", "finished_at", "duration_ms", "cause",
                          "queued_at", "continues", "continued_by", "reason"})
    json.key(key).null();
  for (const auto* key : {"counts", "assets"})
    json.key(key).begin_object().end_object();
  json.end_object().finish();
}

void write_runs(json_writer& json, const std::vector<run_record>& runs) {
  begin_document(json);
  json.key("runs").begin_array();
  for (const auto& run : runs) {
    json.begin_object();
    write_run_members(json, run, run.counts);
    json.end_object();
  }
  json.end_array().end_object().finish();
}

void write_plan(json_writer& json, const pipeline& p, const plan_report& plan,
                const std::map<asset_index, shown_command>& commands) {
  begin_document(json);
  json.member("pipeline", p.name).key("order").begin_array();
  for (const auto asset : plan.order)
    json.value(p.asset(asset).name);
  json.end_array().key("assets").begin_object();
  for (std::size_t i = 0; i < plan.order.size(); ++i) {
    json.key(p.asset(plan.order[i]).name).begin_object();
    json.member("action", action_word(plan.assets[i].action));
    write_reasons(json, plan.assets[i].reasons);
    if (const auto command = commands.find(plan.order[i]); command != commands.end()) {
      json.key("command");
      write_command(json, command->second);
    }
    json.end_object();
  }
  json.end_object().key("warnings").begin_array();
  for (const auto& warning : plan.warnings)
    json.begin_object()
        .member("code", warning.what.code)
        .member("asset", p.asset(warning.asset).name)
        .member("message", warning.what.text)
        .end_object();
  json.end_array().end_object().finish();
}

void write_last(json_writer& json, const asset_record& record, const run_id_finder& id_of) {
  json.key("last");
  if (!record.last) {
    json.null();
    return;
  }
  json.begin_object();
  text_or_null(json, "run", id_of(record.last->run));
  json.member("number", record.last->run.value)
      .member("finished_at", to_rfc3339(record.last->finished_at))
      .member("duration_ms", milliseconds(record.last->took))
      .member("data_version", data_version_text(record.last->made))
      .end_object();
}

void write_statuses(json_writer& json, const pipeline& p, const std::vector<asset_status_report>& assets,
                    const run_id_finder& id_of) {
  begin_document(json);
  json.member("pipeline", p.name).key("assets").begin_object();
  for (const auto& asset : assets) {
    json.key(p.asset(asset.asset).name).begin_object();
    json.member("fresh", asset.fresh).member("action", action_word(asset.action));
    json.member("state", standing_word(standing_of(asset.record.attempt, asset.action)));
    write_reasons(json, asset.reasons);
    write_last(json, asset.record, id_of);
    json.end_object();
  }
  json.end_object().end_object().finish();
}

void write_checked_files(json_writer& json, std::span<const diagnostics> files) {
  begin_document(json);
  json.member("ok", std::none_of(files.begin(), files.end(), [](const auto& one) { return one.has_errors(); }));
  write_findings(json, "errors", files, severity::error);
  write_findings(json, "warnings", files, severity::warning);
  json.end_object().finish();
}

void write_validation(json_writer& json, const diagnostics& findings) {
  begin_document(json);
  json.member("ok", !findings.has_errors());
  write_findings(json, "errors", findings, severity::error);
  write_findings(json, "warnings", findings, severity::warning);
  json.end_object().finish();
}

} // namespace troupe_internal::cli
