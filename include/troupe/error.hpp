// Errors as values. Knows nothing of what fails.
#pragma once

#include "troupe/abi.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#if !defined(__cplusplus) || __cplusplus < 202002L
#error "libtroupe needs C++20: compile with -std=c++20 or newer"
#endif

#if defined(__cpp_exceptions)
#include <stdexcept>
#endif

namespace troupe {
inline namespace v1 {

/// What a program may do something about; everything else is in the words. Numbers are never given a second meaning.
enum class errc : std::int32_t {
  invalid_argument = TROUPE_ERROR_INVALID_ARGUMENT,
  invalid_pipeline = TROUPE_ERROR_INVALID_PIPELINE, ///< error::found says what is wrong with it
  not_found = TROUPE_ERROR_NOT_FOUND,
  state_locked = TROUPE_ERROR_STATE_LOCKED, ///< another process, or another engine of this one, has the state
  state_unusable = TROUPE_ERROR_STATE_UNUSABLE,
  not_materialized = TROUPE_ERROR_NOT_MATERIALIZED, ///< the asset has not been made yet
  value_unreadable = TROUPE_ERROR_VALUE_UNREADABLE,
  run_failed = TROUPE_ERROR_RUN_FAILED,
  cancelled = TROUPE_ERROR_CANCELLED,
  timed_out = TROUPE_ERROR_TIMED_OUT,
  would_deadlock = TROUPE_ERROR_WOULD_DEADLOCK, ///< a function of an engine must not wait for that engine
  wrong_process = TROUPE_ERROR_WRONG_PROCESS,   ///< the engine was opened before a fork(), in the parent
  shutting_down = TROUPE_ERROR_SHUTTING_DOWN,
  still_running = TROUPE_ERROR_STILL_RUNNING,
  internal = TROUPE_ERROR_INTERNAL,
  permanent = TROUPE_ERROR_PERMANENT, ///< of a function: it is not tried again
  key_conflict = TROUPE_ERROR_KEY_CONFLICT,
  not_recovered = TROUPE_ERROR_NOT_RECOVERED, ///< recover() comes before start()
  incompatible_library = TROUPE_ERROR_INCOMPATIBLE_LIBRARY,
  incompatible_host = TROUPE_ERROR_INCOMPATIBLE_HOST,
  interrupted = TROUPE_ERROR_INTERRUPTED,         ///< the run is open: a later engine recovers it
  history_dropped = TROUPE_ERROR_HISTORY_DROPPED, ///< events were dropped before they were read; the next ones follow
};

[[nodiscard]] constexpr const char* to_string(errc code) noexcept {
  switch (code) {
  case errc::invalid_argument:
    return "invalid_argument";
  case errc::invalid_pipeline:
    return "invalid_pipeline";
  case errc::not_found:
    return "not_found";
  case errc::state_locked:
    return "state_locked";
  case errc::state_unusable:
    return "state_unusable";
  case errc::not_materialized:
    return "not_materialized";
  case errc::value_unreadable:
    return "value_unreadable";
  case errc::run_failed:
    return "run_failed";
  case errc::cancelled:
    return "cancelled";
  case errc::timed_out:
    return "timed_out";
  case errc::would_deadlock:
    return "would_deadlock";
  case errc::wrong_process:
    return "wrong_process";
  case errc::shutting_down:
    return "shutting_down";
  case errc::still_running:
    return "still_running";
  case errc::internal:
    return "internal";
  case errc::permanent:
    return "permanent";
  case errc::key_conflict:
    return "key_conflict";
  case errc::not_recovered:
    return "not_recovered";
  case errc::incompatible_library:
    return "incompatible_library";
  case errc::incompatible_host:
    return "incompatible_host";
  case errc::interrupted:
    return "interrupted";
  case errc::history_dropped:
    return "history_dropped";
  }
  return "unknown";
}

/// A mistake in a pipeline, with the line of the C++ call; or an asset that failed.
struct diagnostic {
  std::string code{}; ///< a stable short word
  std::string message{};
  std::string asset{}; ///< empty: the pipeline as a whole
  std::string file{};
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

struct [[nodiscard]] error {
  errc code = errc::internal;
  std::string message{};
  std::vector<diagnostic> found{};

  /// The message, and a line for each finding: "file.cpp:12: message [code]".
  [[nodiscard]] std::string text() const {
    std::string all = message;
    for (const auto& one : found) {
      all += "\n  ";
      if (!one.file.empty())
        all += one.file + ":" + std::to_string(one.line) + ": ";
      else if (!one.asset.empty())
        all += one.asset + ": ";
      all += one.message;
      if (!one.code.empty())
        all += " [" + one.code + "]";
    }
    return all;
  }
};

#if defined(__cpp_exceptions)
/// Thrown by result::value() alone.
class TROUPE_EXPORT failure : public std::runtime_error {
public:
  explicit failure(error what)
      : std::runtime_error(what.text()), what_(std::make_shared<const error>(std::move(what))) {}
  [[nodiscard]] const error& why() const noexcept { return *what_; }

private:
  std::shared_ptr<const error> what_;
};

/// Thrown by a function that need not be tried again.
class TROUPE_EXPORT permanent_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};
#endif

/// A value or an error: what of std::expected<T, error> is of use here. Copied and moved as T is.
template <class T>
class [[nodiscard]] result {
public:
  using value_type = T;
  result(T value) : value_(std::move(value)) {}
  result(troupe::error why) : error_(std::make_shared<const troupe::error>(std::move(why))) {}

  [[nodiscard]] explicit operator bool() const noexcept { return value_.has_value(); }
  [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
  [[nodiscard]] T& operator*() & noexcept { return *value_; }
  [[nodiscard]] const T& operator*() const& noexcept { return *value_; }
  [[nodiscard]] T operator*() && { return std::move(*value_); }
  [[nodiscard]] T* operator->() noexcept { return &*value_; }
  [[nodiscard]] const T* operator->() const noexcept { return &*value_; }
  /// Only of a result without a value.
  [[nodiscard]] const troupe::error& error() const noexcept { return *error_; }
#if defined(__cpp_exceptions)
  [[nodiscard]] T& value() & {
    return check(), *value_;
  }
  [[nodiscard]] const T& value() const& {
    return check(), *value_;
  }
  [[nodiscard]] T value() && {
    return check(), std::move(*value_);
  }
#endif
  template <class U>
  [[nodiscard]] T value_or(U&& other) const& {
    return value_ ? *value_ : static_cast<T>(std::forward<U>(other));
  }
  template <class U>
  [[nodiscard]] T value_or(U&& other) && {
    return value_ ? std::move(*value_) : static_cast<T>(std::forward<U>(other));
  }
  template <class F>
  [[nodiscard]] auto and_then(F&& then) && -> std::invoke_result_t<F, T> {
    if (value_)
      return std::forward<F>(then)(std::move(*value_));
    return troupe::error(*error_);
  }
  template <class F>
  [[nodiscard]] auto transform(F&& with) && -> result<std::invoke_result_t<F, T>> {
    if (value_)
      return std::forward<F>(with)(std::move(*value_));
    return troupe::error(*error_);
  }

private:
#if defined(__cpp_exceptions)
  void check() const {
    if (!value_)
      throw failure(*error_);
  }
#endif
  std::optional<T> value_;
  std::shared_ptr<const troupe::error> error_;
};

template <>
class [[nodiscard]] result<void> {
public:
  using value_type = void;
  result() = default;
  result(troupe::error why) : error_(std::make_shared<const troupe::error>(std::move(why))) {}
  [[nodiscard]] explicit operator bool() const noexcept { return error_ == nullptr; }
  [[nodiscard]] bool has_value() const noexcept { return error_ == nullptr; }
  [[nodiscard]] const troupe::error& error() const noexcept { return *error_; }
#if defined(__cpp_exceptions)
  void value() const {
    if (error_)
      throw failure(*error_);
  }
#endif

private:
  std::shared_ptr<const troupe::error> error_;
};

namespace detail {

[[nodiscard]] inline troupe_text text(std::string_view from) noexcept {
  return {from.data(), from.size()};
}
[[nodiscard]] inline std::string string(const troupe_text& from) {
  return from.data == nullptr ? std::string() : std::string(from.data, from.size);
}
[[nodiscard]] inline std::string_view view(const troupe_text& from) noexcept {
  return from.data == nullptr ? std::string_view() : std::string_view(from.data, from.size);
}

/// Releases it.
[[nodiscard]] inline error take_error(troupe_error* from) {
  error taken{static_cast<errc>(troupe_error_code(from)), string(troupe_error_message(from)), {}};
  troupe_finding one{};
  one.size = sizeof one;
  for (std::size_t i = 0; troupe_error_finding(from, i, &one) != 0; ++i)
    taken.found.push_back(
        {string(one.code), string(one.message), string(one.asset), string(one.file), one.line, one.column});
  troupe_error_release(from);
  return taken;
}
[[nodiscard]] inline result<void> done(troupe_error* from) {
  if (from != nullptr)
    return take_error(from);
  return {};
}

} // namespace detail
} // namespace v1
} // namespace troupe
