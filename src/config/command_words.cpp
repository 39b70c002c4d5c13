// One pass, with the little memory it takes to know where a simple command begins.
#include "config/command_words.hpp"

#include <algorithm>
#include <array>

namespace troupe_internal::config {
namespace {

constexpr auto npos = std::string_view::npos;

template <std::size_t count>
bool is_one_of(std::string_view word, const std::array<std::string_view, count>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string_view file_name(std::string_view program) {
  return program.substr(program.rfind('/') + 1);
}

bool reads_nothing(std::string_view program) {
  static constexpr std::array<std::string_view, 6> names{"rm", "rmdir", "unlink", "mkdir", "echo", "printf"};
  return is_one_of(file_name(program), names);
}

/// Words after which a command begins.
bool is_keyword(std::string_view word) {
  static constexpr std::array<std::string_view, 13> words{"if",   "then", "else", "elif", "while", "until", "do",
                                                          "time", "exec", "env",  "!",    "{",     "nice"};
  return is_one_of(word, words);
}

class cutter {
public:
  explicit cutter(std::string_view text) : text_(text) {}

  std::vector<command_word> all() {
    while (at_ < text_.size()) {
      if (text_[at_] == '#' && (at_ == 0 || std::string_view(" \t\n;").find(text_[at_ - 1]) != npos)) {
        at_ = std::min(text_.find('\n', at_), text_.size());
        continue;
      }
      const auto start = at_;
      find_end();
      if (at_ > start)
        word(text_.substr(start, at_ - start));
      if (at_ < text_.size())
        gap(text_[at_++]);
    }
    return std::move(words_);
  }

private:
  void find_end() {
    constexpr std::string_view breaks = " \t\n'\"`;&|<>()=";
    for (; at_ < text_.size() && breaks.find(text_[at_]) == npos; ++at_)
      if (text_.substr(at_).starts_with("{{"))
        if (const auto end = text_.find("}}", at_); end != npos)
          at_ = end + 1;
  }

  void word(std::string_view text) {
    const bool assigns = begins_ && at_ < text_.size() && text_[at_] == '=';
    if (written_) {
      written_ = false;
      words_.push_back({text, false, false, true});
    } else if (after_assignment_) {
      words_.push_back({text, false, false});
    } else if (assigns || (begins_ && is_keyword(text))) {
      words_.push_back({text, true, false});
    } else {
      words_.push_back({text, begins_, !begins_ && quiet_});
      if (begins_)
        quiet_ = reads_nothing(text);
      begins_ = false;
    }
    after_assignment_ = assigns;
  }

  void gap(char c) {
    if (c == '>' || (c == '&' && written_)) { // > and >&
      written_ = true;
      return;
    }
    if (c == ';' || c == '&' || c == '|' || c == '(' || c == '\n' || c == '`') {
      begins_ = true;
      quiet_ = false;
    }
    if (c != '=')
      after_assignment_ = after_assignment_ && (c == '\'' || c == '"');
    if (c == '\n')
      written_ = false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<command_word> words_;
  bool begins_ = true; // a simple command
  bool quiet_ = false; // its program reads nothing
  bool written_ = false;
  bool after_assignment_ = false;
};

void mark_written(std::vector<command_word>& words) {
  static constexpr std::array<std::string_view, 8> options{"-o",    "-MF",           "-MJ",       "--output",
                                                           "--out", "--output-file", "--depfile", "of" /* dd */};
  static constexpr std::array<std::string_view, 4> writers{"tee", "touch", "mkdir", "truncate"};
  static constexpr std::array<std::string_view, 4> copiers{"cp", "mv", "install", "ln"};
  const bool makes_depfiles =
      std::any_of(words.begin(), words.end(), [](const auto& w) { return w.text == "-MD" || w.text == "-MMD"; });
  std::string_view program;
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto& word = words[i];
    if (word.program && !is_keyword(word.text))
      program = file_name(word.text);
    if (word.program || word.written)
      continue;
    const bool last = i + 1 == words.size() || words[i + 1].program || words[i + 1].written;
    word.written = (i > 0 && is_one_of(words[i - 1].text, options)) || is_one_of(program, writers) ||
                   (last && is_one_of(program, copiers)) || (makes_depfiles && word.text.ends_with(".d"));
    if (word.text.starts_with("-MF") && word.text.size() > 3)
      word = {word.text.substr(3), false, false, true};
    else if (word.text.starts_with("-Wp,-M"))
      word = {word.text.substr(word.text.rfind(',') + 1), false, false, true};
  }
}

std::vector<command_word> plain_words_of(const asset_declaration& declaration) {
  if (declaration.kind == command_kind::none || declaration.command.empty())
    return {};
  if (declaration.kind == command_kind::shell)
    return cutter(declaration.command.front()).all();
  std::vector<command_word> words;
  const bool quiet = reads_nothing(declaration.command.front());
  const bool is_shell = file_name(declaration.command.front()).ends_with("sh");
  for (std::size_t i = 0; i < declaration.command.size(); ++i) {
    const auto text = declaration.command[i];
    if (is_shell && i > 0 && declaration.command[i - 1].starts_with('-') && declaration.command[i - 1].ends_with('c')) {
      const auto inner = cutter(text).all();
      words.insert(words.end(), inner.begin(), inner.end());
      continue;
    }
    const auto value = text.starts_with('-') && text.find('=') != npos ? text.substr(text.find('=') + 1) : text;
    words.push_back({value, i == 0, quiet});
  }
  return words;
}

} // namespace

std::vector<command_word> words_of(const asset_declaration& declaration) {
  auto words = plain_words_of(declaration);
  mark_written(words);
  return words;
}

} // namespace troupe_internal::config
