// How a declared path is written for a command: relative to the folder the command runs in, and never like an option.
// Knows texts only; what the disk says of the folder is handed in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// The folder a command runs in, as its paths see it.
class command_paths {
public:
  /// No component of the working folder is a link.
  static constexpr std::uint32_t any_steps = 0xFFFFFFFFU;
  /// Stands before a path that is passed as absolute, where the pipeline's folder must not be part of the text. No path
  /// and no value holds a NUL.
  static constexpr std::string_view folder_mark{"\0folder/", 8};

  /// `folder`: the pipeline's, absolute. `cwd`: as declared. Both outlive this.
  command_paths(std::string_view folder, std::string_view cwd);

  /// The command runs in the pipeline's folder: every path is passed as declared.
  [[nodiscard]] bool at_home() const { return !foreign_ && components_.empty(); }

  /// The declared path (normalised) as the command needs it. `steps_up`: how many of cwd's last components are no
  /// links; `..` would leave any other into the wrong folder, so the path is then absolute. With `marked`, folder_mark
  /// takes the place of the pipeline's folder. The result is good as long as `path` and `scratch` are.
  [[nodiscard]] std::string_view as_passed(std::string_view path, std::uint32_t steps_up, bool marked,
                                           std::string& scratch) const;

private:
  [[nodiscard]] std::string_view absolute(std::string_view path, bool marked, std::string& scratch) const;

  std::string_view folder_;
  std::vector<std::string_view> components_; ///< of cwd, seen from the pipeline's folder
  bool foreign_ = false;                     ///< cwd does not lie in the pipeline's folder
};

/// Whether a path that begins with "-" would be taken for an option behind this text: at the start of a word, an
/// element, an env value or a line.
[[nodiscard]] inline bool begins_word(std::string_view before) {
  return before.empty() || before.back() == ' ' || before.back() == '\t' || before.back() == '\n';
}

/// Whether the text leads one folder up from a path that is written directly behind it ("cat ../"); quotes are looked
/// through.
[[nodiscard]] bool ends_in_step_up(std::string_view before);

} // namespace troupe_internal
