// The fake engine, and a way to invoke the program.
#include "fake_engine.hpp"

#include "cli/cli_main.hpp"
#include "cli/serve_here.hpp"
#include "engine/cancel_queued.hpp"
#include "engine/queue_list.hpp"
#include "engine/recorded_outputs.hpp"
#include "engine/recorded_readers.hpp"
#include "engine/run_logs.hpp"
#include "engine/shown_commands.hpp"
#include "engine/trigger_alone.hpp"
#include "support/pipeline_builder.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>

#include <filesystem>
#include <sstream>

namespace troupe_internal::test {

fake_engine& engine() {
  static fake_engine one;
  return one;
}

void reset() {
  engine() = {};
}

project make_project() {
  pipeline_builder b("demo", "/pipeline");
  b.asset("raw").source().outputs({"raw.txt"});
  b.asset("clean").description("Without blanks").inputs({"raw.txt"}).outputs({"clean.txt"});
  b.asset("report").deps({"clean"}).outputs({"report.txt"});
  b.asset("side").deps({"raw"}).pool("db").with([](asset_settings& s) { s.allow_failure = true; });
  b.asset("n").matrix("x", {"a", "b"});
  project on;
  on.p = b.build();
  diagnostics findings;
  auto graph = asset_graph::build(*on.p, findings);
  REQUIRE(graph.has_value());
  on.graph = std::make_shared<const asset_graph>(std::move(*graph));
  on.state_folder = "/pipeline/.troupe";
  return on;
}

invoked troupe_cli(std::vector<std::string> words) {
  std::vector<const char*> argv{"troupe"};
  for (const auto& word : words)
    argv.push_back(word.c_str());
  std::ostringstream out, err;
  cli::console io(out, err);
  invoked result;
  result.status = cli_main(static_cast<int>(argv.size()), argv.data(), io);
  result.out = out.str();
  result.err = err.str();
  return result;
}

timestamp at(int seconds) {
  return from_unix_ns(1'767'323'045'678'000'000) + std::chrono::seconds(seconds);
}

run_record make_run(std::uint32_t number, run_status status) {
  run_record run;
  run.run = run_number(number);
  run.id = make_uuid_v7(at(0), number, number);
  run.pipeline = "demo";
  run.started_at = at(0);
  run.status = status;
  run.attempts = 1;
  if (status != run_status::running && status != run_status::interrupted)
    run.finished_at = at(10);
  return run;
}

status_counts counts_of(const run_report& run) {
  status_counts counts{};
  for (const auto& asset : run.assets)
    ++counts[static_cast<std::size_t>(asset.status)];
  return counts;
}

} // namespace troupe_internal::test

namespace troupe_internal {

using test::engine;

result<project> open_project(const project_options& options, diagnostics& findings) {
  findings.file = options.file;
  return engine().open ? engine().open(options, findings) : result<project>(test::make_project());
}

std::vector<std::string> asset_names(const project_options& options) {
  diagnostics findings;
  std::vector<std::string> names;
  if (const auto on = open_project(options, findings))
    for (const auto& asset : on->p->assets)
      names.emplace_back(asset.name);
  return names;
}

result<std::string> find_state_folder(const project_options& options, std::string* pipeline, bool) {
  if (pipeline != nullptr)
    *pipeline = engine().pipeline;
  return engine().state_folder ? engine().state_folder(options) : result<std::string>("/pipeline/.troupe");
}

result<run_result> run_pipeline(const project& on, const run_options& options, run_observer& observer,
                                stop_request& stop) {
  return engine().run(on, options, observer, stop);
}

result<run_result> resume_run(const project& on, run_number run, const resume_options& options, run_observer& observer,
                              stop_request& stop) {
  engine().resumed_with = options;
  return engine().resume(on, run, observer, stop);
}

made_here_function recorded_in(const std::string&) {
  return {};
}

result<std::map<asset_index, shown_command>> shown_commands(const project& on, const std::vector<asset_index>& assets) {
  std::map<asset_index, shown_command> commands;
  for (const auto asset : assets)
    if (!on.p->is_source(asset))
      commands.emplace(
          asset, shown_command{{"make", "it's", std::string(on.p->asset(asset).name)}, false, "/folder", {}, true, {}});
  return commands;
}

result<plan_report> plan_pipeline(const project& on, const run_options& options) {
  return engine().plan(on, options);
}

result<project> with_recorded_edges(const project& on) {
  return on;
}

result<std::vector<asset_status_report>> asset_statuses(const project& on, const std::vector<std::string>& selection,
                                                        std::vector<asset_warning>*) {
  return engine().statuses(on, selection);
}

result<run_record> find_run(const std::string&, const std::string& name) {
  for (const auto& run : engine().runs)
    if (name == "latest" || name == std::to_string(run.run.value) || name == "#" + std::to_string(run.run.value))
      return run;
  return fail(error_code::not_found, "there is no run '" + name + "'");
}

result<std::vector<run_record>> list_runs(const std::string&, std::size_t limit) {
  auto runs = engine().runs;
  if (limit > 0 && runs.size() > limit)
    runs.resize(limit);
  return runs;
}

result<run_report> read_run_report(const std::string&, run_number run, report_detail detail) {
  auto report = engine().report(run);
  if (report)
    report->detail = detail;
  return report;
}

result<std::optional<remembered_asset>> remember_asset(const std::string&, const std::string&, const std::string&) {
  return engine().remembered;
}

result<state_compaction> compact_state(const std::string& state, const retention_rule& rule, duration keep_logs) {
  return engine().compact(state, rule, keep_logs);
}

std::string run_logs::path(std::string_view asset_name, std::uint32_t attempt) const {
  return engine().logs_folder + "/" + std::to_string(run_.value) + "." + std::string(asset_name) + "." +
         std::to_string(attempt) + ".log";
}

bool run_logs::has(std::string_view asset_name, std::uint32_t attempt) const {
  return std::filesystem::exists(path(asset_name, attempt));
}

result<unique_fd> run_logs::open(std::string_view asset_name, std::uint32_t attempt) const {
  unique_fd file(::open(path(asset_name, attempt).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file)
    return fail(error_code::not_found, "no such log");
  return file;
}

result<std::vector<trigger_event_info>> list_events(const std::string&, const events_wanted& wanted) {
  auto found = engine().events;
  std::erase_if(found, [&](const trigger_event_info& one) { return wanted.fate && one.fate != *wanted.fate; });
  return found;
}

result<std::vector<trigger_record>> list_trigger_records(const std::string&) {
  return engine().trigger_records;
}

result<taken_event> change_trigger(const std::string&, const trigger_ask& asked) {
  engine().asked = asked;
  return engine().taken;
}

result<std::vector<notice_taken>> list_waiting_notices(const std::string&) {
  return engine().notices;
}

result<trigger_record> find_trigger_record(const std::string&, const std::string& name) {
  for (const auto& one : engine().trigger_records)
    if (one.trigger == name)
      return one;
  return fail(error_code::not_found, "the state knows no trigger \"" + name + "\"");
}

result<taken_event> forget_keys_as_writer(const std::string&, const std::string&, const std::string&,
                                          const std::string&) {
  return engine().taken;
}

result<std::vector<queued_run_info>> list_queue(const std::string&) {
  return std::vector<queued_run_info>();
}

result<void> prioritize_queued(const std::string&, run_number run, std::int32_t) {
  return fail(error_code::not_found, "run " + std::to_string(run.value) + " is not queued");
}

result<run_record> cancel_queued(const std::string&, run_number run) {
  return fail(error_code::not_found, "run " + std::to_string(run.value) + " is not queued");
}

result<taken_event> ask_supervisor(const std::string&, const trigger_ask& asked) {
  engine().asked = asked;
  return engine().taken;
}

result<supervisor_answer> ask_supervisor(const std::string&, const supervisor_ask& asked, std::chrono::milliseconds) {
  engine().supervisor_asked = asked;
  return engine().supervisor ? result<supervisor_answer>(*engine().supervisor)
                             : fail(error_code::not_found, "nobody listens");
}

result<released_pipeline> release_pipeline(const pipeline&, system_clock&,
                                           const std::function<void(const std::string&)>&) {
  return engine().released ? result<released_pipeline>(*engine().released)
                           : fail(error_code::invalid_input, "no supervisor has it");
}

std::optional<supervisor_answer> supervisor_of(const std::string&) {
  return engine().supervisor;
}

result<submitted_run> submit_to_supervisor(const std::string&, const run_ask& ask) {
  engine().delegated = ask;
  return submitted_run{run_number(7U), false};
}

result<run_result> run_in_supervisor(const project& on, const run_ask& ask, run_observer& observer,
                                     stop_request& stop) {
  engine().delegated = ask;
  return engine().run(on, {}, observer, stop);
}

result<run_result> resume_in_supervisor(const project& on, run_number run,
                                        const std::vector<std::pair<std::string, std::string>>&, run_observer& observer,
                                        stop_request& stop) {
  return engine().resume(on, run, observer, stop);
}

result<run_record> cancel_run(const std::string&, const std::optional<std::string>& name) {
  return engine().cancel(name);
}

result<wait_end> wait_until_free(const std::string& state_folder, const wait_setup& how, const stop_request&) {
  return engine().wait ? engine().wait(state_folder, how) : wait_end::free;
}

result<orphan_cleaning> clean_orphans(const project&,
                                      const std::function<bool(const std::vector<orphaned_output>&)>& confirm) {
  orphan_cleaning out{engine().orphans, false};
  out.removed = !out.orphans.empty() && confirm(out.orphans);
  return out;
}

result<std::vector<asset_index>> recorded_readers(const project&, const std::string&) {
  return std::vector<asset_index>();
}

result<std::vector<std::string>> recorded_inputs(const project&, const std::vector<asset_index>&) {
  return std::vector<std::string>();
}

result<output_cleaning> clean_outputs(const project&, const std::vector<std::string>&, bool,
                                      const std::function<bool(const output_cleaning&)>& confirm) {
  auto out = engine().cleanable;
  out.removed = !out.outputs.empty() && confirm(out);
  return out;
}

result<adoption> adopt_assets(const project&, const std::vector<std::string>&,
                              const std::function<bool(const std::vector<std::string>&)>& confirm,
                              const std::function<void(const std::vector<ended_process>&)>&) {
  adoption out = engine().adoptable;
  out.adopted = out.problems.empty() && !out.assets.empty() && confirm(out.assets);
  return out;
}

int cli::serve_here(cli::invocation&, const cli::serve_request& request) {
  engine().served = request.pipelines;
  return cli::exit_ok;
}

stop_request::stop_request() = default;
stop_request::~stop_request() = default;

void stop_request::request(int signal) noexcept {
  if (count_++ == 0)
    signal_ = signal;
}

} // namespace troupe_internal
