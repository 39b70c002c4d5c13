// What happened, step by step, in words: cheap when nobody wants to read it. Knows nothing of what the steps mean.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe_internal::test {

class step_log {
public:
  explicit step_log(bool keeps) : keeps_(keeps) {}
  [[nodiscard]] bool keeps() const { return keeps_; }
  template <class... Part>
  void add(Part... parts) {
    if (!keeps_)
      return;
    (add_part(parts), ...);
    text_ += '\n';
  }
  [[nodiscard]] const std::string& text() const { return text_; }

private:
  void add_part(std::string_view part) { text_ += part; }
  void add_part(const char* part) { text_ += part; }
  void add_part(const std::string& part) { text_ += part; }
  template <class Number>
  void add_part(Number number) {
    text_ += std::to_string(number);
  }
  const bool keeps_;
  std::string text_;
};

} // namespace troupe_internal::test
