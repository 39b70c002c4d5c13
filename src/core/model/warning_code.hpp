// The stable short word that every warning has, and that "ignore_warnings" names. Knows nothing of what they mean.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace troupe_internal {

/// All codes, sorted. A new warning adds its code here, and to the table in docs/pipeline.md.
inline constexpr auto warning_codes = std::to_array<std::string_view>({
    "background_processes",    // of an attempt: what its command left running was ended
    "blocked_outside",         // of a plan: by an asset outside the run
    "catch_up_without_tick",   // of the file: a trigger
    "discovered_cycle",        // of a plan: an input that was reported would close a cycle
    "dot_dot_after_link",      // of the file
    "duplicate_input",         // of the file
    "empty_glob",              // of a plan or an attempt: a glob in inputs matches nothing
    "empty_source",            // of the file: no values are found for a matrix
    "folder_left_out",         // of the file: by a glob, since the maker of the folder needs the asset
    "folders_skipped",         // of a plan or an attempt: a glob takes files and matches folders
    "input_changed_meanwhile", // of a plan: while the asset's own command ran
    "interval_of_days",        // of the file: a trigger
    "link_cycle",              // of a plan: what a link leads to is made by what needs the asset
    "links_elsewhere",         // of a plan or an attempt: links in a folder lead to very many files
    "log_incomplete",          // of an attempt
    "missing_input",           // of the file or a plan: of what nobody makes
    "orphan_input",            // of a plan or an attempt: a file that an asset left which no longer exists
    "output_not_written",      // of an attempt: its command left the output as it was
    "process_not_ended",       // of an attempt: what belongs to another user cannot be ended
    "stopped_command",         // of an attempt: its command is stopped, mostly for want of a terminal
    "trigger_circle",          // of the file: a trigger
    "undeclared_file",         // of the file
    "undeclared_input",        // of the file
    "unexpected_folder",       // of an attempt: an output that was taken for a file
    "useless_key",             // of the file
});
static_assert(std::is_sorted(warning_codes.begin(), warning_codes.end()));

[[nodiscard]] constexpr bool is_warning_code(std::string_view word) {
  return std::binary_search(warning_codes.begin(), warning_codes.end(), word);
}

/// One of them; anything else does not compile.
struct warning_code {
  std::string_view word;
  // NOLINTNEXTLINE(google-explicit-constructor): a literal is a code
  consteval warning_code(const char* text) : word(text) {
    if (!is_warning_code(word))
      throw "not in warning_codes";
  }
};

} // namespace troupe_internal
