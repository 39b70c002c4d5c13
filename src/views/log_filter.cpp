// Escape sequences by their grammar (ECMA-48, 5.3 to 5.6).
#include "views/log_filter.hpp"

#include "base/shown_text.hpp"
#include "base/utf8.hpp"

#include <algorithm>

namespace troupe_internal::cli {

namespace {

constexpr std::size_t most_sequence = 4096; // bytes; links in OSC 8 take some hundreds
constexpr std::size_t most_colours = 256;   // bytes of sequences in force that are kept

enum class sequence_kind { colour, other, unfinished, none };

struct sequence {
  sequence_kind what = sequence_kind::none;
  std::size_t bytes = 0;
};

bool within(char c, unsigned char first, unsigned char last) {
  return static_cast<unsigned char>(c) >= first && static_cast<unsigned char>(c) <= last;
}

/// How far bytes of a range go.
std::size_t skip(std::string_view text, std::size_t from, unsigned char first, unsigned char last) {
  while (from < text.size() && within(text[from], first, last))
    ++from;
  return from;
}

sequence at_end(std::string_view text) {
  return {text.size() < most_sequence ? sequence_kind::unfinished : sequence_kind::none, text.size()};
}

sequence control_sequence(std::string_view text) {
  const auto parameters = skip(text, 2, 0x30, 0x3F);
  const auto end = skip(text, parameters, 0x20, 0x2F);
  if (end == text.size())
    return at_end(text);
  if (end >= most_sequence || !within(text[end], 0x40, 0x7E))
    return {};
  const bool colour = text[end] == 'm' && end == parameters &&
                      text.substr(2, end - 2).find_first_not_of("0123456789;:") == std::string_view::npos;
  return {colour ? sequence_kind::colour : sequence_kind::other, end + 1};
}

/// OSC, DCS, SOS, PM, APC: up to ESC \, or BEL. One that does not end on its line is none.
sequence control_string(std::string_view text) {
  const auto end = text.find_first_of("\x07\x1b\n\r", 2);
  if (end == std::string_view::npos)
    return at_end(text);
  if (end + 1 >= most_sequence)
    return {};
  if (text[end] == '\x07')
    return {sequence_kind::other, end + 1};
  if (text[end] != '\x1b')
    return {};
  if (end + 1 == text.size())
    return at_end(text);
  return text[end + 1] == '\\' ? sequence{sequence_kind::other, end + 2} : sequence{};
}

/// The sequence that the text, which begins with ESC, begins with.
sequence sequence_in(std::string_view text) {
  if (text.size() == 1)
    return at_end(text);
  if (text[1] == '[')
    return control_sequence(text);
  if (std::string_view("]PX^_").find(text[1]) != std::string_view::npos)
    return control_string(text);
  const auto end = skip(text, 1, 0x20, 0x2F);
  if (end == text.size())
    return at_end(text);
  return end < most_sequence && within(text[end], 0x30, 0x7E) ? sequence{sequence_kind::other, end + 1} : sequence{};
}

bool is_reset(std::string_view colour) {
  return colour.substr(2).find_first_not_of("0;:m") == std::string_view::npos;
}

} // namespace

std::size_t control_sequence_bytes(std::string_view text) {
  if (text.empty() || text.front() != '\x1b')
    return 0;
  const auto found = sequence_in(text);
  return found.what == sequence_kind::colour || found.what == sequence_kind::other ? found.bytes : 0;
}

void log_filter::put(std::string_view text, std::string& out) {
  if (paused_ && !text.empty()) {
    out += colour_;
    paused_ = false;
  }
  out += text;
}

void log_filter::put_colour(std::string_view sequence, std::string& out) {
  if (!colours_)
    return;
  put(sequence, out);
  if (is_reset(sequence))
    colour_.clear();
  else if (colour_.size() + sequence.size() > most_colours)
    colour_ = sequence.size() <= most_colours ? sequence : std::string_view("\x1b[1m");
  else
    colour_ += sequence;
}

/// Takes one character or sequence; returns its bytes, 0 if its end is missing and may yet come.
std::size_t log_filter::take(std::string_view text, bool last, std::string& out) {
  if (text.front() == '\x1b') {
    const auto found = sequence_in(text);
    if (found.what == sequence_kind::unfinished && !last)
      return 0;
    if (found.what == sequence_kind::colour)
      put_colour(text.substr(0, found.bytes), out);
    if (found.what == sequence_kind::colour || found.what == sequence_kind::other)
      return found.bytes;
    put("\\x1b", out);
    return 1;
  }
  if (is_cut_short(text) && !last)
    return 0;
  const auto next = decode_utf8(text);
  const auto bytes = text.substr(0, next.bytes);
  if (next.point == '\n' || next.point == '\t' || (next.valid && is_showable(next.point)))
    put(bytes, out);
  else if (!next.valid || next.point > 0x7F)
    put(visible(bytes), out);
  return next.bytes; // other controls show nothing
}

void log_filter::add(std::string_view piece, std::string& out) {
  std::string joined;
  if (!held_.empty()) {
    joined.swap(held_);
    joined += piece;
    piece = joined;
  }
  while (!piece.empty()) {
    const auto plain = plain_prefix(piece);
    put(piece.substr(0, plain), out);
    piece.remove_prefix(plain);
    if (piece.empty())
      return;
    const auto taken = take(piece, false, out);
    if (taken == 0) {
      held_ = piece;
      return;
    }
    piece.remove_prefix(taken);
  }
}

void log_filter::pause(std::string& out) {
  if (!paused_ && !colour_.empty()) {
    out += "\x1b[0m";
    paused_ = true;
  }
}

void log_filter::finish(std::string& out) {
  std::string rest;
  rest.swap(held_);
  for (std::string_view left = rest; !left.empty();)
    left.remove_prefix(take(left, true, out));
  pause(out);
  colour_.clear();
  paused_ = false;
}

} // namespace troupe_internal::cli
