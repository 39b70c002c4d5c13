// The table of requests, and the way of one through it: found, let pass, answered by a thread of the pool.
#include "serve/api.hpp"

#include "serve/entity_tag.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace troupe_internal::serve {

namespace {

constexpr unsigned readers = 4;
constexpr std::uint64_t body_bytes = std::uint64_t{1} << 20U;
constexpr unsigned retry_after_s = 5;

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> found;
  for (auto left = path.substr(1);;) {
    const auto slash = left.find('/');
    found.push_back(left.substr(0, slash));
    if (slash == std::string_view::npos)
      return found;
    left.remove_prefix(slash + 1);
  }
}

/// Whether a path is of this route, and what stands in the places of its names.
bool fits(const std::vector<std::string_view>& wanted, const std::vector<std::string>& path,
          std::vector<std::string>& names) {
  if (wanted.size() != path.size())
    return false;
  names.clear();
  for (std::size_t i = 0; i < path.size(); ++i)
    if (wanted[i].starts_with('{'))
      names.push_back(path[i]);
    else if (wanted[i] != path[i])
      return false;
  return true;
}

constexpr std::string_view journal_path = "/api/v1/journal";

std::optional<std::uint64_t> number_in(const std::string* text) {
  std::uint64_t number = 0;
  if (text == nullptr)
    return std::nullopt;
  const auto [end, bad] = std::from_chars(text->data(), text->data() + text->size(), number);
  return bad == std::errc() && end == text->data() + text->size() ? std::optional(number) : std::nullopt;
}

/// A page of the journal; a stream is not answered here.
void answer_journal_page(const journal_stream& stream, const api_call& call, http_answer& answer) {
  const auto* from = find_field(call.request.query, "from");
  const auto* run = find_field(call.request.query, "run");
  if ((from != nullptr && !number_in(from)) || (run != nullptr && !number_in(run))) {
    answer.send(http_problem(422, "bad_number", "\"from\" and \"run\" are whole numbers"));
    return;
  }
  const auto of_run =
      run == nullptr ? std::optional<run_number>() : run_number(static_cast<std::uint32_t>(*number_in(run)));
  auto page = stream.page(number_in(from).value_or(1), of_run);
  answer.send(page ? http_response{200, "application/json", {}, std::move(*page)} : problem_of(page.error()));
}

} // namespace

const std::vector<api_route>& api_routes() {
  using enum access_scope;
  static const std::vector<api_route> routes = {
      {"GET", "/healthz", none, "Whether the supervisor answers", "", answer_healthy, true},
      {"GET", "/readyz", none, "Whether the supervisor can do its work, and what is degraded", "", answer_ready, true},
      {"GET", "/metrics", read, "Figures in Prometheus' text format", "", answer_metrics},
      {"GET", "/openapi.json", read, "This interface as an OpenAPI 3.1 document", "", answer_openapi},
      {"GET", "/api/v1/pipelines", read, "All pipelines, and which of them do not load", "", answer_pipelines},
      {"GET", "/api/v1/pipelines/{pipeline}", read, "One pipeline", "", answer_pipeline},
      {"GET", "/api/v1/pipelines/{pipeline}/graph", read, "What depends on what, and how each asset stands",
       "select,look", answer_graph},
      {"GET", "/api/v1/pipelines/{pipeline}/assets", read, "How the assets stand, as the last look at their files says",
       "select,look", answer_assets},
      {"GET", "/api/v1/pipelines/{pipeline}/assets/{asset}", read, "How one asset stands", "look", answer_asset},
      {"POST", "/api/v1/pipelines/{pipeline}/plan", read, "What would run", "", answer_plan},
      {"POST", "/api/v1/pipelines/{pipeline}/runs", write, "Starts a run, or puts it in the queue", "", answer_start},
      {"GET", "/api/v1/runs", read, "Runs, newest first", "pipeline,status,limit,cursor", answer_runs},
      {"GET", "/api/v1/runs/{run}", read, "One run whole", "", answer_run},
      {"POST", "/api/v1/runs/{run}/cancel", write, "Ends a run, live or queued", "", answer_cancel},
      {"POST", "/api/v1/runs/{run}/resume", write, "Goes on with a run that was interrupted, failed or cancelled", "",
       answer_resume_run},
      {"GET", "/api/v1/runs/{run}/assets/{asset}/attempts/{attempt}/log", read, "Lines of a log", "from,count,tail,q",
       answer_log},
      {"GET", "/api/v1/runs/{run}/assets/{asset}/attempts/{attempt}/raw", read, "A log's bytes", "", answer_raw_log},
      {"GET", "/api/v1/queue", read, "Runs that wait, and why", "", answer_queue},
      {"POST", "/api/v1/queue/{run}/priority", write, "Gives a queued run another priority", "", answer_priority},
      {"POST", "/api/v1/queue/{run}/cancel", write, "Takes a run off the queue", "", answer_cancel},
      {"GET", "/api/v1/triggers", read, "All triggers, and when they fire next", "", answer_triggers},
      {"GET", "/api/v1/triggers/{pipeline}/{trigger}", read, "One trigger", "", answer_trigger},
      {"POST", "/api/v1/triggers/{pipeline}/{trigger}/pause", write, "A trigger fires no more", "", answer_pause},
      {"POST", "/api/v1/triggers/{pipeline}/{trigger}/resume", write, "A paused trigger fires again", "",
       answer_resume},
      {"POST", "/api/v1/triggers/{pipeline}/{trigger}/fire", write, "A trigger fires now", "", answer_fire},
      {"POST", "/api/v1/triggers/{pipeline}/{trigger}/backfill", write, "Ticks of the past become runs", "",
       answer_backfill},
      {"POST", "/api/v1/triggers/{pipeline}/{trigger}/test", read, "What would become of an event", "", answer_test},
      {"POST", "/api/v1/triggers/{pipeline}/{trigger}/forget", write, "Keys of a trigger count no more", "",
       answer_forget},
      {"POST", "/api/v1/events/{event}/replay", write, "An event is taken in again", "", answer_replay},
      {"POST", "/hooks/{pipeline}/{trigger}", none, "A webhook trigger takes a request in", "", nullptr, false,
       answer_hook},
      {"GET", "/api/v1/notices", read, "Notices that last or are to be delivered, and how deliveries go", "",
       answer_notices},
      {"GET", "/api/v1/events", read, "What triggers took in and what became of it, newest first",
       "fate,trigger,limit,cursor", answer_events},
  };
  return routes;
}

api::api(api_world world)
    : world_(std::move(world)), stream_([this] { return world_.engine.history(); }), pool_(readers) {
  world_.engine.also_when_committed([this] { stream_.wake(); });
}

api::~api() {
  world_.engine.also_when_committed({});
}

std::uint64_t api::body_limit(const http_request& head) {
  if (head.method != "POST")
    return 0;
  return !head.path.empty() && head.path.front() == "hooks" ? world_.hook_bytes : body_bytes;
}

void api::handle(http_request request, std::shared_ptr<http_answer> answer) {
  const auto method = request.method == "HEAD" ? std::string("GET") : request.method;
  static const api_route journal{"GET",      journal_path, access_scope::read, "The history, as a page or a stream",
                                 "from,run", nullptr};
  const api_route* found = nullptr;
  std::string others;
  api_call call{std::move(request), {}, {}};
  std::vector<std::string> names;
  const auto look_at = [&](const api_route& route, const std::vector<std::string_view>& segments) {
    if (!fits(segments, call.request.path, names))
      return;
    if (route.method == method) {
      found = &route;
      call.names = names;
    } else {
      others.append(others.empty() ? "" : ", ").append(route.method);
    }
  };
  static const auto segments = [] {
    std::vector<std::vector<std::string_view>> all;
    for (const auto& route : api_routes())
      all.push_back(segments_of(route.path));
    return all;
  }();
  for (std::size_t i = 0; i < segments.size(); ++i)
    look_at(api_routes()[i], segments[i]);
  look_at(journal, segments_of(journal_path));
  const auto respond = [&](http_response response) {
    add_security_headers(response);
    answer->send(std::move(response));
  };
  // What is not there is said to nobody who may not read.
  const auto scope = found != nullptr ? found->scope : access_scope::read;
  const auto bearer_of = [this](std::string_view token) {
    return find_bearer(*world_.state, token, world_.time.now());
  };
  if (call.request.hooks_alone && (found == nullptr || found->answer_hook == nullptr))
    return respond(http_problem(404, "unknown_path", "this socket is for webhooks alone: /hooks/PIPELINE/NAME"));
  if (found != nullptr && found->answer_hook != nullptr)
    return answer_here(std::move(call), *found, answer);
  if (auto refused = refuse(call.request, scope, world_.rules, bearer_of, call.who))
    return respond(std::move(*refused));
  if (found == nullptr && !others.empty()) {
    auto problem = http_problem(405, "wrong_method", "this is asked for with " + others);
    problem.headers.emplace_back("Allow", others);
    return respond(std::move(problem));
  }
  if (found == nullptr)
    return respond(http_problem(404, "unknown_path",
                                "there is nothing at " + call.request.target + "; /openapi.json lists what there is"));
  if (method == "POST" && !call.request.body.empty()) {
    const auto* type = find_field(call.request.headers, "content-type");
    if (type == nullptr || !type->starts_with("application/json"))
      return respond(http_problem(415, "no_json", "send Content-Type: application/json"));
  }
  const auto* accept = find_field(call.request.headers, "accept");
  if (found == &journal && accept != nullptr && accept->find("text/event-stream") != std::string::npos) {
    // Where a stream was broken off, the client says which event it has seen last.
    const auto* last = find_field(call.request.headers, "last-event-id");
    auto from = number_in(find_field(call.request.query, "from"));
    if (const auto seen = number_in(last))
      from = *seen + 1;
    http_response head{200, "text/event-stream", {{"X-Accel-Buffering", "no"}}, {}};
    add_security_headers(head);
    if (auto client = answer->begin_stream(std::move(head)))
      stream_.add(std::move(client), from);
    return;
  }
  answer_here(std::move(call), *found, answer);
}

namespace {

/// Adds to each answer what all have.
class with_headers final : public http_answer {
public:
  with_headers(const http_request& request, std::shared_ptr<http_answer> to)
      : known_(known_documents(request)), to_(std::move(to)) {}
  void send(http_response response) override {
    if (known_)
      response = with_entity_tag(*known_, std::move(response));
    add_security_headers(response);
    to_->send(std::move(response));
  }
  std::shared_ptr<http_stream> begin_stream(http_response head) override { return to_->begin_stream(std::move(head)); }

private:
  std::optional<std::string> known_;
  std::shared_ptr<http_answer> to_;
};

} // namespace

void api::answer_here(api_call call, const api_route& route, const std::shared_ptr<http_answer>& answer) {
  auto to = std::make_shared<with_headers>(call.request, answer);
  auto work = [this, call = std::move(call), &route, to = std::move(to)] {
    try {
      if (route.answer_hook != nullptr)
        route.answer_hook(world_, call, to);
      else if (route.answer == nullptr)
        answer_journal_page(stream_, call, *to);
      else
        route.answer(world_, call, *to);
    } catch (const std::exception& why) { // one request's misfortune is not the supervisor's
      world_.log("the request " + call.request.method + " " + call.request.target +
                 " could not be answered: " + why.what());
      to->send(http_problem(500, "internal", "this request could not be answered; the supervisor's log says why"));
    }
  };
  if (route.at_once)
    work();
  else
    pool_.submit(std::move(work));
}

http_response problem_of(const error& e) {
  switch (e.code) {
  case error_code::invalid_input:
    return http_problem(422, "invalid_input", e.message);
  case error_code::not_found:
    return http_problem(404, "not_found", e.message);
  case error_code::state_locked:
    return http_problem(409, "state_locked", e.message);
  case error_code::state_unusable:
    return http_problem(503, "state_unusable", e.message);
  case error_code::io:
    return http_problem(503, "io", e.message);
  case error_code::key_conflict:
    return http_problem(409, "key_conflict", e.message);
  case error_code::busy: {
    auto problem = http_problem(429, "queue_full", e.message);
    problem.headers.emplace_back("Retry-After", std::to_string(retry_after_s));
    return problem;
  }
  case error_code::stopped:
    return http_problem(503, "stopping", e.message);
  case error_code::internal:
    break;
  }
  return http_problem(500, "internal", e.message);
}

http_response document(std::string body, std::uint64_t seq, unsigned status) {
  return {status, "application/json", {{"Troupe-Seq", std::to_string(seq)}}, std::move(body)};
}

http_response document_of_now(const api_world& world, const std::function<result<std::string>()>& make) {
  constexpr int attempts = 5;
  const auto now = [&]() -> result<std::uint64_t> {
    const auto snapshot = world.engine.history();
    if (!snapshot)
      return snapshot.error();
    return (*snapshot)->info().last_seq;
  };
  auto before = now();
  for (int attempt = 1;; ++attempt) {
    if (!before)
      return problem_of(before.error());
    auto made = make();
    if (!made)
      return problem_of(made.error());
    const auto after = now();
    // Where events come faster than it is made, what it says is at least as new as this.
    if (attempt == attempts || (after && *after == *before))
      return document(std::move(*made), *before);
    before = after;
  }
}

} // namespace troupe_internal::serve
