// Where a value stands in a shell text, how it is written there so that it stays data, and which texts need no shell at
// all. Knows POSIX shell words and quotes; runs nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

enum class shell_quotes : std::uint8_t { none, single_quotes, double_quotes };

/// The place of a value in a shell text.
struct shell_slot {
  shell_quotes quotes = shell_quotes::none;
  bool glued = false;      ///< unquoted, and a word's text stands directly before it
  bool begins = false;     ///< at the start of a word or of what a variable is set to, or behind a blank in quotes
  std::string_view refuse; ///< not empty: no value may stand here, and why: "inside a here-document"
};

/// Follows a shell text from its start, piece by piece, and tells the place of values between the pieces. Where shells
/// differ, or the text is too intricate to follow with certainty, values are refused from there on: it never guesses.
///
///   command text --'--> single quotes        --"--> double quotes     --#--> comment       --<<X newline-->
///   here-document
///                --$(--> substitution (nests) --${--> expansion        --`--> backticks     (all four refuse values)
class shell_scanner {
public:
  void text(std::string_view literal);
  /// The place reached; the value counts as part of a word afterwards.
  [[nodiscard]] shell_slot slot();
  /// What was inserted there: behind nothing, a word still begins.
  void inserted(std::string_view value);

private:
  enum class frame : std::uint8_t {
    command,
    single_quotes,
    double_quotes,
    substitution,
    expansion,
    backticks,
    comment
  };
  struct here_document {
    std::string delimiter;
    bool strip_tabs = false;
    bool literal = false; ///< its delimiter was quoted
  };

  void step(char c);
  [[nodiscard]] bool begins_behind(char c) const;
  void command_step(char c);
  void double_quotes_step(char c);
  bool after_dollar(char c);
  void after_less(char c);
  void delimiter_step(char c);
  void here_document_step(char c);
  void end_word();
  void newline();
  [[nodiscard]] frame top() const { return frames_.back(); }
  void lose_track(std::string_view why) {
    if (lost_.empty())
      lost_ = why;
  }

  std::vector<frame> frames_{frame::command};
  std::string_view lost_;    // why values are refused from here on; empty: they are not
  std::string word_;         // unquoted text of the current word
  bool in_word_ = false;     // a word has begun
  bool begins_ = true;       // see shell_slot::begins
  int subscript_ = 0;        // how many unquoted [ are open in this word
  bool escaped_ = false;     // the last character was a backslash that quotes the next
  bool dollar_ = false;      // the last character was an unquoted or double-quoted $
  bool parenthesis_ = false; // the last character was an unquoted (
  int less_ = 0;             // how many < in a row
  bool delimiter_ = false;   // reading a here-document's delimiter
  char delimiter_quote_ = 0;
  bool delimiter_begun_ = false;
  here_document reading_;
  std::vector<here_document> pending_; // their texts begin at the next newline
  bool in_here_document_ = false;
  std::string line_; // of the here-document
};

/// Whether values can be inserted into texts for this shell (sh, dash, bash, ash, ksh, mksh, zsh, by file name).
[[nodiscard]] bool is_posix_shell(std::string_view shell);
/// Whether a plain command means the same without this shell (sh, dash, bash, ash).
/// `options`: those before the text; others than -c, -e, -u and -o pipefail may mean anything.
[[nodiscard]] bool may_skip_shell(std::string_view shell, const std::vector<std::string>& options = {});

/// Appends the value so that the shell reads exactly its bytes at such a place.
void append_quoted(std::string& out, std::string_view value, shell_quotes where);

} // namespace troupe_internal
