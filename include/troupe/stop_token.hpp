// Whether something is to stop. As std::stop_token, which not every C++ library has. Knows nothing of what stops.
#pragma once

#include "troupe/abi.h"

#include <cstdint>
#include <utility>

namespace troupe {
inline namespace v1 {

/// Counted; copies are of the same. Any thread.
class stop_token {
public:
  stop_token() noexcept = default;
  stop_token(const stop_token& from) noexcept : handle_(from.handle_) {
    if (handle_ != nullptr)
      troupe_stop_retain(handle_);
  }
  stop_token(stop_token&& from) noexcept : handle_(std::exchange(from.handle_, nullptr)) {}
  stop_token& operator=(stop_token from) noexcept {
    std::swap(handle_, from.handle_);
    return *this;
  }
  ~stop_token() { troupe_stop_release(handle_); }
  /// Takes the reference over.
  explicit stop_token(troupe_stop* handle) noexcept : handle_(handle) {}

  [[nodiscard]] bool stop_requested() const noexcept {
    return handle_ != nullptr && troupe_stop_requested(handle_) != 0;
  }
  [[nodiscard]] bool stop_possible() const noexcept { return handle_ != nullptr; }

private:
  template <class F>
  friend class stop_callback;
  troupe_stop* handle_ = nullptr;
};

/// While it lives, `f` is called once when the stop is asked for, on the thread that asks; at once if it was. `f` must
/// not throw. The destructor waits for a call that is under way on another thread.
template <class F>
class stop_callback {
public:
  template <class G>
  stop_callback(stop_token token, G&& f) : token_(std::move(token)), f_(std::forward<G>(f)) {
    if (token_.handle_ != nullptr)
      number_ = troupe_stop_tell(
          token_.handle_, [](void* state) { static_cast<stop_callback*>(state)->f_(); }, this);
  }
  ~stop_callback() {
    if (number_ != 0)
      troupe_stop_forget(token_.handle_, number_);
  }
  stop_callback(const stop_callback&) = delete;
  stop_callback& operator=(const stop_callback&) = delete;

private:
  stop_token token_;
  F f_;
  std::uint64_t number_ = 0;
};
template <class F>
stop_callback(stop_token, F) -> stop_callback<F>;

} // namespace v1
} // namespace troupe
