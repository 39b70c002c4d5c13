// One pass, word by word.
#include "engine/depfile.hpp"

#include <unordered_set>
#include <utility>

namespace troupe_internal {

namespace {

class depfile_reader {
public:
  explicit depfile_reader(std::string_view text) : text_(text) {}

  result<std::vector<std::string>> read() {
    while (problem_.empty() && at_ < text_.size())
      next();
    if (problem_.empty())
      end_rule();
    if (!problem_.empty())
      return fail(error_code::invalid_input, "line " + std::to_string(line_) + ": " + problem_);
    return std::move(names_);
  }

private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\n';
  }
  [[nodiscard]] bool at_end(std::size_t ahead = 0) const { return at_ + ahead >= text_.size(); }
  /// The length of the end of a line that is there; 0 if none is.
  [[nodiscard]] std::size_t line_end(std::size_t ahead = 0) const {
    if (at_end(ahead))
      return 0;
    return peek(ahead) == '\n' ? 1 : peek(ahead) == '\r' && !at_end(ahead + 1) && peek(ahead + 1) == '\n' ? 2 : 0;
  }
  [[nodiscard]] bool ends_word(std::size_t ahead) const {
    return at_end(ahead) || peek(ahead) == ' ' || peek(ahead) == '\t' || line_end(ahead) != 0 ||
           (peek(ahead) == '\\' && line_end(ahead + 1) != 0); // the line is continued
  }

  void next() {
    if (const auto end = line_end(); end != 0) {
      end_rule();
      if (!problem_.empty())
        return;
      at_ += end;
      ++line_;
      line_began_ = at_;
    } else if (peek() == ' ' || peek() == '\t') {
      ++at_;
    } else if (peek() == '\\' && line_end(1) != 0) {
      at_ += 1 + line_end(1);
      ++line_;
    } else if (peek() == '#') {
      comment();
    } else if (text_[line_began_] == '\t' && targets_ == 0 && !colon_) {
      problem_ = "a line that begins with a tab is a command of a makefile, and a depfile has none";
    } else {
      word();
    }
  }

  void end_rule() {
    if (targets_ > 0 && !colon_)
      problem_ = "there is no \":\" with a blank after it behind the target";
    targets_ = 0;
    colon_ = false;
  }

  void comment() {
    while (!at_end() && line_end() == 0) {
      if (peek() == '\\' && line_end(1) != 0) {
        at_ += line_end(1);
        ++line_;
      }
      ++at_;
    }
  }

  void word() {
    word_.clear();
    bool target = false;
    while (problem_.empty() && !ends_word(0) && !target)
      character(target);
    if (!problem_.empty())
      return;
    if (target && word_.empty() && targets_ == 0)
      problem_ = "there is no target before the \":\"";
    else if (colon_ && !target)
      add();
    else if (!word_.empty())
      ++targets_;
    colon_ = colon_ || target;
  }

  void add() {
    if (!word_.empty() && seen_.insert(word_).second)
      names_.push_back(word_);
  }

  /// `target`: a ":" has ended the targets.
  void character(bool& target) {
    const char c = peek();
    if (c == '\\')
      return backslashes();
    if (c == '\0') {
      problem_ = "there is a NUL";
    } else if (c == '$' && peek(1) == '$') {
      word_ += '$';
      at_ += 2;
    } else if (c == '$' && (peek(1) == '(' || peek(1) == '{')) {
      problem_ = "there is a variable of make, which Troupe does not know; a \"$\" in a name is written \"$$\"";
    } else if (const std::size_t colons = c != ':' ? 0 : peek(1) == ':' ? 2 : 1; colons != 0 && ends_word(colons)) {
      if (colon_)
        problem_ = "there is a second \":\" in one rule";
      target = true;
      at_ += colons;
    } else {
      word_ += c;
      ++at_;
    }
  }

  /// What they mean depends on what follows them.
  void backslashes() {
    std::size_t count = 0;
    while (!at_end(count) && peek(count) == '\\')
      ++count;
    const bool odd = count % 2 == 1;
    if (at_end(count) && odd) {
      problem_ = "the file ends behind a backslash: it was cut off";
      return;
    }
    const char behind = peek(count);
    if (at_end(count) || line_end(count) != 0) {
      word_.append(odd ? count - 1 : count, '\\'); // an odd one continues the line
      at_ += odd ? count - 1 : count;
    } else if ((behind == ' ' || behind == '\t') && odd) {
      word_.append(count / 2, '\\');
      word_ += behind;
      at_ += count + 1;
    } else if (behind == '#' || (behind == ':' && !ends_word(count + 1))) {
      word_.append(count - 1, '\\');
      word_ += behind;
      at_ += count + 1;
    } else {
      word_.append(count, '\\');
      at_ += count;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t line_began_ = 0;
  std::size_t targets_ = 0; // of this rule
  bool colon_ = false;      // they have ended
  std::string word_;
  std::string problem_;
  std::vector<std::string> names_;
  std::unordered_set<std::string> seen_;
};

} // namespace

result<std::vector<std::string>> parse_depfile(std::string_view text) {
  return depfile_reader(text).read();
}

} // namespace troupe_internal
