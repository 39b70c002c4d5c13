// Requests and answers of HTTP as plain values. Knows the shape of targets and headers; nothing of sockets, and nothing
// of what is asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal {

/// Headers and query parameters, in their order.
using http_fields = std::vector<std::pair<std::string, std::string>>;
/// The first value of this name; nullptr if there is none.
[[nodiscard]] const std::string* find_field(const http_fields& fields, std::string_view name);

/// A request, read whole.
struct http_request {
  std::string method;            ///< "GET"
  std::string target;            ///< as sent
  std::vector<std::string> path; ///< its segments, decoded: {"api", "v1", "runs"}; "/" has none
  http_fields query;             ///< decoded
  http_fields headers;           ///< names in lower case, each as often as it was sent
  std::string body;
  bool local = false;          ///< through a Unix socket, from this user or root
  std::uint32_t peer_user = 0; ///< local: the user who connected
  bool hooks_alone = false;    ///< came through a socket that is for webhooks alone
};

/// An answer, or, for a stream, what it begins with.
struct http_response {
  unsigned status = 200;
  std::string content_type = "application/json";
  http_fields headers{};
  std::string body{};
};

/// An error as RFC 9457 has it. `code` is Troupe's own, for programs; `detail` is for people.
[[nodiscard]] http_response http_problem(unsigned status, std::string_view code, std::string_view detail);
/// "Not Found".
[[nodiscard]] std::string_view http_status_title(unsigned status);

/// Reads a target ("/a%2Fb/c?d=e"): false if it is not a path, or a per cent sign or a control character is wrong in
/// it.
/// "." and ".." are segments like any other.
[[nodiscard]] bool read_target(std::string_view target, std::vector<std::string>& path, http_fields& query);
/// A segment as it stands in a target.
[[nodiscard]] std::string percent_encoded(std::string_view text);

} // namespace troupe_internal
