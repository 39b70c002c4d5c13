// Frames, and messages as JSON.
#include "engine/control_protocol.hpp"

#include "base/check.hpp"
#include "base/json_writer.hpp"
#include "core/journal/event_json.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <sstream>

namespace troupe_internal {
namespace {

constexpr std::size_t head_bytes = 4;
constexpr std::array<std::string_view, refusal_code_count> refusal_words = {
    "bad_message", "other_version", "busy", "not_permitted", "not_found", "invalid_input", "internal", "unavailable"};
constexpr std::array<std::string_view, 9> verb_words = {
    "notify", "fire", "pause", "resume", "forget", "replay", "test", "set_cursor", "backfill"};  // trigger_ask::verb
constexpr std::array<std::string_view, 4> supervisor_words = {"look", "stop", "reload", "load"}; // supervisor_ask::verb

std::int64_t to_ms(timestamp t) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch()).count();
}

/// Writes the members of each message, its type first.
struct member_writer {
  json_writer& json;

  void operator()(const control_hello& m) const {
    json.member("type", "hello").member("protocol", m.protocol).member("build", m.build);
  }
  void operator()(const list_request&) const { json.member("type", "list"); }
  void operator()(const cancel_request& m) const {
    json.member("type", "cancel");
    if (m.run)
      json.member("run", m.run->value);
    json.member("at_once", m.at_once);
  }
  void operator()(const wait_request& m) const { json.member("type", "wait").member("run", m.run.value); }
  void operator()(const submit_request& m) const {
    const auto& ask = m.ask;
    json.member("type", "submit").member("file", ask.file);
    texts("selection", ask.selection);
    texts("exclude", ask.exclude);
    json.member("only", ask.only).member("force", ask.force);
    pairs("params", ask.params);
    if (ask.workers)
      json.member("workers", *ask.workers);
    if (ask.error_strategy)
      json.member("error_strategy", std::uint32_t{*ask.error_strategy});
    json.member("cause", to_string(ask.cause.kind)).member("trigger", ask.cause.trigger).member("by", ask.cause.by);
    json.key("events").begin_array();
    for (const auto one : ask.cause.events)
      json.value(one);
    json.end_array().member("priority", ask.priority).member("continues", ask.continues.value);
  }
  void operator()(const priority_request& m) const {
    json.member("type", "prioritize").member("run", m.run.value).member("priority", m.priority);
  }
  void operator()(const trigger_request& m) const {
    const auto& ask = m.ask;
    json.member("type", "trigger").member("verb", verb_words.at(static_cast<std::size_t>(ask.what)));
    json.member("name", ask.name).member("key", ask.key).member("body", ask.body);
    json.member("because", ask.reason).member("by", ask.by).member("event", ask.event);
    json.member("first", ask.first).member("last", ask.last);
    json.member("again", ask.again).member("dry", ask.dry).member("apart", ask.apart);
    pairs("params", ask.params);
    pairs("headers", ask.headers);
  }
  void operator()(const resume_request& m) const {
    json.member("type", "resume").member("run", m.run.value);
    pairs("params", m.secrets);
  }
  void operator()(const supervisor_request& m) const {
    json.member("type", "supervisor").member("verb", supervisor_words.at(static_cast<std::size_t>(m.ask.what)));
    if (m.ask.drain)
      json.member("drain_ms", std::chrono::duration_cast<std::chrono::milliseconds>(*m.ask.drain).count());
    json.member("file", m.ask.file);
    texts("names", m.ask.variables);
  }
  void operator()(const supervisor_reply& m) const {
    json.member("type", "supervising").member("pid", m.what.pid).member("user", m.what.user);
    texts("problems", m.what.problems);
    texts("notes", m.what.notes);
    pairs("variables", m.what.variables);
  }
  void operator()(const trigger_answer& m) const {
    json.member("type", "taken").member("event", m.what.event).member("fate", to_string(m.what.fate));
    json.member("run", m.what.run.value).member("duplicate_of", m.what.duplicate_of);
    json.member("because", m.what.because).member("key_conflict", m.what.key_conflict);
    json.member("count", m.what.count).member("left_out", m.what.left_out);
  }
  void operator()(const follow_request& m) const {
    json.member("type", "follow");
    if (m.from)
      json.member("from", *m.from);
    if (m.run)
      json.member("run", m.run->value);
  }
  void operator()(const live_runs& m) const {
    json.member("type", "runs").key("runs").begin_array();
    for (const auto& one : m.runs) {
      json.begin_object().member("run", one.run.value).member("pipeline", one.pipeline);
      json.member("since_ms", to_ms(one.since)).key("counts").begin_object();
      for (std::size_t i = 0; i < one.counts.size(); ++i)
        if (one.counts[i] != 0)
          json.member(to_string(static_cast<asset_status>(i)), one.counts[i]);
      json.end_object().end_object();
    }
    json.end_array().key("queued").begin_array();
    for (const auto& one : m.queued)
      json.begin_object()
          .member("run", one.run.value)
          .member("pipeline", one.pipeline)
          .member("cause", to_string(one.cause))
          .member("priority", one.priority)
          .member("since_ms", to_ms(one.queued_at))
          .member("waits_for", one.waits_for)
          .member("id", to_string(one.id))
          .member("trigger", one.trigger)
          .member("reason", one.reason)
          .end_object();
    json.end_array().member("waiting", m.waiting);
  }
  void operator()(const run_cancelling& m) const { json.member("type", "cancelling").member("run", m.run.value); }
  void operator()(const run_ended& m) const {
    json.member("type", "ended").member("run", m.run.value).member("status", to_string(m.status));
  }
  void operator()(const run_submitted& m) const {
    json.member("type", "submitted").member("run", m.what.run.value).member("queued", m.what.queued);
  }
  void operator()(const run_prioritized& m) const { json.member("type", "prioritized").member("run", m.run.value); }
  void operator()(const now_following& m) const { json.member("type", "following").member("from", m.from); }
  void operator()(const followed_event& m) const {
    json.member("type", "event").member("seq", m.seq).member("line", m.line);
  }
  void operator()(const control_refusal& m) const {
    json.member("type", "error").member("code", to_string(m.code)).member("message", m.message);
  }

  void pairs(std::string_view name, const std::vector<std::pair<std::string, std::string>>& all) const {
    json.key(name).begin_array();
    for (const auto& [key, value] : all)
      json.begin_array().value(key).value(value).end_array();
    json.end_array();
  }
  void texts(std::string_view name, const std::vector<std::string>& all) const {
    json.key(name).begin_array();
    for (const auto& one : all)
      json.value(one);
    json.end_array();
  }
};

std::string to_json(const control_message& message) {
  std::ostringstream text;
  {
    json_writer json(text);
    json.begin_object();
    std::visit(member_writer{json}, message);
    json.end_object().finish();
  }
  return std::move(text).str();
}

} // namespace

std::string_view to_string(refusal_code code) {
  return refusal_words.at(static_cast<std::size_t>(code));
}

std::optional<refusal_code> refusal_of(std::string_view word) {
  const auto* const at = std::find(refusal_words.begin(), refusal_words.end(), word);
  return at == refusal_words.end() ? std::nullopt
                                   : std::optional(static_cast<refusal_code>(at - refusal_words.begin()));
}

std::string to_frame(const control_message& message) {
  auto json = to_json(message);
  if (json.size() > max_frame_bytes)
    json = to_json(control_refusal{refusal_code::internal, "the answer is longer than a frame may be"});
  std::string frame;
  frame.reserve(head_bytes + json.size());
  for (std::size_t i = 0; i < head_bytes; ++i)
    frame += static_cast<char>(json.size() >> (8U * i) & 0xFFU);
  return frame += json;
}

std::size_t frame_reader::announced() const {
  std::size_t length = 0;
  for (std::size_t i = 0; i < head_bytes; ++i)
    length |= std::size_t(static_cast<unsigned char>(bytes_[i])) << (8U * i);
  return length;
}

frame_reader::step frame_reader::take(std::string_view& bytes) {
  const auto fill_to = [&](std::size_t size) {
    const auto piece = bytes.substr(0, size - std::min(size, bytes_.size()));
    bytes_ += piece;
    bytes.remove_prefix(piece.size());
    return bytes_.size() >= size;
  };
  if (!fill_to(head_bytes))
    return step::partial;
  const auto length = announced();
  if (length > max_frame_bytes)
    return step::too_long;
  return fill_to(head_bytes + length) ? step::whole : step::partial;
}

std::string frame_reader::payload() {
  TROUPE_CHECK(bytes_.size() >= head_bytes && bytes_.size() == head_bytes + announced(), "a whole frame was taken");
  auto payload = bytes_.substr(head_bytes);
  bytes_.clear();
  bytes_.shrink_to_fit();
  return payload;
}

} // namespace troupe_internal
