// Answers about the supervisor itself: whether it is well, its figures, and what can be asked of it.
#include "base/json_writer.hpp"
#include "core/journal/event_json.hpp"
#include "serve/api.hpp"
#include "views/text.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::serve {

namespace {

/// A label's value, as Prometheus' text format has it.
std::string label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"')
      out += '\\';
    out.append(c == '\n' ? "\\n" : std::string(1, c));
  }
  return out;
}

void figure(std::ostringstream& to, std::string_view name, std::string_view kind, std::string_view help) {
  to << "# HELP " << name << " " << help << "\n# TYPE " << name << " " << kind << "\n";
}

void write_path(json_writer& json, const api_route& route) {
  json.begin_object().member("summary", route.summary);
  json.key("operationId").value(std::string(route.method) + std::string(route.path));
  if (route.scope == access_scope::none)
    json.key("security").begin_array().end_array();
  json.key("parameters").begin_array();
  for (auto at = route.path.find('{'); at != std::string_view::npos; at = route.path.find('{', at + 1)) {
    const auto name = route.path.substr(at + 1, route.path.find('}', at) - at - 1);
    json.begin_object().member("name", name).member("in", "path").member("required", true);
    json.key("schema").begin_object().member("type", "string").end_object().end_object();
  }
  for (auto left = route.query; !left.empty();) {
    const auto name = left.substr(0, left.find(','));
    left.remove_prefix(std::min(name.size() + 1, left.size()));
    json.begin_object().member("name", name).member("in", "query");
    json.key("schema").begin_object().member("type", "string").end_object().end_object();
  }
  json.end_array().key("responses").begin_object();
  json.key(route.scope == access_scope::write ? "202" : "200")
      .begin_object()
      .member("description", "done")
      .end_object();
  json.key("default")
      .begin_object()
      .member("description", "an error, as RFC 9457 has it")
      .key("content")
      .begin_object();
  json.key("application/problem+json").begin_object().key("schema").begin_object();
  json.member("$ref", "#/components/schemas/problem").end_object().end_object().end_object().end_object();
  json.end_object().end_object();
}

} // namespace

void answer_healthy(const api_world& world, const api_call& /*call*/, http_answer& answer) {
  if (world.pulse.turns(world.time.monotonic()))
    answer.send({200, "application/json", {}, "{\"healthy\":true}\n"});
  else
    answer.send({503, "application/json", {}, "{\"healthy\":false}\n"});
}

void answer_ready(const api_world& world, const api_call& /*call*/, http_answer& answer) {
  constexpr duration longest_commit = std::chrono::seconds(5);
  const auto trouble = world.engine.trouble();
  const auto waits = world.engine.commit_wait();
  const bool stopping = world.engine.stopping();
  // What an answer shows already, recovery and listening, is not asked for.
  const bool commits = waits <= longest_commit;
  const bool ready = trouble.empty() && commits && !stopping;
  std::ostringstream text;
  {
    json_writer json(text);
    json.begin_object().member("ready", ready).member("stopping", stopping).key("journal");
    if (trouble.empty())
      json.null();
    else
      json.value(trouble);
    json.key("conditions").begin_object();
    const auto condition = [&](std::string_view name, bool ok, const std::string& detail) {
      json.key(name).begin_object().member("ok", ok).key("detail");
      if (detail.empty())
        json.null();
      else
        json.value(detail);
      json.end_object();
    };
    condition("recovered", true, {});
    condition("listening", true, {});
    condition("journal", trouble.empty(), trouble);
    condition("commits", commits, commits ? std::string() : "events have waited for the disk for " + to_human(waits));
    condition("configuration", world.last_reload().good, // it keeps nobody from anything
              world.last_reload().good ? std::string() : "a file has mistakes; what was loaded before stays");
    condition("taking", !stopping, stopping ? "it stops: nothing new is taken in" : std::string());
    json.end_object();
    // A pipeline that does not load keeps the others from nothing.
    json.key("degraded").begin_array();
    for (const auto& one : world.pipelines())
      if (!one.problem.empty())
        json.begin_object()
            .member("pipeline", one.name)
            .member("file", one.file)
            .member("problem", one.problem)
            .end_object();
    for (const auto& [name, problem] : world.triggers.troubles())
      json.begin_object()
          .member("pipeline", name.substr(0, name.find('/')))
          .member("trigger", name)
          .member("problem", problem)
          .end_object();
    for (const auto& [name, problem] : world.notices().trouble)
      json.begin_object().member("notification", name).member("problem", problem).end_object();
    json.end_array();
    json.key("interrupted").begin_array();
    for (const auto& [run, why] : world.engine.left_open())
      if (!why.empty())
        json.begin_object().member("run", run.value).member("problem", why).end_object();
    json.end_array().end_object();
  }
  answer.send({ready ? 200U : 503U, "application/json", {}, text.str()});
}

namespace {

/// Of triggers, as the journal counts them.
void write_trigger_figures(std::ostringstream& to, const journal_snapshot& snapshot) {
  std::vector<trigger_record> records;
  static_cast<void>(snapshot.visit_triggers([&](const trigger_record& one) { // what cannot be read has no figures
    records.push_back(one);
    return true;
  }));
  const auto labels = [](const trigger_record& one) {
    const auto slash = one.trigger.find('/');
    return "pipeline=\"" + label(std::string_view(one.trigger).substr(0, slash)) + "\",trigger=\"" +
           label(std::string_view(one.trigger).substr(slash + 1)) + "\"";
  };
  figure(to, "troupe_trigger_events_total", "counter", "Events of triggers by what became of them.");
  for (const auto& one : records)
    for (std::size_t fate = 0; fate < event_fate_count; ++fate)
      if (static_cast<event_fate>(fate) != event_fate::pending)
        to << "troupe_trigger_events_total{" << labels(one) << ",fate=\"" << to_string(static_cast<event_fate>(fate))
           << "\"} " << one.settled.at(fate) << "\n";
  figure(to, "troupe_trigger_events_pending", "gauge", "Events of triggers whose run waits.");
  for (const auto& one : records)
    to << "troupe_trigger_events_pending{" << labels(one) << "} " << one.pending << "\n";
  figure(to, "troupe_trigger_paused", "gauge", "Whether a trigger is paused.");
  for (const auto& one : records)
    to << "troupe_trigger_paused{" << labels(one) << "} " << (one.paused_at ? 1 : 0) << "\n";
  figure(to, "troupe_trigger_failures_in_a_row", "gauge", "Runs of a trigger that failed since one succeeded.");
  for (const auto& one : records)
    to << "troupe_trigger_failures_in_a_row{" << labels(one) << "} " << one.failures << "\n";
  figure(to, "troupe_trigger_last_lag_seconds", "gauge", "How much later than its moment the last tick was taken in.");
  for (const auto& one : records)
    if (one.last_at && one.last_nominal)
      to << "troupe_trigger_last_lag_seconds{" << labels(one) << "} "
         << std::chrono::duration<double>(*one.last_at - *one.last_nominal).count() << "\n";
}

} // namespace

void answer_metrics(const api_world& world, const api_call& /*call*/, http_answer& answer) {
  std::ostringstream to;
  figure(to, "troupe_build_info", "gauge", "The version that runs.");
  to << "troupe_build_info{version=\"" TROUPE_VERSION "\"} 1\n";
  std::map<std::string, std::size_t> live;
  std::map<std::string, std::size_t> queued;
  std::size_t broken = 0;
  for (const auto& one : world.pipelines()) {
    live[one.name];
    queued[one.name];
    broken += one.problem.empty() ? 0 : 1;
  }
  for (const auto& run : world.engine.list())
    ++live[run.pipeline];
  for (const auto& run : world.engine.queue())
    ++queued[run.pipeline];
  figure(to, "troupe_runs_live", "gauge", "Runs that have begun and have not ended.");
  for (const auto& [name, count] : live)
    to << "troupe_runs_live{pipeline=\"" << label(name) << "\"} " << count << "\n";
  figure(to, "troupe_runs_queued", "gauge", "Runs that wait for their turn.");
  for (const auto& [name, count] : queued)
    to << "troupe_runs_queued{pipeline=\"" << label(name) << "\"} " << count << "\n";
  const auto starts = world.engine.start_times();
  const auto start_figure = [&](std::string_view name, std::string_view help, auto value) {
    figure(to, name, "counter", help);
    for (const auto& [pipeline, times] : starts)
      to << name << "{pipeline=\"" << label(pipeline) << "\"} " << value(times) << "\n";
  };
  const auto seconds = [](duration span) { return std::chrono::duration<double>(span).count(); };
  start_figure("troupe_runs_from_queue_total", "Runs that were queued and have started.",
               [](const start_figures& times) { return times.runs; });
  start_figure("troupe_queue_wait_seconds_total", "How long they waited until it was their turn, all together.",
               [&](const start_figures& times) { return seconds(times.waited); });
  start_figure("troupe_start_delay_seconds_total", "How long it took from their turn to their start, all together.",
               [&](const start_figures& times) { return seconds(times.started); });
  figure(to, "troupe_pipelines_degraded", "gauge", "Pipelines that do not load.");
  to << "troupe_pipelines_degraded " << broken << "\n";
  const auto watched = world.watched();
  const auto one_figure = [&](std::string_view name, std::string_view kind, std::string_view help,
                              std::uint64_t value) {
    figure(to, name, kind, help);
    to << name << " " << value << "\n";
  };
  one_figure("troupe_triggers_degraded", "gauge", "Triggers that do not do what they should at the moment.",
             world.triggers.troubles().size());
  one_figure("troupe_watched_folders", "gauge", "Folders whose changes the system reports (inotify watches).",
             watched.folders);
  one_figure("troupe_watched_files", "gauge", "Files that watch triggers know.", watched.files);
  one_figure("troupe_watch_polling", "gauge", "Watch triggers that poll.", watched.polling);
  one_figure("troupe_watch_overflows_total", "counter", "How often changes came faster than they were read.",
             watched.overflows);
  const auto notices = world.notices();
  one_figure("troupe_notices_waiting", "gauge", "Deliveries of notices that have not ended.", notices.waiting);
  one_figure("troupe_notices_lag_seconds", "gauge", "How long the oldest of them has waited.",
             notices.oldest && world.time.now() > *notices.oldest
                 ? static_cast<std::uint64_t>(
                       std::chrono::duration_cast<std::chrono::seconds>(world.time.now() - *notices.oldest).count())
                 : 0);
  one_figure("troupe_notices_delivered_total", "counter", "Notices delivered since the start.", notices.delivered);
  one_figure("troupe_notices_given_up_total", "counter", "Notices given up since the start.", notices.given_up);
  one_figure("troupe_assets_overdue", "gauge", "Assets that are not up to date when they were expected to be.",
             notices.overdue);
  figure(to, "troupe_clock_jumps_total", "counter", "How often the wall clock was set.");
  to << "troupe_clock_jumps_total " << world.triggers.clock_jumps() << "\n";
  figure(to, "troupe_journal_writable", "gauge", "Whether the journal takes events.");
  to << "troupe_journal_writable " << (world.engine.trouble().empty() ? 1 : 0) << "\n";
  const auto refused = world.hooks.refused();
  figure(to, "troupe_hooks_refused_total", "counter", "Requests to webhooks that became no event, or a rejected one.");
  for (const auto& [why, count] : {std::pair("unknown", refused.unknown), std::pair("signature", refused.signature),
                                   std::pair("unreadable", refused.unreadable), std::pair("values", refused.values),
                                   std::pair("busy", refused.busy)})
    to << "troupe_hooks_refused_total{why=\"" << why << "\"} " << count << "\n";
  figure(to, "troupe_journal_commit_wait_seconds", "gauge", "How long the oldest event has waited for the disk.");
  to << "troupe_journal_commit_wait_seconds " << std::chrono::duration<double>(world.engine.commit_wait()).count()
     << "\n";
  figure(to, "troupe_runs_left_open", "gauge", "Interrupted runs that are still to be resumed, or cannot be.");
  to << "troupe_runs_left_open " << world.engine.left_open().size() << "\n";
  const auto reload = world.last_reload();
  figure(to, "troupe_config_last_reload_successful", "gauge", "Whether the last load of all files found no mistake.");
  to << "troupe_config_last_reload_successful " << (reload.good ? 1 : 0) << "\n";
  figure(to, "troupe_config_last_reload_success_timestamp_seconds", "gauge", "When it last found no mistake.");
  to << "troupe_config_last_reload_success_timestamp_seconds " << to_unix_ns(reload.good_at) / 1'000'000'000 << "\n";
  figure(to, "troupe_config_reload_failures_total", "counter", "Loads of all files that found a mistake.");
  to << "troupe_config_reload_failures_total " << reload.failures << "\n";
  if (const auto snapshot = world.engine.history()) {
    write_trigger_figures(to, **snapshot);
    figure(to, "troupe_journal_events_total", "counter", "Events ever appended to the journal.");
    to << "troupe_journal_events_total " << (*snapshot)->info().last_seq << "\n";
  }
  answer.send({200, "text/plain; version=0.0.4", {}, to.str()});
}

void answer_openapi(const api_world& /*world*/, const api_call& /*call*/, http_answer& answer) {
  std::ostringstream text;
  {
    json_writer json(text);
    json.begin_object().member("openapi", "3.1.0").key("info").begin_object();
    json.member("title", "Troupe").member("version", TROUPE_VERSION).end_object();
    json.key("security").begin_array().begin_object().key("token").begin_array().end_array().end_object().end_array();
    json.key("components").begin_object().key("securitySchemes").begin_object().key("token").begin_object();
    json.member("type", "http").member("scheme", "bearer").end_object().end_object();
    json.key("schemas").begin_object().key("problem").begin_object().member("type", "object");
    json.key("properties").begin_object();
    for (const auto* name : {"type", "title", "detail", "code"})
      json.key(name).begin_object().member("type", "string").end_object();
    json.key("status").begin_object().member("type", "integer").end_object();
    json.end_object().end_object().end_object().end_object();
    json.key("paths").begin_object();
    std::vector<std::string_view> written;
    for (const auto& route : api_routes()) {
      if (std::find(written.begin(), written.end(), route.path) != written.end())
        continue;
      written.push_back(route.path);
      json.key(route.path).begin_object();
      for (const auto& same : api_routes())
        if (same.path == route.path) {
          json.key(same.method == "GET" ? "get" : "post");
          write_path(json, same);
        }
      json.end_object();
    }
    json.key("/api/v1/journal").begin_object().key("get");
    write_path(json, {"GET", "/api/v1/journal", access_scope::read,
                      "The history, as a page or, with Accept: text/event-stream, a stream", "from,run", nullptr});
    json.end_object().end_object().end_object();
  }
  answer.send({200, "application/json", {}, text.str()});
}

} // namespace troupe_internal::serve
