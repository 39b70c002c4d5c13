// `troupe explain`: why an asset is stale or fresh, and why it last ran.
#include "adapters/system/system_clock.hpp"
#include "cli/asset_lookup.hpp"
#include "cli/beside_supervisor.hpp"
#include "cli/explain_run.hpp"
#include "cli/run_text.hpp"
#include "cli/verbs.hpp"
#include "views/documents.hpp"
#include "views/reason_text.hpp"
#include "views/text.hpp"

namespace troupe_internal::cli {

namespace {

struct explain_arguments {
  std::string asset;
  std::string run;
};

std::string neighbours(const project& on, std::span<const asset_index> assets) {
  std::vector<std::string> names;
  for (const auto asset : assets)
    names.push_back(printable(on.p->asset(asset).name));
  return names.empty() ? "nothing" : listed(names, 10);
}

void heading(const output& to, const project& on, asset_index asset) {
  to.stream << to.colours.paint(tint::strong, printable(on.p->asset(asset).name)) << " of " << printable(on.p->name);
  if (on.p->is_source(asset))
    to.stream << " (a source: made elsewhere, only observed)";
  to.stream << "\n";
  if (const auto description = on.p->declaration(asset).description; !description.empty())
    to.stream << "  " << printable(description) << "\n";
  to.stream << "  needs      " << neighbours(on, on.graph->upstream(asset)) << "\n"
            << "  needed by  " << neighbours(on, on.graph->downstream(asset)) << "\n";
}

void print_sentences(const output& to, const std::vector<std::string>& sentences) {
  for (const auto& sentence : sentences)
    to.stream << "  - " << sentence << "\n";
}

std::vector<std::string> sentences_of(const std::vector<reason>& reasons, std::string (*sentence)(const reason&)) {
  std::vector<std::string> sentences;
  for (const auto& why : reasons)
    sentences.push_back(sentence(why));
  return sentences;
}

std::string_view word_of(attempt_state state) {
  switch (state) {
  case attempt_state::none:
    return "none";
  case attempt_state::running:
    return "it is running";
  case attempt_state::succeeded:
    return "it succeeded";
  case attempt_state::failed:
    return "it failed";
  case attempt_state::cancelled:
    return "it was cancelled";
  case attempt_state::interrupted:
    return "it was interrupted";
  }
  return "unknown";
}

void print_now(const output& to, const asset_status_report& asset, timestamp now) {
  to.stream << "\n";
  switch (asset.action) {
  case plan_action::fresh:
    to.stream
        << to.colours.paint(tint::good, "fresh") << ": a run now would not execute it\n"
        << "  - Nothing it is made from has changed since it was last made, and its outputs are as it left them.\n";
    break;
  case plan_action::run:
    if (standing_of(asset.record.attempt, asset.action) == asset_standing::failed)
      to.stream << to.colours.paint(tint::bad, "failed")
                << ": the last attempt failed, and a run now would try again\n";
    else
      to.stream << to.colours.paint(tint::warn, "stale") << ": a run now would execute it\n";
    print_sentences(to, sentences_of(asset.reasons, reason_sentence));
    break;
  case plan_action::maybe:
    to.stream << to.colours.paint(tint::info, "may run") << ": that is not known before what it needs has run\n";
    print_sentences(to, {maybe_sentence(asset.reasons)});
    break;
  }
  const auto& record = asset.record;
  to.stream << "\n";
  if (!record.last && record.attempt == attempt_state::none) {
    to.stream << "never run\n";
    return;
  }
  if (record.last)
    to.stream << "last made in run #" << record.last->run.value << ", " << local_time(record.last->finished_at) << " ("
              << ago(record.last->finished_at, now) << "), in " << to_human(record.last->took) << "; data version "
              << printable(data_version_text(record.last->made)) << "\n"
              << (record.last->made.metadata.empty() ? ""
                                                     : "  metadata " + printable(record.last->made.metadata) + "\n");
  else
    to.stream << "never made\n";
  if (record.attempt != attempt_state::none) {
    to.stream << "last ran in run #" << record.attempt_run.value << ", attempt " << record.attempt_number << " ("
              << ago(record.attempt_started_at, now) << "): " << word_of(record.attempt) << "; it ran because\n";
    print_sentences(to, record.attempt_reasons.empty()
                            ? std::vector<std::string>{"the attempt before it in that run did not succeed."}
                            : sentences_of(record.attempt_reasons, past_reason_sentence));
  }
}

void write_neighbours(json_writer& json, std::string_view key, const project& on, std::span<const asset_index> assets) {
  json.key(key).begin_array();
  for (const auto asset : assets)
    json.value(on.p->asset(asset).name);
  json.end_array();
}

void write_last_attempt(json_writer& json, const asset_record& record) {
  json.key("last_attempt");
  if (record.attempt == attempt_state::none) {
    json.null();
    return;
  }
  static constexpr const char* words[] = {"none", "running", "succeeded", "failed", "cancelled", "interrupted"};
  json.begin_object()
      .member("number", record.attempt_run.value)
      .member("attempt", record.attempt_number)
      .member("status", words[static_cast<std::size_t>(record.attempt)])
      .member("started_at", to_rfc3339(record.attempt_started_at));
  write_reasons(json, record.attempt_reasons);
  json.end_object();
}

int explain_now(invocation& with, const project& on, asset_index asset) {
  const std::string name(on.p->asset(asset).name);
  std::vector<asset_warning> warnings;
  auto statuses = asset_statuses(on, {name}, &warnings);
  if (!statuses)
    return with.report(statuses.error());
  for (const auto& warning : warnings)
    with.warn(warning_line(on.p->asset(warning.asset).name, warning.what));
  for (const auto& status : *statuses) {
    if (status.asset != asset)
      continue;
    if (!with.options.json) {
      heading(with.io.out, on, asset);
      print_now(with.io.out, status, system_clock().now());
      return exit_ok;
    }
    auto runs = list_runs(on.state_folder, 0);
    if (!runs)
      return with.report(runs.error());
    json_writer json(with.io.out.stream);
    begin_document(json);
    json.member("pipeline", on.p->name).member("asset", name).member("fresh", status.fresh);
    json.member("action", action_word(status.action));
    json.member("state", standing_word(standing_of(status.record.attempt, status.action)));
    write_reasons(json, status.reasons);
    write_last(json, status.record, [&](run_number number) {
      for (const auto& run : *runs)
        if (run.run == number)
          return to_string(run.id);
      return std::string();
    });
    write_last_attempt(json, status.record);
    write_neighbours(json, "upstream", on, on.graph->upstream(asset));
    write_neighbours(json, "downstream", on, on.graph->downstream(asset));
    json.end_object().finish();
    return exit_ok;
  }
  return with.report(fail(error_code::internal, "the engine told nothing of " + name));
}

/// "latest" is the latest run of this pipeline: others may share the state.
result<run_record> find_run_of(const project& on, const std::string& name) {
  if (name == "latest") {
    auto runs = list_runs(on.state_folder, 0);
    if (!runs)
      return runs.error();
    for (auto& run : *runs)
      if (run.pipeline == on.p->name)
        return std::move(run);
  }
  return find_run(on.state_folder, name);
}

int explain_run(invocation& with, const project& on, asset_index asset, const std::string& run_name) {
  auto run = find_run_of(on, run_name);
  if (!run)
    return with.report(run.error());
  if (run->pipeline != on.p->name) // its assets may have the same names
    return with.report(fail(error_code::not_found, "run #" + std::to_string(run->run.value) + " is of the pipeline " +
                                                       printable(run->pipeline) + ", not of " + on.p->name));
  auto report = read_run_report(on.state_folder, run->run);
  if (!report)
    return with.report(report.error());
  const auto& name = on.p->asset(asset).name;
  const auto* mine = find_in(*report, name);
  const auto sentences = explain_in_run(on, *report, asset);
  const run_logs logs(on.state_folder, run->run);
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    begin_document(json);
    json.member("pipeline", on.p->name).member("asset", name).member("run", to_string(run->id));
    json.member("number", run->run.value).key("result");
    if (mine == nullptr) {
      json.null();
    } else {
      json.begin_object();
      write_asset_run_members(json, *mine, [&](const auto& of, auto attempt) { return log_of(logs, of, attempt); });
      json.end_object();
    }
    json.key("explanation").begin_array();
    for (const auto& sentence : sentences)
      json.value(sentence);
    json.end_array().end_object().finish();
    return exit_ok;
  }
  const auto& to = with.io.out;
  heading(to, on, asset);
  to.stream << "\nin run #" << run->run.value << " (" << local_time(run->started_at) << ", "
            << to.colours.paint(tint_of(run->status), to_string(run->status)) << "): "
            << (mine == nullptr ? "not part of it" : to.colours.paint(tint_of(mine->status), to_string(mine->status)))
            << "\n";
  print_sentences(to, sentences);
  if (mine != nullptr)
    if (const auto log = log_of(logs, *mine); !log.empty())
      to.stream << "  log: " << printable(short_path(log)) << "\n";
  return exit_ok;
}

int explain(invocation& with, const explain_arguments& arguments) {
  auto on = with.open();
  if (!on)
    return with.report(on.error());
  use_environment_of_supervisor(with, *on);
  if (auto recorded = with_recorded_edges(*on)) // what is wrong with a state is said below
    *on = std::move(*recorded);
  auto asset = find_asset(*on, arguments.asset);
  if (!asset)
    return with.report(asset.error());
  return arguments.run.empty() ? explain_now(with, *on, *asset) : explain_run(with, *on, *asset, arguments.run);
}

} // namespace

static command_spec& declare_as(command_spec& root, invocation& with, const char* name) {
  auto to = std::make_shared<explain_arguments>();
  auto& verb = root.subcommand(name, "Tell why an asset is stale or fresh now, and why it last ran");
  verb.positional("ASSET", to->asset, true, "the asset").completes = completion::assets;
  verb.text("-r,--run", "RUN", to->run, "why it ran, waited or was skipped in this run").completes = completion::runs;
  verb.examples = {
      {"troupe explain report", "why report would run now, or why it would not"},
      {"troupe explain 'by_section[admin]' --run latest", "what happened to it in the latest run, and why"}};
  verb.action = [to, &with] { return explain(with, *to); };
  return verb;
}

void declare_explain(command_spec& root, invocation& with) {
  declare_as(root, with, "explain");
}

void declare_why(command_spec& root, invocation& with) {
  declare_as(root, with, "why").hidden = true;
}

} // namespace troupe_internal::cli
