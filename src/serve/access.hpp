// Who may ask what over HTTP: hosts, origins, tokens. Knows requests and bearers, and no files.
#pragma once

#include "adapters/http/http_message.hpp"
#include "base/result.hpp"
#include "serve/tokens.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::serve {

struct access_rules {
  std::vector<std::string> hosts; ///< accepted in Host, beyond the names of this machine's loopback
};

/// Who asks, once it is known that he may.
struct caller {
  std::string by; ///< the name of the token; "uid N" of who connected to the Unix socket
  access_scope scope = access_scope::none;
};

using bearer_finder = std::function<result<std::optional<token_bearer>>(std::string_view token)>;

/// Lets a request pass that needs this scope, or says what to answer instead. Through the Unix socket everything is
/// this user's. Over TCP the host must be one of ours, or a page elsewhere could lead a browser here; a write must come
/// from no other page; and all but `none` needs a token.
[[nodiscard]] std::optional<http_response> refuse(const http_request& request, access_scope needed,
                                                  const access_rules& rules, const bearer_finder& bearer_of,
                                                  caller& who);

/// The same of who needs no token, where it matters that no page in a browser asks: host and origin, everywhere.
[[nodiscard]] std::optional<http_response> refuse_foreign_page(const http_request& request, const access_rules& rules);

/// Headers that every answer bears.
void add_security_headers(http_response& response);

} // namespace troupe_internal::serve
