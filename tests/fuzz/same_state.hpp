// What targets need that make a state: the same one each time, so that an input means the same change each time.
#pragma once

#include "base/time.hpp"
#include "ports/clock.hpp"

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

namespace troupe_internal::fuzz {

class still_clock final : public troupe_internal::clock {
public:
  [[nodiscard]] timestamp now() const override { return from_unix_ns(1'790'000'000'000'000'000); }
  [[nodiscard]] duration monotonic() const override { return duration(0); }
  [[nodiscard]] std::uint64_t random() override { return 42; }
};

inline std::string content_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

} // namespace troupe_internal::fuzz
