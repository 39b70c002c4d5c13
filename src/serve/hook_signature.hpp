// Whether a request is signed as a webhook expects, by its raw bytes. Knows the schemes of GitHub, Standard Webhooks,
// GitLab and a generic one; no JSON, no trigger's name and no file.
#pragma once

#include "adapters/http/http_message.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "core/trigger/trigger.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::serve {

/// The key that a secret's text stands for: itself, or, for Standard Webhooks, what `whsec_` and base64 say (24 to 64
/// bytes). invalid_input says what is wrong, without the secret.
[[nodiscard]] result<std::string> signing_key(webhook_scheme scheme, std::string_view secret);

/// Whether one of the keys has signed it. Empty: yes; else why not, for the log: whoever asks is told nothing. Every
/// comparison takes the same time wherever the texts differ.
[[nodiscard]] std::string signature_problem(const webhook_source& of, const std::vector<std::string>& keys,
                                            const http_fields& headers, std::string_view body, timestamp now);

/// The value of a header that was sent exactly once; null otherwise.
[[nodiscard]] const std::string* only_field(const http_fields& fields, std::string_view name);

} // namespace troupe_internal::serve
