// A command as it is shown to people: what would be executed, with marks for what is secret. Knows no shell and no
// terminal.
#pragma once

#include "core/model/asset_definition.hpp"

#include <string>
#include <vector>

namespace troupe_internal {

struct shown_command {
  std::vector<std::string> argv; ///< of a command through a shell: the shell, its option, the text
  bool through_shell = false;
  std::string folder;                ///< absolute: where it runs
  std::vector<defined_variable> env; ///< the declared ones: values filled in; of files absolute paths
  bool inherits_env = true;
  std::vector<std::string> inherited; ///< inherits_env false: these variables alone
};

} // namespace troupe_internal
