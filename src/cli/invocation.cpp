// What every verb does alike.
#include "cli/invocation.hpp"

#include "cli/supervised_state.hpp"
#include "config/value_text.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe_internal::cli {

int exit_status_of(error_code code) {
  switch (code) {
  case error_code::invalid_input:
  case error_code::not_found:
  case error_code::io:
    return exit_usage;
  case error_code::state_locked:
  case error_code::state_unusable:
    return exit_state;
  case error_code::busy:
  case error_code::key_conflict:
  case error_code::internal:
  case error_code::stopped: // but watch_run() knows the signal
    return exit_failed;
  }
  return exit_failed;
}

namespace {

/// "troupe.json" in this folder or in the nearest one above that has one; "troupe.json" where none has. Above, a file
/// counts only if it is the user's own or root's: nobody else decides what is executed in a folder of the user's.
result<std::string> find_pipeline_file() {
  const std::string standard = project_options().file;
  std::error_code unknown; // then only this folder is looked at
  auto folder = std::filesystem::current_path(unknown);
  std::string up;
  while (!unknown) {
    struct stat info {};
    const auto file = up + standard;
    if (::lstat(file.c_str(), &info) == 0) {
      if (up.empty() || info.st_uid == ::geteuid() || info.st_uid == 0)
        return file;
      return fail(error_code::invalid_input, "there is no " + standard + " here, and " + file +
                                                 " belongs to another user; -f " + file + " uses it all the same");
    }
    if (!folder.has_relative_path())
      break;
    folder = folder.parent_path();
    up += "../";
  }
  return standard;
}

} // namespace

result<project_options> invocation::project_request() const {
  project_options request;
  request.only_regular = options.file.empty();
  if (names_supervisor(*this)) {
    auto chosen = pipeline_of_supervisor(*this);
    if (!chosen)
      return chosen;
    request = std::move(*chosen);
  } else if (!options.pipeline.empty()) {
    return fail(error_code::invalid_input, "--pipeline goes with -f and a supervisor's file, whose pipelines it names");
  } else if (request.only_regular) {
    auto found = find_pipeline_file();
    if (!found)
      return found.error();
    request.file = std::move(*found);
  } else {
    request.file = options.file;
  }
  if (!options.state.empty())
    request.state = options.state;
  for (const auto& param : options.params) {
    auto parsed = config::parse_param(param);
    if (!parsed)
      return fail(error_code::invalid_input, "--param takes NAME=VALUE, not '" + param + "'");
    request.params.push_back(std::move(*parsed));
  }
  return request;
}

result<project> invocation::open(const opening& how) {
  auto request = project_request();
  if (!request)
    return request.error();
  request->all_files = how.all_files;
  request->journal = how.journal;
  findings = {};
  auto opened = open_project(*request, findings);
  if (how.strict && opened && !findings.items.empty()) {
    findings.count_warnings_as_errors();
    opened = fail(error_code::invalid_input, "warnings count as errors (--strict)");
  }
  if (!findings.items.empty())
    io.err.stream << findings_text(findings, io.err.colours) << std::flush;
  return opened;
}

result<std::string> invocation::state_folder(std::string* pipeline) const {
  if (names_supervisor(*this) && (pipeline == nullptr || options.pipeline.empty()))
    return supervisor_state(*this); // which all of its pipelines share
  auto request = project_request();
  if (!request)
    return request.error();
  return find_state_folder(*request, pipeline);
}

int invocation::report(const error& e) {
  if (holds_back && e.held) {
    held_back = e;
    return exit_status_of(e.code);
  }
  if (options.json) {
    json_writer json(io.out.stream);
    write_error(json, e, findings, ended);
  }
  io.out.stream << std::flush; // what was said before the error comes before it
  io.err.stream << io.err.colours.paint(tint::bad, "error: ") << (e.in_lines ? e.message : printable(e.message)) << "\n"
                << std::flush;
  return exit_status_of(e.code);
}

void invocation::warn(std::string_view message) {
  io.err.stream << io.err.colours.paint(tint::warn, "warning: ") << printable(message) << "\n" << std::flush;
}

} // namespace troupe_internal::cli
