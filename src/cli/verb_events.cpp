// `troupe events` and `troupe notify`: what triggers took in, and taking something in.
#include "cli/run_text.hpp"
#include "cli/trigger_requests.hpp"
#include "cli/verbs.hpp"
#include "engine/trigger_history.hpp"
#include "views/event_view.hpp"
#include "views/text.hpp"

#include <unistd.h>

#include <cerrno>
#include <charconv>

namespace troupe_internal::cli {

namespace {

constexpr std::uint32_t events_shown = 20;
constexpr std::size_t most_body_bytes = std::size_t{64} << 10U; // what a socket takes at once

struct events_arguments {
  std::string fate, trigger;
  std::optional<std::uint32_t> limit;
};

int events(invocation& with, const events_arguments& given) {
  const auto state = with.state_folder();
  if (!state)
    return with.report(state.error());
  events_wanted wanted;
  wanted.trigger = given.trigger;
  if (!given.fate.empty())
    wanted.fate = fate_of(given.fate);
  wanted.limit = given.limit.value_or(with.options.json ? 0 : events_shown);
  const auto found = list_events(*state, wanted);
  if (!found)
    return with.report(found.error());
  auto& to = with.io.out;
  if (with.options.json) {
    json_writer json(to.stream);
    begin_events(json, *found);
    json.end_object().finish();
  } else if (found->empty()) {
    to.stream << "no events\n";
  } else {
    print_events(to, *found);
  }
  return exit_ok;
}

struct notify_arguments {
  std::string name, key, body, input; ///< input: "-" or nothing
  bool from_input = false;
};

/// Standard input to its end, or to a byte more than a body may have.
result<std::string> read_input() {
  std::string text(most_body_bytes + 1, '\0');
  std::size_t had = 0;
  while (had < text.size()) {
    const auto got = read(STDIN_FILENO, text.data() + had, text.size() - had);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return fail(error_code::io, "standard input cannot be read");
    if (got == 0)
      break;
    had += static_cast<std::size_t>(got);
  }
  text.resize(had);
  return text;
}

int notify(invocation& with, const notify_arguments& given) {
  trigger_ask asked;
  asked.what = trigger_ask::verb::notify;
  asked.name = given.name;
  asked.key = given.key;
  asked.body = given.body;
  if (given.from_input && !given.body.empty() && given.body != "-")
    return with.report(fail(error_code::invalid_input, "--body and - both say what the body is: leave one out"));
  if (given.from_input || given.body == "-") {
    auto body = read_input();
    if (!body)
      return with.report(body.error());
    asked.body = std::move(*body);
  }
  if (asked.body.size() > most_body_bytes)
    return with.report(fail(error_code::invalid_input, "the body is longer than " + std::to_string(most_body_bytes) +
                                                           " bytes: put it in a file, and its name in the body"));
  return ask_trigger(with, asked);
}

} // namespace

namespace {

int replay(invocation& with, std::uint32_t event) {
  trigger_ask asked;
  asked.what = trigger_ask::verb::replay;
  asked.event = event;
  return ask_trigger(with, asked);
}

} // namespace

void declare_events(command_spec& root, invocation& with) {
  auto given = std::make_shared<events_arguments>();
  auto& verb = root.subcommand("events", "List what triggers took in, and what became of it");
  verb.choice("--fate", "FATE", given->fate,
              {"pending", "started", "coalesced", "duplicate", "filtered", "skipped", "expired", "rejected", "missed",
               "cancelled"},
              "events of this fate alone");
  verb.text("--trigger", "NAME", given->trigger, "events of one trigger: TRIGGER or PIPELINE/TRIGGER");
  verb.number("-l,--limit", "N", given->limit, 0, "show N events; 0: all (default: 20, with --json all)");
  verb.examples = {{"troupe events", "the last 20"},
                   {"troupe events --fate missed --trigger nightly", "ticks that did not become runs"}};
  auto& again = verb.subcommand("replay", "Take an event in again: with no key, and past the filter");
  auto id = std::make_shared<std::string>();
  again.positional("ID", *id, true, "its number, as `troupe events` lists it");
  again.examples = {{"troupe events replay 17", "after a fix"}};
  again.action = [id, &with] {
    std::uint32_t number = 0;
    const auto [end, bad] = std::from_chars(id->data(), id->data() + id->size(), number);
    if (bad != std::errc() || end != id->data() + id->size() || number == 0)
      return with.report(fail(error_code::invalid_input, "'" + *id + "' is no number of an event"));
    return replay(with, number);
  };
  verb.action = [given, &with] { return events(with, *given); };
}

void declare_notify(command_spec& root, invocation& with) {
  auto given = std::make_shared<notify_arguments>();
  auto& verb = root.subcommand("notify", "Tell a manual trigger of a supervisor that something has happened");
  verb.positional("NAME", given->name, true, "TRIGGER or PIPELINE/TRIGGER");
  verb.positional("-", given->input, false, "the body comes from standard input, as with --body -");
  verb.text("--key", "KEY", given->key, "what happened; told again under the same key, it counts once");
  verb.text("--body", "JSON", given->body, "what the trigger's params take values from; -: from standard input");
  verb.examples = {{"troupe notify by_hand", "a run, as the trigger says"},
                   {"troupe notify by_hand --key order-17 --body '{\"id\": 17}'", "once for this order"}};
  verb.action = [given, &with] {
    if (!given->input.empty() && given->input != "-")
      return with.report(fail(error_code::invalid_input, "unexpected argument '" + given->input +
                                                             "': a body is given with --body, or by - from standard "
                                                             "input"));
    given->from_input = !given->input.empty();
    return notify(with, *given);
  };
}

} // namespace troupe_internal::cli
