// Which assets make a file and which read it, by what is declared and by what was recorded. Knows no verb.
#pragma once

#include "engine/project.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe_internal::cli {

struct reader_of_file {
  asset_index asset;
  std::string input; ///< as it is declared; empty: its command reported the file
};

struct file_users {
  std::string file; ///< as the pipeline names it
  std::optional<asset_index> maker;
  std::vector<reader_of_file> readers; ///< in order of index
};

/// `file`: as named from the working folder.
[[nodiscard]] result<file_users> users_of_file(const project& on, const std::string& file);

/// What a change of these files would make stale, as a plan: those that read them, and what needs those.
[[nodiscard]] result<plan_report> plan_if_changed(const project& on, const std::vector<std::string>& selection,
                                                  const std::vector<std::string>& files);

} // namespace troupe_internal::cli
