// Globs over paths: *, ?, [a-z], [!a], ** for any number of folders, \ to escape. Knows no disk.
#pragma once

#include <string>
#include <string_view>

namespace troupe_internal {

/// Whether the text holds an unescaped *, ? or [.
[[nodiscard]] bool is_glob(std::string_view text);
/// Whether a glob asks for folders as wholes: it ends in "/". The functions on matches below take it without that.
[[nodiscard]] inline bool asks_for_folders(std::string_view glob) {
  return glob.size() > 1 && glob.ends_with('/');
}
[[nodiscard]] inline std::string_view without_slash(std::string_view glob) {
  return asks_for_folders(glob) ? glob.substr(0, glob.size() - 1) : glob;
}
/// Whether an input that is this glob takes the path in: it matches, or lies in a folder that was asked for and
/// matches.
[[nodiscard]] bool glob_takes(std::string_view glob, std::string_view path);
/// Whether the whole path matches. *, ? and [..] never match "/", and no leading "." of a component unless the pattern
/// writes it; ** as a whole component matches any number of components, hidden ones left out: none at all too, but for
/// a last one, which matches what is in a folder and not the folder ("raw/**" does not match "raw"). ? and [..] stand
/// for one character of UTF-8. For normalised paths and patterns: no "//", no "/" at the end. A "[" that is never
/// closed, and a "\\" at the end of a component, stand for themselves.
[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view path);
/// How a path stands to a pattern, by their texts. Both as for glob_matches().
struct glob_relation {
  bool matches = false; ///< as glob_matches() has it
  bool beneath = false; ///< a folder above the path matches
  bool reaches = false; ///< the path could be a folder above a match: a proper prefix of one
  bool by_name = false; ///< it reaches, and not only because ** may stand for any folder
};
[[nodiscard]] glob_relation relate_to_glob(std::string_view pattern, std::string_view path);
/// Whether the pattern has a wildcard where a folder is, or **: only then can it reach into folders that it does not
/// name.
[[nodiscard]] bool enters_folders(std::string_view pattern);
/// The pattern that matches exactly this path.
[[nodiscard]] std::string glob_of_path(std::string_view path);

/// The longest leading folder without wildcards ("raw" of "raw/*.txt"; "" for "*.txt"; "/" possible).
[[nodiscard]] std::string glob_root(std::string_view pattern);

/// What follows that folder ("*.txt" of both).
[[nodiscard]] std::string_view glob_rest(std::string_view pattern);

/// The text that all matches begin with, as far as the pattern tells: "raw/x_" of "raw/x_*.txt"; the whole path of a
/// pattern without wildcards.
[[nodiscard]] std::string glob_prefix(std::string_view pattern);
/// The same wildcards over a plain text, in which "/" and "." are characters like any other (names, tags).
[[nodiscard]] bool wildcard_matches(std::string_view pattern, std::string_view text);

} // namespace troupe_internal
