// A stream buffer that keeps nothing but the start of a character.
#include "views/guarded_stream.hpp"

namespace troupe_internal::cli {

void guarded_stream::pass(std::string_view bytes) {
  if (!buffer_.pass(bytes))
    setstate(std::ios::badbit);
}

bool guarded_stream::buffer::put(std::string_view text) {
  if (guard_.passes(text)) {
    to_.write(text.data(), static_cast<std::streamsize>(text.size()));
    return to_.good();
  }
  scratch_.clear();
  guard_.add(text, scratch_);
  to_.write(scratch_.data(), static_cast<std::streamsize>(scratch_.size()));
  return to_.good();
}

bool guarded_stream::buffer::finish() {
  scratch_.clear();
  guard_.finish(scratch_);
  if (!scratch_.empty())
    to_.write(scratch_.data(), static_cast<std::streamsize>(scratch_.size()));
  return to_.good();
}

bool guarded_stream::buffer::pass(std::string_view bytes) {
  return finish() && to_.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).good();
}

guarded_stream::buffer::int_type guarded_stream::buffer::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof()))
    return traits_type::not_eof(c);
  const char one = traits_type::to_char_type(c);
  return put({&one, 1}) ? c : traits_type::eof();
}

std::streamsize guarded_stream::buffer::xsputn(const char* text, std::streamsize size) {
  return put({text, static_cast<std::size_t>(size)}) ? size : 0;
}

int guarded_stream::buffer::sync() {
  return finish() && to_.flush().good() ? 0 : -1;
}

} // namespace troupe_internal::cli
