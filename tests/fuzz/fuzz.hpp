// What the fuzz targets share: how a broken property stops the process, and how an input is cut into pieces. Knows no
// parser and no fuzzer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace troupe_internal::fuzz {

/// Says what does not hold and stops the process (abort), so that a fuzzer keeps the input.
[[noreturn]] void broken(const char* property, const char* file, int line, std::string_view detail);

/// A property that has to hold whatever the input; `detail` is shown if it does not.
#define FUZZ_CHECK(property, detail)                                                                                   \
  do {                                                                                                                 \
    if (!(property))                                                                                                   \
      ::troupe_internal::fuzz::broken(#property, __FILE__, __LINE__, detail);                                          \
  } while (false)

/// Cuts an input into pieces, from its beginning. Total: behind its end there are zeros and empty texts.
class input {
public:
  explicit input(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool done() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  std::uint8_t byte() {
    if (rest_.empty())
      return 0;
    const auto first = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return first;
  }
  std::uint32_t number() {
    std::uint32_t n = 0;
    for (int i = 0; i < 4; ++i)
      n = n << 8U | byte();
    return n;
  }
  /// What stands before the next separator, which is taken as well.
  std::string_view text(char separator = '\0') {
    const auto end = rest_.find(separator);
    const auto before = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return before;
  }

private:
  std::string_view rest_;
};

/// FNV-1a: a number from all bytes, for choices that have to follow from the input alone.
[[nodiscard]] constexpr std::uint64_t number_of(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : bytes)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

} // namespace troupe_internal::fuzz
