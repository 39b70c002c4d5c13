// write(2) until all is written.
#include "cli/fd_stream.hpp"

#include <cerrno>
#include <poll.h>
#include <unistd.h>

namespace troupe_internal::cli {

bool fd_stream::buffer::write_out() {
  const char* from = pbase();
  while (from < pptr() && error_ == 0) {
    const auto written = ::write(descriptor_, from, static_cast<std::size_t>(pptr() - from));
    if (written >= 0) {
      from += written;
    } else if (errno == EAGAIN) { // somebody made the terminal we share non-blocking
      pollfd ready{descriptor_, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      error_ = errno;
    }
  }
  setp(bytes_.data(), bytes_.data() + bytes_.size());
  return error_ == 0;
}

fd_stream::buffer::int_type fd_stream::buffer::overflow(int_type c) {
  if (!write_out())
    return traits_type::eof();
  if (!traits_type::eq_int_type(c, traits_type::eof()))
    sputc(traits_type::to_char_type(c));
  return traits_type::not_eof(c);
}

int fd_stream::buffer::sync() {
  return write_out() ? 0 : -1;
}

} // namespace troupe_internal::cli
