// Completion scripts for shells, made from the tree of commands. Knows the shells' languages, no command.
#pragma once

#include "cli/command_line.hpp"

#include <string>

namespace troupe_internal::cli {

// Each script completes commands, options, their words, files and folders by itself, and asks `troupe __complete` for
// the names of assets and runs. An option's name must take a value in all commands that have it, or in none.
[[nodiscard]] std::string bash_completions(const command_spec& root);
[[nodiscard]] std::string zsh_completions(const command_spec& root);
[[nodiscard]] std::string fish_completions(const command_spec& root);

} // namespace troupe_internal::cli
