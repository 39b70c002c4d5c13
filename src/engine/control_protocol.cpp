// JSON by json_writer and json_reader; a message is read into all fields there are, and then looked at by its type.
#include "engine/control_protocol.hpp"

#include "base/check.hpp"
#include "base/json_writer.hpp"
#include "config/json_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <sstream>

namespace troupe_internal {
namespace {

using config::json_kind;
using config::json_value;

constexpr std::size_t head_bytes = 4;
constexpr std::array<std::string_view, refusal_code_count> refusal_words = {
    "bad_message", "other_version", "busy", "not_permitted", "not_found", "invalid_input", "internal"};
constexpr std::array run_states = {run_status::queued, run_status::running,   run_status::succeeded,
                                   run_status::failed, run_status::cancelled, run_status::interrupted};

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
    json.end_array();
  }
  void operator()(const run_cancelling& m) const { json.member("type", "cancelling").member("run", m.run.value); }
  void operator()(const run_ended& m) const {
    json.member("type", "ended").member("run", m.run.value).member("status", to_string(m.status));
  }
  void operator()(const control_refusal& m) const {
    json.member("type", "error").member("code", to_string(m.code)).member("message", m.message);
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

/// What a message says, whichever it is.
struct fields {
  std::string type, build, status, code, message;
  std::optional<std::uint32_t> protocol, run;
  std::optional<bool> at_once;
  std::optional<std::vector<live_run_info>> runs;
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
    else
      json_.skip(json_.value());
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

std::optional<refusal_code> refusal_of(std::string_view word) {
  const auto* const at = std::find(refusal_words.begin(), refusal_words.end(), word);
  return at == refusal_words.end() ? std::nullopt
                                   : std::optional(static_cast<refusal_code>(at - refusal_words.begin()));
}

} // namespace

std::string_view to_string(refusal_code code) {
  return refusal_words.at(static_cast<std::size_t>(code));
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

result<control_message> parse_message(std::string_view json) {
  message_reader reader(json);
  auto found = reader.read();
  if (auto problem = reader.problem(); !problem.empty())
    return bad(problem);
  const auto& type = found.type;
  const auto run = run_number(found.run.value_or(0));
  const bool needs_run = type == "wait" || type == "cancelling" || type == "ended";
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
  if (type == "runs")
    return found.runs ? result<control_message>(live_runs{std::move(*found.runs)}) : bad("\"runs\" lists none");
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
