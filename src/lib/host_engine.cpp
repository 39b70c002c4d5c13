// What a program asks of its engine, and the thread that takes what has ended.
#include "lib/host_engine.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/system/start_thread.hpp"
#include "core/model/run_name.hpp"
#include "engine/actor_library.hpp"
#include "engine/environment.hpp"
#include "engine/planning.hpp"
#include "engine/run_history.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace troupe_internal::lib {

namespace {

/// They have the last events from the disk.
void end_feeds(const std::vector<std::shared_ptr<host_feed>>& feeds, const std::string& state) {
  if (feeds.empty())
    return;
  const auto last = open_snapshot(state);
  for (const auto& feed : feeds)
    feed->end(last ? (*last)->info().last_seq : 0, [state] { return open_snapshot(state); });
}

constexpr std::int64_t ten_seconds = 10'000'000'000; // in nanoseconds

/// Of what a run is asked for: a key is for one request.
digest digest_of(const run_request& request) {
  std::string text;
  const auto add = [&](std::string_view word) { text.append(std::to_string(word.size())).append(":").append(word); };
  for (const auto* list : {&request.selection, &request.exclude}) {
    text += '|';
    for (const auto& one : *list)
      add(one);
  }
  for (const auto& [name, value] : request.params) {
    add(name);
    add(value);
  }
  text += request.only ? "|only" : "|";
  text += request.force ? "|force" : "|";
  return content_digest(text);
}

} // namespace

host_engine::host_engine(const troupe_engine_options& how)
    : state_(view(how.state)),
      workers_(how.workers != 0 ? how.workers : usable_cpus()), part_{how.durability == TROUPE_STRICT
                                                                          ? durability::strict
                                                                      : how.durability == TROUPE_NOT_DURABLE
                                                                          ? durability::none
                                                                          : durability::pipelined,
                                                                      how.keep_runs != 0 ? how.keep_runs : 1'000},
      most_resumptions_(how.most_resumptions != 0 ? how.most_resumptions : 3),
      warn_after_(std::chrono::nanoseconds(how.warn_unstopped > 0 ? how.warn_unstopped : ten_seconds)),
      exit_after_(how.test_exit_after), exit_status_(how.test_exit_status),
      commands_(how.children != TROUPE_CHILDREN_NONE),
      log_([log = how.log, state = how.log_state](int level, const std::string& line) {
        if (log != nullptr)
          log(state, level, text_of(line));
      }) {}

host_engine::open_result host_engine::open(const troupe_engine_options& how) {
  std::error_code unknown;
  const auto refuse = [](troupe_error* why) { return open_result{nullptr, std::unique_ptr<troupe_error>(why)}; };
  if (how.version / 1'000'000 != TROUPE_VERSION_MAJOR || how.version > TROUPE_HEADER_VERSION)
    return refuse(make_error(TROUPE_ERROR_INCOMPATIBLE_LIBRARY,
                             "the program was compiled for libtroupe " + std::to_string(how.version) +
                                 ", and the library that was loaded is " + std::to_string(TROUPE_HEADER_VERSION) +
                                 ": install a newer libtroupe"));
  if (auto problem = actor_library_problem(); !problem.empty())
    return refuse(make_error(TROUPE_ERROR_INCOMPATIBLE_HOST, std::move(problem)));
  if (how.state.size == 0)
    return refuse(make_error(TROUPE_ERROR_INVALID_ARGUMENT, "name the folder of the state: engine_options::state"));
  copy_environment();
  std::unique_ptr<host_engine> made(new host_engine(how));
  made->state_ = std::filesystem::absolute(made->state_, unknown).lexically_normal().string();
  if (unknown)
    return refuse(
        make_error(TROUPE_ERROR_STATE_UNUSABLE, "the working folder is gone: name the state by an absolute path"));
  if (made->state_.size() > 1 && made->state_.ends_with('/'))
    made->state_.pop_back();
  engine_options to;
  to.folder = made->state_;
  to.serves = true; // nobody listens at a control socket: the program is asked by its own code
  to.opening.durability = made->part_.durability;
  to.opening.note = [log = made->log_](const std::string& text) { log(0, text); };
  to.ended = [self = made.get()](run_number number) {
    const std::lock_guard lock(self->mutex_);
    self->over_.push_back(number);
    self->changed_.notify_all();
  };
  to.history.emplace();
  to.history->limited = false; // keep_runs alone
  to.history->first_wanted = [self = made.get()](std::uint64_t newest) { return self->first_wanted(newest); };
  to.committed = [self = made.get()] {
    if (self->exit_after_ != 0 && ++self->commits_ == self->exit_after_)
      ::_exit(self->exit_status_);
    self->ring_feeds();
  };
  to.processes.guest = made->commands_;
  to.processes.no_commands = !made->commands_;
  function_options functions;
  functions.threads = made->workers_;
  if (how.memory_for_values != 0)
    functions.memory_for_values = how.memory_for_values;
  if (how.value_limit != 0)
    functions.value_limit = how.value_limit;
  functions.progress = [self = made.get()](const function_report& said) { self->tell_progress(said); };
  if (how.test_exit_after_calls != 0)
    functions.returned = [self = made.get(), after = how.test_exit_after_calls] {
      if (++self->returned_ == after)
        ::_exit(self->exit_status_);
    };
  functions.durable = how.durability != TROUPE_NOT_DURABLE;
  to.functions = functions;
  auto opened = engine::open(to, made->time_, made->stop_);
  if (!opened)
    return refuse(make_error(opened.error()));
  made->engine_ = std::move(*opened);
  if (made->exit_after_ != 0) // what is appended without a thread would not be counted
    if (const auto ready = made->engine_->get_ready(made->workers_); !ready)
      return refuse(make_error(ready.error()));
  made->guarded_.emplace(made->engine_->lock()->descriptors());
  try {
    made->keeper_ = start_thread([self = made.get()] { self->keep(); });
    pthread_setname_np(made->keeper_.native_handle(), "troupe-keeper");
  } catch (const std::system_error& refused) {
    return refuse(
        make_error(TROUPE_ERROR_STATE_UNUSABLE, std::string("the system refuses a thread: ") + refused.what()));
  }
  return {std::move(made), nullptr};
}

host_engine::~host_engine() {
  link_->close();
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }
  if (keeper_.joinable())
    keeper_.join();
  guarded_.reset();
  const auto watching = feeds();
  for (const auto& feed : watching)
    feed->pause();
  engine_.reset(); // asks functions to stop, and waits for them
  end_feeds(watching, state_);
  run_result open;
  open.status = run_status::interrupted;
  for (const auto& [number, run] : runs_) {
    open.run = number;
    run->end(open);
  }
}

void host_engine::keep() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto due = [this] { return ending_ || !over_.empty(); };
    while (!due())
      if (runs_.empty()) {
        changed_.wait(lock);
      } else if (!changed_.wait_for(lock, std::min<std::chrono::nanoseconds>(warn_after_, std::chrono::seconds(1)),
                                    due)) {
        lock.unlock();
        warn_of_unstopped();
        lock.lock();
      }
    if (over_.empty())
      return;
    const auto number = over_.front();
    over_.pop_front();
    lock.unlock();
    auto ended = engine_->wait(number);
    lock.lock();
    const auto run = runs_.extract(number);
    if (run.empty())
      continue;
    if (!ended) { // it was not recorded to its end
      log_(1, ended.error().message);
      ended = run_result{};
      ended->run = number;
      ended->status = run_status::interrupted;
    }
    run.mapped()->end(*ended);
  }
}

void host_engine::warn_of_unstopped() {
  const auto now = std::chrono::steady_clock::now();
  std::map<std::string, asked_to_stop> asked;
  for (const auto& call : engine_->functions()->calls()) {
    if (!call.stopping)
      continue;
    const auto name = call.asset + " of run #" + std::to_string(call.run.value);
    auto known = asked_.find(name);
    auto& one = asked.emplace(name, known == asked_.end() ? asked_to_stop{now, false} : known->second).first->second;
    if (one.warned || now - one.since < warn_after_)
      continue;
    one.warned = true;
    log_(1, "the function of " + name + " was asked to stop " + to_human(warn_after_) +
                " ago, and has not returned: it keeps its thread, and its run stays open. Let it ask "
                "context::stop_requested() more often");
  }
  asked_ = std::move(asked);
}

std::shared_ptr<host_run> host_engine::new_run() {
  return std::make_shared<host_run>(link_, log_);
}

void host_engine::forget(run_number number) {
  const std::lock_guard lock(mutex_);
  runs_.erase(number);
}

troupe_error* host_engine::not_ready() {
  const std::lock_guard lock(mutex_);
  if (shutting_down_ || ending_)
    return make_error(TROUPE_ERROR_SHUTTING_DOWN, "the engine is shutting down: no run starts any more");
  if (!recovered_)
    return make_error(TROUPE_ERROR_NOT_RECOVERED,
                      "runs start after recover(): add the pipelines, call recover(), then start()");
  return nullptr;
}

troupe_error* host_engine::add(const troupe_pipeline& what) {
  if (!commands_)
    if (const auto names = what.commands(); !names.empty())
      return make_error(TROUPE_ERROR_INVALID_PIPELINE,
                        "the asset \"" + names.front() +
                            "\" is made by a command, and this engine starts no processes: "
                            "open it with engine_options::children = children::known");
  auto built = what.build(state_, {}, part_);
  if (built.wrong)
    return built.wrong.release();
  auto kept = std::make_shared<const troupe_pipeline>(what);
  const std::lock_guard lock(mutex_);
  by_id_[what.id()] = kept;
  pipelines_[kept->name()] = std::move(kept);
  return nullptr;
}

troupe_pipeline::outcome host_engine::project_of(std::string_view pipeline,
                                                 const std::vector<std::pair<std::string, std::string>>& params) {
  std::shared_ptr<const troupe_pipeline> declared;
  std::string names;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, one] : pipelines_)
      names += (names.empty() ? "" : ", ") + name;
    if (const auto known = pipelines_.find(pipeline); known != pipelines_.end())
      declared = known->second;
  }
  if (declared) {
    auto built = declared->build(state_, params, part_);
    built.on.values = &engine_->functions()->values();
    return built;
  }
  troupe_pipeline::outcome none;
  none.wrong.reset(make_error(TROUPE_ERROR_NOT_FOUND, "no pipeline \"" + std::string(pipeline) +
                                                          "\" has been added to this engine" +
                                                          (names.empty() ? "" : "; there are: " + names)));
  return none;
}

troupe_error* host_engine::start(std::string_view pipeline, const host_request& what, std::shared_ptr<host_run>& run) {
  if (auto* const why = not_ready())
    return why;
  auto built = project_of(pipeline, what.options.params);
  if (built.wrong)
    return built.wrong.release();
  auto options = what.options;
  options.workers = workers_;
  options.cause.kind = cause_kind::program;
  options.cause.key = what.key;
  std::unique_lock one_at_a_time(keys_mutex_, std::defer_lock);
  if (!what.key.empty()) {
    one_at_a_time.lock(); // two starts with one key are one run
    options.key = what.key;
    options.key_request = digest_of(request_of(built.on, options));
    const auto known = key_seen(std::string(pipeline) + "/", what.key);
    if (!known)
      return make_error(known.error());
    if (*known)
      return (*known)->request == options.key_request
                 ? find((*known)->run, run)
                 : make_error(TROUPE_ERROR_KEY_CONFLICT, "the key \"" + what.key + "\" is that of run #" +
                                                             std::to_string((*known)->run.value) +
                                                             ", which was asked for otherwise");
  }
  auto made = new_run();
  run_number given(0U);
  run_admission how;
  how.numbered = [&](run_number number) {
    given = number;
    const std::lock_guard lock(mutex_);
    runs_.emplace(number, made);
    changed_.notify_all();
  };
  const auto began = engine_->submit(built.on, options, *made, how);
  const auto durable = began ? engine_->flush() : result<void>(began.error());
  if (!began && given.value != 0)
    forget(given);
  if (!durable)
    return make_error(durable.error());
  ring_feeds(); // the first events of an engine are committed without a word
  run = std::move(made);
  return nullptr;
}

troupe_error* host_engine::resume_in(const project& on, run_number number, std::shared_ptr<host_run>& run) {
  auto made = new_run();
  made->numbered(number, {});
  {
    const std::lock_guard lock(mutex_);
    if (!runs_.emplace(number, made).second)
      return make_error(TROUPE_ERROR_INVALID_ARGUMENT, "run #" + std::to_string(number.value) + " is live");
    changed_.notify_all();
  }
  const auto began = engine_->resume(on, number, *made);
  const auto durable = began ? engine_->flush() : result<void>(began.error());
  if (!began)
    forget(number);
  if (!durable)
    return make_error(durable.error());
  run = std::move(made);
  return nullptr;
}

troupe_error* host_engine::resume(run_number number, std::shared_ptr<host_run>& run) {
  if (auto* const why = not_ready())
    return why;
  const auto snapshot = engine_->snapshot_of_now();
  if (!snapshot)
    return make_error(snapshot.error());
  const auto record = record_in(**snapshot, number);
  if (!record)
    return make_error(record.error());
  auto built = project_of(record->pipeline, record->request.params);
  return built.wrong ? built.wrong.release() : resume_in(built.on, number, run);
}

troupe_error* host_engine::find(run_number number, std::shared_ptr<host_run>& run) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto live = runs_.find(number); live != runs_.end()) {
      run = live->second;
      return nullptr;
    }
  }
  const auto snapshot = engine_->snapshot_of_now();
  if (!snapshot)
    return make_error(snapshot.error());
  const auto record = record_in(**snapshot, number);
  if (!record)
    return make_error(record.error());
  auto made = new_run();
  made->numbered(number, to_string(record->id));
  run_result ended;
  ended.run = number;
  ended.id = record->id;
  ended.status = record->finished_at ? record->status : run_status::interrupted;
  ended.counts = record->counts;
  ended.started_at = record->started_at;
  ended.finished_at = record->finished_at.value_or(record->started_at);
  made->end(ended);
  run = std::move(made);
  return nullptr;
}

troupe_error* host_engine::cancel(run_number number, bool at_once) {
  return engine_->stop(number, stop_cause::user, at_once)
             ? nullptr
             : make_error(TROUPE_ERROR_NOT_FOUND, "run #" + std::to_string(number.value) + " is not live");
}

troupe_error* host_engine::shutdown(std::chrono::nanoseconds grace) {
  std::vector<std::shared_ptr<host_run>> live;
  {
    const std::lock_guard lock(mutex_);
    shutting_down_ = true;
    for (const auto& [number, run] : runs_)
      live.push_back(run);
  }
  engine_->stop_all(stop_cause::shutdown, false);
  const auto until = std::chrono::steady_clock::now() + std::max(grace, std::chrono::nanoseconds(0));
  bool all_ended = true;
  for (const auto& run : live) {
    const auto rest = grace.count() < 0 ? grace : std::max(until - std::chrono::steady_clock::now(), {});
    all_ended = run->wait(rest) && all_ended;
  }
  if (all_ended)
    return nullptr;
  auto* const why = make_error(TROUPE_ERROR_STILL_RUNNING, "functions were asked to stop, and have not returned");
  for (const auto& one : engine_->functions()->being_called())
    why->found.push_back({"still_running", one + " has not returned", one.substr(0, one.find(' ')), {}, 0, 0});
  return why;
}

} // namespace troupe_internal::lib
