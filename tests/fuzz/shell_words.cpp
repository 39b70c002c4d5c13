// POSIX.1-2017, XCU 2.2 (quoting) and 2.3 (token recognition), by recursive descent over one text.
#include "fuzz/shell_words.hpp"

namespace troupe_internal::fuzz {
namespace {

class reader {
public:
  explicit reader(std::string_view text) : text_(text) {}

  std::optional<std::vector<shell_token>> all() {
    while (at_ < text_.size() && !beyond_)
      token();
    if (beyond_)
      return std::nullopt;
    return std::move(tokens_);
  }

private:
  [[nodiscard]] char next(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void token() {
    const char c = next();
    if (c == ' ' || c == '\t') {
      ++at_;
    } else if (std::string_view("\n;&|<>()").find(c) != std::string_view::npos) {
      // Here-documents and arithmetic are another language.
      if ((c == '<' && (next(1) == '<' || next(1) == '\\')) || (c == '(' && (next(1) == '(' || next(1) == '\\')))
        beyond_ = true;
      ++at_;
      tokens_.push_back({true, {{c, false}}});
    } else if (c == '#') {
      while (at_ < text_.size() && next() != '\n')
        ++at_;
    } else {
      word();
    }
  }

  void word() {
    shell_token word;
    while (at_ < text_.size() && !beyond_ && std::string_view(" \t\n;&|<>()").find(next()) == std::string_view::npos) {
      const char c = text_[at_++];
      if (c == '\'')
        single(word);
      else if (c == '"')
        twofold(word);
      else if (c == '\\')
        escaped(word);
      else if (c == '`' || (c == '$' && std::string_view("({['\"\\").find(next()) != std::string_view::npos))
        beyond_ = true;
      else
        word.text.push_back({c, false});
    }
    tokens_.push_back(std::move(word));
  }

  void single(shell_token& word) {
    for (; at_ < text_.size(); ++at_) {
      if (next() == '\'') {
        ++at_;
        return;
      }
      word.text.push_back({next(), true});
    }
    beyond_ = true; // never closed
  }

  void twofold(shell_token& word) {
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"')
        return;
      if (c == '`' || (c == '$' && std::string_view("({[\\").find(next()) != std::string_view::npos))
        break;
      if (c == '\\' && std::string_view("$`\"\\\n").find(next()) != std::string_view::npos && at_ < text_.size()) {
        if (next() == '\n') {
          break; // vanishes, with what that may join
        }
        word.text.push_back({text_[at_++], true});
        continue;
      }
      word.text.push_back({c, c != '$'}); // a $ is one here as well
    }
    beyond_ = true;
  }

  void escaped(shell_token& word) {
    if (at_ == text_.size() || next() == '\n')
      beyond_ = true;
    else
      word.text.push_back({text_[at_++], true});
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<shell_token> tokens_;
  bool beyond_ = false;
};

} // namespace

std::optional<std::vector<shell_token>> shell_tokens(std::string_view text) {
  return reader(text).all();
}

} // namespace troupe_internal::fuzz
