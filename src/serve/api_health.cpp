// Answers about the supervisor itself: whether it is well, its figures, and what can be asked of it.
#include "base/json_writer.hpp"
#include "serve/api.hpp"

#include <algorithm>
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

void answer_healthy(const api_world& /*world*/, const api_call& /*call*/, http_answer& answer) {
  answer.send({200, "application/json", {}, "{\"healthy\":true}\n"});
}

void answer_ready(const api_world& world, const api_call& /*call*/, http_answer& answer) {
  const auto trouble = world.engine.trouble();
  const bool stopping = world.engine.stopping();
  const bool ready = trouble.empty() && !stopping;
  std::ostringstream text;
  {
    json_writer json(text);
    json.begin_object().member("ready", ready).member("stopping", stopping).key("journal");
    if (trouble.empty())
      json.null();
    else
      json.value(trouble);
    // A pipeline that does not load keeps the others from nothing.
    json.key("degraded").begin_array();
    for (const auto& one : world.pipelines())
      if (!one.problem.empty())
        json.begin_object()
            .member("pipeline", one.name)
            .member("file", one.file)
            .member("problem", one.problem)
            .end_object();
    json.end_array().end_object();
  }
  answer.send({ready ? 200U : 503U, "application/json", {}, text.str()});
}

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
  figure(to, "troupe_pipelines_degraded", "gauge", "Pipelines that do not load.");
  to << "troupe_pipelines_degraded " << broken << "\n";
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
  if (const auto snapshot = world.engine.history()) {
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
                      "The history, as a page or, with Accept: text/event-stream, a stream", nullptr});
    json.end_object().end_object().end_object();
  }
  answer.send({200, "application/json", {}, text.str()});
}

} // namespace troupe_internal::serve
