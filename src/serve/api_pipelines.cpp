// Answers about pipelines: which there are, their graphs and assets, what would run; and the start of a run.
#include "base/utf8.hpp"
#include "core/trigger/outside_value.hpp"
#include "engine/project.hpp"
#include "serve/api.hpp"
#include "serve/request_body.hpp"
#include "serve/safe_file.hpp"
#include "views/documents.hpp"
#include "views/graph_view.hpp"

#include "core/pipeline/selection.hpp"

#include <algorithm>
#include <map>
#include <sstream>

namespace troupe_internal::serve {

namespace {

result<served_pipeline> find_pipeline(const api_world& world, const std::string& name) {
  std::string known;
  for (auto& one : world.pipelines()) {
    if (one.name == name)
      return one;
    known.append(known.empty() ? "" : ", ").append(one.name);
  }
  return fail(error_code::not_found, "there is no pipeline \"" + name + "\"; " +
                                         (known.empty() ? std::string("none is served") : "served are: " + known));
}

void write_pipeline(json_writer& json, const served_pipeline& one) {
  json.begin_object().member("name", one.name).member("file", one.file).key("problem");
  if (one.problem.empty())
    json.null();
  else
    json.value(one.problem);
  json.end_object();
}

/// The repeated parameter `select` of a request.
std::vector<std::string> selection_of(const api_call& call) {
  std::vector<std::string> selection;
  for (const auto& [name, value] : call.request.query)
    if (name == "select" && !value.empty())
      selection.push_back(value);
  return selection;
}

run_options options_of(const request_body& body) {
  run_options options;
  options.selection = body.select;
  options.exclude = body.exclude;
  options.only = body.only;
  options.force = body.force;
  options.params = body.params;
  return options;
}

/// The assets of the pipeline that is asked for, as they were at the last look, or as they are with `?look=now`.
result<std::shared_ptr<const asset_look>> look_of(const api_world& world, const api_call& call) {
  const auto* const when = find_field(call.request.query, "look");
  if (when != nullptr && *when != "now")
    return fail(error_code::invalid_input, "\"look\" can only be \"now\"");
  const auto found = find_pipeline(world, call.names[0]);
  if (!found)
    return found.error();
  return world.looks.at(found->file, when != nullptr);
}

/// Of what is asked for, however it is written.
digest request_of(const request_body& body) {
  std::string all = (body.only ? "only" : "") + std::string(body.force ? "force" : "");
  all += std::to_string(body.priority.value_or(0));
  for (const auto& one : body.select)
    all += "\nselect " + one;
  for (const auto& one : body.exclude)
    all += "\nexclude " + one;
  for (const auto& [name, value] : body.params)
    all += "\nparam " + name + "=" + value;
  return content_digest(all);
}

} // namespace

void answer_pipelines(const api_world& world, const api_call& /*call*/, http_answer& answer) {
  answer.send(document_of_now(world, [&]() -> result<std::string> {
    std::ostringstream text;
    {
      json_writer json(text);
      json.begin_object().member("format", 1).key("pipelines").begin_array();
      for (const auto& one : world.pipelines())
        write_pipeline(json, one);
      json.end_array().end_object();
    }
    return text.str();
  }));
}

void answer_pipeline(const api_world& world, const api_call& call, http_answer& answer) {
  answer.send(document_of_now(world, [&]() -> result<std::string> {
    const auto found = find_pipeline(world, call.names[0]);
    if (!found)
      return found.error();
    std::ostringstream text;
    {
      json_writer json(text);
      write_pipeline(json, *found);
    }
    return text.str();
  }));
}

void answer_graph(const api_world& world, const api_call& call, http_answer& answer) {
  const auto look = look_of(world, call);
  if (!look)
    return answer.send(problem_of(look.error()));
  const auto& on = (*look)->on;
  auto selected = select_assets(*on.p, *on.graph, selection_of(call));
  if (!selected)
    return answer.send(problem_of(selected.error()));
  std::vector<node_status> statuses(on.p->assets.size(), node_status::unknown);
  for (const auto& asset : (*look)->assets)
    statuses[asset.asset.value] = node_status_of(standing_of(asset.record.attempt, asset.action));
  const auto text = graph_as_json(graph_view{*on.p, *on.graph, std::move(*selected), std::move(statuses)});
  answer.send(document(text, (*look)->seq));
}

void answer_assets(const api_world& world, const api_call& call, http_answer& answer) {
  const auto look = look_of(world, call);
  if (!look)
    return answer.send(problem_of(look.error()));
  const auto selection = selection_of(call);
  if (selection.empty())
    return answer.send(document((*look)->document, (*look)->seq));
  const auto& on = (*look)->on;
  const auto selected = select_assets(*on.p, *on.graph, selection);
  if (!selected)
    return answer.send(problem_of(selected.error()));
  std::vector<bool> is_selected(on.p->assets.size(), false);
  for (const auto asset : *selected)
    is_selected[asset.value] = true;
  std::vector<asset_status_report> shown;
  for (const auto& asset : (*look)->assets)
    if (is_selected[asset.asset.value])
      shown.push_back(asset);
  answer.send(document(status_text(**look, shown), (*look)->seq));
}

void answer_asset(const api_world& world, const api_call& call, http_answer& answer) {
  const auto look = look_of(world, call);
  if (!look)
    return answer.send(problem_of(look.error()));
  const auto& all = (*look)->assets;
  const auto one = std::find_if(all.begin(), all.end(), [&](const asset_status_report& asset) {
    return (*look)->on.p->asset(asset.asset).name == call.names[1];
  });
  if (one == all.end())
    return answer.send(http_problem(404, "not_found",
                                    "the pipeline \"" + call.names[0] + "\" has no asset \"" + call.names[1] + "\""));
  answer.send(document(status_text(**look, {*one}), (*look)->seq));
}

void answer_plan(const api_world& world, const api_call& call, http_answer& answer) {
  const auto body = read_body(call.request.body, {"select", "exclude", "only", "force", "params"});
  if (!body)
    return answer.send(problem_of(body.error()));
  answer.send(document_of_now(world, [&]() -> result<std::string> {
    const auto found = find_pipeline(world, call.names[0]);
    if (!found)
      return found.error();
    const auto on = open_served(found->file, world.state->path(), body->params);
    if (!on)
      return on.error();
    const auto options = options_of(*body);
    const auto plan = plan_pipeline(*on, options);
    if (!plan)
      return plan.error();
    std::ostringstream text;
    {
      json_writer json(text);
      cli::write_plan(json, *on->p, *plan);
    }
    return text.str();
  }));
}

void answer_start(const api_world& world, const api_call& call, http_answer& answer) {
  const auto body = read_body(call.request.body, {"select", "exclude", "only", "force", "params", "priority", "key"});
  if (!body)
    return answer.send(problem_of(body.error()));
  const auto found = find_pipeline(world, call.names[0]);
  if (!found)
    return answer.send(problem_of(found.error()));
  if (found->held_by_others)
    return answer.send(problem_of(fail(error_code::state_locked, found->problem)));
  if (const auto safe = require_safe_file(found->file); !safe)
    return answer.send(problem_of(safe.error()));
  if (!body->params.empty()) {
    const auto on = open_served(found->file, world.state->path(), body->params);
    if (!on)
      return answer.send(problem_of(on.error()));
    if (const auto problem = outside_values_problem(*on->triggers, body->params); !problem.empty())
      return answer.send(http_problem(422, "refused_value", problem));
  }
  run_ask ask;
  ask.file = found->file;
  ask.selection = body->select;
  ask.exclude = body->exclude;
  ask.only = body->only;
  ask.force = body->force;
  ask.params = body->params;
  ask.priority = body->priority.value_or(0);
  ask.cause.kind = cause_kind::user;
  ask.cause.by = call.who.by;
  ask.pipeline = found->name;
  const auto* const header = find_field(call.request.headers, "idempotency-key");
  ask.key = body->key.value_or(header != nullptr ? *header : std::string());
  constexpr std::size_t longest_key = 255;
  if (ask.key.size() > longest_key || !is_utf8(ask.key))
    return answer.send(http_problem(400, "bad_key", "a key is a text of at most 255 bytes"));
  if (!ask.key.empty())
    ask.request = request_of(*body);
  const auto taken = world.engine.submit(ask);
  if (!taken)
    return answer.send(problem_of(taken.error()));
  std::string id;
  if (const auto run = find_run(world.state->path(), std::to_string(taken->run.value)))
    id = to_string(run->id);
  std::ostringstream text;
  {
    json_writer json(text);
    json.begin_object()
        .member("run", id)
        .member("number", taken->run.value)
        .member("queued", taken->queued)
        .end_object();
  }
  http_response response{taken->known ? 200U : 202U, "application/json", {}, text.str()};
  if (taken->known)
    response.headers.emplace_back("Idempotent-Replay", "true");
  response.headers.emplace_back("Location", "/api/v1/runs/" + std::to_string(taken->run.value));
  answer.send(std::move(response));
}

} // namespace troupe_internal::serve
