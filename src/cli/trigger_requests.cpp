// One question, one line.
#include "cli/trigger_requests.hpp"

#include "core/journal/event_json.hpp"
#include "engine/trigger_alone.hpp"
#include "engine/trigger_history.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

#include <unistd.h>

#include <algorithm>
#include <string>

namespace troupe_internal::cli {

namespace {

int show_backfill(invocation& with, const trigger_ask& asked, const taken_event& taken) {
  auto& to = with.io.out;
  if (with.options.json) {
    json_writer json(to.stream);
    begin_document(json);
    json.member("ticks", taken.count).member("had_fired", taken.left_out).key("first_run");
    if (taken.run.value == 0)
      json.null();
    else
      json.value(taken.run.value);
    json.end_object().finish();
    return exit_ok;
  }
  const auto ticks = [](std::uint64_t count) { return std::to_string(count) + (count == 1 ? " tick" : " ticks"); };
  to.stream << ticks(taken.count);
  if (taken.count != 0)
    to.stream << (asked.dry ? ", from " + printable(taken.because)
                            : ", queued as runs from #" + std::to_string(taken.run.value) + " on");
  if (taken.left_out != 0)
    to.stream << "; " << ticks(taken.left_out) << " had fired (--again takes them, too)";
  to.stream << "\n";
  return exit_ok;
}

} // namespace

int ask_trigger(invocation& with, trigger_ask asked) {
  const auto state = with.state_folder();
  if (!state)
    return with.report(state.error());
  asked.by = "uid " + std::to_string(geteuid());
  auto taken = change_trigger(*state, asked);
  if (!taken && asked.what == trigger_ask::verb::forget && taken.error().code == error_code::state_unusable)
    taken = forget_keys_as_writer(*state, asked.name, asked.key, asked.by);
  if (!taken)
    return with.report(taken.error());
  if (taken->fate == event_fate::rejected && asked.what != trigger_ask::verb::test) {
    static_cast<void>(
        with.report(fail(error_code::invalid_input, taken->because + " (event " + std::to_string(taken->event) + ")")));
    return exit_failed; // it was understood, and is in the journal
  }
  auto& to = with.io.out;
  using verb = trigger_ask::verb;
  if (asked.what == verb::backfill)
    return show_backfill(with, asked, *taken);
  if (asked.what == verb::test || asked.what == verb::forget) {
    if (with.options.json) {
      json_writer json(to.stream);
      begin_document(json);
      if (asked.what == verb::test)
        json.member("fate", to_string(taken->fate));
      json.key("steps").begin_array();
      for (std::string_view left = taken->because; !left.empty();) {
        const auto line = left.substr(0, left.find('\n'));
        json.value(line);
        left.remove_prefix(std::min(left.size(), line.size() + 1));
      }
      json.end_array().end_object().finish();
    } else {
      to.stream << taken->because << "\n";
    }
    return exit_ok;
  }
  const bool takes = asked.what == verb::notify || asked.what == verb::fire || asked.what == verb::replay;
  if (with.options.json) {
    json_writer json(to.stream);
    begin_document(json);
    if (takes) {
      json.member("event", taken->event).member("fate", to_string(taken->fate)).key("run");
      if (taken->run.value == 0)
        json.null();
      else
        json.value(taken->run.value);
      json.key("duplicate_of");
      if (taken->duplicate_of == 0)
        json.null();
      else
        json.value(taken->duplicate_of);
    } else {
      json.member("trigger", taken->because).member("paused", asked.what == trigger_ask::verb::pause);
    }
    json.end_object().finish();
    return exit_ok;
  }
  if (!takes) {
    to.stream << taken->because << (asked.what == trigger_ask::verb::pause ? ": paused\n" : ": resumed\n");
    return exit_ok;
  }
  to.stream << "event " << taken->event << ": ";
  if (taken->duplicate_of != 0)
    to.stream << "duplicate of event " << taken->duplicate_of;
  else
    to.stream << (taken->fate == event_fate::pending ? "queued" : to_string(taken->fate));
  if (taken->run.value != 0)
    to.stream << ", run #" << taken->run.value;
  if (!taken->because.empty())
    to.stream << " (" << taken->because << ")";
  to.stream << "\n";
  return exit_ok;
}

} // namespace troupe_internal::cli
