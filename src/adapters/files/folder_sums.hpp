// The two sums over a folder: of its stats and of its contents. Knows the bytes that are summed, not where they are
// from.
#pragma once

#include "adapters/files/folder_walk.hpp"
#include "base/digest.hpp"
#include "core/model/materialization.hpp"

#include <sys/stat.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace troupe_internal {

/// Folds members' stats into one, in bounded memory.
class stat_fold {
public:
  stat_fold() { folded_.kind = file_kind::folder; }

  /// `at`: what the walk's paths are relative to.
  void add(const folder_member& member, int at);
  /// How a link counts that add() has taken as it is itself; `text` tells it from others that count so.
  void link(char how, std::string_view text = {});
  void link_to_file(const struct stat& target, const file_stat& stat);
  void link_to_folder(const file_stat& target);

  [[nodiscard]] file_stat finish();

private:
  void add(const file_stat& stat);
  void fold();

  std::string pending_;
  file_stat folded_;
};

/// One line of a listing: see read_folder().
[[nodiscard]] std::string listed(char kind, std::string_view name);
[[nodiscard]] std::string listed(char kind, std::string_view name, std::string_view text);
[[nodiscard]] std::string listed(char kind, std::string_view name, const digest& content);

/// The digest of what is listed, and, as long as there is not too much of it, the bytes.
class folder_list {
public:
  explicit folder_list(bool keep) : keep_(keep) {}

  void add(std::string_view line);
  /// A link counts by `line`; by its text it would be `by_text`.
  void add(std::string_view line, std::string_view by_text);

  struct finished {
    digest content;
    digest as_text; ///< all zero: no link counts otherwise than by its text
    std::optional<std::string> bytes;
  };
  [[nodiscard]] finished finish();

private:
  void note(std::string_view line);

  content_hasher hasher_;
  std::optional<content_hasher> plain_; // with links by their text, from the first that counts otherwise
  bool keep_;
  std::size_t members_ = 0;
  std::string bytes_;
};

} // namespace troupe_internal
