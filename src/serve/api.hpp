// The HTTP interface of a supervisor: which request asks for what, who may ask, and on which thread it is answered.
// Knows the engine it speaks of; nothing of sockets.
#pragma once

#include "adapters/http/http_server.hpp"
#include "adapters/state/state_dir.hpp"
#include "adapters/system/system_clock.hpp"
#include "adapters/system/thread_pool.hpp"
#include "engine/serving_engine.hpp"
#include "serve/access.hpp"
#include "serve/asset_looks.hpp"
#include "serve/file_watcher.hpp"
#include "serve/hook_desk.hpp"
#include "serve/journal_stream.hpp"
#include "serve/loop_pulse.hpp"
#include "serve/notifier.hpp"
#include "serve/trigger_desk.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::serve {

/// A pipeline that the supervisor has.
struct served_pipeline {
  std::string name;            ///< empty where its file could not be read that far
  std::string file;            ///< absolute
  std::string problem;         ///< why it does not load; empty: it does
  bool held_by_others = false; ///< that is because another process writes its own state
};

/// How the last load of all files went.
struct reload_state {
  bool good = true;
  timestamp good_at; ///< the last time that nothing was wrong
  std::uint64_t failures = 0;
};

/// What requests are about. All of it outlives the api.
struct api_world {
  serving_engine& engine;
  system_clock& time;
  state_dir::handle state;
  access_rules rules{};
  std::function<std::vector<served_pipeline>()> pipelines; ///< any thread
  std::function<reload_state()> last_reload;               ///< any thread
  trigger_desk& triggers;
  hook_desk& hooks;
  asset_looks& looks;
  loop_pulse& pulse;
  std::uint64_t hook_bytes = std::uint64_t{1} << 20U; ///< that the body of a webhook may have
  std::function<void(const std::string&)> log;        ///< a line; any thread
  std::function<watch_figures()> watched;             ///< any thread
  std::function<notice_figures()> notices;            ///< any thread
};

/// A request that has passed the gate.
struct api_call {
  http_request request;
  std::vector<std::string> names; ///< what stands in the places of {…} in the route
  caller who;
};

/// One line of the table of requests.
struct api_route {
  std::string_view method;
  std::string_view path; ///< "/api/v1/runs/{run}"
  access_scope scope;
  std::string_view summary; ///< for the OpenAPI document
  std::string_view query;   ///< names of parameters, likewise, with commas between them
  void (*answer)(const api_world&, const api_call&, http_answer&);
  /// Answered at once, on the server's thread, whatever others are waiting for.
  bool at_once = false;
  /// Webhooks: who may ask is their own business.
  void (*answer_hook)(const api_world&, const api_call&, std::shared_ptr<http_answer>) = nullptr;
};
/// All of them but the journal's, whose answer may be a stream.
[[nodiscard]] const std::vector<api_route>& api_routes();

class api final : public http_handler {
public:
  explicit api(api_world world);
  ~api() override;

  std::uint64_t body_limit(const http_request& head) override;
  void handle(http_request request, std::shared_ptr<http_answer> answer) override;

private:
  void answer_here(api_call call, const api_route& route, const std::shared_ptr<http_answer>& answer);

  api_world world_;
  journal_stream stream_;
  thread_pool pool_; ///< last: its work uses the others
};

/// What an error is as an answer.
[[nodiscard]] http_response problem_of(const error& e);
/// A JSON document with the number of the last event that it is true for.
[[nodiscard]] http_response document(std::string body, std::uint64_t seq, unsigned status = 200);
/// Makes a document from what is on disk, so that it is known for which event it is true: `make` reads the state, and
/// is called again if somebody has written meanwhile.
[[nodiscard]] http_response document_of_now(const api_world& world, const std::function<result<std::string>()>& make);

// Answers, by what they are about.
void answer_pipelines(const api_world& world, const api_call& call, http_answer& answer);
void answer_pipeline(const api_world& world, const api_call& call, http_answer& answer);
void answer_graph(const api_world& world, const api_call& call, http_answer& answer);
void answer_assets(const api_world& world, const api_call& call, http_answer& answer);
void answer_asset(const api_world& world, const api_call& call, http_answer& answer);
void answer_plan(const api_world& world, const api_call& call, http_answer& answer);
void answer_start(const api_world& world, const api_call& call, http_answer& answer);
void answer_runs(const api_world& world, const api_call& call, http_answer& answer);
void answer_run(const api_world& world, const api_call& call, http_answer& answer);
void answer_resume_run(const api_world& world, const api_call& call, http_answer& answer);
void answer_cancel(const api_world& world, const api_call& call, http_answer& answer);
void answer_log(const api_world& world, const api_call& call, http_answer& answer);
void answer_raw_log(const api_world& world, const api_call& call, http_answer& answer);
void answer_queue(const api_world& world, const api_call& call, http_answer& answer);
void answer_priority(const api_world& world, const api_call& call, http_answer& answer);
void answer_triggers(const api_world& world, const api_call& call, http_answer& answer);
void answer_trigger(const api_world& world, const api_call& call, http_answer& answer);
void answer_pause(const api_world& world, const api_call& call, http_answer& answer);
void answer_resume(const api_world& world, const api_call& call, http_answer& answer);
void answer_fire(const api_world& world, const api_call& call, http_answer& answer);
void answer_backfill(const api_world& world, const api_call& call, http_answer& answer);
void answer_hook(const api_world& world, const api_call& call, std::shared_ptr<http_answer> answer);
void answer_notices(const api_world& world, const api_call& call, http_answer& answer);
void answer_test(const api_world& world, const api_call& call, http_answer& answer);
void answer_forget(const api_world& world, const api_call& call, http_answer& answer);
void answer_replay(const api_world& world, const api_call& call, http_answer& answer);
void answer_events(const api_world& world, const api_call& call, http_answer& answer);
void answer_healthy(const api_world& world, const api_call& call, http_answer& answer);
void answer_ready(const api_world& world, const api_call& call, http_answer& answer);
void answer_metrics(const api_world& world, const api_call& call, http_answer& answer);
void answer_openapi(const api_world& world, const api_call& call, http_answer& answer);

} // namespace troupe_internal::serve
