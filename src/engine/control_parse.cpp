// A message from its JSON: it is read into all fields there are, and then looked at by its type.
#include "engine/control_protocol.hpp"

#include "config/json_reader.hpp"
#include "core/journal/event_json.hpp"
#include "core/model/run_record.hpp"
#include "core/pipeline/pipeline.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

namespace troupe_internal {
namespace {

using config::json_kind;
using config::json_value;

constexpr std::array run_states = {run_status::queued, run_status::running,   run_status::succeeded,
                                   run_status::failed, run_status::cancelled, run_status::interrupted};

std::optional<cause_kind> cause_of(std::string_view word) {
  for (const auto kind : {cause_kind::user, cause_kind::trigger, cause_kind::program, cause_kind::backfill})
    if (word == to_string(kind))
      return kind;
  return std::nullopt;
}

/// What a message says, whichever it is.
struct fields {
  std::string type, build, status, code, message, line, cause, verb, name, key, body, because, fate, user;
  std::vector<std::string> names, problems, notes;
  std::vector<std::pair<std::string, std::string>> variables, headers;
  bool key_conflict = false;
  std::optional<std::int64_t> drain_ms;
  std::optional<std::int32_t> pid;
  std::string first, last;
  bool again = false, dry = false, apart = false;
  std::optional<std::uint64_t> event, duplicate_of, count, left_out;
  std::optional<std::uint32_t> protocol, run, waiting;
  std::optional<std::uint64_t> from, seq;
  std::optional<std::int32_t> priority;
  std::optional<bool> at_once, queued;
  std::optional<std::vector<live_run_info>> runs;
  std::vector<queued_run_info> queue;
  run_ask ask;
};

/// One JSON text of a message. After a mistake all answers are "no more", and problem() is not empty.
class message_reader {
public:
  explicit message_reader(std::string_view text)
      : out_(list_), json_(config::chunks_of(text), out_, config::json_dialect::plain) {}

  [[nodiscard]] fields read() {
    fields found;
    if (const auto top = json_.value(); top.kind != json_kind::object) {
      wrong("it is no object");
      json_.skip(top);
    } else {
      members([&](std::string_view key) { member(key, found); });
    }
    json_.finish();
    return found;
  }
  [[nodiscard]] std::string problem() const { return list_.items.empty() ? problem_ : list_.items.front().message; }

private:
  void wrong(std::string what) {
    if (problem_.empty())
      problem_ = std::move(what);
  }
  /// Calls `one` with each key; it has to ask for the value.
  template <class F>
  void members(const F& one) {
    std::string_view key;
    place where;
    while (json_.next_member(key, where))
      one(std::string(key));
  }
  void member(std::string_view key, fields& to) {
    if (key == "type")
      text(key, to.type);
    else if (key == "build")
      text(key, to.build);
    else if (key == "status")
      text(key, to.status);
    else if (key == "code")
      text(key, to.code);
    else if (key == "message")
      text(key, to.message);
    else if (key == "protocol")
      number(key, to.protocol.emplace());
    else if (key == "run")
      number(key, to.run.emplace());
    else if (key == "at_once")
      to.at_once = boolean(key);
    else if (key == "runs")
      runs(to.runs.emplace());
    else if (key == "queued")
      queued(key, to);
    else if (key == "waiting")
      number(key, to.waiting.emplace());
    else if (key == "from")
      number(key, to.from.emplace());
    else if (key == "seq")
      number(key, to.seq.emplace());
    else if (key == "line")
      text(key, to.line);
    else if (key == "priority")
      number(key, to.priority.emplace());
    else if (!trigger_member(key, to) && !supervisor_member(key, to))
      ask_member(key, to);
  }
  bool supervisor_member(std::string_view key, fields& to) {
    if (key == "drain_ms")
      number(key, to.drain_ms.emplace());
    else if (key == "pid")
      number(key, to.pid.emplace());
    else if (key == "user")
      text(key, to.user);
    else if (key == "names")
      texts(key, to.names);
    else if (key == "problems")
      texts(key, to.problems);
    else if (key == "notes")
      texts(key, to.notes);
    else if (key == "variables")
      params(key, to.variables);
    else
      return false;
    return true;
  }
  bool trigger_member(std::string_view key, fields& to) {
    if (key == "verb")
      text(key, to.verb);
    else if (key == "name")
      text(key, to.name);
    else if (key == "key")
      text(key, to.key);
    else if (key == "body")
      text(key, to.body);
    else if (key == "because")
      text(key, to.because);
    else if (key == "fate")
      text(key, to.fate);
    else if (key == "event")
      number(key, to.event.emplace());
    else if (key == "duplicate_of")
      number(key, to.duplicate_of.emplace());
    else if (key == "headers")
      params(key, to.headers);
    else if (key == "key_conflict")
      to.key_conflict = boolean(key);
    else if (key == "count")
      number(key, to.count.emplace());
    else if (key == "left_out")
      number(key, to.left_out.emplace());
    else if (key == "first")
      text(key, to.first);
    else if (key == "last")
      text(key, to.last);
    else if (key == "again")
      to.again = boolean(key);
    else if (key == "dry")
      to.dry = boolean(key);
    else if (key == "apart")
      to.apart = boolean(key);
    else
      return false;
    return true;
  }
  void ask_member(std::string_view key, fields& to) {
    auto& ask = to.ask;
    if (key == "file")
      text(key, ask.file);
    else if (key == "selection")
      texts(key, ask.selection);
    else if (key == "exclude")
      texts(key, ask.exclude);
    else if (key == "only")
      ask.only = boolean(key);
    else if (key == "force")
      ask.force = boolean(key);
    else if (key == "params")
      params(key, ask.params);
    else if (key == "workers")
      number(key, ask.workers.emplace());
    else if (key == "error_strategy")
      number(key, ask.error_strategy.emplace());
    else if (key == "cause")
      text(key, to.cause);
    else if (key == "trigger")
      text(key, ask.cause.trigger);
    else if (key == "by")
      text(key, ask.cause.by);
    else if (key == "events")
      elements(key, [&] { number(key, ask.cause.events.emplace_back()); });
    else if (key == "continues")
      number(key, ask.continues.value);
    else
      json_.skip(json_.value());
  }
  /// Calls `one` for each element of a list; it has to ask for the value.
  template <class F>
  void elements(std::string_view key, const F& one) {
    const auto list = json_.value();
    if (list.kind != json_kind::array)
      return other(key, "a list", list);
    while (json_.next_element())
      one();
  }
  void texts(std::string_view key, std::vector<std::string>& into) {
    elements(key, [&] { text(key, into.emplace_back()); });
  }
  void params(std::string_view key, std::vector<std::pair<std::string, std::string>>& into) {
    elements(key, [&] {
      std::vector<std::string> pair;
      texts(key, pair);
      if (pair.size() == 2)
        into.emplace_back(std::move(pair[0]), std::move(pair[1]));
      else
        wrong("\"" + std::string(key) + "\" is no list of [name, value]");
    });
  }
  /// Of one run whether it is, of many which are.
  void queued(std::string_view key, fields& to) {
    const auto value = json_.value();
    if (value.kind == json_kind::boolean) {
      to.queued = value.text == "true";
      return;
    }
    if (value.kind != json_kind::array)
      return other(key, "a list", value);
    while (json_.next_element()) {
      const auto one = json_.value();
      if (one.kind != json_kind::object) {
        other(key, "a list of objects", one);
        continue;
      }
      auto& run = to.queue.emplace_back();
      members([&](std::string_view name) { queued_member(name, run); });
    }
  }
  void queued_member(std::string_view key, queued_run_info& run) {
    std::string word;
    std::string id;
    if (key == "run")
      number(key, run.run.value);
    else if (key == "pipeline")
      text(key, run.pipeline);
    else if (key == "cause")
      text(key, word);
    else if (key == "priority")
      number(key, run.priority);
    else if (key == "since_ms")
      since(key, run.queued_at);
    else if (key == "reason")
      text(key, run.reason);
    else if (key == "waits_for")
      text(key, run.waits_for);
    else if (key == "trigger")
      text(key, run.trigger);
    else if (key == "id")
      text(key, id);
    else
      json_.skip(json_.value());
    if (const auto cause = cause_of(word))
      run.cause = *cause;
    if (const auto known = uuid_from_string(id))
      run.id = *known;
  }
  void text(std::string_view key, std::string& into) {
    const auto value = json_.value();
    if (value.kind == json_kind::string)
      into = value.text;
    else
      other(key, "a string", value);
  }
  template <class T>
  void number(std::string_view key, T& into) {
    const auto value = json_.value();
    const auto* const end = value.text.data() + value.text.size();
    if (value.kind != json_kind::number)
      return other(key, "a number", value);
    if (const auto read = std::from_chars(value.text.data(), end, into); read.ec != std::errc() || read.ptr != end)
      wrong("\"" + std::string(key) + "\" is no whole number of its range");
  }
  bool boolean(std::string_view key) {
    const auto value = json_.value();
    if (value.kind != json_kind::boolean)
      other(key, "true or false", value);
    return value.kind == json_kind::boolean && value.text == "true";
  }
  void other(std::string_view key, std::string_view expected, const json_value& value) {
    wrong("\"" + std::string(key) + "\" is not " + std::string(expected));
    json_.skip(value);
  }
  void runs(std::vector<live_run_info>& into) {
    const auto list = json_.value();
    if (list.kind != json_kind::array)
      return other("runs", "a list", list);
    while (json_.next_element()) {
      const auto one = json_.value();
      if (one.kind != json_kind::object) {
        other("runs", "a list of objects", one);
        continue;
      }
      auto& run = into.emplace_back();
      members([&](std::string_view key) { run_member(key, run); });
    }
  }
  void run_member(std::string_view key, live_run_info& run) {
    if (key == "run")
      number(key, run.run.value);
    else if (key == "pipeline")
      text(key, run.pipeline);
    else if (key == "since_ms")
      since(key, run.since);
    else if (key == "counts")
      counts(key, run.counts);
    else
      json_.skip(json_.value());
  }
  void since(std::string_view key, timestamp& into) {
    constexpr std::int64_t most = duration::max().count() / 1'000'000;
    std::int64_t ms = 0;
    number(key, ms);
    if (ms < -most || ms > most)
      wrong("\"" + std::string(key) + "\" is no whole number of its range");
    else
      into = timestamp(std::chrono::milliseconds(ms));
  }
  void counts(std::string_view key, status_counts& into) {
    const auto value = json_.value();
    if (value.kind != json_kind::object)
      return other(key, "an object", value);
    members([&](std::string_view word) {
      std::uint32_t count = 0;
      number(word, count);
      for (std::size_t i = 0; i < into.size(); ++i)
        if (word == to_string(static_cast<asset_status>(i)))
          into[i] = count;
    });
  }

  diagnostics list_;
  config::findings out_;
  config::json_reader json_;
  std::string problem_;
};

error bad(const std::string& what) {
  return fail(error_code::invalid_input, "this is no message of the control protocol: " + what);
}

std::optional<run_status> status_of(std::string_view word) {
  for (const auto status : run_states)
    if (word == to_string(status))
      return status;
  return std::nullopt;
}

/// What cannot be recorded of a run is refused here.
result<control_message> to_submit(fields found) {
  auto& ask = found.ask;
  if (!ask.file.starts_with('/'))
    return bad("\"submit\" names no file by its absolute path");
  if (!found.cause.empty()) {
    const auto cause = cause_of(found.cause);
    if (!cause)
      return bad("\"cause\" is none that is known");
    ask.cause.kind = *cause;
  }
  if (ask.error_strategy && *ask.error_strategy >= error_strategies)
    return bad("\"error_strategy\" is none that is known");
  if (ask.workers && (*ask.workers == 0 || *ask.workers > max_workers))
    return bad("\"workers\" is no number from 1 to " + std::to_string(max_workers));
  ask.priority = found.priority.value_or(0);
  return control_message(submit_request{std::move(ask)});
}

result<control_message> to_trigger(fields found) {
  using verb = trigger_ask::verb;
  trigger_ask ask;
  constexpr std::array<std::pair<std::string_view, verb>, 9> verbs = {{{"notify", verb::notify},
                                                                       {"fire", verb::fire},
                                                                       {"pause", verb::pause},
                                                                       {"resume", verb::resume},
                                                                       {"forget", verb::forget},
                                                                       {"replay", verb::replay},
                                                                       {"test", verb::test},
                                                                       {"set_cursor", verb::set_cursor},
                                                                       {"backfill", verb::backfill}}};
  const auto* const what =
      std::find_if(verbs.begin(), verbs.end(), [&](const auto& one) { return one.first == found.verb; });
  if (what == verbs.end())
    return bad("\"trigger\" asks for nothing that is known");
  ask.what = what->second;
  ask.event = found.event.value_or(0);
  if (ask.what == verb::replay ? ask.event == 0 : found.name.empty())
    return bad("\"trigger\" names none");
  ask.headers = std::move(found.headers);
  ask.name = std::move(found.name);
  ask.key = std::move(found.key);
  ask.body = std::move(found.body);
  ask.params = std::move(found.ask.params);
  ask.reason = std::move(found.because);
  ask.first = std::move(found.first);
  ask.last = std::move(found.last);
  ask.again = found.again;
  ask.dry = found.dry;
  ask.apart = found.apart;
  ask.by = std::move(found.ask.cause.by);
  return control_message(trigger_request{std::move(ask)});
}

result<control_message> to_supervisor(fields found) {
  using verb = supervisor_ask::verb;
  constexpr std::int64_t most_ms = duration::max().count() / 1'000'000;
  constexpr std::array<std::pair<std::string_view, verb>, 4> verbs = {
      {{"look", verb::look}, {"stop", verb::stop}, {"reload", verb::reload}, {"load", verb::load}}};
  const auto* const what =
      std::find_if(verbs.begin(), verbs.end(), [&](const auto& one) { return one.first == found.verb; });
  if (what == verbs.end())
    return bad("\"supervisor\" asks for nothing that is known");
  if (what->second == verb::load && !found.ask.file.starts_with('/'))
    return bad("\"supervisor\" names no file by its absolute path");
  if (found.drain_ms && (*found.drain_ms < 0 || *found.drain_ms > most_ms))
    return bad("\"drain_ms\" is no whole number of its range");
  supervisor_ask ask;
  ask.what = what->second;
  if (found.drain_ms)
    ask.drain = std::chrono::milliseconds(*found.drain_ms);
  ask.file = std::move(found.ask.file);
  ask.variables = std::move(found.names);
  return control_message(supervisor_request{std::move(ask)});
}

result<control_message> to_taken(fields found) {
  trigger_answer answer;
  answer.what.event = found.event.value_or(0);
  answer.what.run = run_number(found.run.value_or(0));
  answer.what.duplicate_of = found.duplicate_of.value_or(0);
  answer.what.because = std::move(found.because);
  answer.what.key_conflict = found.key_conflict;
  answer.what.count = found.count.value_or(1);
  answer.what.left_out = found.left_out.value_or(0);
  for (std::size_t fate = 0; fate < event_fate_count; ++fate)
    if (found.fate == to_string(static_cast<event_fate>(fate))) {
      answer.what.fate = static_cast<event_fate>(fate);
      return control_message(std::move(answer));
    }
  return bad("\"taken\" has no fate");
}

} // namespace

result<control_message> parse_message(std::string_view json) {
  message_reader reader(json);
  auto found = reader.read();
  if (auto problem = reader.problem(); !problem.empty())
    return bad(problem);
  const auto& type = found.type;
  const auto run = run_number(found.run.value_or(0));
  const bool needs_run = type == "wait" || type == "cancelling" || type == "ended" || type == "submitted" ||
                         type == "resume" || type == "prioritize" || type == "prioritized";
  if (needs_run && !found.run)
    return bad("\"" + type + "\" names no run");
  if (type == "hello")
    return found.protocol ? result<control_message>(control_hello{*found.protocol, std::move(found.build)})
                          : bad("\"hello\" names no protocol");
  if (type == "list")
    return control_message(list_request{});
  if (type == "cancel")
    return control_message(
        cancel_request{found.run ? std::optional(run) : std::nullopt, found.at_once.value_or(false)});
  if (type == "wait")
    return control_message(wait_request{run});
  if (type == "submit")
    return to_submit(std::move(found));
  if (type == "submitted")
    return control_message(run_submitted{{run, found.queued.value_or(false)}});
  if (type == "prioritize")
    return found.priority ? result<control_message>(priority_request{run, *found.priority})
                          : bad("\"prioritize\" names no priority");
  if (type == "prioritized")
    return control_message(run_prioritized{run});
  if (type == "resume")
    return control_message(resume_request{run, std::move(found.ask.params)});
  if (type == "supervisor")
    return to_supervisor(std::move(found));
  if (type == "supervising")
    return found.pid
               ? result<control_message>(supervisor_reply{{*found.pid, std::move(found.user), std::move(found.problems),
                                                           std::move(found.notes), std::move(found.variables)}})
               : bad("\"supervising\" names no process");
  if (type == "trigger")
    return to_trigger(std::move(found));
  if (type == "taken")
    return to_taken(std::move(found));
  if (type == "follow")
    return control_message(follow_request{found.from, found.run ? std::optional(run) : std::nullopt});
  if (type == "following")
    return found.from ? result<control_message>(now_following{*found.from}) : bad("\"following\" has no number");
  if (type == "event")
    return found.seq ? result<control_message>(followed_event{*found.seq, std::move(found.line)})
                     : bad("\"event\" has no number");
  if (type == "runs")
    return found.runs ? result<control_message>(
                            live_runs{std::move(*found.runs), std::move(found.queue), found.waiting.value_or(0)})
                      : bad("\"runs\" lists none");
  if (type == "cancelling")
    return control_message(run_cancelling{run});
  if (type == "ended") {
    const auto status = status_of(found.status);
    return status ? result<control_message>(run_ended{run, *status}) : bad("\"ended\" has no status");
  }
  if (type == "error") // a code of a later version is a refusal all the same
    return control_message(
        control_refusal{refusal_of(found.code).value_or(refusal_code::internal), std::move(found.message)});
  return bad(type.empty() ? "it has no \"type\"" : "its \"type\" is not known");
}

} // namespace troupe_internal
