// What a declared asset is by its definition: the texts of its command, environment and paths as they were written,
// kept so that a later reader can say what has changed. Knows nothing of how it is stored, and no value of a secret.
#pragma once

#include "base/digest.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe_internal {

/// Persisted: do not change the values.
enum class command_form : std::uint8_t {
  none = 0,     ///< a source
  list = 1,     ///< the elements of an argument list
  shell = 2,    ///< one text for a shell
  function = 3, ///< a function of the program that Troupe is a part of: its name, what it hands on, what it takes
};

/// Where a variable of a command's environment comes from. Persisted: do not change the values.
enum class variable_source : std::uint8_t { literal = 0, environment = 1, file = 2 };

struct defined_variable {
  std::string name;
  variable_source source = variable_source::literal;
  std::string text;    ///< the value as written, or the name of the variable or file it is read from
  bool secret = false; ///< then a literal has no text
  friend bool operator==(const defined_variable&, const defined_variable&) = default;
};

/// A param that the texts use, and its value when the definition was recorded. Of a secret one that is a mark.
struct defined_param {
  std::string name, value;
  friend bool operator==(const defined_param&, const defined_param&) = default;
};

[[nodiscard]] constexpr const char* to_string(command_form form) {
  return form == command_form::none    ? "none"
         : form == command_form::list  ? "list"
         : form == command_form::shell ? "shell"
                                       : "function";
}
[[nodiscard]] constexpr const char* to_string(variable_source source) {
  return source == variable_source::literal       ? "literal"
         : source == variable_source::environment ? "environment"
                                                  : "file";
}

/// All texts are templates: the values of params and matrices are not filled in; those of params are beside them. The
/// assets of a matrix share one.
struct asset_definition {
  command_form form = command_form::none;
  std::vector<std::string> command;
  std::string shell; ///< form shell
  std::string cwd;
  std::vector<defined_variable> env; ///< in declared order
  bool inherits_env = true;
  std::vector<std::string> inherited; ///< inherits_env false: these variables alone
  std::string version;
  std::vector<std::string> inputs; ///< paths and patterns; "!" in front of what is taken out
  std::vector<std::string> deps;   ///< assets by name; of a matrix that is needed whole, the name alone
  std::vector<std::string> outputs;
  std::vector<std::string> more;     ///< what else is declared that counts, a text each: "depfile obj/x.d"
  std::vector<defined_param> params; ///< sorted by name
  friend bool operator==(const asset_definition&, const asset_definition&) = default;
};

/// What a definition is known by. It never changes for the same texts: a member that comes later must not count as long
/// as it is empty.
[[nodiscard]] digest digest_of(const asset_definition& definition);

/// The part of a digest that tables use as their key.
[[nodiscard]] constexpr std::uint64_t definition_key(const digest& of) {
  std::uint64_t key = 0;
  for (unsigned i = 0; i < 8; ++i)
    key |= std::uint64_t{of.bytes[i]} << 8U * i;
  return key;
}

/// What a state keeps of a definition.
struct definition_record {
  digest of;
  std::uint32_t named_by = 0; ///< how often records of assets name it
  bool has_text = false;      ///< false: the record of an asset names it, and its text was not recorded, or is gone
  asset_definition text;
  friend bool operator==(const definition_record&, const definition_record&) = default;
};

} // namespace troupe_internal
