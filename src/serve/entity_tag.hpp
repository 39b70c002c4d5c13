// Entity tags: a client that has a document already gets 304 instead of the same bytes (RFC 9110, 8.8.3 and 13.1.2).
// Knows nothing of what is in the document.
#pragma once

#include "adapters/http/http_message.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe_internal::serve {

/// A strong tag, with its quotes: the same for the same bytes only.
[[nodiscard]] std::string entity_tag(std::string_view body);
/// Whether the header If-None-Match names this tag; a weak one counts as well, and so does "*".
[[nodiscard]] bool names_tag(std::string_view if_none_match, std::string_view tag);
/// What a request says of the documents that its client has: all of its If-None-Match; nullopt where it does not read.
[[nodiscard]] std::optional<std::string> known_documents(const http_request& request);
/// The answer to a request that reads, with its tag where it is a JSON document; without the document where the client
/// has it.
[[nodiscard]] http_response with_entity_tag(std::string_view known, http_response response);

} // namespace troupe_internal::serve
