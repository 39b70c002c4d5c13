// The tree of commands with their options, as data, and how words on a command line are matched with it. Knows nothing
// of what the commands do; the parser beneath is not visible here.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal::cli {

/// What a shell can offer where a value is expected.
enum class completion : std::uint8_t { nothing, files, folders, words, assets, runs };

/// Takes the values given (all of them, in order); returns what is wrong with them, or nothing.
using assign_function = std::function<std::string(const std::vector<std::string>&)>;

struct option_spec {
  std::string short_name; ///< "-f", or empty
  std::string long_name;  ///< "--file"
  std::string also;       ///< another name, as other tools have it; not in the help
  std::string meta;       ///< name of its value in help; empty: a flag
  std::string help;
  std::string meta_of_flag; ///< of a flag that may have a value (--wait=30s): its name in help
  completion completes = completion::nothing;
  std::vector<std::string> words; ///< all values there are, if completes is words
  bool repeatable = false;
  assign_function assign;
};

struct positional_spec {
  std::string name;
  std::string help;
  bool required = false;
  bool many = false; ///< takes all that is left
  completion completes = completion::nothing;
  std::vector<std::string> words;
  assign_function assign;
};

struct example {
  std::string line;
  std::string does;
};

/// One command: the program itself, a verb, or a verb's verb. References handed to it must outlive the parsing.
class command_spec {
public:
  command_spec(std::string word, std::string what) : name(std::move(word)), help(std::move(what)) {}

  command_spec& subcommand(std::string verb, std::string what);
  /// `names`: "-f,--file" or "--file".
  option_spec& flag(std::string_view names, bool& to, std::string what);
  /// A flag that may have a value: --wait, --wait=30s. `take` gets it, empty if there is none, and returns what is
  /// wrong.
  option_spec& flag_or_value(std::string_view names, std::string meta, std::string what,
                             std::function<std::string(const std::string&)> take);
  option_spec& text(std::string_view names, std::string meta, std::string& to, std::string what);
  option_spec& texts(std::string_view names, std::string meta, std::vector<std::string>& to, std::string what);
  option_spec& number(std::string_view names, std::string meta, std::optional<std::uint32_t>& to, std::uint32_t least,
                      std::string what, std::uint32_t most = std::numeric_limits<std::uint32_t>::max());
  option_spec& choice(std::string_view names, std::string meta, std::string& to, std::vector<std::string> words,
                      std::string what);
  positional_spec& positional(std::string label, std::string& to, bool required, std::string what);
  positional_spec& positionals(std::string label, std::vector<std::string>& to, std::string what);

  std::string name;
  std::string help; ///< one sentence
  std::vector<option_spec> options;
  std::vector<positional_spec> arguments;
  std::vector<example> examples;
  std::vector<std::unique_ptr<command_spec>> commands;
  bool hidden = false;
  bool streams = false;        ///< --format ndjson means something
  std::function<int()> action; ///< what the command does; returns the exit status

private:
  option_spec& add(std::string_view names, std::string meta, std::string what, assign_function assign);
};

/// What a command line says.
struct parsed_line {
  const command_spec* command = nullptr; ///< the innermost command named
  std::string path;                      ///< "troupe journal verify"
  bool help = false;
  bool version = false;
  std::string error; ///< what is wrong with the line, with the nearest name; empty if nothing
};

/// Matches the words after the program's name with the tree and assigns what they say. Options of the root are accepted
/// before and after the verb. Nothing is assigned if there is an error.
[[nodiscard]] parsed_line parse_line(const command_spec& root, int argc, const char* const* argv);

/// The help of one command: usage, arguments, options, commands, examples. `root` gives the global options.
[[nodiscard]] std::string help_text(const command_spec& root, const command_spec& command, const std::string& path);

} // namespace troupe_internal::cli
