// What a function is told while it runs, and what it says of itself. Knows nothing of its values.
#pragma once

#include "troupe/error.hpp"
#include "troupe/stop_token.hpp"

#include <chrono>

namespace troupe {
inline namespace v1 {

/// Good during the call, for the thread that is called and for those that it starts and joins, one at a time.
class context {
public:
  explicit context(troupe_call* call) noexcept : call_(call) {}
  context(const context&) = delete;
  context& operator=(const context&) = delete;

  /// Asked to stop when the run is cancelled or aborted, when the timeout is over, and at a shutdown. A function that
  /// does not heed it keeps its thread.
  [[nodiscard]] troupe::stop_token stop_token() const { return troupe::stop_token(troupe_call_stop(call_)); }
  [[nodiscard]] bool stop_requested() const { return stop_token().stop_requested(); }
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> deadline() const {
    std::int64_t at = 0;
    if (troupe_call_deadline(call_, &at) == 0)
      return std::nullopt;
    return std::chrono::steady_clock::time_point(
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::nanoseconds(at)));
  }
  [[nodiscard]] std::uint32_t attempt() const noexcept { return troupe_call_attempt(call_); }
  [[nodiscard]] std::string_view asset() const noexcept { return word(TROUPE_CALL_ASSET); }
  [[nodiscard]] std::string_view pipeline() const noexcept { return word(TROUPE_CALL_PIPELINE); }
  /// The id of the run; run_number() is what people call it by.
  [[nodiscard]] std::string_view run() const noexcept { return word(TROUPE_CALL_RUN); }
  [[nodiscard]] std::uint64_t run_number() const noexcept { return troupe_call_run_number(call_); }
  /// The same for all attempts of this asset in this run: for services that take a request once.
  [[nodiscard]] std::string_view idempotency_key() const noexcept { return word(TROUPE_CALL_KEY); }
  /// One of options::params; nothing for any other name.
  [[nodiscard]] std::optional<std::string_view> param(std::string_view name) const {
    troupe_text value{};
    if (troupe_call_param(call_, detail::text(name), &value) == 0)
      return std::nullopt;
    return detail::view(value);
  }
  /// This attempt's own folder; it is removed afterwards.
  [[nodiscard]] result<std::string> scratch() const {
    auto path = detail::string(troupe_call_scratch(call_));
    if (path.empty())
      return error{errc::state_unusable, "the scratch folder cannot be made", {}};
    return path;
  }
  /// A JSON file with the events that the run is for: {"events": [{"id", "trigger", "key", "payload"…}]}. Empty: it is
  /// for none.
  [[nodiscard]] std::string_view events_file() const noexcept { return word(TROUPE_CALL_EVENTS); }
  /// How far it is: a share of 1, and words for people. engine::calls() and subscriptions report it; it is not
  /// recorded.
  void progress(double done, std::string_view words = {}) { troupe_call_progress(call_, done, detail::text(words)); }
  /// A line of the attempt's log: `troupe logs` shows it.
  void log(std::string_view line) { troupe_call_log(call_, detail::text(line)); }
  /// Recorded with what is made. `json`: a JSON value.
  void metadata(std::string_view key, std::string_view json) {
    troupe_call_metadata(call_, detail::text(key), detail::text(json));
  }
  /// A file that was read: if it changes, the asset is stale.
  void also_read(std::string_view path) { troupe_call_also_read(call_, detail::text(path)); }

private:
  [[nodiscard]] std::string_view word(std::int32_t which) const noexcept {
    return detail::view(troupe_call_word(call_, which));
  }
  troupe_call* call_;
};

} // namespace v1
} // namespace troupe
