// What runs share: made, used by one after the other, taken down in order.
#include "engine/engine.hpp"

#include "adapters/system/posix_error.hpp"
#include "engine/event_file.hpp"

#include "base/check.hpp"
#include "base/shown_text.hpp"
#include "engine/state_layout.hpp"

#include <algorithm>
#include <future>
#include <iterator>
#include <system_error>
#include <utility>

namespace troupe_internal {

namespace {

/// What the system refuses a run that has not begun: threads, descriptors.
error cannot_begin(const std::string& why) {
  return fail(error_code::state_unusable, "the system refuses what a run needs, and nothing was started: " + why);
}

} // namespace

engine::engine(std::unique_ptr<state_writer> writer, const engine_options& how, system_clock& time, stop_request& stop)
    : writer_(std::move(writer)), time_(time), stop_(stop), one_run_(how.one_run), serves_(how.serves),
      ended_(how.ended), history_(how.history), room_for_all_(how.room), how_processes_(how.processes),
      recovered_(writer_->recovered()), anyone_waits_(false) {}

result<std::unique_ptr<engine>> engine::open(const engine_options& how, system_clock& time, stop_request& stop) {
  auto writer = state_writer::open(how.folder, how.opening, time, stop);
  if (!writer)
    return writer.error();
  std::unique_ptr<engine> made(new engine(std::move(*writer), how, time, stop));
  const auto snapshot = made->writer_->store().snapshot();
  if (!snapshot)
    return snapshot.error();
  const auto info = (*snapshot)->info();
  made->state_id_ = info.id;
  made->last_run_ = info.last_run.value;
  made->names_ = std::make_shared<state_names>(info.asset_count, info.path_count);
  made->log_ = std::make_unique<state_log>(
      made->writer_->store(), made->names_, [self = made.get()] { return self->writer_->take_opening(); },
      [self = made.get()] { self->bell_.ring(); });
  made->bell_.connect(how.committed);
  if (how.room)
    made->others_.bound_by(*how.room);
  if (how.functions) {
    made->functions_ = std::make_unique<function_room>(made->writer_->dir(), *how.functions);
    if (const auto tidied = made->functions_->tidy(**snapshot); !tidied)
      return tidied.error();
  }
  return made;
}

engine::~engine() {
  stop_all(serves_ ? stop_cause::shutdown : stop_cause::user, true);
  std::vector<run_number> left;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [number, entry] : runs_)
      left.push_back(number);
  }
  for (const auto number : left)
    static_cast<void>(wait(number)); // a journal that takes no more has said so to the runs
  if (!one_run_ && !unclean_ && log_ && log_->used())
    static_cast<void>(log_->append_now(closing())); // else the next start looks for what was left, and finds nothing
}

std::vector<event> engine::closing() const {
  return writer_->closing();
}

result<void> engine::start_up(std::uint32_t workers) {
  if (is_up_)
    return {};
  readers_.reset(); // of an attempt that was refused half way
  processes_.reset();
  auto processes = posix_process_executor::open(how_processes_);
  if (!processes)
    return cannot_begin(processes.error().message);
  auto results = writer_->dir()->part(results_folder);
  if (!results)
    return results.error();
  auto logs = std::make_shared<state_logs>(writer_->dir());
  if (const auto claimed = claim_logs(*logs, writer_->store()); !claimed)
    return claimed.error();
  if (!log_->started())
    log_->start();
  readers_ = std::make_unique<thread_pool>(std::clamp(workers, 2U, 4U));
  results_ = std::move(*results);
  logs_ = std::move(logs);
  processes_ = std::move(*processes);
  room_ = std::make_unique<actor_room>(*processes_);
  is_up_ = true;
  return {};
}

result<run_number> engine::begin(prepared_run made) {
  try {
    return begin_what_waits(std::move(made));
  } catch (const std::system_error& refused) { // of making threads
    return cannot_begin(refused.what());
  }
}

result<void> engine::write_events(run_number run, const std::vector<event_taken>& events) {
  const auto text = events_document(events, payload_store(writer_->dir()));
  const auto file = logs_->make(run, event_file_name);
  if (!file)
    return file.error();
  for (std::string_view left = text; !left.empty();) {
    const auto put = ::write(file->get(), left.data(), left.size());
    if (put < 0 && errno != EINTR)
      return fail(error_code::io, "the events of run #" + std::to_string(run.value) +
                                      " cannot be written for its commands: " + errno_text(errno));
    left.remove_prefix(put < 0 ? 0 : static_cast<std::size_t>(put));
  }
  return {};
}

result<run_number> engine::begin_what_waits(prepared_run made) {
  if (const auto up = start_up(workers_of(made.request)); !up)
    return up.error();
  const run_surroundings around{time_,       writer_->store(), *log_,         writer_->dir(),  state_id_,
                                *processes_, *processes_,      *readers_,     *room_,          logs_,
                                *results_,   history_,         room_for_all_, functions_.get()};
  const auto number = made.state.run();
  if (!made.events.empty())
    if (const auto written = write_events(number, made.events); !written)
      return written.error();
  auto run = std::make_unique<live_run>(
      std::move(made), around, [this, number](const std::vector<asset_id>& changed, std::vector<asset_id> settled) {
        note(number, changed, std::move(settled));
      });
  auto* const here = run.get();
  bool keeps_house = false;
  {
    const std::lock_guard lock(mutex_);
    keeps_house = !std::exchange(house_is_kept_, true);
    for (const auto& [cause, at_once] : stops_)
      run->stop(cause, at_once);
    runs_.emplace(number, kept_run{std::move(run), std::nullopt, keeps_house, false, false, {}});
  }
  try {
    if (!control_ && !serves_)
      control_ = std::make_unique<control_server>(writer_->dir(), stop_, static_cast<control_port&>(*this),
                                                  [this](stop_cause cause, bool at_once) { stop_all(cause, at_once); });
  } catch (...) {
    const std::lock_guard lock(mutex_);
    runs_.erase(number);
    house_is_kept_ = house_is_kept_ && !keeps_house;
    throw;
  }
  if (control_ && !control_->problem().empty())
    here->observer().noted("troupe cancel cannot reach this run: " + control_->problem());
  processes_->post([this, here] { join(*here); });
  live_run::neighbours others;
  others.held_by = [this, here](asset_index asset, bool before_execution) {
    const auto holder = others_.held_by(*here, here->plan().names->id_of(asset), before_execution);
    anyone_waits_ = others_.anyone_waits();
    return holder;
  };
  others.demand_changed = [this] { others_.share_out(); };
  here->begin([this] { return one_run_ ? closing() : std::vector<event>(); }, std::move(others), keeps_house,
              [this, here] {
                if (!here->broken())
                  leave(*here); // else when what it runs has ended
                tell_of_end(*here);
              });
  return number;
}

void engine::tell_of_end(const live_run& run) {
  const auto status =
      run.broken() ? run_status::interrupted : run.logic().state().finished().value_or(run_status::interrupted);
  std::vector<std::function<void(run_status)>> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto at = runs_.find(run.number());
    if (at == runs_.end())
      return;
    at->second.over = true;
    waiting = std::exchange(at->second.waiting, {});
  }
  for (const auto& then : waiting)
    then(status);
  if (ended_)
    ended_(run.number());
}

result<run_number> engine::which_lives(std::optional<run_number> run) const {
  std::vector<run_number> living;
  for (const auto& [number, entry] : runs_)
    if (entry.run && !entry.over)
      living.push_back(number);
  if (run ? std::find(living.begin(), living.end(), *run) != living.end() : living.size() == 1)
    return run.value_or(living.front());
  std::string names;
  constexpr std::size_t most = 10;
  for (std::size_t i = 0; i < living.size() && i < most; ++i)
    names += (i == 0 ? "#" : ", #") + std::to_string(living[i].value);
  if (living.size() > most)
    names += " and " + std::to_string(living.size() - most) + " more";
  if (!run && !living.empty())
    return fail(error_code::invalid_input, "several runs are live: " + names + ". Name one");
  const auto said = run ? "run #" + std::to_string(run->value) + " is not live" : std::string("no run is live");
  return fail(error_code::not_found, living.empty() ? (run ? said + ", and no other run is" : said)
                                                    : said + "; " + (living.size() == 1 ? "run " : "") + names +
                                                          (living.size() == 1 ? " is" : " are"));
}

result<run_number> engine::cancel(std::optional<run_number> run, bool at_once) {
  const std::lock_guard lock(mutex_);
  const auto number = which_lives(run);
  if (!number)
    return number.error();
  auto& entry = runs_.at(*number);
  const bool again = std::exchange(entry.cancelled, true);
  entry.run->stop(stop_cause::user, at_once || again);
  return *number;
}

result<void> engine::when_ended(run_number run, std::function<void(run_status)> then) {
  const std::lock_guard lock(mutex_);
  const auto number = which_lives(run);
  if (!number)
    return number.error();
  runs_.at(*number).waiting.push_back(std::move(then));
  return {};
}

void engine::join(live_run& run) {
  for (const auto& shared : run.foreign().readers)
    for (auto* const earlier : living_)
      if (earlier->number() == shared.run)
        earlier->note_foreign(shared);
  living_.push_back(&run);
  others_.joined(run);
}

void engine::leave(const live_run& run) {
  std::erase(living_, &run);
  others_.left(run);
  anyone_waits_ = others_.anyone_waits();
}

result<run_result> engine::wait(run_number number) {
  live_run* run = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto at = runs_.find(number);
    if (at == runs_.end())
      return fail(error_code::not_found, "run #" + std::to_string(number.value) + " does not live in this engine");
    run = at->second.run.get();
    if (run == nullptr) {
      auto done = std::move(*at->second.finished);
      runs_.erase(at);
      return done;
    }
  }
  auto ended = run->wait();
  kept_run over;
  {
    const std::lock_guard lock(mutex_);
    const auto at = runs_.find(number);
    TROUPE_CHECK(at != runs_.end(), "a run that two wait for");
    over = std::move(at->second);
    runs_.erase(at);
    house_is_kept_ = house_is_kept_ && !over.keeps_house;
    unclean_ = unclean_ || run->broken();
  }
  if (run->broken()) {
    run->end_work();
    if (!one_run_)                                  // before any other run may make an attempt of the same assets
      static_cast<void>(close_attempts_of(number)); // a journal that takes no more says so to each of its runs
    on_loop([&] { leave(*run); });
  }
  return ended;
}

bool engine::stop(run_number number, stop_cause cause, bool at_once) {
  const std::lock_guard lock(mutex_);
  const auto at = runs_.find(number);
  if (at == runs_.end() || !at->second.run)
    return false;
  at->second.run->stop(cause, at_once);
  return true;
}

void engine::stop_all(stop_cause cause, bool at_once) {
  const std::lock_guard lock(mutex_);
  stops_.emplace_back(cause, at_once);
  for (const auto& [number, entry] : runs_)
    if (entry.run)
      entry.run->stop(cause, at_once);
}

std::vector<live_run_info> engine::live() {
  std::vector<live_run_info> found;
  if (!is_up_)
    return found;
  on_loop([&] {
    for (const auto* run : living_)
      found.push_back({run->number(), run->plan().on.p->name, run->since(), run->logic().state().counts()});
  });
  return found;
}

bool engine::lives_anyone() {
  const std::lock_guard lock(mutex_);
  return std::any_of(runs_.begin(), runs_.end(),
                     [](const auto& one) { return one.second.run != nullptr && !one.second.over; });
}

void engine::on_turn(std::function<void()> then) {
  if (is_up_)
    processes_->post(std::move(then));
  else
    then();
}

void engine::on_loop(const std::function<void()>& work) {
  std::promise<void> done;
  processes_->post([&] {
    work();
    done.set_value();
  });
  done.get_future().get();
}

void engine::note(run_number run, const std::vector<asset_id>& changed, std::vector<asset_id> settled) {
  {
    const std::lock_guard lock(changes_mutex_);
    changes_.note(changed);
  }
  if (anyone_waits_ && !settled.empty())
    processes_->post([this, run, settled = std::move(settled)] { // not within the turn of the actor that appends
      for (const auto asset : settled)
        others_.settled(run, asset);
      anyone_waits_ = others_.anyone_waits();
    });
}

} // namespace troupe_internal
