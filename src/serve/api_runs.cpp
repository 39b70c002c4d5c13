// Answers about runs: the history, one run whole, its logs, the queue, and the end of a run.
#include "core/journal/event_json.hpp"
#include "engine/project.hpp"
#include "engine/run_logs.hpp"
#include "serve/api.hpp"
#include "serve/log_lines.hpp"
#include "serve/request_body.hpp"
#include "views/documents.hpp"
#include "views/queue_view.hpp"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <sstream>

namespace troupe_internal::serve {

namespace {

template <class T>
std::optional<T> number_of(std::string_view text) {
  T number{};
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), number);
  return bad == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(number) : std::nullopt;
}

/// A parameter that is a number, if it is there.
template <class T>
result<T> parameter(const api_call& call, std::string_view name, T otherwise, T most) {
  const auto* text = find_field(call.request.query, name);
  if (text == nullptr)
    return otherwise;
  const auto number = number_of<T>(*text);
  if (!number || *number > most)
    return fail(error_code::invalid_input,
                "\"" + std::string(name) + "\" is a whole number of at most " + std::to_string(most));
  return *number;
}

result<run_record> run_of(const api_world& world, const api_call& call) {
  return find_run(world.state->path(), call.names[0]);
}

} // namespace

void answer_runs(const api_world& world, const api_call& call, http_answer& answer) {
  constexpr std::size_t usual = 50;
  constexpr std::size_t most = 1'000;
  const auto limit = parameter<std::size_t>(call, "limit", usual, most);
  const auto before = parameter<std::uint32_t>(call, "cursor", std::numeric_limits<std::uint32_t>::max(),
                                               std::numeric_limits<std::uint32_t>::max());
  if (!limit || !before)
    return answer.send(problem_of(limit ? before.error() : limit.error()));
  const auto* pipeline = find_field(call.request.query, "pipeline");
  const auto* status = find_field(call.request.query, "status");
  answer.send(document_of_now(world, [&]() -> result<std::string> {
    auto runs = list_runs(world.state->path(), 0);
    if (!runs)
      return runs.error();
    std::erase_if(*runs, [&](const run_record& run) {
      return run.run.value >= *before || (pipeline != nullptr && run.pipeline != *pipeline) ||
             (status != nullptr && to_string(run.status) != *status);
    });
    const bool more = runs->size() > *limit;
    if (more)
      runs->resize(*limit);
    std::ostringstream text;
    {
      json_writer json(text);
      cli::write_runs(json, *runs);
    }
    auto body = text.str();
    // The command's document, and where the next page begins.
    const auto end = body.rfind('}');
    body.insert(end, ",\"next\":" + (more && !runs->empty() ? "\"" + std::to_string(runs->back().run.value) + "\""
                                                            : std::string("null")));
    return body;
  }));
}

void answer_run(const api_world& world, const api_call& call, http_answer& answer) {
  answer.send(document_of_now(world, [&]() -> result<std::string> {
    const auto run = run_of(world, call);
    if (!run)
      return run.error();
    const auto report = read_run_report(world.state->path(), run->run, report_detail::every_attempt);
    if (!report)
      return report.error();
    std::ostringstream text;
    {
      json_writer json(text);
      const run_logs logs(world.state->path(), run->run);
      cli::write_run(json, *report, [&](const asset_run_report& asset, std::uint32_t attempt) {
        return logs.has(asset.name, attempt) ? logs.path(asset.name, attempt) : std::string();
      });
    }
    return text.str();
  }));
}

void answer_cancel(const api_world& world, const api_call& call, http_answer& answer) {
  const auto body = read_body(call.request.body, {"at_once"});
  if (!body)
    return answer.send(problem_of(body.error()));
  const auto run = run_of(world, call);
  if (!run)
    return answer.send(problem_of(run.error()));
  const auto asked = world.engine.cancel(run->run, body->at_once);
  if (!asked) {
    auto problem = problem_of(asked.error());
    if (asked.error().code == error_code::not_found)
      problem = http_problem(409, "not_live", asked.error().message);
    return answer.send(std::move(problem));
  }
  answer.send({202, "application/json", {}, "{\"number\":" + std::to_string(asked->value) + "}\n"});
}

void answer_resume_run(const api_world& world, const api_call& call, http_answer& answer) {
  const auto body = read_body(call.request.body, {"params"});
  if (!body)
    return answer.send(problem_of(body.error()));
  const auto run = run_of(world, call);
  if (!run)
    return answer.send(problem_of(run.error()));
  if (run->status == run_status::succeeded || run->status == run_status::running || never_started(*run))
    return answer.send(http_problem(409, "not_resumable",
                                    "run #" + std::to_string(run->run.value) + " is " +
                                        std::string(to_string(run->status)) +
                                        ": only a run that was interrupted, failed or cancelled "
                                        "can be resumed"));
  const auto resumed = world.engine.resume(run->run, body->params);
  if (!resumed)
    return answer.send(problem_of(resumed.error()));
  answer.send({202,
               "application/json",
               {},
               "{\"run\":\"" + to_string(run->id) + "\",\"number\":" + std::to_string(run->run.value) + "}\n"});
}

void answer_queue(const api_world& world, const api_call& /*call*/, http_answer& answer) {
  answer.send(document_of_now(world, [&]() -> result<std::string> {
    std::ostringstream text;
    {
      json_writer json(text);
      cli::write_queue(json, world.engine.queue());
    }
    return text.str();
  }));
}

void answer_priority(const api_world& world, const api_call& call, http_answer& answer) {
  const auto body = read_body(call.request.body, {"priority"});
  if (!body)
    return answer.send(problem_of(body.error()));
  const auto run = number_of<std::uint32_t>(call.names[0]);
  if (!run || !body->priority)
    return answer.send(http_problem(422, "invalid_input", "send {\"priority\": N} for the number of a queued run"));
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<result<void>> done;
  const auto asked = world.engine.prioritize(run_number(*run), *body->priority, [&](result<void> how) {
    const std::lock_guard lock(mutex);
    done = std::move(how);
    changed.notify_all();
  });
  if (!asked)
    return answer.send(problem_of(asked.error()));
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return done.has_value(); });
  if (!*done)
    return answer.send(problem_of(done->error()));
  answer.send({202,
               "application/json",
               {},
               "{\"number\":" + std::to_string(*run) + ",\"priority\":" + std::to_string(*body->priority) + "}\n"});
}

void answer_log(const api_world& world, const api_call& call, http_answer& answer) {
  log_question asked;
  const auto from = parameter<std::uint64_t>(call, "from", 1, std::numeric_limits<std::uint64_t>::max());
  const auto count = parameter<std::size_t>(call, "count", log_question::usual_lines, log_question::most_lines);
  const auto tail = parameter<std::size_t>(call, "tail", 0, log_question::most_lines);
  const auto attempt = number_of<std::uint32_t>(call.names[2]);
  if (!from || !count || !tail)
    return answer.send(problem_of(!from ? from.error() : !count ? count.error() : tail.error()));
  if (!attempt)
    return answer.send(http_problem(422, "invalid_input", "an attempt is a number"));
  const auto run = run_of(world, call);
  if (!run)
    return answer.send(problem_of(run.error()));
  const run_logs logs(world.state->path(), run->run);
  const auto fd = logs.open(call.names[1], *attempt);
  if (!fd)
    return answer.send(problem_of(fd.error()));
  asked.from = *from;
  asked.count = *count;
  asked.tail = *tail;
  if (const auto* words = find_field(call.request.query, "q"))
    asked.words = *words;
  const auto found = find_log_lines(*fd, asked);
  if (!found)
    return answer.send(problem_of(found.error()));
  std::ostringstream text;
  {
    json_writer json(text);
    json.begin_object().member("format", 1).key("lines").begin_array();
    for (const auto& line : found->lines)
      json.begin_object().member("n", line.number).member("text", line.text).end_object();
    json.end_array().member("total", found->total);
    if (!asked.words.empty())
      json.member("matches", found->matches);
    json.end_object();
  }
  answer.send({200, "application/json", {}, text.str()});
}

void answer_raw_log(const api_world& world, const api_call& call, http_answer& answer) {
  const auto attempt = number_of<std::uint32_t>(call.names[2]);
  const auto run = run_of(world, call);
  if (!run || !attempt)
    return answer.send(run ? http_problem(422, "invalid_input", "an attempt is a number") : problem_of(run.error()));
  const run_logs logs(world.state->path(), run->run);
  const auto fd = logs.open(call.names[1], *attempt);
  if (!fd)
    return answer.send(problem_of(fd.error()));
  auto bytes = read_log(*fd);
  if (!bytes)
    return answer.send(problem_of(bytes.error()));
  // Bytes of a command's: no browser is to take them for a page.
  answer.send({200, "application/octet-stream", {{"Content-Disposition", "attachment"}}, std::move(*bytes)});
}

} // namespace troupe_internal::serve
