// `troupe queue`: runs that wait for a supervisor to start them, their priorities, and taking them off.
#include "cli/run_text.hpp"
#include "cli/verbs.hpp"
#include "core/model/run_name.hpp"
#include "engine/cancel_queued.hpp"
#include "engine/queue_list.hpp"
#include "views/documents.hpp"
#include "views/queue_view.hpp"
#include "views/text.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace troupe_internal::cli {

namespace {

struct queue_arguments {
  std::string run, priority, trigger;
  bool all = false;
};

std::optional<run_number> number_of(std::string_view text) {
  if (text.starts_with('#'))
    text.remove_prefix(1);
  std::uint32_t number = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (bad != std::errc() || end != text.data() + text.size() || number == 0)
    return std::nullopt;
  return run_number(number);
}

error no_number(const std::string& text) {
  return fail(error_code::invalid_input, "a queued run is named by its number, such as 42 or #42, not '" + text + "'");
}

int list_waiting(invocation& with) {
  const auto state = with.state_folder();
  if (!state)
    return with.report(state.error());
  const auto queue = list_queue(*state);
  if (!queue)
    return with.report(queue.error());
  auto& to = with.io.out;
  if (with.options.json) {
    json_writer json(to.stream);
    write_queue(json, *queue);
    json.finish();
  } else if (queue->empty()) {
    to.stream << "no run waits\n";
  } else {
    print_queue(to, *queue);
  }
  return exit_ok;
}

int prioritize(invocation& with, const queue_arguments& given) {
  const auto state = with.state_folder();
  if (!state)
    return with.report(state.error());
  const auto run = number_of(given.run);
  if (!run)
    return with.report(no_number(given.run));
  std::int32_t priority = 0;
  const auto* const last = given.priority.data() + given.priority.size();
  const auto [end, bad] = std::from_chars(given.priority.data(), last, priority);
  if (bad != std::errc() || end != last)
    return with.report(fail(error_code::invalid_input, "a priority is a whole number, not '" + given.priority + "'"));
  if (const auto done = prioritize_queued(*state, *run, priority); !done)
    return with.report(done.error());
  with.io.out.stream << "run #" << run->value << ": priority " << priority << "\n";
  return exit_ok;
}

/// Those that are meant, as far as they wait.
result<std::vector<run_number>> meant(const std::string& state, const queue_arguments& given) {
  if (given.trigger.empty() == given.run.empty())
    return fail(error_code::invalid_input, "name one run, or all of a trigger with --all TRIGGER");
  if (!given.run.empty()) {
    const auto run = number_of(given.run);
    return run ? std::vector<run_number>{*run} : result<std::vector<run_number>>(no_number(given.run));
  }
  const auto queue = list_queue(state);
  if (!queue)
    return queue.error();
  std::vector<run_number> runs;
  for (const auto& one : *queue)
    if (!one.trigger.empty() && (one.trigger == given.trigger || one.pipeline + "/" + one.trigger == given.trigger))
      runs.push_back(one.run);
  return runs;
}

int cancel_waiting(invocation& with, queue_arguments given) {
  if (given.all)
    std::swap(given.trigger, given.run);
  const auto state = with.state_folder();
  if (!state)
    return with.report(state.error());
  const auto runs = meant(*state, given);
  if (!runs)
    return with.report(runs.error());
  std::vector<run_number> gone;
  for (const auto run : *runs) {
    const auto now = cancel_queued(*state, run);
    if (!now)
      return with.report(now.error());
    if (now->dequeued)
      gone.push_back(run);
    else if (!given.run.empty())
      return with.report(fail(error_code::invalid_input,
                              "run #" + std::to_string(run.value) + " does not wait: `troupe cancel` ends a live run"));
  }
  auto& to = with.io.out;
  if (with.options.json) {
    json_writer json(to.stream);
    begin_document(json);
    json.key("cancelled").begin_array();
    for (const auto run : gone)
      json.value(run.value);
    json.end_array().end_object().finish();
    return exit_ok;
  }
  if (gone.empty())
    to.stream << "no run of it waits\n";
  for (const auto run : gone)
    to.stream << "run #" << run.value << ": off the queue, never started\n";
  return exit_ok;
}

} // namespace

void declare_queue(command_spec& root, invocation& with) {
  auto given = std::make_shared<queue_arguments>();
  auto& verb = root.subcommand("queue", "List the runs that wait, and what each waits for");
  verb.examples = {{"troupe queue", "the next one first"}, {"troupe queue --json", "for programs"}};
  verb.action = [&with] { return list_waiting(with); };
  auto& ranked = verb.subcommand("priority", "Give a waiting run another priority: higher ones start first");
  ranked.positional("RUN", given->run, true, "42 or #42");
  ranked.positional("N", given->priority, true, "a whole number; -N is written as -- -N");
  ranked.examples = {{"troupe queue priority 42 10", "run #42 starts before those with less"}};
  ranked.action = [given, &with] { return prioritize(with, *given); };
  auto& gone = verb.subcommand("cancel", "Take waiting runs off the queue");
  gone.positional("RUN", given->run, false, "42 or #42; with --all a trigger: TRIGGER or PIPELINE/TRIGGER");
  gone.flag("--all", given->all, "all runs of the trigger that is named");
  gone.examples = {{"troupe queue cancel 42", "one run"},
                   {"troupe queue cancel --all nightly", "all that wait for one trigger"}};
  gone.action = [given, &with] { return cancel_waiting(with, *given); };
}

} // namespace troupe_internal::cli
