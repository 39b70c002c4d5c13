// Addresses and sockets of TCP.
#include "adapters/http/http_server.hpp"
#include "adapters/system/posix_error.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <optional>

namespace troupe_internal {

namespace {

constexpr int waiting_connections = 1'024;

/// An address of either family, with its port.
struct tcp_address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

/// The last ":" begins the port. No host: every address of this machine.
std::optional<tcp_address> address_of(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos)
    return std::nullopt;
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  if (host == "localhost")
    host = "127.0.0.1";
  std::uint16_t port = 0;
  const auto* const digits = text.data() + colon + 1;
  const auto* const end = text.data() + text.size();
  if (const auto read = std::from_chars(digits, end, port); read.ec != std::errc() || read.ptr != end)
    return std::nullopt;
  tcp_address found;
  auto& v4 = reinterpret_cast<sockaddr_in&>(found.bytes);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(found.bytes);
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    found.size = sizeof v4;
  } else if (host.empty() || inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    found.size = sizeof v6;
  } else {
    return std::nullopt;
  }
  return found;
}

} // namespace

result<http_listener> listen_tcp(const std::string& address, std::uint16_t& port) {
  const auto at = address_of(address);
  if (!at)
    return fail(error_code::invalid_input,
                "\"" + address + "\" is no address to listen on: write \"127.0.0.1:7070\" or \"[::1]:7070\"");
  const auto failed = [&](const std::string& what) {
    return fail(error_code::io,
                "cannot " + what + " " + address + ": " + errno_text(errno) +
                    (errno == EADDRINUSE ? ". Another program listens there: choose another port, or end it" : ""));
  };
  unique_fd fd(socket(at->bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
  if (!fd)
    return failed("make a socket for");
  const int yes = 1;
  const int no = 0;
  static_cast<void>(setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes)); // else the next start waits
  if (address.starts_with(':'))
    static_cast<void>(setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no)); // both families, if it can be
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&at->bytes), at->size) != 0 ||
      listen(fd.get(), waiting_connections) != 0 ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0)
    return failed("listen on");
  port = ntohs(bound.ss_family == AF_INET ? reinterpret_cast<const sockaddr_in&>(bound).sin_port
                                          : reinterpret_cast<const sockaddr_in6&>(bound).sin6_port);
  return http_listener{std::move(fd), false};
}

} // namespace troupe_internal
