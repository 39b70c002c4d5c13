// One request, or one event.
#include "engine/trigger_alone.hpp"

#include "adapters/journal/state_lock.hpp"
#include "adapters/system/system_clock.hpp"
#include "engine/project.hpp"
#include "engine/state_writer.hpp"
#include "engine/trigger_history.hpp"

namespace troupe_internal {

namespace {

event change_of(const trigger_ask& asked, const std::string& name, timestamp now) {
  switch (asked.what) {
  case trigger_ask::verb::pause:
    return trigger_paused{name, now, asked.reason, asked.by};
  case trigger_ask::verb::resume:
    return trigger_resumed{name, now, asked.by};
  default:
    return cursor_moved{name, now, asked.reason, asked.by};
  }
}

bool may_be_alone(trigger_ask::verb what) {
  using verb = trigger_ask::verb;
  return what == verb::pause || what == verb::resume || what == verb::set_cursor;
}

} // namespace

result<trigger_record> find_trigger_record(const std::string& state_folder, const std::string& name) {
  const auto records = list_trigger_records(state_folder);
  if (!records)
    return records.error();
  std::string names;
  const trigger_record* found = nullptr;
  for (const auto& one : *records)
    if (one.trigger == name || std::string_view(one.trigger).substr(one.trigger.find('/') + 1) == name) {
      found = &one;
      names += (names.empty() ? "" : ", ") + one.trigger;
    }
  if (found == nullptr)
    return fail(error_code::not_found,
                "the state " + state_folder + " knows no trigger \"" + name + "\": a supervisor has never served it");
  if (names != found->trigger)
    return fail(error_code::invalid_input, "several pipelines have a trigger \"" + name + "\": name one of " + names);
  return *found;
}

result<taken_event> change_trigger(const std::string& state_folder, const trigger_ask& asked) {
  const auto dir = state_dir::open(state_folder);
  if (!may_be_alone(asked.what) || !dir || holder_of(**dir))
    return ask_supervisor(state_folder, asked);
  const auto record = find_trigger_record(state_folder, asked.name);
  if (!record)
    return record.error();
  system_clock time;
  const stop_request stop;
  state_opening how;
  how.grace = std::chrono::seconds(10); // of what a dead writer left running
  auto writer = state_writer::open(state_folder, how, time, stop);
  if (!writer)
    return writer.error();
  auto events = (*writer)->take_opening();
  events.push_back(change_of(asked, record->trigger, time.now()));
  for (auto& last : (*writer)->closing())
    events.push_back(std::move(last));
  if (const auto appended = (*writer)->store().append(events); !appended)
    return appended.error();
  taken_event answer;
  answer.because = record->trigger;
  return answer;
}

} // namespace troupe_internal
