// Answers about triggers: what they are, what they took in, and what is asked of them.
#include "core/journal/event_json.hpp"
#include "engine/trigger_history.hpp"
#include "serve/api.hpp"
#include "serve/request_body.hpp"
#include "views/event_view.hpp"
#include "views/trigger_view.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace troupe_internal::serve {

namespace {

constexpr std::size_t ticks_shown = 5;

/// All triggers with what the journal says of them. `sets` keeps what they point to.
result<std::vector<cli::shown_trigger>> all_triggers(const api_world& world, std::vector<served_triggers>& sets) {
  sets = world.triggers.pipelines();
  const auto snapshot = world.engine.history();
  if (!snapshot)
    return snapshot.error();
  std::map<std::string, trigger_record> records;
  const auto visited = (*snapshot)->visit_triggers([&](const trigger_record& one) {
    records.emplace(one.trigger, one);
    return true;
  });
  if (!visited)
    return visited.error();
  const auto held = world.triggers.schedules_held();
  std::vector<cli::shown_trigger> all;
  const auto troubles = world.triggers.troubles();
  for (const auto& of : sets)
    for (auto& one : cli::shown_triggers(of.pipeline, *of.set, world.time.now(), ticks_shown)) {
      if (const auto record = records.find(of.pipeline + "/" + one.what->name); record != records.end())
        one.record = record->second;
      one.degraded = one.what->schedule() != nullptr ? held : std::string();
      if (one.degraded.empty())
        one.degraded = world.hooks.problem_of(trigger_desk::target_of(of, *one.what));
      if (const auto trouble = troubles.find(of.pipeline + "/" + one.what->name); trouble != troubles.end())
        one.degraded += (one.degraded.empty() ? "" : "; ") + trouble->second;
      all.push_back(std::move(one));
    }
  return all;
}

void answer_taken(http_answer& answer, const result<taken_event>& taken) {
  if (!taken)
    return answer.send(problem_of(taken.error()));
  if (taken->fate == event_fate::rejected) {
    const auto detail = taken->because + " (event " + std::to_string(taken->event) + ")";
    return answer.send(taken->key_conflict ? http_problem(409, "key_conflict", detail)
                                           : http_problem(422, "refused_value", detail));
  }
  answer.send({taken->duplicate_of == 0 ? 202U : 200U, "application/json", {}, answer_text(*taken)});
}

void ask(const api_world& world, const api_call& call, http_answer& answer, trigger_ask asked) {
  asked.name = call.names[0] + "/" + call.names[1];
  asked.by = call.who.by;
  const auto taken = world.triggers.ask(asked);
  if (!taken || asked.what == trigger_ask::verb::fire)
    return answer_taken(answer, taken);
  answer_trigger(world, call, answer);
}

} // namespace

void answer_triggers(const api_world& world, const api_call& /*call*/, http_answer& answer) {
  answer.send(document_of_now(world, [&]() -> result<std::string> {
    std::vector<served_triggers> sets;
    const auto all = all_triggers(world, sets);
    if (!all)
      return all.error();
    std::ostringstream text;
    {
      json_writer json(text);
      cli::write_triggers(json, *all);
    }
    return text.str();
  }));
}

void answer_trigger(const api_world& world, const api_call& call, http_answer& answer) {
  answer.send(document_of_now(world, [&]() -> result<std::string> {
    std::vector<served_triggers> sets;
    const auto all = all_triggers(world, sets);
    if (!all)
      return all.error();
    const auto one = std::find_if(all->begin(), all->end(), [&](const cli::shown_trigger& shown) {
      return shown.pipeline == call.names[0] && shown.what->name == call.names[1];
    });
    if (one == all->end())
      return fail(error_code::not_found,
                  "the supervisor has no trigger \"" + call.names[0] + "/" + call.names[1] + "\"");
    std::ostringstream text;
    {
      json_writer json(text);
      cli::write_trigger(json, *one);
    }
    return text.str();
  }));
}

void answer_pause(const api_world& world, const api_call& call, http_answer& answer) {
  const auto body = read_body(call.request.body, {"reason"});
  if (!body)
    return answer.send(problem_of(body.error()));
  trigger_ask asked;
  asked.what = trigger_ask::verb::pause;
  asked.reason = body->reason.value_or("");
  ask(world, call, answer, std::move(asked));
}

void answer_resume(const api_world& world, const api_call& call, http_answer& answer) {
  const auto body = read_body(call.request.body, {});
  if (!body)
    return answer.send(problem_of(body.error()));
  trigger_ask asked;
  asked.what = trigger_ask::verb::resume;
  ask(world, call, answer, std::move(asked));
}

void answer_fire(const api_world& world, const api_call& call, http_answer& answer) {
  auto body = read_body(call.request.body, {"params", "key", "parallel"});
  if (!body)
    return answer.send(problem_of(body.error()));
  trigger_ask asked;
  asked.what = trigger_ask::verb::fire;
  asked.params = std::move(body->params);
  asked.key = body->key.value_or("");
  asked.apart = body->parallel;
  ask(world, call, answer, std::move(asked));
}

void answer_test(const api_world& world, const api_call& call, http_answer& answer) {
  auto body = read_body(call.request.body, {"body", "headers", "key"});
  if (!body)
    return answer.send(problem_of(body.error()));
  trigger_ask asked;
  asked.what = trigger_ask::verb::test;
  asked.name = call.names[0] + "/" + call.names[1];
  asked.body = body->body.value_or("");
  asked.headers = std::move(body->headers);
  asked.key = body->key.value_or("");
  const auto would = world.triggers.ask(asked);
  if (!would)
    return answer.send(problem_of(would.error()));
  std::ostringstream text;
  {
    json_writer json(text);
    json.begin_object().member("fate", to_string(would->fate)).key("steps").begin_array();
    for (std::string_view left = would->because; !left.empty();) {
      const auto line = left.substr(0, left.find('\n'));
      json.value(line);
      left.remove_prefix(std::min(left.size(), line.size() + 1));
    }
    json.end_array().end_object();
  }
  answer.send({200, "application/json", {}, text.str() + "\n"});
}

void answer_forget(const api_world& world, const api_call& call, http_answer& answer) {
  const auto body = read_body(call.request.body, {"key"});
  if (!body)
    return answer.send(problem_of(body.error()));
  trigger_ask asked;
  asked.what = trigger_ask::verb::forget;
  asked.key = body->key.value_or("");
  ask(world, call, answer, std::move(asked));
}

void answer_replay(const api_world& world, const api_call& call, http_answer& answer) {
  trigger_ask asked;
  asked.what = trigger_ask::verb::replay;
  asked.by = call.who.by;
  const auto& text = call.names[0];
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), asked.event);
  if (bad != std::errc() || end != text.data() + text.size() || asked.event == 0)
    return answer.send(http_problem(404, "not_found", "there is no event \"" + text + "\""));
  answer_taken(answer, world.triggers.ask(asked));
}

void answer_backfill(const api_world& world, const api_call& call, http_answer& answer) {
  auto body = read_body(call.request.body, {"from", "to", "again", "dry_run"});
  if (!body)
    return answer.send(problem_of(body.error()));
  trigger_ask asked;
  asked.what = trigger_ask::verb::backfill;
  asked.name = call.names[0] + "/" + call.names[1];
  asked.by = call.who.by;
  asked.first = body->from.value_or("");
  asked.last = body->to.value_or("");
  asked.again = body->again;
  asked.dry = body->dry_run;
  const auto taken = world.triggers.ask(asked);
  if (!taken)
    return answer.send(problem_of(taken.error()));
  std::ostringstream text;
  {
    json_writer json(text);
    json.begin_object().member("ticks", taken->count).member("had_fired", taken->left_out);
    json.key("first_event");
    if (taken->event == 0)
      json.null();
    else
      json.value(taken->event);
    json.key("first_run");
    if (taken->run.value == 0)
      json.null();
    else
      json.value(taken->run.value);
    json.end_object();
  }
  answer.send({taken->event == 0 ? 200U : 202U, "application/json", {}, text.str() + "\n"});
}

void answer_hook(const api_world& world, const api_call& call, std::shared_ptr<http_answer> answer) {
  world.hooks.take(call.request, call.names[0], call.names[1], std::move(answer));
}

void answer_events(const api_world& world, const api_call& call, http_answer& answer) {
  constexpr std::size_t usual = 50;
  constexpr std::size_t most = 1'000;
  events_wanted wanted;
  std::uint64_t limit = usual;
  const auto number = [&](std::string_view name, std::uint64_t& into) {
    const auto* const text = find_field(call.request.query, name);
    if (text == nullptr)
      return true;
    const auto [end, bad] = std::from_chars(text->data(), text->data() + text->size(), into);
    return bad == std::errc() && end == text->data() + text->size();
  };
  if (!number("limit", limit) || limit == 0 || limit > most || !number("cursor", wanted.before))
    return answer.send(http_problem(422, "bad_number",
                                    "\"limit\" is a whole number from 1 to " + std::to_string(most) +
                                        ", and \"cursor\" is the \"next\" of the page before"));
  if (const auto* const fate = find_field(call.request.query, "fate")) {
    wanted.fate = cli::fate_of(*fate);
    if (!wanted.fate)
      return answer.send(http_problem(422, "bad_fate", "there is no fate \"" + *fate + "\""));
  }
  if (const auto* const trigger = find_field(call.request.query, "trigger"))
    wanted.trigger = *trigger;
  wanted.limit = limit + 1;
  answer.send(document_of_now(world, [&]() -> result<std::string> {
    const auto snapshot = world.engine.history();
    if (!snapshot)
      return snapshot.error();
    auto events = events_in(**snapshot, wanted);
    if (!events)
      return events.error();
    const bool more = events->size() > limit;
    if (more)
      events->resize(limit);
    std::ostringstream text;
    {
      json_writer json(text);
      cli::begin_events(json, *events);
      json.key("next");
      if (more && events->back().seq != 0)
        json.value(std::to_string(events->back().seq));
      else
        json.null();
      json.end_object();
    }
    return text.str();
  }));
}

} // namespace troupe_internal::serve
