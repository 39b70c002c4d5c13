// The handles of engines and runs, and what every call checks of them: one that was moved from, or that came over a
// fork, is an error and never undefined.
#pragma once

#include "lib/host_engine.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

/// Of an engine there is one that owns it, and any number of others, which end with it.
struct troupe_engine {
  std::unique_ptr<troupe_internal::lib::host_engine> own; ///< null: another one owns it
  std::shared_ptr<troupe_internal::lib::engine_link> link;
  pid_t process = getpid();
};

struct troupe_run {
  std::shared_ptr<troupe_internal::lib::host_run> in;
  pid_t process = getpid();
  std::atomic<std::uint32_t> holders{1};
};

namespace troupe_internal::lib {

/// Why the handle is of no use here; null: it is.
template <class Handle>
[[nodiscard]] troupe_error* refused(const Handle* handle) {
  if (handle == nullptr)
    return make_error(TROUPE_ERROR_INVALID_ARGUMENT, "the handle is empty: it was moved from");
  if (handle->process != getpid())
    return make_error(TROUPE_ERROR_WRONG_PROCESS,
                      "this process was forked off from process " + std::to_string(handle->process) +
                          ", which has the engine: open an engine of its own, on another state, or fork before open()");
  return nullptr;
}

template <class Handle, class Work>
[[nodiscard]] troupe_error* with(const Handle* handle, Work&& work) noexcept {
  return guarded([&]() -> troupe_error* {
    if (auto* const why = refused(handle))
      return why;
    return std::forward<Work>(work)();
  });
}

/// With the engine itself.
template <class Work>
[[nodiscard]] troupe_error* with_engine(const troupe_engine* handle, Work&& work) noexcept {
  return with(handle, [&]() -> troupe_error* {
    const engine_link::use engine(*handle->link);
    if (!engine)
      return make_error(TROUPE_ERROR_SHUTTING_DOWN, "the engine has gone, or is going");
    return std::forward<Work>(work)(engine);
  });
}

[[nodiscard]] inline troupe_run* handle_of(std::shared_ptr<host_run> run) {
  return new troupe_run{std::move(run)};
}

/// As far as the caller knows the struct; what it does not know is zero.
template <class T>
[[nodiscard]] T known_part(const T* from) {
  T all{};
  if (from != nullptr)
    std::memcpy(&all, from, std::min<std::size_t>(from->size, sizeof all));
  all.size = sizeof all;
  return all;
}
/// Into a struct of the caller's, as far as he knows it.
template <class T>
void hand_out(T all, T* into) {
  all.size = into->size;
  std::memcpy(into, &all, std::min<std::size_t>(into->size, sizeof all));
}

} // namespace troupe_internal::lib
