// Runs, reports and statuses as the fake engine tells them, for the tests of verbs. Knows no verb.
#pragma once

#include "fake_engine.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::test {

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
  run_report whole;
  whole.run = make_run(3, status);
  whole.run.request.selection = {"report"};
  whole.run.request.params = {{"n", "5"}};
  auto failed = ran("clean", asset_status::failed);
  failed.error = "exit status 2";
  failed.attempts = 2;
  failed.last_log_attempt = 2;
  failed.has_log = true;
  asset_run_report blocked;
  blocked.name = "report";
  blocked.status = asset_status::blocked;
  blocked.because = "clean";
  asset_run_report fresh;
  fresh.name = "raw";
  fresh.status = asset_status::fresh;
  whole.assets = {fresh, failed, blocked, ran("n[a]", asset_status::succeeded)};
  whole.run.counts = counts_of(whole);
  return whole;
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

} // namespace troupe_internal::test
