// The supervisor's file first.
#include "cli/supervised_state.hpp"

#include "cli/served_files.hpp"
#include "config/load_pipeline.hpp"
#include "views/text.hpp"

#include <filesystem>

namespace troupe_internal::cli {

result<std::string> supervisor_state(const invocation& with) {
  if (!with.options.state.empty())
    return with.options.state;
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

bool names_supervisor(const invocation& with) {
  const auto& file = with.options.file;
  if (file.empty() || file == "-" || config::names_descriptor(file))
    return false;
  const auto text = config::settings_text(file);
  return text && config::is_supervisor_text(*text);
}

result<project_options> pipeline_of_supervisor(const invocation& with) {
  const auto served = find_served(with, {});
  if (!served)
    return served.error();
  if (!served->settings)
    return fail(error_code::invalid_input, served->supervisor_file +
                                               " has mistakes: see them with `troupe serve --check -f " +
                                               served->supervisor_file + "`");
  const auto& wanted = with.options.pipeline;
  std::vector<std::string> names;
  const std::string* found = nullptr;
  for (const auto& file : served->files) {
    const auto loaded = config::load_pipeline({.file = file, .only_regular = true, .with_graph = false});
    if (!loaded.p)
      continue;
    names.push_back(loaded.p->name);
    if (wanted.empty() || loaded.p->name == wanted)
      found = &file;
  }
  if (found == nullptr || (wanted.empty() && served->files.size() != 1))
    return fail(error_code::invalid_input,
                (wanted.empty() ? served->supervisor_file + " has several pipelines: name one with --pipeline"
                                : served->supervisor_file + " has no pipeline \"" + wanted + "\" that can be read") +
                    (names.empty() ? std::string() : "; there are: " + listed(names, 20)));
  project_options request;
  request.file = *found;
  request.only_regular = true;
  auto state = supervisor_state(with);
  if (!state)
    return state.error();
  request.state = std::move(*state);
  return request;
}

} // namespace troupe_internal::cli
