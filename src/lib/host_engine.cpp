// What a program asks of its engine, and the thread that takes what has ended.
#include "lib/host_engine.hpp"

#include "adapters/system/start_thread.hpp"
#include "engine/planning.hpp"
#include "engine/run_history.hpp"

#include <pthread.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace troupe_internal::lib {

host_engine::host_engine(const troupe_engine_options& how)
    : state_(view(how.state)), workers_(how.workers != 0 ? how.workers : usable_cpus()),
      durability_(how.durability == TROUPE_STRICT        ? durability::strict
                  : how.durability == TROUPE_NOT_DURABLE ? durability::none
                                                         : durability::pipelined),
      most_resumptions_(how.most_resumptions != 0 ? how.most_resumptions : 3),
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
  if (how.state.size == 0)
    return refuse(make_error(TROUPE_ERROR_INVALID_ARGUMENT, "name the folder of the state: engine_options::state"));
  std::shared_ptr<host_engine> made(new host_engine(how));
  made->state_ = std::filesystem::absolute(made->state_, unknown).lexically_normal().string();
  if (unknown)
    return refuse(
        make_error(TROUPE_ERROR_STATE_UNUSABLE, "the working folder is gone: name the state by an absolute path"));
  if (made->state_.size() > 1 && made->state_.ends_with('/'))
    made->state_.pop_back();
  engine_options to;
  to.folder = made->state_;
  to.serves = true; // nobody listens at a control socket: the program is asked by its own code
  to.opening.durability = made->durability_;
  to.opening.note = [log = made->log_](const std::string& text) { log(0, text); };
  to.ended = [self = made.get()](run_number number) {
    const std::lock_guard lock(self->mutex_);
    self->over_.push_back(number);
    self->changed_.notify_all();
  };
  to.processes.guest = made->commands_;
  to.processes.no_commands = !made->commands_;
  function_options functions;
  functions.threads = made->workers_;
  if (how.memory_for_values != 0)
    functions.memory_for_values = how.memory_for_values;
  if (how.value_limit != 0)
    functions.value_limit = how.value_limit;
  functions.durable = how.durability != TROUPE_NOT_DURABLE;
  to.functions = functions;
  auto opened = engine::open(to, made->time_, made->stop_);
  if (!opened)
    return refuse(make_error(opened.error()));
  made->engine_ = std::move(*opened);
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
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }
  if (keeper_.joinable())
    keeper_.join();
  guarded_.reset();
  engine_.reset(); // asks functions to stop, and waits for them
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
    changed_.wait(lock, [this] { return ending_ || !over_.empty(); });
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

std::shared_ptr<host_run> host_engine::new_run() {
  return std::make_shared<host_run>(weak_from_this(), log_);
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
  auto built = what.build(state_, {});
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
    auto built = declared->build(state_, params, durability_);
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
    const auto known = run_with_key(what.key);
    if (!known)
      return make_error(known.error());
    if (*known) {
      const auto asked = request_of(built.on, options);
      const bool same = (*known)->pipeline == pipeline && (*known)->request.selection == asked.selection &&
                        (*known)->request.exclude == asked.exclude && (*known)->request.only == asked.only &&
                        (*known)->request.force == asked.force && (*known)->request.params == asked.params;
      return same ? find((*known)->run, run)
                  : make_error(TROUPE_ERROR_KEY_CONFLICT, "the key \"" + what.key + "\" is that of run #" +
                                                              std::to_string((*known)->run.value) +
                                                              ", which was asked for otherwise");
    }
  }
  auto made = new_run();
  run_number given(0U);
  run_admission how;
  how.numbered = [&](run_number number) {
    given = number;
    const std::lock_guard lock(mutex_);
    runs_.emplace(number, made);
  };
  const auto began = engine_->submit(built.on, options, *made, how);
  const auto durable = began ? engine_->flush() : result<void>(began.error());
  if (!began && given.value != 0)
    forget(given);
  if (!durable)
    return make_error(durable.error());
  run = std::move(made);
  return nullptr;
}

result<std::optional<run_record>> host_engine::run_with_key(const std::string& key) {
  const auto snapshot = engine_->snapshot_of_now();
  if (!snapshot)
    return snapshot.error();
  std::optional<run_record> found;
  const auto visited = (*snapshot)->visit_runs_newest_first([&](const run_record& record) {
    if (record.cause.kind == cause_kind::program && record.cause.key == key)
      found = record;
    return !found;
  });
  if (!visited)
    return visited.error();
  return found;
}

troupe_error* host_engine::resume_in(const project& on, run_number number, std::shared_ptr<host_run>& run) {
  auto made = new_run();
  made->numbered(number, {});
  {
    const std::lock_guard lock(mutex_);
    if (!runs_.emplace(number, made).second)
      return make_error(TROUPE_ERROR_INVALID_ARGUMENT, "run #" + std::to_string(number.value) + " is live");
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

result<std::vector<run_record>> host_engine::open_runs() {
  const auto snapshot = engine_->snapshot();
  if (!snapshot)
    return snapshot.error();
  std::vector<run_record> open;
  const auto visited = (*snapshot)->visit_runs_newest_first([&](const run_record& record) {
    if (!record.finished_at)
      open.push_back(record);
    return true;
  });
  if (!visited)
    return visited.error();
  std::reverse(open.begin(), open.end()); // in the order in which they started
  return open;
}

result<std::uint32_t> host_engine::resumed_in_vain(const run_record& record) {
  const auto snapshot = engine_->snapshot_of_now();
  return snapshot ? vain_resumptions_of(**snapshot, record) : result<std::uint32_t>(snapshot.error());
}

troupe_error* host_engine::recover(std::uint32_t policy, const each_recovered& each) {
  {
    const std::lock_guard lock(mutex_);
    if (recovered_)
      return make_error(TROUPE_ERROR_INVALID_ARGUMENT, "recover() comes once, after all add() and before any start()");
  }
  const auto open = open_runs();
  if (!open)
    return make_error(open.error());
  {
    const std::lock_guard lock(mutex_);
    recovered_ = true;
  }
  for (const auto& record : *open) {
    std::shared_ptr<host_run> run;
    std::uint32_t what = TROUPE_LEFT;
    std::string reason;
    const auto abandon = [&](std::uint32_t as) {
      const auto ended = engine_->end_left_open(record.run);
      what = ended ? as : static_cast<std::uint32_t>(TROUPE_LEFT);
      if (!ended)
        reason = ended.error().message;
    };
    auto built = project_of(record.pipeline, record.request.params);
    const auto in_vain = resumed_in_vain(record);
    if (!in_vain)
      return make_error(in_vain.error());
    if (policy == TROUPE_ABANDON) {
      abandon(TROUPE_ABANDONED);
    } else if (*in_vain >= most_resumptions_) {
      reason = "it was resumed " + std::to_string(*in_vain) + " times after crashes, and nothing in it came to an end";
      abandon(TROUPE_ABANDONED);
    } else if (built.wrong) {
      reason = built.wrong->message;
    } else {
      std::unique_ptr<troupe_error> why(resume_in(built.on, record.run, run));
      if (!why) {
        what = TROUPE_RESUMED;
      } else if (policy == TROUPE_RESUME_OR_RERUN && why->code == TROUPE_ERROR_INVALID_ARGUMENT) {
        reason = why->message;
        host_request again;
        again.options.selection = record.request.selection;
        again.options.exclude = record.request.exclude;
        again.options.only = record.request.only;
        again.options.force = record.request.force;
        again.options.params = record.request.params;
        abandon(TROUPE_RERUN);
        if (what == TROUPE_RERUN)
          why.reset(start(record.pipeline, again, run));
        if (what == TROUPE_RERUN && why) {
          what = TROUPE_ABANDONED;
          reason += "; and it does not start again: " + why->message;
        }
      } else {
        reason = why->message;
      }
    }
    each(record.run, what, run, reason);
  }
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
