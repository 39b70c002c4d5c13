// The stream that all text of the program leaves through: what may not be shown becomes an escape on the way. Knows
// nothing of where the text goes after that.
#pragma once

#include "base/shown_text.hpp"

#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

namespace troupe_internal::cli {

/// Hands to another stream what is written to it, as text_guard gives it out, without a buffer of its own. Errors of
/// the other stream are its own errors too. One thread at a time.
class guarded_stream final : public std::ostream {
public:
  explicit guarded_stream(std::ostream& to) : std::ostream(nullptr), buffer_(to) { rdbuf(&buffer_); }
  ~guarded_stream() override { flush(); }

  void set_colours(bool on) { buffer_.guard().set_colours(on); }
  /// Bytes as they are, in their order with what is written: for what was filtered already, the sequences that paint
  /// progress, and logs that go to a pipe.
  void pass(std::string_view bytes);

private:
  class buffer final : public std::streambuf {
  public:
    explicit buffer(std::ostream& to) : to_(to) {}
    [[nodiscard]] text_guard& guard() { return guard_; }
    [[nodiscard]] bool pass(std::string_view bytes);

  protected:
    int_type overflow(int_type c) override;
    std::streamsize xsputn(const char* text, std::streamsize size) override;
    int sync() override;

  private:
    [[nodiscard]] bool put(std::string_view text);
    [[nodiscard]] bool finish();

    std::ostream& to_;
    text_guard guard_;
    std::string scratch_;
  };

  buffer buffer_;
};

} // namespace troupe_internal::cli
