// Two small files, replaced as wholes.
#include "serve/tokens.hpp"

#include "base/json_writer.hpp"
#include "config/json_reader.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <sys/file.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <sstream>

namespace troupe_internal::serve {

namespace {

constexpr std::uint64_t most_bytes = std::uint64_t{1} << 20U;
constexpr std::size_t secret_bytes = 32;
constexpr std::string_view owner = "owner";

std::string hexadecimal(const unsigned char* bytes, std::size_t count) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < count; ++i)
    text.append(1, digits[bytes[i] / 16]).append(1, digits[bytes[i] % 16]);
  return text;
}

std::string digest_text(std::string_view token) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  return hexadecimal(digest.data(), digest.size());
}

/// "troupe_" and 64 digits: to be recognised where it must not be.
result<std::string> new_token() {
  std::array<unsigned char, secret_bytes> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) // never less of so few
    return fail(error_code::io, "the system gives no random bytes for a token");
  return "troupe_" + hexadecimal(bytes.data(), bytes.size());
}

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view without_line_end(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r'))
    text.remove_suffix(1);
  return text;
}

std::string text_of(const std::vector<token_entry>& tokens) {
  std::ostringstream text;
  {
    json_writer json(text);
    json.begin_object().member("format", 1);
    json.key("tokens").begin_array();
    for (const auto& token : tokens) {
      json.begin_object();
      json.member("name", token.name).member("scope", to_string(token.scope)).member("sha256", token.sha256);
      json.member("created_ns", token.created.time_since_epoch().count());
      if (token.expires)
        json.member("expires_ns", token.expires->time_since_epoch().count());
      json.end_object();
    }
    json.end_array().end_object();
  }
  return text.str();
}

/// One JSON text of tokens; what is not known in it is skipped.
class tokens_reader {
public:
  explicit tokens_reader(std::string_view text)
      : out_(list_), json_(config::chunks_of(text), out_, config::json_dialect::plain) {}
  [[nodiscard]] std::optional<std::vector<token_entry>> read() {
    std::vector<token_entry> tokens;
    if (json_.value().kind != config::json_kind::object)
      return std::nullopt;
    std::string_view key;
    place where;
    while (json_.next_member(key, where)) {
      const bool is_list = key == "tokens";
      const auto value = json_.value();
      if (!is_list || value.kind != config::json_kind::array) {
        json_.skip(value);
        continue;
      }
      while (json_.next_element())
        if (json_.value().kind == config::json_kind::object)
          tokens.push_back(token());
        else
          return std::nullopt;
    }
    json_.finish();
    return list_.items.empty() ? std::optional(std::move(tokens)) : std::nullopt;
  }

private:
  token_entry token() {
    token_entry found;
    std::string_view key;
    place where;
    while (json_.next_member(key, where)) {
      const std::string name(key);
      const auto value = json_.value();
      if (name == "name")
        found.name = value.text;
      else if (name == "scope")
        found.scope = value.text == "write"  ? access_scope::write
                      : value.text == "read" ? access_scope::read
                                             : access_scope::none;
      else if (name == "sha256")
        found.sha256 = value.text;
      else if (name == "created_ns")
        found.created = time_of(value.text);
      else if (name == "expires_ns")
        found.expires = time_of(value.text);
      else
        json_.skip(value);
    }
    return found;
  }
  /// Of what is no number the beginning of all times: as an end that is past.
  static timestamp time_of(std::string_view text) {
    std::int64_t ns = 0;
    std::from_chars(text.data(), text.data() + text.size(), ns);
    return timestamp(duration(ns));
  }
  diagnostics list_;
  config::findings out_;
  config::json_reader json_;
};

result<void> write_tokens(const state_dir& dir, const std::vector<token_entry>& tokens) {
  return dir.replace(std::string(tokens_file), text_of(tokens));
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
}

/// While it lives, no other process changes the tokens: what one revokes another might else write again.
result<unique_fd> lock_tokens(const state_dir& dir) {
  bool made = false;
  auto held = dir.open_or_make(std::string(tokens_lock_file), made);
  if (!held)
    return held;
  while (flock(held->get(), LOCK_EX) != 0)
    if (errno != EINTR)
      return state_error(dir.path(), "lock its tokens", errno);
  return held;
}

error unknown_token(const std::string& name) {
  return fail(error_code::not_found, "there is no token \"" + name + "\" (troupe token list shows them)");
}

} // namespace

std::string_view to_string(access_scope scope) {
  return scope == access_scope::write ? "write" : scope == access_scope::read ? "read" : "none";
}

result<void> make_owner_token(const state_dir& dir) {
  const auto held = lock_tokens(dir);
  if (!held)
    return held.error();
  if (dir.look(std::string(owner_token_file)))
    return dir.check(std::string(owner_token_file), entry_use::trust);
  const auto token = new_token();
  return token ? dir.replace(std::string(owner_token_file), *token + "\n") : result<void>(token.error());
}

result<std::vector<token_entry>> list_tokens(const state_dir& dir) {
  const auto text = dir.read(std::string(tokens_file), most_bytes, entry_use::trust);
  if (!text && text.error().code == error_code::not_found)
    return std::vector<token_entry>();
  if (!text)
    return text.error();
  auto tokens = tokens_reader(*text).read();
  if (!tokens)
    return dir.refused(std::string(tokens_file), "is not as Troupe writes it");
  return std::move(*tokens);
}

result<std::string> create_token(const state_dir& dir, const std::string& name, access_scope scope, timestamp now,
                                 std::optional<timestamp> expires) {
  if (!is_name(name))
    return fail(error_code::invalid_input,
                "the name of a token has letters, digits, \".\", \"_\" and \"-\", at most 100");
  const auto held = lock_tokens(dir);
  if (!held)
    return held.error();
  auto tokens = list_tokens(dir);
  if (!tokens)
    return tokens.error();
  if (name == owner || std::any_of(tokens->begin(), tokens->end(), [&](const auto& t) { return t.name == name; }))
    return fail(error_code::invalid_input,
                "there is a token \"" + name + "\" already: revoke it, rotate it, or choose another name");
  auto token = new_token();
  if (!token)
    return token;
  tokens->push_back({name, scope, digest_text(*token), now, expires});
  if (auto written = write_tokens(dir, *tokens); !written)
    return written.error();
  return token;
}

result<void> revoke_token(const state_dir& dir, const std::string& name) {
  if (name == owner)
    return fail(error_code::invalid_input,
                "the owner's token cannot be revoked: rotate it (troupe token rotate owner)");
  const auto held = lock_tokens(dir);
  if (!held)
    return held.error();
  auto tokens = list_tokens(dir);
  if (!tokens)
    return tokens.error();
  if (std::erase_if(*tokens, [&](const auto& token) { return token.name == name; }) == 0)
    return unknown_token(name);
  return write_tokens(dir, *tokens);
}

result<std::string> rotate_token(const state_dir& dir, const std::string& name, timestamp now) {
  const auto held = lock_tokens(dir);
  if (!held)
    return held.error();
  auto token = new_token();
  if (!token)
    return token;
  if (name == owner) {
    if (auto written = dir.replace(std::string(owner_token_file), *token + "\n"); !written)
      return written.error();
    return token;
  }
  auto tokens = list_tokens(dir);
  if (!tokens)
    return tokens.error();
  const auto at = std::find_if(tokens->begin(), tokens->end(), [&](const auto& t) { return t.name == name; });
  if (at == tokens->end())
    return unknown_token(name);
  at->sha256 = digest_text(*token);
  at->created = now;
  if (auto written = write_tokens(dir, *tokens); !written)
    return written.error();
  return token;
}

result<std::optional<token_bearer>> find_bearer(const state_dir& dir, std::string_view token, timestamp now) {
  const auto presented = digest_text(token);
  std::optional<token_bearer> found;
  const auto own = dir.read(std::string(owner_token_file), 1'000, entry_use::trust);
  if (own) {
    const auto text = without_line_end(*own);
    if (!text.empty() && same(presented, digest_text(text)))
      found = {std::string(owner), access_scope::write};
  } else if (own.error().code != error_code::not_found) {
    return own.error();
  }
  const auto tokens = list_tokens(dir);
  if (!tokens)
    return tokens.error();
  for (const auto& one : *tokens)
    if (same(presented, one.sha256) && (!one.expires || now < *one.expires))
      found = {one.name, one.scope};
  return found;
}

} // namespace troupe_internal::serve
