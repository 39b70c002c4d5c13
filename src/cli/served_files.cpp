// The words first, then the files there are.
#include "cli/served_files.hpp"

#include <filesystem>

namespace troupe_internal::cli {

namespace {

std::string folder_of(const std::string& file) {
  std::error_code failed; // then relative to what there is
  return std::filesystem::absolute(file, failed).lexically_normal().parent_path().string();
}

} // namespace

result<served_files> find_served(const invocation& with, const std::vector<std::string>& pipelines) {
  served_files found;
  found.files = pipelines;
  std::string file = with.options.file;
  if (!file.empty() && !pipelines.empty())
    return fail(error_code::invalid_input, "name a file with -f or pipeline files as arguments, not both");
  std::error_code unknown; // then there is none
  if (file.empty() && pipelines.empty())
    file = std::filesystem::exists("supervisor.json", unknown) ? "supervisor.json" : "troupe.json";
  if (file.empty())
    return found;
  const auto text = config::settings_text(file);
  if (!text || !config::is_supervisor_text(*text)) { // who loads the pipeline says what is wrong with it
    found.files = {file};
    return found;
  }
  auto loaded = config::parse_supervisor(*text, file);
  found.is_supervisor = true;
  found.supervisor_file = file;
  found.folder = folder_of(file);
  if (loaded.settings)
    found.files = config::pipeline_files(*loaded.settings, found.folder, loaded.findings);
  if (!loaded.findings.has_errors())
    found.settings = std::move(loaded.settings);
  found.findings = std::move(loaded.findings);
  return found;
}

} // namespace troupe_internal::cli
