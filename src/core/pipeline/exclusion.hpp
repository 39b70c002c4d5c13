// What a "!pattern" of a list of inputs takes out of its globs and folders. Knows texts, no disk.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// Whether the pattern takes the path out: it matches the path or a folder above it. "x/**" takes out all beneath what
/// "x" matches, hidden names too.
[[nodiscard]] bool takes_out(std::string_view pattern, std::string_view path);
/// Whether the pattern takes out all that could lie in the folder, whether or not it takes out the folder itself.
[[nodiscard]] bool takes_out_all_beneath(std::string_view pattern, std::string_view folder);
/// Whether the pattern could take out something beneath the folder.
[[nodiscard]] bool may_take_out_beneath(std::string_view pattern, std::string_view folder);

/// A folder counted without some of its members has a name of its own: the folder's path, then for each spelling of the
/// folder (as declared; and, where that leads through links, as the system resolves it) its patterns. No path holds a
/// NUL, so the name is no path's.
class folder_filter {
public:
  folder_filter() = default;
  /// Reads a name. It has to outlive this.
  explicit folder_filter(std::string_view name);

  /// The folder's path: the whole name if that is a plain path.
  [[nodiscard]] std::string_view path() const { return path_; }
  [[nodiscard]] bool takes_nothing() const { return spellings_.empty(); }
  /// Whether a member, by its path relative to the folder, is left out.
  [[nodiscard]] bool leaves_out(std::string_view member) const;
  /// Whether something in the member, a folder, could be left out.
  [[nodiscard]] bool reaches_into(std::string_view member) const;

private:
  struct spelling {
    std::string_view folder;
    std::vector<std::string_view> patterns;
    [[nodiscard]] std::string path_of(std::string_view member) const;
  };
  std::string_view path_;
  std::vector<spelling> spellings_;
};

/// The part of such a name that is a path.
[[nodiscard]] inline std::string_view unfiltered(std::string_view name) {
  return name.substr(0, name.find(std::string_view("\0\0", 2)));
}

/// Appends one spelling of the folder to the name, which begins with the folder's path. The patterns that can take out
/// nothing beneath it are left away; without any nothing is appended.
void add_spelling(std::string& name, std::string_view folder, std::span<const std::string_view> patterns);

} // namespace troupe_internal
