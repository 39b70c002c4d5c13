// The JSON documents: their keys, exactly, and their values.
#include "views/documents.hpp"

#include "fake_engine.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <set>
#include <sstream>

using namespace troupe_internal;
using namespace troupe_internal::cli;
namespace bj = boost::json;

namespace {

bj::object written(const std::function<void(json_writer&)>& write) {
  std::ostringstream out;
  {
    json_writer json(out);
    write(json);
  }
  const auto text = out.str();
  REQUIRE(!text.empty());
  CHECK(text.back() == '\n');
  CHECK(text.find('\n') == text.size() - 1);
  auto document = bj::parse(text).as_object();
  CHECK(document.at("format").as_int64() == 1);
  return document;
}

std::set<std::string> keys(const bj::value& object) {
  std::set<std::string> names;
  for (const auto& member : object.as_object())
    names.insert(std::string(member.key()));
  return names;
}

std::string no_log(const asset_run_report&, std::uint32_t) {
  return "";
}

const std::set<std::string> run_keys = {"run",         "number",       "pipeline", "status", "started_at",
                                        "finished_at", "duration_ms",  "counts",   "cause",  "queued_at",
                                        "continues",   "continued_by", "reason"};

std::set<std::string> with(std::set<std::string> names, std::initializer_list<std::string> more) {
  names.insert(more);
  return names;
}

} // namespace

TEST_CASE("a run's document has the contract's keys, and null where there is nothing to say") {
  run_report report;
  report.run = test::make_run(3, run_status::failed);
  asset_run_report ok;
  ok.name = "a\xFF";
  ok.status = asset_status::succeeded;
  ok.attempts = 2;
  ok.took = std::chrono::milliseconds(1500);
  ok.started_at = test::at(1);
  ok.reasons = {
      {reason_kind::input_changed, "x"},
      {reason_kind::always, "", "and more"},
      {reason_kind::command_changed, "", "", std::make_shared<reason_change>(reason_change{"wc -l", "wc -w"})}};
  ok.data_version = digest{};
  ok.changed = true;
  ok.outcome = outcome_kind::succeeded;
  ok.resources = {std::chrono::microseconds(61'204), std::chrono::microseconds(950), 2, true, 1, 8};
  ok.metadata = "{\"rows\": 42}";
  ok.waits = {{wait_kind::hold, "#2", 2100}, {wait_kind::worker, "", 7}};
  asset_run_report bad;
  bad.name = "b";
  bad.status = asset_status::failed;
  bad.attempts = 1;
  bad.outcome = outcome_kind::signalled;
  bad.signal = 9;
  bad.error = "signal 9";
  bad.allowed = true;
  bad.reported_version = "v7";
  bad.last_log_attempt = 1;
  bad.metadata = "{broken";
  asset_run_report blocked;
  blocked.name = "c";
  blocked.status = asset_status::blocked;
  blocked.because = "b";
  report.assets = {ok, bad, blocked};

  const auto d = written([&](json_writer& json) {
    write_run(json, report, [](const auto& asset, std::uint32_t attempt) {
      return "/logs/" + asset.name + "." + std::to_string(attempt);
    });
  });
  CHECK(keys(d) == with(run_keys, {"format", "assets"}));
  CHECK(d.at("number") == 3);
  CHECK(d.at("status") == "failed");
  CHECK(d.at("started_at") == "2026-01-02T03:04:05.678Z");
  CHECK(d.at("finished_at") == "2026-01-02T03:04:15.678Z");
  CHECK(d.at("duration_ms") == 10'000);
  CHECK(d.at("counts").at("blocked") == 1);
  CHECK(keys(d.at("counts")) == std::set<std::string>{"blocked", "failed", "succeeded"});

  const auto& assets = d.at("assets").as_object();
  const auto& a = assets.at("a\xEF\xBF\xBD");
  CHECK(keys(a) == std::set<std::string>{"status", "attempts", "started_at", "duration_ms", "reasons", "waits",
                                         "data_version", "changed", "allowed", "error", "exit_code", "signal",
                                         "resources", "metadata", "because", "log", "warnings"});
  CHECK(a.at("duration_ms") == 1500);
  CHECK(a.at("reasons").at(0).at("kind") == "input_changed");
  CHECK(a.at("reasons").at(0).at("detail") == "x");
  CHECK(keys(a.at("reasons").at(0)) == std::set<std::string>{"kind", "detail"});
  CHECK(a.at("reasons").at(1).at("note") == "and more");
  CHECK(a.at("reasons").at(1).at("detail") == "");
  CHECK(a.at("reasons").at(2).at("was") == "wc -l");
  CHECK(a.at("reasons").at(2).at("now") == "wc -w");
  CHECK(bj::serialize(a.at("waits")) ==
        R"([{"for":"hold","name":"#2","ms":2100},{"for":"worker","name":null,"ms":7}])");
  CHECK(bj::value_to<std::string>(a.at("data_version")) == std::string(32, '0'));
  CHECK(a.at("changed") == true);
  CHECK(a.at("error").is_null());
  CHECK(a.at("exit_code") == 0);
  CHECK(bj::serialize(a.at("resources")) ==
        bj::serialize(bj::parse(R"({"user_ms":61.204,"system_ms":0.950,"peak_memory_bytes":2048,"peak_is_bound":true,)"
                                R"("read_bytes":512,"written_bytes":4096})")));
  CHECK(assets.at("b").at("resources").is_null());
  CHECK(a.at("metadata").at("rows") == 42);
  const auto& b = assets.at("b");
  CHECK(b.at("exit_code").is_null());
  CHECK(b.at("signal") == 9);
  CHECK(b.at("allowed") == true);
  CHECK(a.at("allowed") == false);
  CHECK(b.at("data_version") == "v7");
  CHECK(b.at("metadata") == "{broken"); // not JSON: told as text, and the document is still one
  CHECK(b.at("log") == "/logs/b.1");
  const auto& c = assets.at("c");
  CHECK(c.at("because") == "b");
  CHECK(c.at("duration_ms").is_null());
  CHECK(c.at("started_at").is_null());
}

TEST_CASE("each attempt is listed with its times where that was asked for") {
  run_report report;
  report.run = test::make_run(3, run_status::running);
  auto& asset = report.assets.emplace_back();
  asset.name = "a";
  attempt_in_run first;
  first.attempt = 1;
  first.started_at = test::at(1);
  first.ended_at = test::at(3);
  first.took = std::chrono::milliseconds(1900);
  first.outcome = outcome_kind::exited;
  first.exit_code = 75;
  first.error = "exit status 75";
  first.has_log = true;
  attempt_in_run second;
  second.attempt = 2;
  second.started_at = test::at(4);
  asset.each_attempt = {first, second};
  const auto write = [&](json_writer& json) {
    write_run(json, report, [](const auto&, std::uint32_t attempt) { return "/log." + std::to_string(attempt); });
  };
  CHECK_FALSE(written(write).at("assets").at("a").as_object().contains("each_attempt"));
  CHECK_FALSE(written(write).contains("definitions"));
  report.detail = report_detail::every_attempt;
  asset.definition = digest{};
  asset_definition list;
  list.form = command_form::list;
  list.command = {"wc", "-l"};
  list.cwd = ".";
  list.env = {{"A", variable_source::literal, "1", false}, {"K", variable_source::file, "key", true}};
  list.inherits_env = false;
  list.inherited = {"PATH"};
  list.inputs = {"in/*.txt", "!in/x.txt"};
  report.definitions.emplace(digest{}, list);
  const auto d = written(write);
  const auto of = std::string(32, '0');
  CHECK(d.at("assets").at("a").at("definition") == bj::string(of));
  CHECK(
      bj::serialize(d.at("definitions").at(of)) ==
      R"({"command":["wc","-l"],"shell":null,"cwd":".","env":{"A":"1","K":{"from_file":"key","secret":true}},)"
      R"("inherit_env":["PATH"],"version":null,"inputs":["in/*.txt","!in/x.txt"],"deps":[],"outputs":[],"params":{}})");
  const auto& listed = d.at("assets").at("a").at("each_attempt").as_array();
  REQUIRE(listed.size() == 2);
  CHECK(keys(listed[0]) == std::set<std::string>{"attempt", "started_at", "ended_at", "duration_ms", "outcome", "error",
                                                 "exit_code", "signal", "resources", "waits", "log"});
  CHECK(keys(listed[1]) == keys(listed[0]));
  CHECK(listed[0].at("duration_ms") == 1900);
  CHECK(listed[0].at("outcome") == "exited");
  CHECK(listed[0].at("exit_code") == 75);
  CHECK(listed[0].at("log") == "/log.1");
  CHECK(listed[1].at("attempt") == 2);
  for (const auto* key : {"ended_at", "duration_ms", "outcome", "error", "exit_code", "signal", "resources", "log"})
    CHECK(listed[1].at(key).is_null());
}

TEST_CASE("a run that goes on has no end yet") {
  run_report report;
  report.run = test::make_run(1, run_status::running);
  const auto d = written([&](json_writer& json) { write_run(json, report, no_log); });
  CHECK(d.at("finished_at").is_null());
  CHECK(d.at("duration_ms").is_null());
}

TEST_CASE("a run says who asked for it, and a queued one that it has not started") {
  run_queued queued{run_number(7U), {}, test::at(1), "demo"};
  queued.cause = {cause_kind::trigger, "nightly", {3, 4}, "ada"};
  queued.continues = run_number(5U);
  run_record gone = record_of(queued);
  gone.status = run_status::cancelled;
  gone.finished_at = test::at(2);
  gone.dequeued = dequeue_reason::continued;
  gone.continued_by = run_number(8U);
  const auto d = written([&](json_writer& json) { write_runs(json, {record_of(queued), gone}); });
  const auto& waiting = d.at("runs").at(0);
  CHECK(keys(waiting) == run_keys);
  CHECK(waiting.at("status") == "queued");
  CHECK(waiting.at("started_at").is_null());
  CHECK(waiting.at("finished_at").is_null());
  CHECK(waiting.at("queued_at") == "2026-01-02T03:04:06.678Z");
  CHECK(waiting.at("continues") == 5);
  CHECK(waiting.at("continued_by").is_null());
  CHECK(bj::serialize(waiting.at("cause")) == R"({"kind":"trigger","trigger":"nightly","events":[3,4],"by":"ada"})");
  const auto& left = d.at("runs").at(1);
  CHECK(left.at("status") == "cancelled");
  CHECK(left.at("started_at").is_null());
  CHECK(left.at("duration_ms").is_null());
  CHECK(left.at("continued_by") == 8);
  const auto plain = written([&](json_writer& json) { write_runs(json, {test::make_run(3, run_status::failed)}); });
  CHECK(bj::serialize(plain.at("runs").at(0).at("cause")) == R"({"kind":"user","trigger":null,"events":[],"by":null})");
}

TEST_CASE("the list of runs has a member for each, in the order given") {
  const auto d = written([](json_writer& json) {
    write_runs(json, {test::make_run(2, run_status::interrupted), test::make_run(1, run_status::succeeded)});
  });
  CHECK(keys(d) == std::set<std::string>{"format", "runs"});
  CHECK(keys(d.at("runs").at(0)) == run_keys);
  CHECK(d.at("runs").at(0).at("status") == "interrupted");
  CHECK(d.at("runs").at(1).at("number") == 1);
}

TEST_CASE("a plan's document has the order and each asset's action and reasons") {
  const auto on = test::make_project();
  plan_report plan;
  plan.order = {asset_index(1U), asset_index(2U), asset_index(0U)};
  plan.assets = {{plan_action::run, {{reason_kind::command_changed, ""}}},
                 {plan_action::maybe, {{reason_kind::upstream_changed, "clean"}}},
                 {plan_action::fresh, {}}};
  plan.warnings = {{asset_index(1U), {"empty_glob", "the glob *.x matches nothing"}}};
  const auto d = written([&](json_writer& json) { write_plan(json, *on.p, plan); });
  CHECK(keys(d) == std::set<std::string>{"format", "pipeline", "order", "assets", "warnings"});
  CHECK(d.at("pipeline") == "demo");
  CHECK(d.at("order") == bj::array{"clean", "report", "raw"});
  CHECK(keys(d.at("assets").at("clean")) == std::set<std::string>{"action", "reasons"});
  CHECK(d.at("assets").at("clean").at("action") == "run");
  CHECK(d.at("assets").at("report").at("action") == "maybe");
  CHECK(d.at("assets").at("report").at("reasons").at(0).at("detail") == "clean");
  CHECK(d.at("assets").at("raw").at("action") == "fresh");
  CHECK(d.at("warnings") ==
        bj::array{bj::object{{"code", "empty_glob"}, {"asset", "clean"}, {"message", "the glob *.x matches nothing"}}});
}

TEST_CASE("a status document tells freshness and the last materialization, or that there is none") {
  const auto on = test::make_project();
  asset_status_report made;
  made.asset = asset_index(1U);
  made.fresh = true;
  made.record.last = materialization{.run = run_number(4U),
                                     .attempt = 1,
                                     .finished_at = test::at(5),
                                     .took = std::chrono::seconds(2),
                                     .made_from = {},
                                     .made = {}};
  made.record.last->made.reported_version = "2024-01";
  asset_status_report never;
  never.asset = asset_index(2U);
  never.action = plan_action::run;
  never.reasons = {{reason_kind::never_materialized, ""}};
  const auto d = written([&](json_writer& json) {
    write_statuses(json, *on.p, {made, never}, [](run_number run) { return run.value == 4 ? "the-id" : ""; });
  });
  CHECK(keys(d) == std::set<std::string>{"format", "pipeline", "assets"});
  const auto& clean = d.at("assets").at("clean");
  CHECK(keys(clean) == std::set<std::string>{"fresh", "action", "state", "reasons", "last"});
  CHECK(keys(clean.at("last")) == std::set<std::string>{"run", "number", "finished_at", "duration_ms", "data_version"});
  CHECK(clean.at("last").at("run") == "the-id");
  CHECK(clean.at("last").at("data_version") == "2024-01");
  CHECK(d.at("assets").at("report").at("last").is_null());
  CHECK(d.at("assets").at("report").at("fresh") == false);
}

TEST_CASE("a validation's document keeps errors and warnings apart") {
  diagnostics findings;
  findings.file = "x.json";
  findings.error({3, 7}, "cycle", "a -> b -> a");
  findings.warning({1, 1}, "undeclared_file", "etl.py");
  const auto d = written([&](json_writer& json) { write_validation(json, findings); });
  CHECK(keys(d) == std::set<std::string>{"format", "ok", "errors", "warnings"});
  CHECK(d.at("ok") == false);
  CHECK(keys(d.at("errors").at(0)) == std::set<std::string>{"file", "line", "column", "code", "message"});
  CHECK(d.at("errors").at(0).at("line") == 3);
  CHECK(d.at("errors").at(0).at("column") == 7);
  CHECK(d.at("warnings").at(0).at("code") == "undeclared_file");
}

TEST_CASE("an error is a document, too") {
  for (const auto code : {error_code::invalid_input, error_code::not_found, error_code::state_locked,
                          error_code::state_unusable, error_code::io, error_code::internal}) {
    const auto d = written([&](json_writer& json) { write_error(json, fail(code, "why"), {}); });
    CHECK(keys(d) == std::set<std::string>{"format", "error", "errors"});
    CHECK(d.at("error").at("message") == "why");
    CHECK(d.at("error").at("code").as_string().size() > 1);
  }
}
