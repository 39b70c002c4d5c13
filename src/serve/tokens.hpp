// The tokens of a state's HTTP interface: the owner's in a file of its own, all others as digests alone. Knows no
// requests.
#pragma once

#include "adapters/state/state_dir.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::serve {

/// What a token lets its bearer do. `write` includes `read`.
enum class access_scope : std::uint8_t { none, read, write };
[[nodiscard]] std::string_view to_string(access_scope scope);

/// A token, without what it is.
struct token_entry {
  std::string name;
  access_scope scope = access_scope::read;
  std::string sha256; ///< of the token, in hexadecimal digits
  timestamp created;
  std::optional<timestamp> expires;
  friend bool operator==(const token_entry&, const token_entry&) = default;
};

/// Who bears a token.
struct token_bearer {
  std::string name; ///< "owner" for the owner's
  access_scope scope = access_scope::none;
};

inline constexpr std::string_view owner_token_file = "token";
inline constexpr std::string_view tokens_file = "tokens.json";
/// Held by whoever changes either.
inline constexpr std::string_view tokens_lock_file = "tokens.lock";

/// Makes the owner's token, if there is none. For the holder of the state's lock.
[[nodiscard]] result<void> make_owner_token(const state_dir& dir);
/// Makes a token and returns it: it is never shown again. invalid_input for a name that is taken or has other
/// characters than letters, digits, ".", "_" and "-".
[[nodiscard]] result<std::string> create_token(const state_dir& dir, const std::string& name, access_scope scope,
                                               timestamp now, std::optional<timestamp> expires);
[[nodiscard]] result<std::vector<token_entry>> list_tokens(const state_dir& dir);
/// not_found if there is no such token. "owner" cannot be revoked, only rotated.
[[nodiscard]] result<void> revoke_token(const state_dir& dir, const std::string& name);
/// A new token in the place of the one with this name, of the same scope and end.
[[nodiscard]] result<std::string> rotate_token(const state_dir& dir, const std::string& name, timestamp now);

/// Who bears this token; nullopt: nobody, or it has expired. Reads the files anew, so that what was revoked is void at
/// once; how long it takes says nothing of how much was right.
[[nodiscard]] result<std::optional<token_bearer>> find_bearer(const state_dir& dir, std::string_view token,
                                                              timestamp now);

} // namespace troupe_internal::serve
