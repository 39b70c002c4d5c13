// The scanner refuses where it cannot be certain, since the text's author only has to move a value into env, while a
// wrong guess would hand the value to the shell.
#include "core/command/shell_text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe_internal {
namespace {

constexpr std::string_view intricate = "behind text in which the shells disagree about quoting";

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n';
}

std::string_view file_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

template <std::size_t N>
bool one_of(std::string_view text, const std::array<std::string_view, N>& list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

} // namespace

void shell_scanner::text(std::string_view literal) {
  for (const char c : literal) {
    const auto depth = frames_.size();
    const bool escaped = escaped_;
    step(c);
    const bool quote = (c == '\'' || c == '"') && frames_.size() != depth;
    const bool nothing = escaped ? c == '\n' : c == '\\' && escaped_; // a backslash, and a newline behind one
    if (!quote && !nothing)
      begins_ = begins_behind(c);
  }
}

bool shell_scanner::begins_behind(char c) const {
  if (is_blank(c) || (top() == frame::command && !in_word_))
    return true;
  if (c != '=' || top() != frame::command || word_.size() < 2 || word_.back() != '=')
    return false;
  const auto name = std::string_view(word_).substr(0, word_.size() - 1);
  return !(name.front() >= '0' && name.front() <= '9') &&
         std::all_of(name.begin(), name.end(), [](char n) { return is_alphanumeric(n) || n == '_'; });
}

void shell_scanner::inserted(std::string_view value) {
  if (!value.empty())
    begins_ = is_blank(value.back());
}

void shell_scanner::step(char c) {
  if (in_here_document_)
    return here_document_step(c);
  if (c == '\n' && !pending_.empty() && top() != frame::command && top() != frame::comment)
    lose_track(intricate);
  switch (top()) {
  case frame::command:
  case frame::substitution:
    return command_step(c);
  case frame::double_quotes:
    return double_quotes_step(c);
  case frame::single_quotes:
    if (c == '\'')
      frames_.pop_back();
    return;
  case frame::expansion:
    if (c == '}')
      frames_.pop_back();
    else if (std::string_view("'\"`\\$({").find(c) != std::string_view::npos)
      lose_track("behind ${…} with quotes or expansions in it");
    return;
  case frame::backticks:
    if (escaped_)
      escaped_ = false;
    else if (c == '\\')
      escaped_ = true;
    else if (c == '`')
      frames_.pop_back();
    else if (c == '\'' || c == '"' || c == '#')
      lose_track("behind backticks with quotes in them");
    return;
  case frame::comment:
    if (c == '\n') {
      frames_.pop_back();
      command_step(c);
    }
    return;
  }
}

void shell_scanner::command_step(char c) {
  if (delimiter_ && (delimiter_step(c), delimiter_))
    return;
  if (escaped_) {
    escaped_ = false;
    if (c != '\n') {
      in_word_ = true;
      word_ += '\\';
    }
    return;
  }
  if (dollar_ && after_dollar(c))
    return;
  if (less_ > 0 && c != '<') {
    after_less(c);
    if (delimiter_)
      return;
  }
  const bool after_parenthesis = parenthesis_;
  parenthesis_ = false;
  switch (c) {
  case '\\':
    // A backslash and a newline vanish before operators are recognised: "<\<newline><" is "<<".
    if (after_parenthesis)
      lose_track(intricate);
    escaped_ = true;
    return;
  case '\'':
  case '"':
    in_word_ = true;
    word_ += c;
    frames_.push_back(c == '"' ? frame::double_quotes : frame::single_quotes);
    return;
  case '`':
    if (top() == frame::substitution)
      lose_track(intricate);
    in_word_ = true;
    word_ += c;
    frames_.push_back(frame::backticks);
    return;
  case '$':
    in_word_ = true;
    word_ += c;
    dollar_ = true;
    return;
  case '#':
    if (in_word_)
      break;
    if (top() == frame::substitution)
      lose_track("behind $(…) with a comment in it");
    frames_.push_back(frame::comment);
    return;
  case '[':
    ++subscript_;
    break;
  case ']':
    subscript_ = std::max(0, subscript_ - 1);
    break;
  case '<':
    end_word();
    if (++less_ > 3)
      lose_track(intricate);
    return;
  case '(':
    end_word();
    if (top() == frame::substitution)
      frames_.push_back(frame::substitution);
    else if (after_parenthesis)
      lose_track("inside or behind ((…))");
    parenthesis_ = true;
    return;
  case ')':
    end_word();
    if (top() == frame::substitution) {
      frames_.pop_back();
      in_word_ = true;
      word_ = '?';
    }
    return;
  case ' ':
  case '\t':
  case ';':
  case '&':
  case '|':
  case '>':
    return end_word();
  case '\n':
    end_word();
    in_here_document_ = !pending_.empty();
    return;
  default:
    break;
  }
  in_word_ = true;
  word_ += c;
}

bool shell_scanner::after_dollar(char c) {
  dollar_ = false;
  const bool quoted = top() == frame::double_quotes;
  if (c == '(') {
    end_word();
    frames_.push_back(frame::substitution);
    return true;
  }
  if (c == '{') {
    frames_.push_back(frame::expansion);
    return true;
  }
  if (c == '[' || c == '\\' || (!quoted && (c == '\'' || c == '"')))
    lose_track(c == '[' ? "inside or behind $[…]" : "behind $'…' or $\"…\", which not every shell knows");
  return false;
}

void shell_scanner::after_less(char c) {
  const int count = std::exchange(less_, 0);
  if (c == '\\')
    lose_track(intricate);
  if (count != 2)
    return;
  if (top() == frame::substitution)
    return lose_track("behind $(…) with a here-document in it");
  delimiter_ = true;
  delimiter_begun_ = false;
  delimiter_quote_ = 0;
  reading_ = {};
  reading_.strip_tabs = c == '-';
  if (!reading_.strip_tabs)
    delimiter_step(c);
}

void shell_scanner::delimiter_step(char c) {
  if (delimiter_quote_ != 0) {
    if (c == delimiter_quote_)
      delimiter_quote_ = 0;
    else if (c == '\n' || c == '\\' || c == '$' || c == '`')
      lose_track(intricate);
    else
      reading_.delimiter += c;
    return;
  }
  if (is_alphanumeric(c) || c == '_' || c == '-' || c == '.' || c == '+') {
    reading_.delimiter += c;
    delimiter_begun_ = true;
  } else if (c == '\'' || c == '"') {
    delimiter_quote_ = c;
    reading_.literal = delimiter_begun_ = true;
  } else if (!delimiter_begun_ && (c == ' ' || c == '\t')) {
    return;
  } else if (delimiter_begun_ && std::string_view(" \t\n;&|<>()").find(c) != std::string_view::npos) {
    delimiter_ = false;
    pending_.push_back(reading_);
  } else {
    lose_track("behind a here-document");
    delimiter_ = false;
  }
}

void shell_scanner::here_document_step(char c) {
  if (c != '\n') {
    line_ += c;
    return;
  }
  const here_document& here = pending_.front();
  std::string_view line = line_;
  if (here.strip_tabs)
    line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
  if (line == here.delimiter) {
    pending_.erase(pending_.begin());
    in_here_document_ = !pending_.empty();
  } else if (!here.literal && (line.ends_with('\\') || line.find('`') != line.npos || line.find("$(") != line.npos ||
                               line.find("${") != line.npos)) {
    // Whether the end is found inside such things depends on the shell.
    lose_track("behind a here-document with expansions in it");
  }
  line_.clear();
}

void shell_scanner::end_word() {
  if (top() == frame::substitution && word_ == "case")
    lose_track("behind $(…) with a case in it");
  if (top() == frame::command)
    subscript_ = 0;
  word_.clear();
  in_word_ = false;
}

void shell_scanner::double_quotes_step(char c) {
  if (escaped_) {
    escaped_ = false;
    return;
  }
  if (dollar_ && after_dollar(c))
    return;
  if (c == '\\')
    escaped_ = true;
  else if (c == '$')
    dollar_ = true;
  else if (c == '"')
    frames_.pop_back();
  else if (c == '`')
    frames_.push_back(frame::backticks);
}

shell_slot shell_scanner::slot() {
  shell_slot place;
  if (delimiter_ || less_ == 2)
    place.refuse = "as the delimiter of a here-document";
  else if (in_here_document_)
    place.refuse = "inside a here-document";
  for (const frame f : frames_) {
    if (!place.refuse.empty())
      break;
    if (f == frame::substitution)
      place.refuse = "inside $(…)";
    else if (f == frame::expansion)
      place.refuse = "inside ${…}";
    else if (f == frame::backticks)
      place.refuse = "inside backticks";
    else if (f == frame::comment)
      place.refuse = "inside a comment";
  }
  if (place.refuse.empty()) {
    if (!lost_.empty())
      place.refuse = lost_;
    else if (escaped_)
      place.refuse = "directly behind a backslash";
    else if (dollar_ && top() == frame::command)
      place.refuse = "directly behind a $";
    else if (subscript_ > 0)
      place.refuse = "inside […]";
  }
  place.glued = top() == frame::command && in_word_;
  place.begins = begins_;
  if (top() == frame::single_quotes)
    place.quotes = shell_quotes::single_quotes;
  else if (top() == frame::double_quotes)
    place.quotes = shell_quotes::double_quotes;
  escaped_ = dollar_ = parenthesis_ = false;
  less_ = 0;
  in_word_ = true;
  word_ += '?';
  return place;
}

bool is_posix_shell(std::string_view shell) {
  static constexpr std::array<std::string_view, 7> shells = {"sh", "dash", "bash", "ash", "ksh", "mksh", "zsh"};
  return one_of(file_name(shell), shells);
}

bool may_skip_shell(std::string_view shell, const std::vector<std::string>& options) {
  static constexpr std::array<std::string_view, 4> shells = {"sh", "dash", "bash", "ash"};
  const auto is_plain = [](const std::string& option) {
    return option == "pipefail" ||
           (option.size() > 1 && option.front() == '-' && option.find_first_not_of("ceuo", 1) == std::string::npos);
  };
  return one_of(file_name(shell), shells) && std::all_of(options.begin(), options.end(), is_plain);
}

void append_quoted(std::string& out, std::string_view value, shell_quotes where) {
  // Inside double quotes they are closed and opened again: single quotes leave nothing to escape but themselves, and
  // "$HOME" before the value cannot grow by it.
  if (where == shell_quotes::double_quotes)
    out += '"';
  if (where != shell_quotes::single_quotes)
    out += '\'';
  for (const char c : value) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  if (where != shell_quotes::single_quotes)
    out += '\'';
  if (where == shell_quotes::double_quotes)
    out += '"';
}

} // namespace troupe_internal
