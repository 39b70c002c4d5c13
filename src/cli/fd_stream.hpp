// An output stream over a file descriptor that remembers why writing failed. Knows nothing of what is written.
#pragma once

#include <array>
#include <ostream>
#include <streambuf>

namespace troupe_internal::cli {

/// Buffers; writes when the buffer is full or at a flush. After the first error everything is dropped and the stream is
/// bad. Does not own the descriptor. One thread at a time.
class fd_stream final : public std::ostream {
public:
  explicit fd_stream(int descriptor) : std::ostream(nullptr), buffer_(descriptor) { rdbuf(&buffer_); }
  ~fd_stream() override { flush(); }
  /// errno of the first write that failed; 0: none.
  [[nodiscard]] int write_error() const { return buffer_.error(); }

private:
  class buffer final : public std::streambuf {
  public:
    explicit buffer(int descriptor) : descriptor_(descriptor) { setp(bytes_.data(), bytes_.data() + bytes_.size()); }
    [[nodiscard]] int error() const { return error_; }

  protected:
    int_type overflow(int_type c) override;
    int sync() override;

  private:
    [[nodiscard]] bool write_out();

    int descriptor_;
    int error_ = 0;
    std::array<char, 64 * 1024> bytes_;
  };

  buffer buffer_;
};

} // namespace troupe_internal::cli
