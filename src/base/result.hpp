// Errors as values: a code somebody reacts to and a message somebody reads. Knows nothing of where errors come from.
#pragma once

#include <boost/system/result.hpp>

#include <string>
#include <utility>

namespace troupe_internal {

/// A code exists only where some caller reacts to it differently; everything else is in the message.
enum class error_code {
  invalid_input,  ///< the user's words or file are wrong: exit 2
  not_found,      ///< the named run, asset, log does not exist: exit 2
  state_locked,   ///< another process holds the state: exit 3
  state_unusable, ///< the state cannot be read or written (permissions, disk full, version, damage): exit 3
  io,             ///< an operating system call failed on something that is not the state
  key_conflict,   ///< an idempotency key was used for another request: exit 1
  busy,           ///< a queue is full; a later attempt may succeed: exit 1
  internal,       ///< a bug in Troupe
  stopped,        ///< a signal asked for the end before there was a run: exit 128 and its number
};

/// What went wrong, in words for the user: the place, the finding, the way out.
struct error {
  error_code code = error_code::internal;
  std::string message;
  bool in_lines = false; ///< the message has several lines; a text from outside in it was made visible()
  bool held = false;     ///< state_locked by a process that has the lock now: to wait for it may help
};

/// A value or an error.
template <class T>
using result = boost::system::result<T, error>;

/// Makes an error value; reads as `return fail(error_code::io, "…")`.
[[nodiscard]] inline error fail(error_code code, std::string message) {
  return error{code, std::move(message), false, false};
}

/// The same where the message has line ends of its own: elsewhere they are taken for a part of a name, and escaped.
[[nodiscard]] inline error fail_in_lines(error_code code, std::string message) {
  return error{code, std::move(message), true, false};
}

/// state_locked by a process that may let go of the lock.
[[nodiscard]] inline error fail_while_held(std::string message) {
  return error{error_code::state_locked, std::move(message), false, true};
}

/// Called by result<T>::value() on an error: a programmer's mistake in this code base, since errors are values.
[[noreturn]] void throw_exception_from_error(const error& e, const boost::source_location& where);

} // namespace troupe_internal
