// errno as errors in words.
#include "adapters/system/posix_error.hpp"

#include <cerrno>
#include <system_error>

namespace troupe_internal {

std::string errno_text(int error_number) {
  return std::generic_category().message(error_number);
}

bool would_block(int error_number) {
  return error_number == EAGAIN || error_number == EWOULDBLOCK || error_number == EINTR;
}

error posix_error(std::string_view doing, std::string_view path, int error_number) {
  std::string message = "cannot ";
  message.append(doing).append(" ").append(path).append(": ").append(errno_text(error_number));
  if (error_number == ELOOP)
    message += " (links that lead back to themselves)";
  return fail(error_code::io, std::move(message));
}

} // namespace troupe_internal
