// Runs, reports and statuses as the fake engine tells them, for the tests of verbs. Knows no verb.
#pragma once

#include "fake_engine.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::test {

inline asset_run_report ran(std::string name, asset_status status) {
  asset_run_report asset;
  asset.name = std::move(name);
  asset.status = status;
  asset.attempts = 1;
  asset.started_at = at(1);
  asset.took = std::chrono::milliseconds(2500);
  asset.reasons = {{reason_kind::never_materialized, ""}};
  return asset;
}

inline run_report some_run(run_status status = run_status::failed) {
  run_report report;
  report.run = make_run(3, status);
  report.run.request.selection = {"report"};
  report.run.request.params = {{"n", "5"}};
  auto clean = ran("clean", asset_status::failed);
  clean.error = "exit status 2";
  clean.attempts = 2;
  clean.last_log_attempt = 2;
  clean.has_log = true;
  asset_run_report blocked;
  blocked.name = "report";
  blocked.status = asset_status::blocked;
  blocked.because = "clean";
  asset_run_report fresh;
  fresh.name = "raw";
  fresh.status = asset_status::fresh;
  report.assets = {fresh, clean, blocked, ran("n[a]", asset_status::succeeded)};
  report.run.counts = counts_of(report);
  return report;
}

inline void with_run() {
  reset();
  engine().runs = {some_run().run};
  engine().report = [](run_number) { return some_run(); };
}

inline bool has(const std::string& text, std::string_view part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found)
    MESSAGE(part, " is not in\n", text);
  return found;
}

inline std::string text_of(const boost::json::value& value) {
  return std::string(value.as_string());
}

inline asset_status_report status_of(asset_index asset, plan_action action, std::vector<reason> reasons) {
  asset_status_report status;
  status.asset = asset;
  status.action = action;
  status.fresh = action == plan_action::fresh;
  status.reasons = std::move(reasons);
  return status;
}

inline materialization made_in(std::uint32_t run) {
  materialization made;
  made.run = run_number(run);
  made.attempt = 1;
  made.finished_at = at(9);
  made.took = std::chrono::seconds(3);
  return made;
}

} // namespace troupe::test
