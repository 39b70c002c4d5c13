// The supervisor's file first.
#include "cli/supervised_state.hpp"

#include "cli/served_files.hpp"

#include <filesystem>

namespace troupe_internal::cli {

result<std::string> supervisor_state(const invocation& with) {
  if (!with.options.state.empty())
    return with.state_folder();
  const auto served = find_served(with, {});
  if (!served)
    return served.error();
  if (!served->is_supervisor)
    return with.state_folder();
  if (!served->settings)
    return fail(error_code::invalid_input, served->supervisor_file +
                                               " has mistakes, and so does not say where the state is: see them with "
                                               "`troupe serve --check`, or name the state with --state");
  return (std::filesystem::path(served->folder) / served->settings->state_dir).lexically_normal().string();
}

} // namespace troupe_internal::cli
