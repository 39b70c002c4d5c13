// One line for each call.
#include "cli/event_stream.hpp"

#include "adapters/system/start_thread.hpp"
#include "core/journal/event_json.hpp"
#include "views/documents.hpp"

#include <chrono>
#include <sstream>
#include <utility>

namespace troupe_internal::cli {

namespace {

std::int64_t whole_ms(duration d) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

void text_or_nothing(json_writer& json, std::string_view key, std::string_view text) {
  if (!text.empty())
    json.member(key, text);
}

} // namespace

event_stream::event_stream(const output& to, const pipeline& p, const clock& time, run_observer& also)
    : to_(to), p_(p), time_(time), also_(also), writer_(start_thread([this] { write_until_finished(); })) {}

event_stream::~event_stream() {
  finish();
}

void event_stream::add(std::string_view event, const member_writer& members) {
  std::ostringstream line;
  {
    json_writer json(line);
    json.begin_object().member("event", event).member("at", to_rfc3339(time_.now()));
    members(json);
    json.end_object().finish();
  }
  {
    const std::lock_guard lock(mutex_);
    lines_ += line.str();
  }
  wake_.notify_one();
}

void event_stream::write_until_finished() {
  std::unique_lock lock(mutex_);
  while (!finished_ || !lines_.empty()) {
    wake_.wait(lock, [this] { return finished_ || !lines_.empty(); });
    const auto lines = std::exchange(lines_, std::string());
    lock.unlock(); // whoever reads may be slow
    to_.stream << lines << std::flush;
    lock.lock();
  }
}

void event_stream::finish() {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  wake_.notify_one();
  if (writer_.joinable())
    writer_.join();
}

void event_stream::run_began(const run_outline& outline) {
  add("run_began", [&](json_writer& json) {
    json.member("run", to_string(outline.id)).member("number", outline.run.value).member("pipeline", p_.name);
    json.member("assets", outline.assets).member("fresh", outline.fresh).member("workers", outline.workers);
  });
  also_.run_began(outline);
}

void event_stream::attempt_began(asset_index asset, std::uint32_t attempt, const std::vector<reason>& reasons,
                                 duration expected) {
  add("attempt_began", [&](json_writer& json) {
    json.member("asset", name(asset)).member("attempt", attempt);
    write_reasons(json, reasons);
  });
  also_.attempt_began(asset, attempt, reasons, expected);
}

void event_stream::attempt_ended(asset_index asset, const attempt_end& end) {
  add("attempt_ended", [&](json_writer& json) {
    json.member("asset", name(asset)).member("attempt", end.attempt).member("outcome", to_string(end.outcome));
    text_or_nothing(json, "error", end.message);
    json.member("changed", end.changed).member("allowed", end.allowed_to_fail);
    json.member("duration_ms", whole_ms(end.took));
    text_or_nothing(json, "log", end.log_file);
    if (end.retry_in)
      json.member("retry_in_ms", whole_ms(*end.retry_in));
  });
  also_.attempt_ended(asset, end);
}

void event_stream::asset_settled(asset_index asset, asset_status status, asset_index because,
                                 std::string_view message) {
  add("asset_settled", [&](json_writer& json) {
    json.member("asset", name(asset)).member("status", to_string(status));
    if (status == asset_status::blocked && because.value < p_.assets.size())
      json.member("because", name(because));
    text_or_nothing(json, "error", message);
  });
  also_.asset_settled(asset, status, because, message);
}

void event_stream::run_stopping(stop_cause cause) {
  add("run_stopping", [&](json_writer& json) { json.member("cause", to_string(cause)); });
  also_.run_stopping(cause);
}

void event_stream::warned(asset_index asset, const attempt_warning& warning) {
  add("warning", [&](json_writer& json) {
    json.member("asset", name(asset)).member("code", warning.code).member("message", warning.text);
  });
  also_.warned(asset, warning);
}

void event_stream::noted(std::string_view text) {
  add("note", [&](json_writer& json) { json.member("message", text); });
  also_.noted(text);
}

void event_stream::leftovers_ended(const std::vector<ended_process>& processes) {
  add("leftovers_ended", [&](json_writer& json) { write_leftovers(json, processes); });
  also_.leftovers_ended(processes);
}

} // namespace troupe_internal::cli
