// The program, but for the process around it: words in, text and an exit status out.
#pragma once

#include "cli/command_line.hpp"
#include "cli/invocation.hpp"
#include "views/console.hpp"

namespace troupe_internal::cli {

/// The whole command tree; what it refers to lives in `with`.
[[nodiscard]] std::unique_ptr<command_spec> make_commands(invocation& with);

} // namespace troupe_internal::cli

namespace troupe_internal {

/// Runs one command line; writes only to the console's streams (and to the descriptors behind them, where they are
/// terminals). Changes the handling of SIGINT, SIGTERM and SIGHUP while a run goes on. One call at a time in a process.
[[nodiscard]] int cli_main(int argc, const char* const* argv, cli::console& io);

} // namespace troupe_internal
