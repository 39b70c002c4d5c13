// The value that an asset handed on when it was made, as it is kept: what reads it, and its bytes or the file that has
// them. Knows nothing of what the bytes mean.
#pragma once

#include "base/digest.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe_internal {

/// Bytes that need not be text. In JSON they are hexadecimal digits.
struct raw_bytes {
  std::string data;
  [[nodiscard]] bool empty() const { return data.empty(); }
  friend bool operator==(const raw_bytes&, const raw_bytes&) = default;
};

/// A value of at most this many bytes is kept in its asset's record, a longer one in a file.
inline constexpr std::uint64_t max_inline_value = 1024;

struct stored_value {
  std::string type;          ///< the name of the codec that wrote it; empty: there is no value
  std::uint32_t version = 0; ///< of that codec
  std::uint64_t size = 0;    ///< in bytes
  raw_bytes bytes;           ///< if `size` is at most max_inline_value
  digest file{};             ///< else: the content's digest, by which its file is named; all zero: there is no file
  [[nodiscard]] bool is_none() const { return type.empty(); }
  [[nodiscard]] bool in_file() const { return file != digest{}; }
  friend bool operator==(const stored_value&, const stored_value&) = default;
};

/// A hasher to be fed with the bytes of a value: its digest is the data version of the value, and the name of its file.
[[nodiscard]] content_hasher value_hasher(std::string_view type, std::uint32_t version);

} // namespace troupe_internal
