// Asking before something is changed: --yes, or the user at the terminal. Knows no verb.
#pragma once

#include "cli/invocation.hpp"

#include <string>

namespace troupe_internal::cli {

/// Whether to go on: --yes, or the answer of the user at the terminal.
struct consent {
  bool yes = false;
  bool asked = false; ///< the user could answer, or did not need to

  bool get(invocation& with, const std::string& question) {
    asked = yes || (with.io.ask && !with.options.json);
    return yes || (asked && with.io.ask(question));
  }
};

/// The end of a verb that did not get it: `what` completes "to …".
inline int not_done(invocation& with, const consent& how, const std::string& what) {
  if (how.asked) {
    with.io.err.stream << "nothing was changed\n";
    return exit_ok;
  }
  return with.report(
      fail(error_code::invalid_input, "nothing was changed: to " + what + ", add --yes, or run this at a terminal"));
}

} // namespace troupe_internal::cli
