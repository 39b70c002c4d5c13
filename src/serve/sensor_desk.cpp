// Who is due is called; what a call reports is taken in whole or not at all.
#include "serve/sensor_desk.hpp"

#include "adapters/system/event_wake.hpp"
#include "adapters/system/start_thread.hpp"
#include "engine/known_secrets.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace troupe_internal::serve {

namespace {

constexpr unsigned most_doublings = 12; ///< 2^12 s are more than an hour
constexpr duration longest_back_off = std::chrono::hours(1);
constexpr duration look_at_state_again = std::chrono::seconds(1);

duration back_off(const sensor_source& of, unsigned failures) {
  const duration pause = std::chrono::seconds(std::uint64_t{1} << std::min(failures, most_doublings));
  return std::max(of.every, std::min(pause, longest_back_off));
}

} // namespace

sensor_desk::sensor_desk(serving_engine& engine, trigger_desk& desk, system_clock& time,
                         std::function<void(const std::string&)> log)
    : engine_(engine), desk_(desk), time_(time), log_(std::move(log)), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!wake_)
    throw std::system_error(errno, std::generic_category(), "an eventfd");
  commands_ = std::make_unique<own_commands>(engine_);
  thread_ = start_thread([this] { run(); });
  desk_.listen(this, [this] {
    changed_ = true;
    wake(wake_.get());
  });
}

void sensor_desk::stop() {
  ending_ = true;
  wake(wake_.get());
  commands_->end_all();
}

sensor_desk::~sensor_desk() {
  desk_.listen(this, {});
  stop();
  thread_.join();
  commands_.reset();
}

bool sensor_desk::rebuild() {
  const auto records = desk_.known_triggers();
  if (!records)
    return false;
  std::map<std::string, sensor> all;
  for (const auto& of : desk_.pipelines())
    for (const auto& what : of.set->triggers) {
      const auto name = of.pipeline + "/" + what.name;
      const auto record = records->find(name);
      const auto old = sensors_.find(name);
      if (!std::holds_alternative<sensor_source>(what.source) || record == records->end() || !what.enabled ||
          record->second.paused_at) {
        continue;
      }
      sensor one;
      if (old != sensors_.end())
        one = std::move(old->second);
      one.at = {of.pipeline, of.file, of.set, &what};
      one.p = of.p;
      one.cursor = record->second.cursor;
      one.due = std::min(one.due, time_.monotonic() + one.source().every); // it may have become shorter
      all.emplace(name, std::move(one));
    }
  for (const auto& [name, one] : sensors_)
    if (!all.contains(name))
      desk_.set_trouble(name, {});
  sensors_ = std::move(all);
  return true;
}

void sensor_desk::call(const std::string& name, sensor& of) {
  calls_[name] = {time_.monotonic(), of.cursor};
  const auto& source = of.source();
  own_command command;
  command.argv = source.shell ? std::vector<std::string>{"/bin/sh", "-c", source.command.front()} : source.command;
  command.cwd = of.p->folder;
  command.environment = environment_with(
      {"TROUPE_PIPELINE=" + of.p->name, "TROUPE_TRIGGER=" + of.at.what->name, "TROUPE_CURSOR=" + of.cursor});
  command.timeout = source.timeout;
  command.grace = of.p->engine.grace_period;
  command.most_output = max_report_bytes;
  if (of.p->declares_secrets)
    if (const auto files = posix_file_system::open(of.p->folder))
      command.mask = known_secrets(*of.p, command.environment, **files).mask();
  commands_->start(std::move(command), [this, name](command_end end) {
    {
      const std::lock_guard lock(mutex_);
      ended_.emplace_back(name, std::move(end));
    }
    wake(wake_.get());
  });
}

result<bool> sensor_desk::take_report(sensor& of, const std::string& name, const std::string& output) {
  auto report = parse_sensor_report(output, of.source().runs_per_call);
  if (!report)
    return report.error();
  std::vector<event> with;
  if (report->cursor && *report->cursor != of.cursor)
    with.emplace_back(cursor_moved{name, time_.now(), *report->cursor, {}});
  if (report->runs.empty()) {
    if (!with.empty())
      if (const auto done = engine_.record(std::move(with)); !done)
        return done.error();
  } else {
    std::vector<arrival> all;
    for (auto& run : report->runs) {
      arrival one;
      one.source = event_source::sensor;
      one.key = std::move(run.key);
      one.select = std::move(run.select);
      one.params = std::move(run.params);
      all.push_back(std::move(one));
    }
    all.front().with = std::move(with);
    if (const auto taken = desk_.take(of.at, std::move(all)); !taken)
      return taken.error();
  }
  if (report->cursor)
    of.cursor = *report->cursor;
  return report->again;
}

void sensor_desk::take_end(const std::string& name, command_end end) {
  const auto begun = calls_.extract(name).mapped();
  const auto at = sensors_.find(name);
  if (at == sensors_.end())
    return; // it is gone, or paused: what it reports is not taken in
  auto& of = at->second;
  of.due = begun.at + of.source().every;
  if (end.ended_by_us)
    return;
  if (of.cursor != begun.cursor) { // somebody has set it: what was reported does not follow it
    of.due = time_.monotonic();
    return;
  }
  auto taken =
      end.problem.empty() ? take_report(of, name, end.output) : result<bool>(fail(error_code::io, end.problem));
  if (taken) {
    of.failures = 0;
    desk_.set_trouble(name, {});
    if (*taken)
      of.due = time_.monotonic();
    return;
  }
  const auto code = taken.error().code;
  if (code == error_code::stopped)
    return;
  if (code != error_code::busy && code != error_code::state_unusable)
    ++of.failures;
  const auto pause = back_off(of.source(), of.failures);
  of.due = time_.monotonic() + pause;
  desk_.set_trouble(name, (code == error_code::busy ? "what it reports waits: " : "its last call failed: ") +
                              taken.error().message);
}

int sensor_desk::wait_ms() const {
  constexpr std::int64_t longest = 1'000'000'000;
  std::optional<duration> due;
  if (rebuild_)
    due = time_.monotonic() + look_at_state_again;
  for (const auto& [name, one] : sensors_)
    if (!calls_.contains(name) && (!due || one.due < *due))
      due = one.due;
  if (!due)
    return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - time_.monotonic()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, longest));
}

void sensor_desk::run() {
  while (!ending_) {
    if (changed_.exchange(false))
      rebuild_ = true;
    if (rebuild_)
      rebuild_ = !rebuild();
    std::vector<std::pair<std::string, command_end>> ended;
    {
      const std::lock_guard lock(mutex_);
      ended.swap(ended_);
    }
    for (auto& [name, end] : ended)
      take_end(name, std::move(end));
    for (auto& [name, one] : sensors_)
      if (!calls_.contains(name) && one.due <= time_.monotonic() && !ending_)
        call(name, one);
    pollfd waits{wake_.get(), POLLIN, 0};
    static_cast<void>(poll(&waits, 1, wait_ms()));
    std::uint64_t times = 0;
    [[maybe_unused]] const auto count = read(wake_.get(), &times, sizeof times);
  }
}

} // namespace troupe_internal::serve
